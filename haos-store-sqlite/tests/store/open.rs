//! Paths that open, paths that are refused, and that refused files stay unchanged.

use std::path::Path;

use haos_store_api::*;
use haos_store_sqlite::{SqliteOptions, SqliteStore};
use rusqlite::Connection;
use rusqlite::config::DbConfig;

use crate::common::*;

async fn refusal(options: SqliteOptions) -> Error {
    SqliteStore::open(options).await.expect_err("it is refused")
}

/// Opening fails with this kind and these words, and changes no file.
async fn refused_untouched(path: &Path, kind: ErrorKind, says: &str) {
    let folder = path.parent().unwrap();
    let before = files(folder);
    let error = refusal(SqliteOptions::new(path)).await;
    assert_eq!(error.kind(), kind, "{error:?}");
    assert!(error.to_string().contains(says), "{error}");
    assert!(before == files(folder), "a refused file is changed: {error}");
}

#[tokio::test]
async fn a_newer_store_is_refused_even_where_only_its_log_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    open(&path).await.close().await.unwrap();
    let conn = Connection::open(&path).unwrap();
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).unwrap();
    conn.pragma_update(None, "user_version", 99).unwrap();
    drop(conn);
    let content = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
    let before = (content("s.db"), content("s.db-wal"));
    assert_eq!(refusal(SqliteOptions::new(&path)).await.kind(), ErrorKind::NewerSchema);
    assert!(before == (content("s.db"), content("s.db-wal")));
}

#[tokio::test]
async fn another_applications_database_is_refused() {
    for mode in ["delete", "wal"] {
        for setup in ["CREATE TABLE theirs (x)", "PRAGMA application_id = 7", "PRAGMA user_version = 3"] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("theirs.db");
            let conn = Connection::open(&path).unwrap();
            conn.pragma_update(None, "journal_mode", mode).unwrap();
            conn.execute_batch(setup).unwrap();
            drop(conn);
            refused_untouched(&path, ErrorKind::Invalid, "another application's").await;
        }
    }
}

#[tokio::test]
async fn files_that_are_no_database_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    let cut = b"SQLite format 3\0\x10\x00".to_vec();
    for content in [pattern(5000), b"notes\n".to_vec(), vec![0; 8192], cut] {
        std::fs::write(&path, &content).unwrap();
        refused_untouched(&path, ErrorKind::Corrupt, "another path").await;
    }
}

#[tokio::test]
async fn empty_files_become_stores() {
    let folder = tempfile::tempdir().unwrap();
    let (bare, made) = (folder.path().join("bare.db"), folder.path().join("made.db"));
    std::fs::write(&bare, b"").unwrap();
    Connection::open(&made).unwrap().execute_batch("CREATE TABLE t (x); DROP TABLE t; VACUUM").unwrap();
    for path in [&bare, &made] {
        let store = open(path).await;
        store.apply(sample()).await.unwrap();
        store.close().await.unwrap();
        let conn = Connection::open(path).unwrap();
        let id: i32 = conn.query_row("PRAGMA application_id", (), |row| row.get(0)).unwrap();
        assert_eq!(id, 0x4841_4F53);
    }
}

#[tokio::test]
async fn a_store_held_by_somebody_else_is_busy_after_the_budget() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    let store = SqliteStore::open(SqliteOptions::new(&path).busy_ms(50)).await.unwrap();
    store.apply(sample()).await.unwrap();
    let holder = Connection::open(&path).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut batch = WriteBatch::relaxed();
    batch.put_room(room("c"));
    let error = store.apply(batch.clone()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Busy, "{error:?}");
    assert!(error.is_retryable());
    assert!(store.room(&room_id("a")).await.unwrap().is_some(), "reads go on");
    holder.execute_batch("ROLLBACK").unwrap();
    store.apply(batch).await.unwrap();
}
