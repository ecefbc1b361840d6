use std::path::PathBuf;
use std::sync::Arc;

use haos_store_api::{Progress, Report, Result, StorageAdapter};
use haos_store_sled::{SledOptions, SledStore};

use crate::OpenOptions;

pub(crate) async fn open(path: PathBuf, options: &OpenOptions) -> Result<Arc<dyn StorageAdapter>> {
    Ok(Arc::new(SledStore::open(sled(path, options)).await?))
}

pub(crate) async fn seal(path: PathBuf, options: &OpenOptions, progress: Progress) -> Result<Report> {
    SledStore::seal(sled(path, options), progress).await
}

pub(crate) async fn unseal(path: PathBuf, options: &OpenOptions, progress: Progress) -> Result<Report> {
    SledStore::unseal(sled(path, options), progress).await
}

fn sled(path: PathBuf, options: &OpenOptions) -> SledOptions {
    let sled = SledOptions::new(path).create(options.create).busy_ms(options.busy_ms).kdf(options.kdf);
    let sled = sled.check(options.check).kdf_limits(options.kdf_limits).padding(options.padding);
    let sled = if options.low_memory { sled.low_memory() } else { sled };
    match &options.secret {
        Some(secret) => sled.secret(secret.clone()),
        None => sled,
    }
}
