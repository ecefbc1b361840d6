use std::sync::Arc;

use haos_queue::pressure::Kept;
use haos_queue::{Outbox, SharedHost};
use haos_store_api::{Result, StorageAdapter};

use super::ClientOptions;
use crate::MatrixProtocol;

/// A store that is kept within its bounds, and its outbox: what is there before somebody logs in, and stays when
/// another client takes the place of one. Clones are the same.
#[derive(Debug, Clone)]
pub struct Ground {
    /// The store.
    pub kept: Arc<Kept>,
    /// The outbox over it.
    pub outbox: Outbox,
}

impl Ground {
    /// Prepares a store. Nothing is read or written.
    ///
    /// # Errors
    /// `Invalid` if the host gives no usable randomness.
    pub fn new(store: Arc<dyn StorageAdapter>, host: SharedHost, options: &ClientOptions) -> Result<Self> {
        let kept = Arc::new(Kept::new(store, host.clone(), options.pressure.clone()));
        let outbox = Outbox::new(kept.clone(), host, Arc::new(MatrixProtocol), options.outbox.clone())?;
        Ok(Self { kept, outbox })
    }
}
