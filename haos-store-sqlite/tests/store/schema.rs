//! Files whose schema somebody else changed: none of it runs, nothing is lost, nothing takes for ever.

use std::path::{Path, PathBuf};

use haos_store_api::*;
use haos_store_sqlite::{OnDamage, SqliteOptions, SqliteStore};
use rusqlite::Connection;

use crate::common::*;

/// A view without an end.
const ENDLESS: &str =
    "CREATE VIEW endless AS WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n)
                       SELECT x FROM n;";

/// Makes a closed store with the sample, whose schema `sql` changes.
async fn planted(folder: &Path, sql: &str) -> PathBuf {
    let path = folder.join("s.db");
    let store = open(&path).await;
    store.apply(sample()).await.unwrap();
    store.close().await.unwrap();
    Connection::open(&path).unwrap().execute_batch(sql).unwrap();
    path
}

fn number(path: &Path, sql: &str) -> i64 {
    Connection::open(path).unwrap().query_row(sql, (), |row| row.get(0)).unwrap()
}

#[tokio::test]
async fn triggers_and_views_of_others_do_not_run_and_stay() {
    let folder = tempfile::tempdir().unwrap();
    let sql = "CREATE TABLE seen (x); INSERT INTO seen VALUES (7);
               CREATE TRIGGER spy AFTER INSERT ON pending BEGIN
                   INSERT INTO seen SELECT NEW.payload; DELETE FROM pending; SELECT max(x) FROM endless; END;
               CREATE TRIGGER late AFTER UPDATE ON meta BEGIN SELECT max(x) FROM endless; END;
               CREATE TRIGGER keep BEFORE DELETE ON pending BEGIN SELECT RAISE(IGNORE); END;
               CREATE VIEW messages AS SELECT * FROM endless;
               ANALYZE;";
    let path = planted(folder.path(), &format!("{ENDLESS}{sql}")).await;
    let store = open(&path).await;
    assert_eq!(store.info().recovery, None, "nothing of the store is altered");
    let mut batch = WriteBatch::strict();
    batch.put_pending(pending("a", "t4")).remove_pending(txn("t1"));
    store.apply(batch).await.unwrap();
    assert_eq!(txns(&store).await, ["t2", "t3", "t4"]);
    assert_eq!(store.rooms(RoomQuery::default()).await.unwrap().len(), 2);
    let report = store.maintain(Maintenance::Check, Progress::none()).await.unwrap();
    for name in ["seen", "spy", "late", "keep", "endless", "messages", "sqlite_stat1"] {
        assert!(report.findings.iter().any(|found| found.contains(name)), "{name}: {:?}", report.findings);
    }
    assert_eq!(report.findings.len(), 8, "{:?}", report.findings);
    store.close().await.unwrap();
    assert_eq!(number(&path, "SELECT count(*) FROM seen"), 1, "what is somebody else's is as it was");
    assert_eq!(number(&path, "SELECT count(*) FROM pending"), 3);
}

/// A change of a part that our statements use: the store is set aside, and the outbox comes along.
#[tokio::test]
async fn an_altered_schema_is_damage() {
    let costly = "length(hex(zeroblob(100000000)))";
    let cases = [
        ("DROP TABLE room; CREATE VIEW room AS SELECT x AS nr, x AS key, x AS last_activity_ms, x AS revision,
          x AS payload FROM endless".to_owned(), 3),
        ("DROP TABLE meta; CREATE VIEW meta AS SELECT 'revision' AS name, x AS value FROM endless".to_owned(), 3),
        ("DROP TABLE pending; CREATE VIEW pending AS SELECT x AS seq, x AS key, x AS room, 0 AS not_before_ms,
          x AS revision, x AS payload FROM endless".to_owned(), 3),
        (format!("ALTER TABLE room ADD COLUMN more ANY AS ({costly})"), 3),
        ("ALTER TABLE pending ADD COLUMN more ANY CHECK (more IS NULL)".to_owned(), 3),
        ("ALTER TABLE pending ADD COLUMN more TEXT DEFAULT 'x'".to_owned(), 3),
        (format!("DELETE FROM gap; CREATE INDEX slow ON gap ({costly})"), 3),
        ("CREATE UNIQUE INDEX one ON pending (1 + 0 * seq) WHERE seq > 3".to_owned(), 3),
        ("DROP TABLE gap; CREATE TABLE gap (pos INTEGER PRIMARY KEY, revision INTEGER NOT NULL, payload ANY NOT NULL)
          STRICT, WITHOUT ROWID".to_owned(), 3),
        ("DROP INDEX pending_by_room".to_owned(), 3),
    ];
    for (sql, salvaged) in cases {
        let folder = tempfile::tempdir().unwrap();
        let path = planted(folder.path(), &format!("{ENDLESS}{sql}")).await;
        let before = files(folder.path());
        let refused = SqliteStore::open(SqliteOptions::new(&path).on_damage(OnDamage::Refuse)).await;
        let error = refused.expect_err(&sql);
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{sql}: {error}");
        assert!(before == files(folder.path()), "{sql}: a refused store is not changed");

        let store = open(&path).await;
        let recovery = store.info().recovery.expect(&sql);
        assert!(recovery.cause.contains("schema"), "{sql}: {recovery:?}");
        assert_eq!((recovery.salvaged, recovery.unreadable), (salvaged, 0), "{sql}");
        assert!(std::fs::read(recovery.set_aside.unwrap()).unwrap() == before[&path], "{sql}");
        let mut batch = WriteBatch::strict();
        batch.put_room(room("new")).put_pending(pending("new", "later"));
        store.apply(batch).await.unwrap();
        let report = store.maintain(Maintenance::Check, Progress::none()).await.unwrap();
        assert_eq!(report.findings, Vec::<String>::new(), "{sql}");
    }
}

/// Statistics are read with the schema, by the first statement of each connection.
#[tokio::test]
async fn a_schema_that_takes_for_ever_to_read_is_damage() {
    let folder = tempfile::tempdir().unwrap();
    let sql = "ANALYZE; PRAGMA writable_schema = ON; UPDATE sqlite_schema
               SET sql = 'CREATE TABLE sqlite_stat1(tbl,idx,stat AS (hex(zeroblob(100000000))))'
               WHERE name = 'sqlite_stat1'";
    let path = planted(folder.path(), sql).await;
    let store = open(&path).await;
    assert_eq!(store.info().recovery.unwrap().salvaged, 3);
}

/// The bound on steps grows with the file.
#[tokio::test]
async fn a_large_outbox_is_salvaged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    let store = open(&path).await;
    store.apply(sample()).await.unwrap();
    let mut batch = WriteBatch::strict();
    for n in 0..5000 {
        batch.put_pending(pending("a", &format!("more{n}")));
    }
    store.apply(batch).await.unwrap();
    store.close().await.unwrap();
    Connection::open(&path).unwrap().execute_batch("DROP INDEX room_by_key").unwrap();
    let store = open(&path).await;
    let recovery = store.info().recovery.unwrap();
    assert_eq!((recovery.salvaged, recovery.unreadable), (5003, 0), "{recovery:?}");
}
