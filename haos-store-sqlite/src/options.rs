use haos_store_api::backend::native::{Options, Profile};

/// The location of a store, a file, and the way to open it.
///
/// A write waits for another process for 5000 ms, unless [`busy_ms`](Options::busy_ms) is given. [`Profile::Default`]
/// is 8 MiB of page cache each for the writer and the first reader, 2 MiB each for a second read at once and for long
/// reads, and a log of up to 16 MiB; [`Profile::LowMemory`] is 1 MiB each for the first two, half a MiB each for the
/// others, and a log of up to 4 MiB.
///
/// ```
/// use haos_store_sqlite::{OnDamage, SqliteOptions};
///
/// let options = SqliteOptions::new("chat.db").low_memory().busy_ms(500).on_damage(OnDamage::Refuse);
/// assert_eq!(options.path(), std::path::Path::new("chat.db"));
/// ```
pub type SqliteOptions = Options;

/// The meaning of a profile.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tuning {
    /// The page cache of the writer and of the first reader.
    pub(crate) cache_kib: u32,
    /// The page cache of each other reader.
    pub(crate) spare_kib: u32,
    /// The pages of the log from which on it is copied into the database.
    pub(crate) log_pages: u32,
}

pub(crate) fn tuning(profile: Profile) -> Tuning {
    match profile {
        Profile::LowMemory => Tuning { cache_kib: 1000, spare_kib: 500, log_pages: 1000 },
        _ => Tuning { cache_kib: 8000, spare_kib: 2000, log_pages: 4000 },
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use haos_store_api::{KdfParams, Membership, Room, RoomId, Secret, StorageAdapter, WriteBatch};

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
        // A new store, and an existing one.
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
