//! Rotation while the store is in use.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use haos_store_api::backend::*;

use haos_store_api::*;
use haos_store_sqlite::SqliteStore;

use crate::common::*;
use crate::vault::*;

const HISTORY: u64 = 1500;
const MEDIA_BYTES: usize = 1_300_000;

/// Fills every table with rows, enough for several steps of a rotation.
pub(crate) async fn fill(store: &SqliteStore) {
    store.apply(twins(MEDIA_BYTES)).await.unwrap();
    let mut batch = WriteBatch::relaxed();
    for name in ["a", "b"] {
        for n in 0..HISTORY {
            batch.put_message(message(name, &format!("{name}h{n}"), 100 + n));
        }
    }
    for n in 0..50 {
        batch.put_state(state(Scope::Room(room_id("b")), "m.tag", &n.to_string(), "{}"));
    }
    store.apply(batch).await.unwrap();
}

/// Reads all rows of `fill`, in long reads and short ones.
pub(crate) async fn read_all(store: &SqliteStore) {
    for name in ["a", "b"] {
        let slice = store.timeline(&room_id(name), Page::oldest(10_000)).await.expect("a page");
        assert!(slice.messages().count() as u64 >= HISTORY + 10, "{}", slice.messages().count());
        assert!(slice.gaps().all(|gap| gap.token.is_some()));
        for n in [0, 700, HISTORY - 1] {
            let event = event_id(&format!("{name}h{n}"));
            assert!(store.message(&room_id(name), &event).await.expect("a message").is_some(), "{event:?}");
        }
    }
    let media = store.media(&media_key("cat"), ByteRange::ALL).await.expect("media").unwrap();
    assert!(media.bytes == pattern(MEDIA_BYTES));
    assert_eq!(store.rooms(RoomQuery::latest(9)).await.expect("rooms").len(), 2);
    assert!(txns(store).await.len() >= 3);
    let tags = StateQuery::kind(Scope::Room(room_id("b")), EventType::new("m.tag").unwrap());
    assert_eq!(store.state(tags).await.expect("state").len(), 50);
    assert_eq!(store.info().damaged, 0, "nothing is left out");
}

async fn rotate(store: &SqliteStore) -> Report {
    let report = store.maintain(Maintenance::Rotate, Progress::none()).await.unwrap();
    assert_eq!(report.findings, Vec::<String>::new());
    report
}

/// Repeats a call in a task of its own until it is told to stop.
fn over_and_over<F: Future<Output = ()> + Send>(
    stop: &Arc<AtomicBool>,
    call: impl Fn(u64) -> F + Send + 'static,
) -> tokio::task::JoinHandle<u64> {
    let stop = stop.clone();
    tokio::spawn(async move {
        let mut turns = 0;
        while !stop.load(Ordering::Relaxed) {
            call(turns).await;
            turns += 1;
        }
        turns
    })
}

fn note(who: &str, n: u64) -> WriteBatch {
    let mut batch = WriteBatch::relaxed();
    batch
        .put_pending(pending("a", &format!("{who}{n}")))
        .put_message(message("b", &format!("{who}{n}"), 10_000 + n * 2 + u64::from(who == "ours")))
        .put_media(media(who), pattern(500 + n as usize))
        .put_state(state(Scope::Account, "note", who, &n.to_string()));
    batch
}

/// Checks that all notes of a writer are present, under one key.
async fn assert_notes(path: &Path, who: &str, count: u64) {
    let store = unsealed(path).await;
    assert!(count > 0);
    for n in 0..count {
        let event = event_id(&format!("{who}{n}"));
        assert!(store.message(&room_id("b"), &event).await.unwrap().is_some(), "{event:?}");
        assert!(txns(&store).await.contains(&format!("{who}{n}")) || n > 300);
    }
    let bytes = store.media(&media_key(who), ByteRange::ALL).await.unwrap().unwrap().bytes;
    assert!(bytes == pattern(500 + count as usize - 1));
    assert_eq!(check(&store).await, Vec::<String>::new());
    store.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_record_is_readable_and_every_write_kept_before_during_and_after() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    // Two that write without a pause: SQLite lets them wait, in no order.
    let open = async || SqliteStore::open(with(&path, key()).busy_ms(60_000)).await.unwrap();
    let ours = Arc::new(open().await);
    fill(&ours).await;
    let theirs = Arc::new(open().await);
    read_all(&ours).await;
    read_all(&theirs).await;

    let stop = Arc::new(AtomicBool::new(false));
    let reader = |store: &Arc<SqliteStore>| {
        let store = store.clone();
        over_and_over(&stop, move |_| {
            let store = store.clone();
            async move { read_all(&store).await }
        })
    };
    let writer = |store: &Arc<SqliteStore>, who: &'static str| {
        let store = store.clone();
        over_and_over(&stop, move |n| {
            let store = store.clone();
            async move { drop(store.apply(note(who, n)).await.unwrap()) }
        })
    };
    let readers = [reader(&ours), reader(&theirs)];
    let writers = [(writer(&ours, "ours"), "ours"), (writer(&theirs, "theirs"), "theirs")];
    let rows = rotate(&ours).await.rows;
    assert!(rows >= 2 * HISTORY, "{rows}");
    rotate(&theirs).await;
    stop.store(true, Ordering::Relaxed);
    for reader in readers {
        assert!(reader.await.unwrap() > 0);
    }
    let mut counts = Vec::new();
    for (writer, who) in writers {
        counts.push((who, writer.await.unwrap()));
    }
    read_all(&ours).await;
    read_all(&theirs).await;
    ours.close().await.unwrap();
    theirs.close().await.unwrap();
    assert_eq!(key_ids(&path), [3].into());
    for (who, count) in counts {
        assert_notes(&path, who, count).await;
    }
}

