//! Sealing an existing store, killed at its last step.

use haos_store_api::*;
use haos_store_sqlite::{SqliteOptions, SqliteStore};
use rusqlite::Connection;

use crate::common::*;

/// After a kill between the mark and the renaming, the next opening completes the switch.
#[tokio::test]
async fn a_marked_store_is_finished_by_whoever_opens_it() {
    let folder = tempfile::tempdir().unwrap();
    let (path, other) = (folder.path().join("s.db"), folder.path().join("other.db"));
    let store = open(&path).await;
    store.apply(sample()).await.unwrap();
    let before = Everything::of(&store).await.unwrap();
    store.close().await.unwrap();
    std::fs::copy(&path, &other).unwrap();
    let sealed = |path| SqliteOptions::new(path).secret(Secret::key([5; 32]));
    SqliteStore::seal(sealed(&other), Progress::none()).await.unwrap();
    let name = haos_store_api::backend::files::random_name().unwrap();
    let scratch = folder.path().join(format!("s.db.{name}"));
    std::fs::create_dir(&scratch).unwrap();
    std::fs::rename(&other, scratch.join("store.db")).unwrap();
    let conn = Connection::open(&path).unwrap();
    conn.query_row("PRAGMA journal_mode = DELETE", (), |_| Ok(())).unwrap();
    conn.execute("INSERT INTO meta (name, value) VALUES ('moved_to', ?1)", [&name]).unwrap();
    conn.pragma_update(None, "application_id", 0x4841_4F4D).unwrap();
    drop(conn);
    let (one, two) = tokio::join!(SqliteStore::open(sealed(&path)), SqliteStore::open(sealed(&path)));
    for store in [one.unwrap(), two.unwrap()] {
        store.close().await.unwrap();
    }
    let store = SqliteStore::open(sealed(&path)).await.unwrap();
    assert!(store.info().sealed);
    assert_eq!(Everything::of(&store).await.unwrap(), before);
    let report = store.maintain(Maintenance::Check, Progress::none()).await.unwrap();
    assert_eq!(report.findings, Vec::<String>::new());
}
