//! Unsent messages: taken over once, and never sent by both.

use haos_archive::{Outbox, Reason, RestoreOptions, Restored, copy};
use haos_queue::local_media_uri;
use haos_store_api::*;

use crate::dump::{Dump, revision};
use crate::sample::{fill, id, media, message, room, row, txn};

async fn with(rows: Vec<Pending>) -> MemoryStore {
    let store = MemoryStore::new();
    let mut batch = WriteBatch::strict();
    batch.put_room(Room::new(room(0), Membership::Join));
    for row in rows {
        batch.put_pending(row);
    }
    store.apply(batch).await.unwrap();
    store
}

async fn restored(from: &MemoryStore, to: &MemoryStore) -> Restored {
    copy(from, to, RestoreOptions::default(), Progress::none()).await.unwrap()
}

async fn remove(store: &MemoryStore, name: &str) {
    let mut batch = WriteBatch::strict();
    batch.remove_pending(txn(name));
    store.apply(batch).await.unwrap();
}

async fn names(store: &MemoryStore) -> Vec<String> {
    store.outbox().await.unwrap().iter().map(|row| row.txn_id.to_string()).collect()
}

#[tokio::test]
async fn what_was_sent_or_cancelled_since_does_not_come_back() {
    let from = with(vec![row("a", &room(0)), row("b", &room(0))]).await;
    let to = MemoryStore::new();
    restored(&from, &to).await;
    assert_eq!(names(&to).await, ["a", "b"]);
    remove(&to, "a").await;
    let held = revision(&to).await;
    let done = restored(&from, &to).await;
    assert_eq!(done.left_out().collect::<Vec<_>>(), [(Collection::Pending, Reason::TakenBefore, 1)]);
    assert_eq!((names(&to).await, revision(&to).await), (vec!["b".to_owned()], held));
    // Nor from an older archive, in a store that has the rows from there.
    let third = MemoryStore::new();
    restored(&to, &third).await;
    restored(&from, &third).await;
    assert_eq!(names(&third).await, ["b"]);
}

#[tokio::test]
async fn what_has_arrived_is_not_taken() {
    let accepted = Pending { state: PendingState::Sent, event_id: Some(id("e")), ..row("b", &room(0)) };
    let from = with(vec![row("a", &room(0)), accepted, row("c", &room(0))]).await;
    let to = with(Vec::new()).await;
    let mut batch = WriteBatch::relaxed();
    batch.put_message(Message { txn_id: Some(txn("a")), ..message(&room(0), "x", 1) });
    batch.put_message(message(&room(0), "e", 2));
    to.apply(batch).await.unwrap();
    let done = restored(&from, &to).await;
    assert_eq!(done.left_out().collect::<Vec<_>>(), [(Collection::Pending, Reason::Delivered, 2)]);
    assert_eq!(names(&to).await, ["c"]);
}

#[tokio::test]
async fn the_stores_own_row_counts_and_others_come_behind_in_their_order() {
    let from = with(["a", "b", "c"].map(|name| row(name, &room(0))).to_vec()).await;
    let own = Pending { content: Json::of("other").unwrap(), ..row("b", &room(0)) };
    let to = with(vec![row("z", &room(0)), own.clone()]).await;
    restored(&from, &to).await;
    assert_eq!(names(&to).await, ["z", "b", "a", "c"]);
    let rows = to.outbox().await.unwrap();
    assert_eq!((&rows[1].content, rows[1].state), (&own.content, PendingState::Queued));
    assert_eq!(rows[2].state, PendingState::Parked(ParkReason::Restored));
}

#[tokio::test]
async fn no_row_is_sent_until_the_user_says_so_unless_the_outbox_is_taken_over() {
    let from = MemoryStore::new();
    fill(&from, 1, 5).await;
    let held = MemoryStore::new();
    restored(&from, &held).await;
    let restored = PendingState::Parked(ParkReason::Restored);
    let states = |rows: Vec<Pending>| rows.into_iter().map(|row| row.state).collect::<Vec<_>>();
    let expected = [restored, restored, restored, restored, PendingState::Sent, restored, restored];
    assert_eq!(states(held.outbox().await.unwrap()), expected);
    let taken = MemoryStore::new();
    let options = RestoreOptions::default().outbox(Outbox::TakeOver);
    copy(&from, &taken, options, Progress::none()).await.unwrap();
    let rows = taken.outbox().await.unwrap();
    let expected = [
        PendingState::Queued,
        PendingState::Blocked,
        PendingState::Queued,
        PendingState::Parked(ParkReason::Ambiguous),
        PendingState::Sent,
        PendingState::Parked(ParkReason::Forbidden),
        PendingState::Queued,
    ];
    assert_eq!(states(rows.clone()), expected);
    for store in [&held, &taken] {
        let rows = store.outbox().await.unwrap();
        assert!(rows.iter().all(|row| row.lease.is_none()));
        let doubtful = rows.iter().filter(|row| row.ambiguous).map(|row| row.txn_id.as_str());
        assert_eq!(doubtful.collect::<Vec<_>>(), ["c", "d"], "the server is asked before these are sent");
    }
}

#[tokio::test]
async fn staged_bytes_come_with_their_row_and_not_without_it() {
    let uri = local_media_uri(&txn("up")).unwrap();
    let (info, bytes) = media(uri.as_str(), 700_000);
    let upload = Pending { media: vec![info.key.clone()], ..row("up", &room(0)) };
    let from = with(vec![upload]).await;
    let mut batch = WriteBatch::strict();
    batch.put_media(info.clone(), bytes.clone());
    from.apply(batch).await.unwrap();
    let to = MemoryStore::new();
    restored(&from, &to).await;
    assert_eq!(Dump::of(&to).await.media, [(info.clone(), bytes)]);
    // It was uploaded: the bytes have another name, the row is gone.
    let remote = MediaKey { uri: MediaUri::new("mxc://x/up").unwrap(), ..info.key.clone() };
    let mut batch = WriteBatch::strict();
    batch.remove_pending(txn("up")).rename_media(info.key.clone(), remote);
    to.apply(batch).await.unwrap();
    let held = revision(&to).await;
    assert!(restored(&from, &to).await.is_unchanged());
    assert_eq!(revision(&to).await, held);
}
