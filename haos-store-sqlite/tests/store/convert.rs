//! Sealing and unsealing a store that is there.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use haos_store_api::*;
use haos_store_sqlite::{SqliteOptions, SqliteStore};
use rusqlite::Connection;

use crate::common::*;

fn secret() -> Secret {
    Secret::key([5; 32])
}

fn with_secret(path: &Path) -> SqliteOptions {
    SqliteOptions::new(path).secret(secret())
}

/// A store of the sample, some changes later: numbers and counters have moved on from their rows.
async fn make(path: &Path) -> Everything {
    let store = open(path).await;
    store.apply(sample()).await.unwrap();
    let mut batch = WriteBatch::relaxed();
    batch.put_media(media("gone"), pattern(70_000)).put_pending(pending("b", "t4"));
    store.apply(batch).await.unwrap();
    let mut batch = WriteBatch::relaxed();
    batch.remove_media(media_key("gone")).remove_pending(txn("t4"));
    store.apply(batch).await.unwrap();
    let all = everything(&store).await;
    store.close().await.unwrap();
    all
}

type Everything =
    (Vec<Room>, [Slice; 2], Vec<Pending>, Option<Media>, [Vec<StateEntry>; 2], Revision, [u64; 6]);

async fn everything(store: &SqliteStore) -> Everything {
    let page = async |name| store.timeline(&room_id(name), Page::newest(99)).await.unwrap();
    let state = async |scope| store.state(StateQuery::all(scope)).await.unwrap();
    let usage = store.usage().await.unwrap().collections;
    (
        store.rooms(RoomQuery::default()).await.unwrap(),
        [page("a").await, page("b").await],
        store.pending(PendingQuery::default()).await.unwrap(),
        store.media(&media_key("cat"), ByteRange::ALL).await.unwrap(),
        [state(Scope::Account).await, state(Scope::Room(room_id("a"))).await],
        store.changes().start(),
        std::array::from_fn(|n| usage[n].1.rows),
    )
}

/// The store is sound, is what it was, and goes on as it would have.
async fn check(options: SqliteOptions, sealed: bool, before: &Everything) {
    let store = SqliteStore::open(options).await.unwrap();
    assert_eq!(store.info().sealed, sealed);
    assert_eq!(everything(&store).await, *before);
    let report = store.maintain(Maintenance::Check, Progress::none()).await.unwrap();
    assert_eq!(report.findings, Vec::<String>::new());
    store.close().await.unwrap();
}

#[tokio::test]
async fn there_and_back_everything_is_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    let before = make(&path).await;
    let told = Arc::new(AtomicU64::new(0));
    let heard = told.clone();
    let progress = Progress::to(move |done, _| heard.store(done, Ordering::Relaxed));
    let report = SqliteStore::seal(with_secret(&path), progress).await.unwrap();
    assert_eq!(report.rows, told.load(Ordering::Relaxed));
    check(with_secret(&path), true, &before).await;
    let plain = SqliteStore::open(SqliteOptions::new(&path)).await.unwrap_err();
    assert_eq!(plain.kind(), ErrorKind::Sealed);

    SqliteStore::unseal(with_secret(&path), Progress::none()).await.unwrap();
    check(SqliteOptions::new(&path), false, &before).await;
    let store = open(&path).await;
    let mut batch = WriteBatch::strict();
    batch.put_pending(pending("b", "t5"));
    assert_eq!(store.apply(batch).await.unwrap().assigned, [(txn("t5"), 5)], "no number is given twice");
    store.close().await.unwrap();
    let names: Vec<_> = files(folder.path()).into_keys().collect();
    assert_eq!(names, [path], "nothing is left over");
}

