use haos_store_api::backend::native::Shell;
use haos_store_api::{Result, StorageAdapter, forward_store};

use crate::backend::Sqlite;
use crate::options::SqliteOptions;
use crate::writer::Writer;

/// A store in a SQLite file.
///
/// Calls need no runtime: one thread writes, another does long reads, and futures wait for their answers. Short reads
/// (one row, a page, a small range of media) are done in the caller's poll. Dropping a future tears nothing: its batch
/// is applied whole or not at all. Other processes may have the file open at the same time, on the same machine; their
/// commits arrive as [`Change::Resync`](haos_store_api::Change::Resync).
///
/// Dropping the store without [`close`](StorageAdapter::close) lets the threads finish all accepted work, and does not
/// wait for them.
#[derive(Debug)]
pub struct SqliteStore(Shell<Sqlite>);

impl SqliteStore {
    /// Opens the store, and makes it if it is absent. One that cannot be written is opened for reading
    /// ([`StoreInfo::read_only`](haos_store_api::StoreInfo::read_only)); others should not write it at the same time,
    /// unless they had it open before.
    ///
    /// # Errors
    /// `Invalid` for a path that cannot hold a store and for another application's database, `NewerSchema` for a store
    /// of a later version, `Io` where the file or its folder cannot be used, `ReadOnly` where a new store, or one of an
    /// older format, cannot be written, `Busy` if another process holds it for too long, `Full`, and `Corrupt` for a
    /// file that is not known to be a store, or is damaged under [`OnDamage::Refuse`](crate::OnDamage::Refuse). A
    /// refused file is not changed.
    pub async fn open(options: SqliteOptions) -> Result<Self> {
        Shell::open(options).await.map(Self)
    }

    /// Makes views for people with a SQLite shell, which then stay in the file: `rooms`, `messages`, `gaps`, `outbox`,
    /// `media_items` and `states`. Existing views are left alone. A store that has them takes longer to open.
    ///
    /// # Errors
    /// `Unsupported` for a sealed store, whose payloads no view can read, and those of a commit.
    pub async fn make_views(&self) -> Result<()> {
        self.0.call("views", Writer::make_views).await
    }
}

#[deny(clippy::missing_trait_methods)]
impl StorageAdapter for SqliteStore {
    forward_store! { self => self.0 }
}
