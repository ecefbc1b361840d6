//! Columns that a payload is bound to, changed.

use crate::target::Row::{One, Twin};
use crate::target::{Target, assert_check_finds, assert_others_read};
use crate::vault::*;

/// The changed columns, and their new values.
const CHANGES: [(Target, &str); 18] = [
    (Target::Room, "last_activity_ms = last_activity_ms + 1"),
    (Target::Room, "revision = 0"),
    (Target::Message, "timestamp_ms = timestamp_ms + 1"),
    (Target::Message, "timestamp_ms = -timestamp_ms"),
    (Target::Message, "written = written + 1"),
    (Target::Message, "pos = pos + 15"),
    (Target::Message, "pos = pos - 1"),
    (Target::Gap, "pos = pos + 10"),
    (Target::Gap, "pos = pos - 1"),
    (Target::Gap, "revision = revision + 1"),
    (Target::Pending, "not_before_ms = not_before_ms - 1"),
    (Target::Pending, "revision = revision + 1"),
    (Target::Pending, "seq = seq + 100"),
    (Target::Media, "size = size - 1"),
    (Target::Media, "last_access_ms = last_access_ms + 1"),
    (Target::Media, "pinned = 1"),
    (Target::Media, "written = written + 1"),
    (Target::State, "written = written + 1"),
];

#[tokio::test]
async fn a_changed_column_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    make(&path, key()).await;
    let sound = std::fs::read(&path).unwrap();
    for (target, change) in CHANGES {
        std::fs::write(&path, &sound).unwrap();
        let conn = raw(&path);
        let sql = format!("UPDATE {} SET {change} WHERE rowid = ?1", target.table());
        assert_eq!(conn.execute(&sql, [target.rowid(One)]).unwrap(), 1);
        drop(conn);
        let store = unsealed(&path).await;
        target.assert_corrupt(&store, One, change).await;
        assert_others_read(&store, &[(target, One)]).await;
        target.read(&store, Twin).await.unwrap();
        if target != Target::Room {
            assert_check_finds(&store, &[target.collection()]).await;
        }
        haos_store_api::StorageAdapter::close(&store).await.unwrap();
        let _ = std::fs::remove_file(folder.path().join("s.db.outbox"));
    }
}

/// A key column leads to a row whose content does not match it.
#[tokio::test]
async fn a_row_under_anothers_key_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    make(&path, key()).await;
    let sound = std::fs::read(&path).unwrap();
    for target in [Target::Room, Target::Message, Target::Pending, Target::Media, Target::State] {
        std::fs::write(&path, &sound).unwrap();
        let conn = raw(&path);
        let table = target.table();
        let (one, twin) = (target.rowid(One), target.rowid(Twin));
        let state = "scope = (SELECT scope FROM t WHERE r = :b), kind = (SELECT kind FROM t WHERE r = :b),";
        let more = match target {
            Target::Message => "pos = :b,",
            Target::State => state,
            _ => "",
        };
        conn.execute_batch(&format!("CREATE TEMP TABLE t AS SELECT rowid AS r, * FROM {table}")).unwrap();
        // The twin is deleted, and the other row takes its key.
        conn.execute(&format!("DELETE FROM {table} WHERE rowid = ?1"), [twin]).unwrap();
        let sql =
            format!("UPDATE {table} SET {more} key = (SELECT key FROM t WHERE r = :b) WHERE rowid = :a");
        assert_eq!(conn.execute(&sql, [(":a", &one), (":b", &twin)].as_slice()).unwrap(), 1);
        drop(conn);
        let store = unsealed(&path).await;
        target.assert_corrupt(&store, Twin, "a row under another's key").await;
        haos_store_api::StorageAdapter::close(&store).await.unwrap();
        let _ = std::fs::remove_file(folder.path().join("s.db.outbox"));
    }
}
