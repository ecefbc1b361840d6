//! How a store is opened.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use haos_store_api::{Codec, Form, KdfLimits, KdfParams, Padding, Secret};

use crate::read_only::Access;

/// How much memory a store may use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Profile {
    /// 8 MiB of page cache each to write and to read with, 2 MiB each for a second read at once and for long reads; a
    /// log of up to 16 MiB.
    #[default]
    Default,
    /// 1 MiB of page cache each to write and to read with, half of one each for a second read at once and for long
    /// reads; a log of up to 4 MiB.
    LowMemory,
}

/// What to do with a damaged store.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OnDamage {
    /// Rename it, start a fresh one, carry over what can be read of the outbox, and say so in
    /// [`StoreInfo::recovery`](haos_store_api::StoreInfo::recovery).
    #[default]
    SetAside,
    /// Fail with `Corrupt` and touch nothing.
    Refuse,
}

/// Where a store lives and how it is opened.
///
/// ```
/// use haos_store_sqlite::{OnDamage, SqliteOptions};
///
/// let options = SqliteOptions::new("chat.db").low_memory().busy_ms(500).on_damage(OnDamage::Refuse);
/// assert_eq!(options.path(), std::path::Path::new("chat.db"));
/// ```
#[derive(Debug, Clone)]
#[must_use = "options do nothing until a store is opened with them"]
pub struct SqliteOptions {
    path: PathBuf,
    /// Plain until the store is open.
    pub(crate) codec: Codec,
    /// Until the store is open. Shared by clones, so that the last of them takes it out of memory.
    pub(crate) secret: Option<Arc<Secret>>,
    pub(crate) kdf: KdfParams,
    pub(crate) kdf_limits: KdfLimits,
    profile: Profile,
    pub(crate) busy_ms: u32,
    pub(crate) on_damage: OnDamage,
    pub(crate) create: bool,
    pub(crate) check: bool,
    pub(crate) views: bool,
    /// What the connections after the first may do.
    pub(crate) access: Access,
}

impl SqliteOptions {
    /// The store in the file at `path`, which is created if it is missing; its folder must exist.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            codec: Codec::plain().in_form(Form::Text),
            secret: None,
            kdf: KdfParams::default(),
            kdf_limits: KdfLimits::default(),
            profile: Profile::Default,
            busy_ms: 5000,
            on_damage: OnDamage::SetAside,
            create: true,
            check: false,
            views: false,
            access: Access::Write,
        }
    }

    /// Makes views for people with a SQLite shell, which then stay in the file: `rooms`, `messages`, `gaps`, `outbox`,
    /// `media_items` and `states`. They show nothing of a sealed store. Opening a store that has them takes longer.
    /// Default: false.
    pub fn views(self, views: bool) -> Self {
        Self { views, ..self }
    }

    /// The passphrase or key of a sealed store; a store that is made is made sealed. Default: none, for
    /// plain stores.
    pub fn secret(self, secret: Secret) -> Self {
        Self { secret: Some(Arc::new(secret)), ..self }
    }

    /// What deriving a key from the passphrase of a new store costs. Default: [`KdfParams::default`]; a
    /// store that is there keeps its own.
    pub fn kdf(self, kdf: KdfParams) -> Self {
        Self { kdf, ..self }
    }

    /// The most that deriving a key may cost, whatever a store says. Default: [`KdfLimits::default`].
    pub fn kdf_limits(self, kdf_limits: KdfLimits) -> Self {
        Self { kdf_limits, ..self }
    }

    /// How the lengths of rows that are written to a sealed store are hidden. Default: [`Padding::None`]. Every
    /// row is read, however it is padded; [`Maintenance::Rotate`](haos_store_api::Maintenance::Rotate) pads all.
    pub fn padding(self, padding: Padding) -> Self {
        Self { codec: self.codec.padded(padding), ..self }
    }

    /// How much memory it may use. Default: [`Profile::Default`].
    pub fn profile(self, profile: Profile) -> Self {
        Self { profile, ..self }
    }

    /// [`Profile::LowMemory`].
    pub fn low_memory(self) -> Self {
        self.profile(Profile::LowMemory)
    }

    /// How long a write waits for another process before it fails with `Busy`. Default: 5000.
    pub fn busy_ms(self, busy_ms: u32) -> Self {
        Self { busy_ms, ..self }
    }

    /// What to do with a damaged store. Default: [`OnDamage::SetAside`].
    pub fn on_damage(self, on_damage: OnDamage) -> Self {
        Self { on_damage, ..self }
    }

    /// Whether a missing file is created. Default: yes.
    pub fn create(self, create: bool) -> Self {
        Self { create, ..self }
    }

    /// Whether every page is checked before the store is used, as after a call that failed with
    /// `Corrupt`. It reads the whole file. Default: no; only the parts that opening needs and the outbox
    /// are checked.
    pub fn check(self, check: bool) -> Self {
        Self { check, ..self }
    }

    /// Where the store lives.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn no_secret(self) -> Self {
        Self { secret: None, ..self }
    }

    /// The options of a store that is open: it can be opened again with the keys it has.
    pub(crate) fn opened(self, codec: Codec) -> Self {
        Self { codec, secret: None, create: false, check: false, ..self }
    }

    pub(crate) fn access(self, access: Access) -> Self {
        Self { access, ..self }
    }

    pub(crate) fn at(self, path: PathBuf) -> Self {
        Self { path, ..self }
    }

    pub(crate) fn tuning(&self) -> Tuning {
        match self.profile {
            Profile::Default => Tuning { cache_kib: 8000, spare_kib: 2000, log_pages: 4000 },
            Profile::LowMemory => Tuning { cache_kib: 1000, spare_kib: 500, log_pages: 1000 },
        }
    }
}

/// What a profile means.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tuning {
    /// The page cache of the writer and of the first reader.
    pub(crate) cache_kib: u32,
    /// That of each other reader.
    pub(crate) spare_kib: u32,
    /// The log is copied into the database from this many pages on.
    pub(crate) log_pages: u32,
}

#[cfg(test)]
mod tests {
    use haos_store_api::{Membership, Room, RoomId, StorageAdapter, WriteBatch};

    use super::*;
    use crate::SqliteStore;

    /// The threads have clones of the options: none of them keeps the secret once the store is open.
    #[tokio::test]
    async fn an_open_store_holds_no_secret() {
        let folder = tempfile::tempdir().unwrap();
        let kdf = KdfParams { memory_kib: 8, passes: 1, lanes: 1 };
        let options = || {
            let options = SqliteOptions::new(folder.path().join("s")).kdf(kdf);
            options.secret(Secret::passphrase("some words"))
        };
        // A store that is made, and one that is there.
        for _ in 0..2 {
            let options = options();
            let secret = Arc::downgrade(options.secret.as_ref().unwrap());
            assert_eq!(secret.strong_count(), 1);
            let store = SqliteStore::open(options).await.unwrap();
            assert_eq!(secret.strong_count(), 0);
            // The keys alone open it again, write and read.
            store.suspend().await.unwrap();
            store.resume().await.unwrap();
            let room = RoomId::new("!r").unwrap();
            let mut batch = WriteBatch::strict();
            batch.put_room(Room::new(room.clone(), Membership::Join));
            store.apply(batch).await.unwrap();
            assert!(store.room(&room).await.unwrap().is_some());
            assert_eq!(store.gaps(&room).await.unwrap(), []);
            store.close().await.unwrap();
        }
    }
}
