//! The shell over a backend that holds nothing and records its calls.

mod fake;

use std::sync::atomic::Ordering;
use std::sync::{Arc, mpsc};

use self::fake::{Fake, FakeWriter, open, options};
use super::desk::is_short;
use super::error::again;
use super::*;
use crate::*;

fn room(name: &str) -> RoomId {
    RoomId::new(name).unwrap()
}

fn put(name: &str) -> WriteBatch {
    let mut batch = WriteBatch::relaxed();
    batch.put_room(Room::new(room(name), Membership::Join));
    batch
}

/// Keeps the writing thread busy from now on, until the sender tells it to go on.
async fn hold(store: &Arc<Shell<Fake>>) -> (mpsc::Sender<()>, tokio::task::JoinHandle<Result<()>>) {
    let (go, gone) = mpsc::channel();
    let (begun, begins) = mpsc::channel();
    let store = store.clone();
    let held = tokio::spawn(async move {
        let wait = move |_: &mut FakeWriter| {
            begun.send(()).unwrap();
            gone.recv().map_err(|_| ended("test"))
        };
        store.call("test", wait).await
    });
    tokio::task::yield_now().await;
    begins.recv().unwrap();
    (go, held)
}

#[tokio::test]
async fn batches_that_wait_share_a_commit() {
    let (store, world) = open("group").await;
    let store = Arc::new(store);
    let (go, held) = hold(&store).await;
    let names = (0..70).map(|nr| if nr == 69 { "!all".to_owned() } else { format!("!{nr}") });
    let batches: Vec<_> = names.map(|name| store.apply(put(&name))).collect();
    let all = futures_util::future::join_all(batches);
    let (results, ()) = tokio::join!(all, async { go.send(()).unwrap() });
    held.await.unwrap().unwrap();
    assert_eq!(world.noted(), ["open", "commit of 64", "commit of 6"]);
    let revisions: Vec<_> = results[..64].iter().map(|result| result.as_ref().unwrap().revision.0).collect();
    assert_eq!(revisions, (1..=64).collect::<Vec<_>>());
    for failed in &results[64..] {
        let error = failed.as_ref().unwrap_err();
        assert_eq!((error.kind(), error.to_string()), (ErrorKind::Full, "apply: no space".to_owned()));
    }
}

#[tokio::test]
async fn a_commit_that_one_batch_took_back_is_done_one_by_one() {
    let (store, world) = open("lost").await;
    let store = Arc::new(store);
    let mut changes = store.changes();
    let (go, held) = hold(&store).await;
    let go = async { go.send(()).unwrap() };
    let (a, lost, b, ()) =
        tokio::join!(store.apply(put("!a")), store.apply(put("!lost")), store.apply(put("!b")), go);
    held.await.unwrap().unwrap();
    assert_eq!((a.unwrap().revision, b.unwrap().revision), (Revision(1), Revision(2)));
    assert_eq!(lost.unwrap_err().kind(), ErrorKind::Full);
    let commits: Vec<_> = world.noted().into_iter().filter(|note| note.starts_with("commit")).collect();
    assert_eq!(commits, ["commit of 3", "commit of 1", "commit of 1", "commit of 1"]);
    for revision in [1, 2] {
        assert_eq!(changes.next().await.unwrap().revision(), Revision(revision));
    }
}

#[tokio::test]
async fn a_short_batch_is_applied_by_its_caller_where_nobody_has_to_be_waited_for() {
    let (store, world) = open("at-once").await;
    let applied = |batch| async {
        world.noted();
        let revision = store.apply(batch).await.unwrap().revision;
        (world.noted().into_iter().find(|note| note != "poll").unwrap(), revision)
    };
    // The thread takes its turn for a moment after an answer, and to look for commits of others.
    let applied_at_once = || async {
        for _ in 0..1_000 {
            let (note, revision) = applied(put("!a")).await;
            if note == "at once" {
                return revision;
            }
        }
        panic!("the turn is never free");
    };
    assert_eq!(applied(put("!a")).await.0, "commit of 1", "the thread opens the writer");
    let mut changes = store.changes();
    applied_at_once().await;
    let mut strict = WriteBatch::strict();
    strict.put_room(Room::new(room("!a"), Membership::Join));
    assert_eq!(applied(strict).await.0, "commit of 1", "it waits for the disk");
    world.busy.store(true, Ordering::Relaxed);
    assert_eq!(applied(put("!a")).await.0, "commit of 1", "the thread waits");
    world.busy.store(false, Ordering::Relaxed);
    assert_eq!(store.apply(put("!all")).await.unwrap_err().kind(), ErrorKind::Full);
    let last = applied_at_once().await;
    for revision in 2..=last.0 {
        let told = changes.next().await.unwrap().revision();
        assert_eq!(told, Revision(revision), "each is told once, in order");
    }
}

