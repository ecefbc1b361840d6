use std::path::PathBuf;
use std::sync::Arc;

use haos_store_api::{Progress, Report, Result, StorageAdapter};
use haos_store_sled::SledStore;

use super::native::native;
use crate::OpenOptions;

pub(crate) async fn open(path: PathBuf, options: &OpenOptions) -> Result<Arc<dyn StorageAdapter>> {
    Ok(Arc::new(SledStore::open(native(path, options)).await?))
}

pub(crate) async fn seal(path: PathBuf, options: &OpenOptions, progress: Progress) -> Result<Report> {
    SledStore::seal(native(path, options), progress).await
}

pub(crate) async fn unseal(path: PathBuf, options: &OpenOptions, progress: Progress) -> Result<Report> {
    SledStore::unseal(native(path, options), progress).await
}
