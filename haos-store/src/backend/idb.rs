use std::sync::Arc;

use haos_store_api::{Result, StorageAdapter};
use haos_store_idb::{IdbOptions, IdbStore};

use crate::OpenOptions;

pub(crate) async fn open(name: String, options: &OpenOptions) -> Result<Arc<dyn StorageAdapter>> {
    let idb = IdbOptions::new(name).create(options.create).blocked_ms(options.busy_ms).kdf(options.kdf);
    let idb = idb.kdf_limits(options.kdf_limits).padding(options.padding);
    let idb = match &options.secret {
        Some(secret) => idb.secret(secret.clone()),
        None => idb,
    };
    #[allow(
        clippy::arc_with_non_send_sync,
        reason = "the contract shares stores so; a browser has one thread"
    )]
    Ok(Arc::new(IdbStore::open(idb).await?))
}