#[tokio::test]
async fn a_batch_goes_behind_those_that_wait() {
    let (store, world) = open("behind").await;
    let store = Arc::new(store);
    store.apply(put("!a")).await.unwrap();
    let (go, held) = hold(&store).await;
    let go = async { go.send(()).unwrap() };
    let (first, second, ()) = tokio::join!(store.apply(put("!b")), store.apply(put("!c")), go);
    assert_eq!((first.unwrap().revision, second.unwrap().revision), (Revision(2), Revision(3)));
    held.await.unwrap().unwrap();
    assert!(!world.noted().contains(&"at once".to_owned()));
}

/// A caller's panic is the caller's own; the store ends, and lets go of what it had open.
#[tokio::test]
async fn a_panic_of_a_caller_ends_the_store_and_frees_it() {
    let (store, world) = open("panic").await;
    store.apply(put("!a")).await.unwrap();
    let store = Arc::new(store);
    let panics = {
        let store = store.clone();
        tokio::spawn(async move { store.apply(put("!panic")).await })
    };
    assert!(panics.await.unwrap_err().is_panic());
    assert!(world.noted().contains(&"dropped".to_owned()), "while the store is not closed yet");
    assert_eq!(store.apply(put("!a")).await.unwrap_err().kind(), ErrorKind::Closed);
    store.close().await.unwrap();
    assert_eq!(world.noted().last().map(String::as_str), Some("close"), "readers end as ever");
}

#[test]
fn short_batches_are_bounded() {
    let key =
        MediaKey { uri: MediaUri::new("mxc://a/b").unwrap(), format: MediaFormat::new("file").unwrap() };
    let rooms = |count| {
        let mut batch = WriteBatch::relaxed();
        for n in 0..count {
            batch.put_room(Room::new(room(&format!("!{n}")), Membership::Join));
        }
        is_short(&batch)
    };
    let media = |sizes: &[usize]| {
        let mut batch = WriteBatch::relaxed();
        for size in sizes {
            batch.append_media(key.clone(), 0, vec![0; *size]);
        }
        is_short(&batch)
    };
    assert!(rooms(64) && !rooms(65));
    assert!(media(&[64 << 10]) && !media(&[(64 << 10) + 1]) && !media(&[40 << 10, 40 << 10]));
    let mut batch = WriteBatch::relaxed();
    batch.remove_room(room("!a"));
    assert!(!is_short(&batch), "a room may have a million rows");
    let mut batch = WriteBatch::relaxed();
    batch.touch_media(vec![key.clone(); 40], 1);
    assert!(is_short(&batch));
    batch.touch_media(vec![key.clone(); 40], 1);
    assert!(!is_short(&batch), "all of them count");
    let mut batch = WriteBatch::relaxed();
    batch.rename_media(key.clone(), key);
    assert!(!is_short(&batch), "the item that gives way may be large");
}

#[tokio::test]
async fn a_writer_that_cannot_be_opened_is_opened_later() {
    let (store, world) = open("later").await;
    world.no_writer.store(true, Ordering::Relaxed);
    assert_eq!(store.apply(put("!a")).await.unwrap_err().kind(), ErrorKind::Io);
    assert_eq!(store.call("test", |_| Ok(())).await.unwrap_err().kind(), ErrorKind::Closed);
    world.no_writer.store(false, Ordering::Relaxed);
    assert_eq!(store.apply(put("!a")).await.unwrap().revision, Revision(1));
}

#[tokio::test]
async fn a_read_that_would_wait_goes_to_the_thread_which_outlives_a_panic() {
    let (store, world) = open("reads").await;
    assert_eq!(store.room(&room("!a")).await.unwrap(), None);
    assert_eq!(world.noted(), ["open"], "no thread is needed");
    world.busy.store(true, Ordering::Relaxed);
    assert_eq!(store.room(&room("!a")).await.unwrap(), None);
    assert_eq!(store.gaps(&room("!panic")).await.unwrap_err().kind(), ErrorKind::Closed);
    assert_eq!(store.gaps(&room("!a")).await.unwrap(), []);
    assert_eq!(store.usage().await.unwrap().total_bytes, 12, "rows and files");
    assert_eq!(world.noted(), ["connect"], "one for all of them");
}

