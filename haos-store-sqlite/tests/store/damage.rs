//! Damaged stores: set aside, never changed, the outbox carried over.

use std::path::{Path, PathBuf};

use haos_store_api::*;
use haos_store_sqlite::{SqliteOptions, SqliteStore};
use rusqlite::Connection;

use crate::common::*;

const PAGE: usize = 4096;

/// Makes a closed store with the sample and much history behind it.
async fn make(folder: &Path) -> PathBuf {
    let path = folder.join("s.db");
    let store = open(&path).await;
    store.apply(sample()).await.unwrap();
    let mut batch = WriteBatch::relaxed();
    for n in 0..1000 {
        batch.put_message(message("b", &format!("more{n}"), 100 + n));
    }
    store.apply(batch).await.unwrap();
    store.close().await.unwrap();
    // The cases are about the store alone.
    std::fs::remove_file(folder.join("s.db.outbox")).unwrap();
    path
}

fn change(path: &Path, change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut bytes = std::fs::read(path).unwrap();
    change(&mut bytes);
    std::fs::write(path, &bytes).unwrap();
    bytes
}

fn root_page(path: &Path, table: &str) -> usize {
    let conn = Connection::open(path).unwrap();
    let sql = "SELECT rootpage FROM sqlite_schema WHERE name = ?1";
    conn.query_row(sql, [table], |row| row.get::<_, u32>(0)).unwrap() as usize
}

/// Returns the present path of the damaged store.
fn aside(recovery: &Recovery) -> &str {
    recovery.set_aside.as_deref().unwrap()
}

/// The store opens, has set the damaged file aside as it was, and works.
async fn recovered(path: &Path, damaged: &[u8]) -> (SqliteStore, Recovery) {
    let store = open(path).await;
    let recovery = store.info().recovery.expect("a recovery is reported");
    let aside = aside(&recovery);
    assert!(aside.contains(".damaged-"), "{recovery:?}");
    assert!(std::fs::read(aside).unwrap() == damaged, "what is set aside is not changed");
    let mut batch = WriteBatch::strict();
    batch.put_room(room("new")).put_pending(pending("new", "later"));
    let commit = store.apply(batch).await.unwrap();
    assert!(commit.assigned[0].1 > recovery.salvaged, "numbers go on");
    let report = store.maintain(Maintenance::Check, Progress::none()).await.unwrap();
    assert_eq!(report.findings, Vec::<String>::new());
    for entry in std::fs::read_dir(path.parent().unwrap()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let ending = name.strip_prefix("s.db").unwrap();
        assert!(
            ["", "-wal", "-shm", ".outbox"].contains(&ending) || ending.starts_with(".damaged-"),
            "{name} is left over"
        );
    }
    (store, recovery)
}

#[tokio::test]
async fn a_file_cut_short() {
    let folder = tempfile::tempdir().unwrap();
    let path = make(folder.path()).await;
    let damaged = change(&path, |bytes| bytes.truncate(bytes.len() / 2 / PAGE * PAGE));
    let (store, recovery) = recovered(&path, &damaged).await;
    assert_eq!((recovery.salvaged, recovery.unreadable), (3, 0), "{recovery:?}");
    let rows = store.pending(PendingQuery::default()).await.unwrap();
    let found: Vec<_> = rows.iter().map(|row| (row.seq, row.txn_id.as_str())).collect();
    assert_eq!(found, [(1, "t1"), (2, "t2"), (3, "t3"), (4, "later")]);
    assert_eq!(rows[0].content.text("body").unwrap(), "unsent t1");
    store.close().await.unwrap();
    let store = open(&path).await;
    assert_eq!(store.info().recovery, None, "it is reported once");
}

#[tokio::test]
async fn an_overwritten_header() {
    let folder = tempfile::tempdir().unwrap();
    let path = make(folder.path()).await;
    let damaged = change(&path, |bytes| bytes[..60].fill(0xAA));
    let (store, recovery) = recovered(&path, &damaged).await;
    assert_eq!((recovery.salvaged, recovery.unreadable), (3, 0), "{recovery:?}");
    assert!(store.info().opened_at > Revision(2), "no revision is told twice");
}

