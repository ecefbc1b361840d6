//! How a store is opened.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use haos_store_api::{Codec, Form, KdfLimits, KdfParams, Padding, Secret};

/// How much memory a store may use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Profile {
    /// 64 MiB of page cache.
    #[default]
    Default,
    /// 4 MiB of page cache, and sled's mode for less space on disk.
    LowMemory,
}

/// What to do with a damaged store.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OnDamage {
    /// Rename its folder, start a fresh one, carry over what can be read of the outbox, and say so in
    /// [`StoreInfo::recovery`](haos_store_api::StoreInfo::recovery). Where sled came up at an older
    /// commit, go on from there and say so as well.
    ///
    /// What sled cannot open at all, which is most of what damage comes to, cannot be read for its
    /// outbox either: the rows are then in the folder that was set aside, and nowhere else.
    #[default]
    SetAside,
    /// Fail with `Corrupt`. Nothing is renamed; sled itself may have cut off what it could not read.
    Refuse,
}

/// Where a store lives and how it is opened.
///
/// ```
/// use haos_store_sled::{OnDamage, SledOptions};
///
/// let options = SledOptions::new("chat").low_memory().busy_ms(500).on_damage(OnDamage::Refuse);
/// assert_eq!(options.path(), std::path::Path::new("chat"));
/// ```
#[derive(Debug, Clone)]
#[must_use = "options do nothing until a store is opened with them"]
pub struct SledOptions {
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
}

impl SledOptions {
    /// The store in the folder at `path`, which is created if it is missing; its parent must exist.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            codec: Codec::plain().in_form(Form::Binary),
            secret: None,
            kdf: KdfParams::default(),
            kdf_limits: KdfLimits::default(),
            profile: Profile::Default,
            busy_ms: 2000,
            on_damage: OnDamage::SetAside,
            create: true,
            check: false,
        }
    }

    /// The passphrase or key of a sealed store; a store that is made is made sealed. Default: none, for
    /// plain stores, whose rows have a checksum each.
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

    /// How long opening waits for another holder of the folder before it fails with `Busy`; also a store
    /// of this process that was dropped holds it for a moment. Default: 2000.
    pub fn busy_ms(self, busy_ms: u32) -> Self {
        Self { busy_ms, ..self }
    }

    /// What to do with a damaged store. Default: [`OnDamage::SetAside`].
    pub fn on_damage(self, on_damage: OnDamage) -> Self {
        Self { on_damage, ..self }
    }

    /// Whether a missing folder is created. Default: yes.
    pub fn create(self, create: bool) -> Self {
        Self { create, ..self }
    }

    /// Whether every row is checked before the store is used, as after a call that failed with
    /// `Corrupt`. It reads everything. Default: no; only the counters and the outbox are read.
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
        Self { codec, secret: None, ..self }
    }

    pub(crate) fn at(self, path: PathBuf) -> Self {
        Self { path, ..self }
    }

    /// sled's settings for the database in `folder`.
    pub(crate) fn sled(&self, folder: &Path) -> sled::Config {
        // The thread that sled runs every half second also cleans its log: without it the file only grows.
        let config = sled::Config::new().path(folder).flush_every_ms(Some(500));
        match self.profile {
            Profile::Default => config.cache_capacity(64 << 20).mode(sled::Mode::HighThroughput),
            Profile::LowMemory => config.cache_capacity(4 << 20).mode(sled::Mode::LowSpace),
        }
    }
}

#[cfg(test)]
mod tests {
    use haos_store_api::{Membership, Room, RoomId, StorageAdapter, WriteBatch};

    use super::*;
    use crate::SledStore;

    /// The threads have clones of the options: none of them keeps the secret once the store is open.
    #[tokio::test]
    async fn an_open_store_holds_no_secret() {
        let folder = tempfile::tempdir().unwrap();
        let kdf = KdfParams { memory_kib: 8, passes: 1, lanes: 1 };
        let options = || {
            let options = SledOptions::new(folder.path().join("s")).kdf(kdf);
            options.secret(Secret::passphrase("some words"))
        };
        // A store that is made, and one that is there.
        for _ in 0..2 {
            let options = options();
            let secret = Arc::downgrade(options.secret.as_ref().unwrap());
            assert_eq!(secret.strong_count(), 1);
            let store = SledStore::open(options).await.unwrap();
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
