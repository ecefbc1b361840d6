//! Two processes and one file.

use std::process::{Command, Stdio};
use std::time::Duration;

use haos_store_api::*;
use haos_store_sqlite::{SqliteOptions, SqliteStore};

use crate::common::*;

const INCREMENTS: u64 = 300;
/// Tells the test binary that it runs as a child, and its file.
const CHILD: &str = "HAOS_INCREMENT_IN";

/// Counts up in a room's name: reads, adds one, writes on condition that nobody wrote meanwhile.
#[tokio::test]
async fn child() {
    let Ok(path) = std::env::var(CHILD) else { return };
    let store = SqliteStore::open(SqliteOptions::new(path)).await.unwrap();
    for _ in 0..INCREMENTS {
        loop {
            let stored = store.room(&room_id("counter")).await.unwrap();
            let revision = stored.as_ref().map(|room| room.revision);
            let now: u64 = stored.and_then(|room| room.name).map_or(0, |name| name.parse().unwrap());
            let mut batch = WriteBatch::relaxed();
            batch.expect_room(&room_id("counter"), revision);
            batch.put_room(Room { name: Some((now + 1).to_string()), ..room("counter") });
            match store.apply(batch).await {
                Ok(_) => break,
                Err(error) => assert_eq!(error.kind(), ErrorKind::Conflict, "{error:?}"),
            }
        }
    }
    store.close().await.unwrap();
}

#[tokio::test]
async fn two_processes_lose_no_increment() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    // The file does not exist yet: they make it at once as well.
    let children: Vec<_> = (0..2)
        .map(|_| {
            Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "processes::child", "--nocapture"])
                .env(CHILD, &path)
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let store = open(&path).await;
    let counter = store.room(&room_id("counter")).await.unwrap().unwrap();
    assert_eq!(counter.name.unwrap(), (2 * INCREMENTS).to_string());
    assert_eq!(store.info().opened_at, Revision(2 * INCREMENTS));
}

#[tokio::test]
async fn commits_of_others_are_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    let (ours, theirs) = (open(&path).await, open(&path).await);
    let put = |name: &str| {
        let mut batch = WriteBatch::relaxed();
        batch.put_room(room(name));
        batch
    };
    theirs.apply(put("before")).await.unwrap();

    // Without a write of our own, while somebody listens.
    let mut changes = ours.changes();
    theirs.apply(put("idle")).await.unwrap();
    loop {
        let told = tokio::time::timeout(Duration::from_secs(20), changes.next()).await.unwrap();
        match told.unwrap() {
            Change::Resync { revision: Revision(2) } => break,
            // The look at the subscription may have come before the second commit.
            Change::Resync { revision: Revision(1) } => {}
            other => panic!("{other:?}"),
        }
    }

    // Before our own write: the commits of others come first, and revisions continue from theirs.
    for n in 0..20_u64 {
        theirs.apply(put(&format!("t{n}"))).await.unwrap();
        let commit = ours.apply(put(&format!("o{n}"))).await.unwrap();
        assert_eq!(commit.revision, Revision(4 + 2 * n));
        let mut last = Revision::ZERO;
        while last < commit.revision {
            let change = changes.next().await.unwrap();
            assert!(change.revision() > last);
            last = change.revision();
        }
    }
    // A room that others removed and made again has another number inside.
    let mut batch = WriteBatch::relaxed();
    batch.put_message(message("o1", "first", 0));
    ours.apply(batch).await.unwrap();
    let mut batch = WriteBatch::relaxed();
    batch.remove_room(room_id("o1")).put_room(room("x")).put_room(room("o1"));
    theirs.apply(batch).await.unwrap();
    let mut batch = WriteBatch::relaxed();
    batch.put_message(message("o1", "second", 0));
    ours.apply(batch).await.unwrap();
    assert_eq!(theirs.count(&room_id("o1"), None).await.unwrap(), 1);
    assert_eq!(theirs.count(&room_id("x"), None).await.unwrap(), 0);
    let report = ours.maintain(Maintenance::Check, Progress::none()).await.unwrap();
    assert_eq!(report.findings, Vec::<String>::new());
}
