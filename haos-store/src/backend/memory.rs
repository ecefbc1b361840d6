use std::sync::Arc;

use haos_store_api::backend::{Codec, Keyring};
use haos_store_api::{MemoryStore, Result, StorageAdapter};

use crate::OpenOptions;

/// Opens a store of this process alone: a plain one, or one that is sealed for as long as it lives.
pub(crate) fn open(options: &OpenOptions) -> Result<Arc<dyn StorageAdapter>> {
    let codec = match &options.secret {
        Some(secret) => {
            let keyring = Keyring::create_within(secret, options.kdf, options.kdf_limits)?;
            Codec::sealed(keyring).padded(options.padding)
        }
        None => Codec::plain(),
    };
    Ok(Arc::new(MemoryStore::with_codec(codec)))
}