#[tokio::test]
async fn an_overwritten_outbox() {
    let folder = tempfile::tempdir().unwrap();
    let path = make(folder.path()).await;
    let page = root_page(&path, "pending");
    let damaged = change(&path, |bytes| bytes[(page - 1) * PAGE..page * PAGE].fill(0xFF));
    let (store, recovery) = recovered(&path, &damaged).await;
    assert_eq!((recovery.salvaged, recovery.unreadable), (0, 3), "{recovery:?}");
    assert_eq!(txns(&store).await, ["later"]);
}

#[tokio::test]
async fn one_row_of_the_outbox() {
    let folder = tempfile::tempdir().unwrap();
    let path = make(folder.path()).await;
    // A row that is no longer valid, and a table that has to be rebuilt for another reason.
    let conn = Connection::open(&path).unwrap();
    conn.execute_batch("UPDATE pending SET payload = '{\"x\":1}' WHERE seq = 2; DROP TABLE state").unwrap();
    drop(conn);
    let damaged = std::fs::read(&path).unwrap();
    let (store, recovery) = recovered(&path, &damaged).await;
    assert_eq!((recovery.salvaged, recovery.unreadable), (2, 1), "{recovery:?}");
    assert_eq!(txns(&store).await, ["t1", "t3", "later"]);
}

/// Opening does not look at the rows, so the store is used as it is.
#[tokio::test]
async fn a_row_of_the_outbox_is_skipped_where_that_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = make(folder.path()).await;
    let conn = Connection::open(&path).unwrap();
    conn.execute_batch("UPDATE pending SET payload = '{\"x\":1}' WHERE seq = 2").unwrap();
    drop(conn);
    let store = open(&path).await;
    assert_eq!(store.info().recovery, None);
    let room_a = PendingQuery { room: Some(room_id("a")), ..PendingQuery::default() };
    let alone = PendingQuery { txn_id: Some(txn("t2")), ..PendingQuery::default() };
    let asks = [(PendingQuery::default(), vec!["t1", "t3"]), (room_a, vec!["t1"]), (alone, vec![])];
    for (nth, (query, expected)) in asks.into_iter().enumerate() {
        let error = store.pending(query.clone()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "an outbox is refused rather than shortened");
        let rows = store.pending(PendingQuery { skip_damaged: true, ..query }).await.unwrap();
        assert_eq!(rows.iter().map(|row| row.txn_id.as_str()).collect::<Vec<_>>(), expected);
        assert_eq!(store.info().damaged, nth as u64 + 1);
    }
    // A row that is left out does not count for the limit.
    let two = PendingQuery { limit: 2, skip_damaged: true, ..PendingQuery::default() };
    assert_eq!(store.pending(two).await.unwrap().len(), 2);
}

