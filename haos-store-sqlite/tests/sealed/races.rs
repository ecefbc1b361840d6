//! Rotations that pass while others open, read or wait.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use haos_store_api::backend::*;

use haos_store_api::*;
use haos_store_sqlite::SqliteStore;
use tokio::task::JoinHandle;

use crate::common::*;
use crate::vault::*;

async fn rotate(store: &SqliteStore) {
    let report = store.maintain(Maintenance::Rotate, Progress::none()).await.unwrap();
    assert_eq!(report.findings, Vec::<String>::new());
}

/// Deriving the key takes long enough for whole rotations between the look at the keyring and the first write, which
/// must be sealed with a key that is still in the keyring.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_opened_while_rotations_pass_writes_under_a_key_that_is_held() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    make(&path, key()).await;
    let ours = unsealed(&path).await;
    let slow = KdfParams { memory_kib: 128 << 10, passes: 4, lanes: 1 };
    ours.change_keys(KeyChange::SetPassphrase(words("slow"), slow)).await.unwrap();

    let opening = tokio::spawn({
        let path = path.clone();
        async move { open_with(&path, words("slow")).await }
    });
    for _ in 0..4 {
        rotate(&ours).await;
    }
    let theirs = opening.await.unwrap();
    let mut batch = WriteBatch::strict();
    batch.put_room(room("new")).put_pending(pending("new", "after"));
    theirs.apply(batch).await.unwrap();
    theirs.close().await.unwrap();

    let rows = ours.pending(PendingQuery::default()).await.expect("every row is under a key that is held");
    assert_eq!(rows.len(), 4);
    assert_eq!(check(&ours).await, Vec::<String>::new());
}

/// The first write of such a store may meet rows under a key that it has not seen.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_opened_while_rotations_pass_changes_what_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    make(&path, key()).await;
    let ours = unsealed(&path).await;
    let slow = KdfParams { memory_kib: 128 << 10, passes: 4, lanes: 1 };
    ours.change_keys(KeyChange::SetPassphrase(words("slow"), slow)).await.unwrap();
    let opening = tokio::spawn({
        let path = path.clone();
        async move { open_with(&path, words("slow")).await }
    });
    for _ in 0..4 {
        rotate(&ours).await;
    }
    let theirs = opening.await.unwrap();
    let mut batch = WriteBatch::strict();
    batch.put_room(Room { topic: Some("later".to_owned()), ..room("a") });
    theirs.apply(batch).await.expect("the row is there and can be read");
}

/// Several reads of one handle meet the new key at the same moment.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn reads_at_once_all_see_a_rotation_that_another_handle_made() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    make(&path, key()).await;
    let ours = unsealed(&path).await;
    let theirs = Arc::new(unsealed(&path).await);
    for round in 0..60 {
        rotate(&ours).await;
        let reads: Vec<_> = (0..8)
            .map(|n| {
                let theirs = theirs.clone();
                tokio::spawn(async move {
                    let room = room_id(if n % 2 == 0 { "a" } else { "b" });
                    let limit = if n % 3 == 0 { 20 } else { 1000 };
                    theirs.timeline(&room, Page::newest(limit)).await.map(|slice| slice.items.len())
                })
            })
            .collect();
        for read in reads {
            let found = read.await.unwrap().unwrap_or_else(|e| panic!("round {round}: {e}"));
            assert!(found >= 10, "round {round}");
        }
    }
}

/// Opens a store whose changes of the keyring wait for readers as long as for other processes.
async fn patient(path: &std::path::Path) -> SqliteStore {
    SqliteStore::open(with(path, key()).busy_ms(200)).await.unwrap()
}

/// A check reads the store as it was when it began, under any later changes of its keys.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_check_outlives_the_end_of_a_rotation() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(patient(&folder.path().join("s.db")).await);
    crate::rotate::fill(&store).await;
    let (check, told, let_go) = paused(&store, Maintenance::Check, 1000);
    told.recv().unwrap();
    rotate(&store).await;
    let_go.send(()).unwrap();
    let report = check.await.unwrap().expect("the check ends");
    assert_eq!(report.findings, Vec::<String>::new());
}

/// Of two records the later one counts, in any order of reading.
#[test]
fn an_older_record_is_not_taken_over_after_a_newer_one() {
    let keyring = Keyring::create(&key(), quick()).unwrap();
    let old = keyring.record().unwrap();
    let begun = keyring.rotation_begun().unwrap().unwrap();
    assert!(keyring.adopt(&begun).unwrap());
    assert!(keyring.is_rotating());
    let _ = keyring.adopt(&old);
    assert!(keyring.is_rotating(), "the new data key is forgotten");
    assert_eq!(keyring.record().unwrap(), begun);
}

/// Runs a chore that stops after `rows`: it reports that, and waits for a word.
fn paused(
    store: &Arc<SqliteStore>,
    task: Maintenance,
    rows: u64,
) -> (JoinHandle<Result<Report>>, Receiver<()>, Sender<()>) {
    let ((tell, told), (let_go, go)) = (channel(), channel::<()>());
    let ends = Mutex::new(Some((tell, go)));
    let progress = Progress::to(move |done, _| {
        if done >= rows
            && let Some((tell, go)) = ends.lock().unwrap().take()
        {
            tell.send(()).unwrap();
            go.recv().unwrap();
        }
    });
    let store = store.clone();
    let chore = tokio::spawn(async move { store.maintain(task, progress).await });
    (chore, told, let_go)
}

/// One handle's rotation must not drop the key that another's, begun later, still needs.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_rotation_that_another_overtook_does_not_drop_the_key_of_rows() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    let ours = Arc::new(unsealed(&path).await);
    crate::rotate::fill(&ours).await;
    let theirs = Arc::new(unsealed(&path).await);

    // Ours has passed the messages; theirs completes it and begins another, which has not reached them.
    let (our_rotation, told, let_ours_go) = paused(&ours, Maintenance::Rotate, 3100);
    told.recv().unwrap();
    rotate(&theirs).await;
    let (their_rotation, told, let_theirs_go) = paused(&theirs, Maintenance::Rotate, 1);
    told.recv().unwrap();
    let_ours_go.send(()).unwrap();
    let ended = our_rotation.await.unwrap();
    let_theirs_go.send(()).unwrap();
    let then = their_rotation.await.unwrap();
    ours.close().await.unwrap();
    theirs.close().await.unwrap();

    let store = unsealed(&path).await;
    crate::rotate::read_all(&store).await;
    assert_eq!(check(&store).await, Vec::<String>::new());
    assert_eq!((ended.unwrap().findings.len(), then.unwrap().findings.len()), (0, 0));
}

/// The same with one handle, asked twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn rotations_asked_for_twice_at_once_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    let store = Arc::new(unsealed(&path).await);
    crate::rotate::fill(&store).await;
    let both: Vec<_> = (0..2)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move {
                for _ in 0..8 {
                    rotate(&store).await;
                }
            })
        })
        .collect();
    for rotations in both {
        rotations.await.expect("every row is under a key that is held");
    }
    crate::rotate::read_all(&store).await;
    assert_eq!(check(&store).await, Vec::<String>::new());
}