#[tokio::test]
async fn the_store_is_closed_after_everybody_who_reads() {
    let (store, world) = open("end").await;
    let (begun, begins) = mpsc::channel();
    let store = Arc::new(store);
    let checks = {
        let store = store.clone();
        let progress = Progress::to(move |_, _| begun.send(()).unwrap_or_default());
        tokio::spawn(async move { store.maintain(Maintenance::Check, progress).await })
    };
    tokio::task::yield_now().await;
    begins.recv().unwrap();
    store.close().await.unwrap();
    assert_eq!(checks.await.unwrap().unwrap_err().kind(), ErrorKind::Closed);
    let notes = world.noted();
    assert_eq!(notes.first().map(String::as_str), Some("open"));
    assert!(notes.contains(&"checked".to_owned()) && notes.contains(&"close".to_owned()), "{notes:?}");
    assert_eq!(notes.last().map(String::as_str), Some("finish"));
}

#[tokio::test]
async fn a_chore_ends_with_its_caller() {
    let (store, world) = open("chore").await;
    let (begun, begins) = mpsc::channel();
    let progress = Progress::to(move |_, _| begun.send(()).unwrap_or_default());
    let mut check = Box::pin(store.maintain(Maintenance::Check, progress));
    let waker = std::task::Waker::noop();
    assert!(check.as_mut().poll(&mut std::task::Context::from_waker(waker)).is_pending());
    begins.recv().unwrap();
    drop(check);
    store.close().await.unwrap();
    assert!(world.noted().contains(&"checked".to_owned()));
}

#[tokio::test]
async fn stages_and_the_secret() {
    let (options, world) = options("stages");
    let options = options.secret(Secret::passphrase("some words"));
    let secret = Arc::downgrade(options.secret.as_ref().unwrap());
    let store = Shell::<Fake>::open(options).await.unwrap();
    assert_eq!(world.secrets.load(Ordering::Relaxed), 1);
    assert_eq!(secret.strong_count(), 0, "no thread keeps it");
    let info = store.info();
    assert_eq!((info.backend, info.format, info.shared, info.read_only), ("fake", 7, true, false));
    let mut changes = store.changes();
    store.apply(put("!a")).await.unwrap();
    store.suspend().await.unwrap();
    store.suspend().await.unwrap();
    let suspended = store.room(&room("!a")).await.unwrap_err();
    assert!(suspended.to_string().contains("resume it"), "{suspended}");
    store.resume().await.unwrap();
    store.resume().await.unwrap();
    assert_eq!(world.secrets.load(Ordering::Relaxed), 0, "the codec has the keys");
    assert_eq!(changes.next().await.unwrap().revision(), Revision(1));
    assert_eq!(changes.next().await, Some(Change::Resync { revision: Revision::ZERO }), "the fake forgets");
    store.close().await.unwrap();
    store.close().await.unwrap();
    assert_eq!(changes.next().await, None);
    for closed in [store.suspend().await, store.resume().await, store.room(&room("!a")).await.map(drop)] {
        assert_eq!(closed.unwrap_err().kind(), ErrorKind::Closed);
    }
    let notes = world.noted();
    assert_eq!(notes.iter().filter(|note| *note == "finish").count(), 2);
    assert!(notes.contains(&"poll".to_owned()), "others' commits are looked for");
}

#[tokio::test]
async fn what_can_only_be_read_refuses_writes() {
    let (options, world) = options("read-only");
    let store = Shell::<Fake>::open(options.busy_ms(1)).await.unwrap();
    assert!(store.info().read_only);
    let _changes = store.changes();
    for refused in [
        store.apply(put("!a")).await.map(drop),
        store.change_keys(KeyChange::Shred).await,
        store.maintain(Maintenance::Compact, Progress::none()).await.map(drop),
    ] {
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::ReadOnly);
    }
    assert_eq!(store.gaps(&room("!a")).await.unwrap(), []);
    store.close().await.unwrap();
    assert_eq!(world.noted(), ["open", "connect", "close", "finish"], "there was no job");
}

#[test]
fn an_error_told_again_is_the_same() {
    let error = corrupt("apply", "a row is short");
    let told = again(&error);
    assert_eq!((told.kind(), told.to_string()), (error.kind(), error.to_string()));
}

#[tokio::test]
async fn a_snapshot_outlives_a_panic_and_ends_with_its_store() {
    let (store, _) = open("haos-shell-snapshot").await;
    let snapshot = store.snapshot().await.unwrap();
    assert_eq!(snapshot.info().opened_at, Revision(3));
    assert_eq!(snapshot.gaps(&room("!panic")).await.unwrap_err().kind(), ErrorKind::Closed);
    assert!(snapshot.gaps(&room("!r")).await.unwrap().is_empty(), "others go on");
    store.close().await.unwrap();
    assert_eq!(snapshot.gaps(&room("!r")).await.unwrap_err().kind(), ErrorKind::Closed);
    assert_eq!(store.snapshot().await.unwrap_err().kind(), ErrorKind::Closed);
}