#[tokio::test]
async fn damage_that_only_a_check_sees() {
    let folder = tempfile::tempdir().unwrap();
    let path = make(folder.path()).await;
    let page = root_page(&path, "message");
    let damaged = change(&path, |bytes| bytes[(page - 1) * PAGE..page * PAGE].fill(0xFF));

    let store = open(&path).await;
    assert_eq!(store.info().recovery, None);
    assert_eq!(txns(&store).await.len(), 3, "what is sound can be used");
    let error = store.timeline(&room_id("a"), Page::newest(5)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    let report = store.maintain(Maintenance::Check, Progress::none()).await.unwrap();
    assert!(!report.findings.is_empty());
    store.close().await.unwrap();

    let store = SqliteStore::open(SqliteOptions::new(&path).check(true)).await.unwrap();
    let recovery = store.info().recovery.unwrap();
    assert_eq!((recovery.salvaged, recovery.unreadable), (3, 0));
    assert_eq!(std::fs::read(aside(&recovery)).unwrap().len(), damaged.len());
}

/// Pages that point at each other so that a walk through the table has no end.
#[tokio::test]
async fn a_table_without_end() {
    const LEVELS: usize = 12;
    let folder = tempfile::tempdir().unwrap();
    let path = make(folder.path()).await;
    let root = root_page(&path, "room");
    change(&path, |bytes| {
        let pages = bytes.len() / PAGE;
        let leaf = bytes[(root - 1) * PAGE..root * PAGE].to_vec();
        for level in 0..LEVELS {
            let child = u32::try_from(pages + level + 2).unwrap().to_be_bytes();
            let mut page = vec![0; PAGE];
            page[..12].copy_from_slice(&[5, 0, 0, 1, 44, 8, 0, 0, child[0], child[1], child[2], child[3]]);
            for n in 0..300 {
                let at = 2048 + n * 5;
                page[12 + 2 * n..14 + 2 * n].copy_from_slice(&u16::try_from(at).unwrap().to_be_bytes());
                page[at..at + 4].copy_from_slice(&child);
                page[at + 4] = 1;
            }
            if level == 0 {
                bytes[(root - 1) * PAGE..root * PAGE].copy_from_slice(&page);
            }
            bytes.extend(page);
        }
        bytes.extend(leaf);
        let count = u32::try_from(bytes.len() / PAGE).unwrap().to_be_bytes();
        bytes[28..32].copy_from_slice(&count);
    });
    let store = open(&path).await;
    assert_eq!(store.usage().await.unwrap_err().kind(), ErrorKind::Corrupt);
    let report = store.maintain(Maintenance::Check, Progress::none()).await.unwrap();
    assert!(report.findings.iter().any(|found| found.contains("more steps")), "{:?}", report.findings);
    assert_eq!(txns(&store).await, ["t1", "t2", "t3"], "the rest is there");
}

#[tokio::test]
async fn the_log_is_set_aside_along() {
    let folder = tempfile::tempdir().unwrap();
    let path = make(folder.path()).await;
    let store = open(&path).await;
    let mut batch = WriteBatch::strict();
    batch.put_pending(pending("a", "in the log"));
    store.apply(batch).await.unwrap();
    // As a crash would leave it.
    let crash = tempfile::tempdir().unwrap();
    let copy = crash.path().join("s.db");
    for end in ["", "-wal"] {
        let name = format!("s.db{end}");
        std::fs::copy(folder.path().join(&name), crash.path().join(&name)).unwrap();
    }
    store.close().await.unwrap();
    let log = std::fs::read(crash.path().join("s.db-wal")).unwrap();
    let damaged = change(&copy, |bytes| {
        let cut = bytes.len() / 2 / PAGE * PAGE;
        bytes.truncate(cut);
    });
    let store = SqliteStore::open(SqliteOptions::new(&copy).check(true)).await.unwrap();
    let recovery = store.info().recovery.unwrap();
    assert!(std::fs::read(aside(&recovery)).unwrap() == damaged);
    assert!(std::fs::read(format!("{}-wal", aside(&recovery))).unwrap() == log);
    assert_eq!(txns(&store).await, ["t1", "t2", "t3", "in the log"]);
}

/// Random damage of a file: no panic, and no outbox row is lost without being counted or kept.
#[tokio::test]
async fn random_damage() {
    let folder = tempfile::tempdir().unwrap();
    let sound = std::fs::read(make(folder.path()).await).unwrap();
    let mut random = Random(1);
    for round in 0..60 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.db");
        let mut bytes = sound.clone();
        let (from, len) = (random.below(bytes.len()), 1 + random.below(3 * PAGE));
        let to = (from + len).min(bytes.len());
        bytes[from..to].fill(random.below(256) as u8);
        std::fs::write(&path, &bytes).unwrap();
        let Ok(store) = SqliteStore::open(SqliteOptions::new(&path).check(round % 2 == 0)).await else {
            assert!(std::fs::read(&path).unwrap() == bytes, "round {round}: a refused file is changed");
            continue;
        };
        match (store.info().recovery, store.pending(PendingQuery::default()).await) {
            (Some(recovery), rows) => {
                assert_eq!(rows.unwrap().len() as u64, recovery.salvaged, "round {round}");
                assert!(std::path::Path::new(aside(&recovery)).exists());
            }
            (None, Ok(rows)) => assert_eq!(rows.len(), 3, "round {round}: from {from} to {to}"),
            (None, Err(error)) => assert_eq!(error.kind(), ErrorKind::Corrupt, "round {round}"),
        }
        let _ = store.maintain(Maintenance::Check, Progress::none()).await;
        let _ = store.rooms(RoomQuery::default()).await;
        let _ = store.timeline(&room_id("b"), Page::newest(2000)).await;
        store.close().await.unwrap();
    }
}