#[tokio::test]
async fn what_cannot_be_done_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    let before = make(&path).await;
    let fails = async |options, seal: bool, kind| {
        let done = match seal {
            true => SqliteStore::seal(options, Progress::none()).await,
            false => SqliteStore::unseal(options, Progress::none()).await,
        };
        assert_eq!(done.unwrap_err().kind(), kind);
    };
    fails(SqliteOptions::new(&path), true, ErrorKind::Invalid).await;
    fails(with_secret(&path), false, ErrorKind::NotSealed).await;
    fails(SqliteOptions::new(&path), false, ErrorKind::NotSealed).await;
    fails(with_secret(&folder.path().join("none.db")), true, ErrorKind::Io).await;
    let user = open(&path).await;
    fails(with_secret(&path).busy_ms(50), true, ErrorKind::Busy).await;
    assert_eq!(everything(&user).await, before);
    user.close().await.unwrap();
    SqliteStore::seal(with_secret(&path), Progress::none()).await.unwrap();
    fails(with_secret(&path), true, ErrorKind::Invalid).await;
    fails(SqliteOptions::new(&path), false, ErrorKind::Sealed).await;
    fails(SqliteOptions::new(&path).secret(Secret::key([6; 32])), false, ErrorKind::WrongKey).await;
    check(with_secret(&path), true, &before).await;
}

/// Cut off after each of its steps, begun again with another secret, gone on with.
#[tokio::test]
async fn cut_off_anywhere_it_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    let before = make(&path).await;
    for (steps, key) in [(1, 5), (2, 6), (2, 5), (3, 5), (4, 5), (5, 5)] {
        let (cut, seen) = (Arc::new(tokio::sync::Notify::new()), AtomicU64::new(0));
        let cutter = cut.clone();
        let progress = Progress::to(move |_, _| {
            if seen.fetch_add(1, Ordering::Relaxed) + 1 == steps {
                cutter.notify_one();
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
        });
        let seal = SqliteStore::seal(SqliteOptions::new(&path).secret(Secret::key([key; 32])), progress);
        tokio::select! { _ = seal => {}, () = cut.notified() => {} }
        // What was cut off lets go of the file in its own time.
        let options = SqliteOptions::new(&path).busy_ms(5000);
        match SqliteStore::open(options).await {
            Ok(store) => {
                assert_eq!(everything(&store).await, before);
                store.close().await.unwrap();
            }
            Err(e) => assert_eq!(e.kind(), ErrorKind::Sealed),
        }
    }
    if let Err(e) = SqliteStore::seal(with_secret(&path), Progress::none()).await {
        assert_eq!(e.kind(), ErrorKind::Invalid, "the last cut came too late: it is sealed already");
    }
    check(with_secret(&path), true, &before).await;
}

/// Killed between the mark and the renaming: whoever opens it does the rest.
#[tokio::test]
async fn a_marked_store_is_finished_by_whoever_opens_it() {
    let folder = tempfile::tempdir().unwrap();
    let (path, other) = (folder.path().join("s.db"), folder.path().join("other.db"));
    let before = make(&path).await;
    std::fs::copy(&path, &other).unwrap();
    SqliteStore::seal(with_secret(&other), Progress::none()).await.unwrap();
    let name = haos_store_api::files::random_name().unwrap();
    let scratch = folder.path().join(format!("s.db.{name}"));
    std::fs::create_dir(&scratch).unwrap();
    std::fs::rename(&other, scratch.join("store.db")).unwrap();
    let conn = Connection::open(&path).unwrap();
    conn.query_row("PRAGMA journal_mode = DELETE", (), |_| Ok(())).unwrap();
    conn.execute("INSERT INTO meta (name, value) VALUES ('moved_to', ?1)", [&name]).unwrap();
    conn.pragma_update(None, "application_id", 0x4841_4F4D).unwrap();
    drop(conn);
    let (one, two) =
        tokio::join!(SqliteStore::open(with_secret(&path)), SqliteStore::open(with_secret(&path)));
    for store in [one.unwrap(), two.unwrap()] {
        store.close().await.unwrap();
    }
    check(with_secret(&path), true, &before).await;
}
