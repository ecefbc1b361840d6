//! Small entities to test with.
#![allow(clippy::expect_used, reason = "fixed input, checked by every run")]

use std::sync::Arc;

use super::Failure;
use crate::*;

/// The store under test.
pub(super) type Store = Arc<dyn StorageAdapter>;

pub(super) fn room(n: u64) -> RoomId {
    room_id(&format!("!room{n}"))
}

pub(super) fn room_id(text: &str) -> RoomId {
    RoomId::new(text).expect("a room id")
}

pub(super) fn event(n: u64) -> EventId {
    event_id(&format!("$event{n}"))
}

pub(super) fn event_id(text: &str) -> EventId {
    EventId::new(text).expect("an event id")
}

pub(super) fn user(n: u64) -> UserId {
    user_id(&format!("@user{n}"))
}

pub(super) fn user_id(text: &str) -> UserId {
    UserId::new(text).expect("a user id")
}

pub(super) fn txn(n: u64) -> TxnId {
    TxnId::new(format!("txn{n}")).expect("a transaction id")
}

pub(super) fn kind(text: &str) -> EventType {
    EventType::new(text).expect("an event type")
}

pub(super) fn key(text: &str) -> StateKey {
    StateKey::new(text).expect("a state key")
}

pub(super) fn json(text: &str) -> Json {
    Json::new(text).expect("JSON")
}

/// Returns the position `n` places newer than the first.
pub(super) fn at(n: u64) -> Position {
    Position::FIRST.newer(n).expect("a position")
}

pub(super) fn a_room(n: u64) -> Room {
    Room::new(room(n), Membership::Join)
}

/// Makes message `n` of room 0, at position `n`.
pub(super) fn message(n: u64) -> Message {
    Message {
        room: room(0),
        id: event(n),
        position: at(n),
        sender: user(0),
        timestamp_ms: 1_000 + n as i64,
        kind: kind("m.room.message"),
        state_key: None,
        content: json(&format!(r#"{{"body":"message {n}"}}"#)),
        relation: None,
        txn_id: None,
        redacted_by: None,
        provisional: false,
        extra: None,
    }
}

pub(super) fn about(relation: RelationKind, target: u64, message: Message) -> Message {
    let target = event(target);
    Message { relation: Some(Relation { kind: relation, target, key: None }), ..message }
}

/// Makes a gap of room 0 at position `n`.
pub(super) fn gap(n: u64, token: Option<&str>) -> Gap {
    Gap { room: room(0), position: at(n), token: token.map(str::to_owned), revision: Revision::ZERO }
}

/// Makes outbox row `n`, for room 0.
pub(super) fn pending(n: u64) -> Pending {
    let content = json(&format!(r#"{{"body":"unsent {n}"}}"#));
    Pending::new(txn(n), room(0), kind("m.room.message"), content, 5_000)
}

pub(super) fn media_key(n: u64) -> MediaKey {
    MediaKey {
        uri: MediaUri::new(format!("mxc://example.org/{n}")).expect("a media uri"),
        format: MediaFormat::new("").expect("a media format"),
    }
}

/// Makes media item `n`, last used at `last_access_ms`.
pub(super) fn media(n: u64, last_access_ms: i64) -> MediaInfo {
    MediaInfo {
        key: media_key(n),
        size: 0,
        mime: Some("image/png".to_owned()),
        rooms: vec![room(0)],
        last_access_ms,
        fetched_at_ms: 0,
        pinned: false,
    }
}

/// Makes `len` bytes that tell their place.
pub(super) fn bytes(len: usize) -> Vec<u8> {
    (0..len).map(|n| (n % 251) as u8 ^ (n / 251) as u8).collect()
}

pub(super) fn state(scope: Scope, kind_text: &str, key_text: &str, value: &str) -> StateEntry {
    StateEntry { scope, kind: kind(kind_text), key: key(key_text), event_id: None, value: json(value) }
}

pub(super) fn redaction(target: u64, by: u64) -> Redact {
    Redact { room: room(0), target: event(target), by: event(by), content: Json::empty() }
}

pub(super) fn prune(keep: u64, protect: &[u64]) -> Prune {
    Prune { room: room(0), keep, protect: protect.iter().copied().map(event).collect() }
}

/// Applies a batch that can be fetched again.
pub(super) async fn put(
    store: &Store,
    fill: impl for<'a> FnOnce(&'a mut WriteBatch) -> &'a mut WriteBatch,
) -> Result<Commit> {
    let mut batch = WriteBatch::relaxed();
    fill(&mut batch);
    store.apply(batch).await
}

/// Opens a store with room 0 in it.
pub(super) async fn with_room(harness: &mut dyn super::Harness) -> Result<Store, Failure> {
    let store = harness.open().await?;
    put(&store, |batch| batch.put_room(a_room(0))).await?;
    Ok(store)
}

/// Opens a store with room 0 and messages at the given positions.
pub(super) async fn with_messages(
    harness: &mut dyn super::Harness,
    positions: impl IntoIterator<Item = u64>,
) -> Result<Store, Failure> {
    let store = with_room(harness).await?;
    put(&store, |batch| positions.into_iter().fold(batch, |batch, n| batch.put_message(message(n)))).await?;
    Ok(store)
}

/// Reads the whole timeline of room 0, by position: a message or a gap.
pub(super) async fn places(store: &Store) -> Result<Vec<(u64, bool)>> {
    let slice = store.timeline(&room(0), Page::oldest(usize::MAX)).await?;
    let place = |item: &Item| (item.position().get() - Position::FIRST.get(), item.as_gap().is_some());
    Ok(slice.items.iter().map(place).collect())
}

/// Gives other tasks a turn.
pub(super) async fn yield_now() {
    let mut yielded = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut yielded, true) {
            return std::task::Poll::Ready(());
        }
        context.waker().wake_by_ref();
        std::task::Poll::Pending
    })
    .await;
}

/// Reads the next change, and waits no longer than some reads take: a feed that never tells must not hang a run.
pub(super) async fn told(store: &Store, changes: &mut Changes) -> Result<Option<Change>> {
    for _ in 0..200 {
        if let Some(change) = changes.try_next() {
            return Ok(Some(change));
        }
        store.room(&room(0)).await?;
        yield_now().await;
    }
    Ok(None)
}
