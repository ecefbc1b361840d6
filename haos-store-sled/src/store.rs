use haos_store_api::backend::native::Shell;
use haos_store_api::{Result, StorageAdapter, forward_store};

use crate::backend::Sled;
use crate::options::SledOptions;

/// A store in a sled database.
///
/// Calls need no runtime: one thread writes, another does long reads, and futures wait for their answers. Short reads
/// (one row, a page, a small range of media) are done in the caller's poll. Dropping a future tears nothing: its batch
/// is applied whole or not at all. The folder is this store's alone: another opening meanwhile, in this process or
/// another, fails with `Busy`.
///
/// A `Relaxed` commit is handed to the system before `apply` returns, a `Strict` one to the device. After a
/// failure of sled with an unknown outcome, or a panic of it, every call fails with `Closed` until the store
/// is closed and opened again.
///
/// Dropping the store without [`close`](StorageAdapter::close) lets the threads finish all accepted work, and does not
/// wait for them; the folder is free a moment later.
#[derive(Debug)]
pub struct SledStore(Shell<Sled>);

impl SledStore {
    /// Opens the store, and makes it if it is absent.
    ///
    /// # Errors
    /// `Invalid` for a path that cannot hold a store and for other people's folders, `NewerSchema` for a store of a
    /// later version, `Io` where the folder cannot be used, `Busy` if another handle holds it, `Full`, and `Corrupt`
    /// for a damaged store under [`OnDamage::Refuse`](crate::OnDamage::Refuse). A folder that is refused for another
    /// reason than damage is not changed.
    pub async fn open(options: SledOptions) -> Result<Self> {
        Shell::open(options).await.map(Self)
    }
}

#[deny(clippy::missing_trait_methods)]
impl StorageAdapter for SledStore {
    forward_store! { self => self.0 }
}
