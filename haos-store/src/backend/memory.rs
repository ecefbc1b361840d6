use std::sync::Arc;

use haos_store_api::{MemoryStore, Result, StorageAdapter};

use crate::OpenOptions;

/// A store of this process alone: a plain one, or one that is sealed for as long as it lives.
pub(crate) fn open(options: &OpenOptions) -> Result<Arc<dyn StorageAdapter>> {
    if options.secret.is_some() { sealed(options) } else { Ok(Arc::new(MemoryStore::new())) }
}

#[cfg(feature = "seal")]
fn sealed(options: &OpenOptions) -> Result<Arc<dyn StorageAdapter>> {
    use haos_store_api::{Codec, Keyring};
    let codec = match &options.secret {
        Some(secret) => {
            let keyring = Keyring::create_within(secret, options.kdf, options.kdf_limits)?;
            Codec::sealed(keyring).padded(options.padding)
        }
        None => Codec::plain(),
    };
    Ok(Arc::new(MemoryStore::with_codec(codec)))
}

#[cfg(not(feature = "seal"))]
fn sealed(_: &OpenOptions) -> Result<Arc<dyn StorageAdapter>> {
    use haos_store_api::{Error, ErrorKind};
    let message = "this build seals no store in memory: enable the feature `seal` of haos-store";
    Err(Error::new(ErrorKind::Unsupported, "open", message))
}
