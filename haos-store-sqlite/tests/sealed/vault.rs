//! The common parts of the tests of sealed stores.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use haos_store_api::*;
use haos_store_sqlite::{SqliteOptions, SqliteStore};
use rusqlite::Connection;

use crate::common::*;

/// The tables with payloads.
pub(crate) const TABLES: [&str; 7] = ["room", "message", "gap", "pending", "media", "media_chunk", "state"];

/// Returns the key of most tests.
pub(crate) fn key() -> Secret {
    Secret::key([7; 32])
}

/// Returns a key that opens nothing.
pub(crate) fn wrong_key() -> Secret {
    Secret::key([8; 32])
}

/// Returns parameters that cost next to nothing.
pub(crate) fn quick() -> KdfParams {
    KdfParams { memory_kib: 8, passes: 1, lanes: 1 }
}

pub(crate) fn words(text: &str) -> Secret {
    Secret::passphrase(text)
}

pub(crate) fn with(path: &Path, secret: Secret) -> SqliteOptions {
    SqliteOptions::new(path).secret(secret).kdf(quick())
}

pub(crate) async fn open_with(path: &Path, secret: Secret) -> SqliteStore {
    SqliteStore::open(with(path, secret)).await.expect("the store opens")
}

pub(crate) async fn unsealed(path: &Path) -> SqliteStore {
    open_with(path, key()).await
}

/// Returns the error that keeps a store from opening.
pub(crate) async fn refusal(options: SqliteOptions) -> ErrorKind {
    SqliteStore::open(options).await.expect_err("the store must not open").kind()
}

/// Makes the sample with a twin in room b for every row that only room a has.
pub(crate) fn twins(media_bytes: usize) -> WriteBatch {
    let mut batch = sample_with(media_bytes);
    batch
        .put_gap(gap("b", 20, "older too"))
        .put_state(state(Scope::Room(room_id("b")), "m.room.member", "@ada:example.org", r#"{"n":2}"#))
        .put_media(MediaInfo { last_access_ms: 2, ..media("dog") }, pattern(media_bytes + 1));
    batch
}

/// Makes a closed sealed store with the sample, without the mirror of its outbox.
pub(crate) async fn make(path: &Path, secret: Secret) {
    let store = open_with(path, secret).await;
    store.apply(twins(100_000)).await.unwrap();
    store.close().await.unwrap();
    forget_mirror(path);
}

/// Removes the mirror of the outbox, so that a case is about the store alone; the next opening makes it again.
pub(crate) fn forget_mirror(path: &Path) {
    std::fs::remove_file(haos_store_api::backend::files::beside(path, ".outbox")).unwrap();
}

/// Opens the file as SQLite sees it, for looking at it and for tampering.
pub(crate) fn raw(path: &Path) -> Connection {
    let conn = Connection::open(path).unwrap();
    conn.execute_batch("PRAGMA synchronous = OFF").unwrap();
    conn
}

pub(crate) fn keyring_record(path: &Path) -> Vec<u8> {
    raw(path).query_row("SELECT payload FROM keyring", (), |row| row.get(0)).unwrap()
}

/// Lists the numbers of the data keys that payloads are sealed under.
pub(crate) fn key_ids(path: &Path) -> BTreeSet<u16> {
    let conn = raw(path);
    let mut ids = BTreeSet::new();
    let payloads = TABLES.map(|table| format!("SELECT payload FROM {table}"));
    let bytes = "SELECT bytes AS payload FROM media WHERE bytes IS NOT NULL".to_owned();
    for payloads in payloads.into_iter().chain([bytes]) {
        let mut select = conn.prepare(&format!("SELECT substr(payload, 2, 2) FROM ({payloads})")).unwrap();
        let found = select.query_map((), |row| row.get::<_, [u8; 2]>(0)).unwrap();
        ids.extend(found.map(|id| u16::from_be_bytes(id.unwrap())));
    }
    ids
}

pub(crate) async fn check(store: &SqliteStore) -> Vec<String> {
    store.maintain(Maintenance::Check, Progress::none()).await.unwrap().findings
}

/// Reads the files of a folder, without an empty log and the index of a log, which come and go with readers.
pub(crate) fn lasting(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = files(folder);
    found.retain(|file, bytes| {
        let name = file.to_string_lossy();
        !(name.ends_with("-shm") || name.ends_with("-wal") && bytes.is_empty())
    });
    found
}

/// Tells whether any stretch of random bytes of `record` stands in the store's files.
pub(crate) fn remains(folder: &Path, record: &[u8]) -> bool {
    const STRETCH: usize = 16;
    let stretches: HashSet<&[u8]> = record.windows(STRETCH).collect();
    files(folder).values().any(|bytes| bytes.windows(STRETCH).any(|window| stretches.contains(window)))
}
