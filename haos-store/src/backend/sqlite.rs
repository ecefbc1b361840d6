use std::path::PathBuf;
use std::sync::Arc;

use haos_store_api::{Progress, Report, Result, StorageAdapter};
use haos_store_sqlite::SqliteStore;

use super::native::native;
use crate::OpenOptions;

pub(crate) async fn open(path: PathBuf, options: &OpenOptions) -> Result<Arc<dyn StorageAdapter>> {
    let store = SqliteStore::open(native(path, options)).await?;
    if options.views {
        store.make_views().await?;
    }
    Ok(Arc::new(store))
}

pub(crate) async fn seal(path: PathBuf, options: &OpenOptions, progress: Progress) -> Result<Report> {
    SqliteStore::seal(native(path, options), progress).await
}

pub(crate) async fn unseal(path: PathBuf, options: &OpenOptions, progress: Progress) -> Result<Report> {
    SqliteStore::unseal(native(path, options), progress).await
}