#[tokio::test]
async fn a_handle_opened_before_a_rotation_reads_and_writes_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    let ours = unsealed(&path).await;
    fill(&ours).await;
    for round in 0..3_u16 {
        let (reads, writes) = (unsealed(&path).await, unsealed(&path).await);
        rotate(&ours).await;
        read_all(&reads).await;
        let mut batch = WriteBatch::strict();
        batch.put_pending(pending("a", &format!("late {round}"))).put_room(room(&format!("new {round}")));
        batch.remove_room(room_id(&format!("new {round}")));
        writes.apply(batch).await.unwrap();
        assert_eq!(key_ids(&path), [round + 2].into());
        read_all(&writes).await;
    }
    assert_eq!(txns(&ours).await.len(), 6);
}

#[tokio::test]
async fn a_handle_that_has_not_looked_since_a_rotation_can_check_and_rotate() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    let ours = unsealed(&path).await;
    fill(&ours).await;
    let theirs = unsealed(&path).await;
    rotate(&ours).await;
    rotate(&theirs).await;
    rotate(&ours).await;
    assert_eq!(key_ids(&path), [4].into());
    read_all(&theirs).await;
}

#[tokio::test]
async fn a_check_by_a_handle_that_has_not_looked_since_a_rotation_finds_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    let ours = unsealed(&path).await;
    ours.apply(twins(1000)).await.unwrap();
    let theirs = unsealed(&path).await;
    rotate(&ours).await;
    let report = theirs.maintain(Maintenance::Check, Progress::none()).await;
    assert_eq!(report.expect("a check").findings, Vec::<String>::new());
}

#[tokio::test]
async fn no_former_key_is_left_in_the_keyring() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    make(&path, key()).await;
    let store = unsealed(&path).await;
    let before = keyring_record(&path);
    let keyring = Keyring::unlock(&before, &key()).unwrap();
    assert!(!keyring.is_rotating());
    rotate(&store).await;
    let after = keyring_record(&path);
    assert!(!Keyring::unlock(&after, &key()).unwrap().is_rotating());
    assert_eq!(after.len(), before.len());
    assert!(!remains(folder.path(), &before[before.len() - 60..]), "the old body is overwritten");
}

#[tokio::test]
async fn progress_grows_to_its_total_and_the_report_counts_the_rows() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    let store = unsealed(&path).await;
    fill(&store).await;
    let (last, steps) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let (told, count) = (last.clone(), steps.clone());
    let progress = Progress::to(move |done, total| {
        assert!(done <= total && done >= told.swap(done, Ordering::Relaxed));
        count.fetch_add(1, Ordering::Relaxed);
    });
    let report = store.maintain(Maintenance::Rotate, progress).await.unwrap();
    assert_eq!(last.load(Ordering::Relaxed), report.rows);
    assert!(steps.load(Ordering::Relaxed) > 7, "several steps");
}

/// A dropped call leaves a rotation begun; the next one ends it.
#[tokio::test]
async fn a_rotation_that_was_dropped_is_gone_on_with() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    let store = unsealed(&path).await;
    fill(&store).await;
    let (tell, told) = tokio::sync::oneshot::channel();
    let tell = std::sync::Mutex::new(Some(tell));
    let progress = Progress::to(move |_, _| {
        if let Some(tell) = tell.lock().unwrap().take() {
            let _ = tell.send(());
        }
    });
    tokio::select! {
        biased;
        _ = told => {}
        _ = store.maintain(Maintenance::Rotate, progress) => panic!("it was not dropped"),
    }
    read_all(&store).await;
    assert_eq!(key_ids(&path), [1, 2].into(), "in the middle");
    let report = rotate(&store).await;
    assert!(report.rows > 0);
    assert_eq!(key_ids(&path), [2].into());
    read_all(&store).await;
}
