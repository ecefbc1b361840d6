use std::path::PathBuf;
use std::sync::Arc;

use haos_store_api::{Progress, Report, Result, StorageAdapter};
use haos_store_sqlite::{SqliteOptions, SqliteStore};

use crate::OpenOptions;

pub(crate) async fn open(path: PathBuf, options: &OpenOptions) -> Result<Arc<dyn StorageAdapter>> {
    let store = SqliteStore::open(sqlite(path, options)).await?;
    if options.views {
        store.make_views().await?;
    }
    Ok(Arc::new(store))
}

pub(crate) async fn seal(path: PathBuf, options: &OpenOptions, progress: Progress) -> Result<Report> {
    SqliteStore::seal(sqlite(path, options), progress).await
}

pub(crate) async fn unseal(path: PathBuf, options: &OpenOptions, progress: Progress) -> Result<Report> {
    SqliteStore::unseal(sqlite(path, options), progress).await
}

fn sqlite(path: PathBuf, options: &OpenOptions) -> SqliteOptions {
    let sqlite = SqliteOptions::new(path).create(options.create).busy_ms(options.busy_ms).kdf(options.kdf);
    let sqlite = sqlite.check(options.check).kdf_limits(options.kdf_limits).padding(options.padding);
    let sqlite = if options.low_memory { sqlite.low_memory() } else { sqlite };
    match &options.secret {
        Some(secret) => sqlite.secret(secret.clone()),
        None => sqlite,
    }
}
