use futures_util::FutureExt as _;
use haos_store_api::*;

use super::gather::{MARGINS, RoomView, SyncView, fill_view, sync_view};
use super::*;
use crate::{BackfillPage, Event, PlainProtocol, Protocol, RoomDelta, RoomPatch, Since, SyncDelta};

mod activity;
mod applied;
mod asked;
mod derived;
mod echoes;
mod encrypted;
mod learned;
mod marker;
mod merged;
mod older;
mod settled;
mod splice_laws;
mod spots;
mod windows;

/// Nothing here waits.
fn now<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().unwrap()
}

fn room() -> RoomId {
    RoomId::new("!r").unwrap()
}

fn id(name: &str) -> EventId {
    EventId::new(format!("${name}")).unwrap()
}

fn txn(name: &str) -> TxnId {
    TxnId::new(name).unwrap()
}

fn user(name: &str) -> UserId {
    UserId::new(format!("@{name}")).unwrap()
}

fn kind(name: &str) -> EventType {
    EventType::new(name).unwrap()
}

fn at(n: u64) -> Position {
    Position::new(n).unwrap()
}

/// An event; `a!` is of a kind that begins a room.
fn event(text: &str) -> Event {
    let name = text.trim_end_matches('!');
    let of = if text == name { "m.room.message" } else { "begin" };
    Event {
        id: id(name),
        sender: user("other"),
        timestamp_ms: 0,
        kind: kind(of),
        state_key: None,
        content: Json::new(format!(r#"{{"body":"{name}"}}"#)).unwrap(),
        relation: None,
        txn_id: None,
        redacted_by: None,
        extra: None,
    }
}

fn events(names: &str) -> Vec<Event> {
    names.split_whitespace().map(event).collect()
}

/// An item of a timeline: `~a` is a guess, `|t` a gap with a token, `|` one without.
fn item(text: &str, position: u64) -> Item {
    let position = at(position);
    match (text.strip_prefix('|'), text.strip_prefix('~')) {
        (Some(token), _) => {
            let token = (!token.is_empty()).then(|| token.to_owned());
            Item::Gap(Gap { room: room(), position, token, revision: Revision::ZERO })
        }
        (_, Some(guess)) => {
            Item::Message(Message { provisional: true, ..event(guess).into_message(room(), position) })
        }
        _ => Item::Message(event(text).into_message(room(), position)),
    }
}

fn apply(store: &MemoryStore, fill: impl FnOnce(&mut WriteBatch)) {
    let mut batch = WriteBatch::relaxed();
    fill(&mut batch);
    now(store.apply(batch)).unwrap();
}

/// A store with a room, whose timeline is this: an item at every tenth position.
fn store(timeline: &str) -> MemoryStore {
    let store = MemoryStore::new();
    apply(&store, |batch| {
        batch.put_room(Room::new(room(), Membership::Join));
        for (text, position) in timeline.split_whitespace().zip((100..).step_by(10)) {
            match item(text, position) {
                Item::Message(message) => batch.put_message(message),
                Item::Gap(gap) => batch.put_gap(gap),
            };
        }
    });
    store
}

/// The timeline of the store, in the words of [`store`].
fn timeline(store: &MemoryStore) -> String {
    let slice = now(store.timeline(&room(), Page::oldest(usize::MAX))).unwrap();
    let told = slice.items.iter().map(|item| match item {
        Item::Message(message) if message.provisional => format!("~{}", &message.id.as_str()[1..]),
        Item::Message(message) => message.id.as_str()[1..].to_owned(),
        Item::Gap(gap) => format!("|{}", gap.token.as_deref().unwrap_or_default()),
    });
    told.collect::<Vec<_>>().join(" ")
}

fn message(store: &MemoryStore, name: &str) -> Message {
    now(store.message(&room(), &id(name))).unwrap().unwrap()
}

fn gap(store: &MemoryStore) -> Gap {
    now(store.gaps(&room())).unwrap().remove(0)
}

fn delta(timeline: Vec<Event>) -> SyncDelta {
    let room = RoomDelta { timeline, ..RoomDelta::new(room(), Membership::Join) };
    SyncDelta { rooms: vec![room], ..SyncDelta::default() }
}

fn page(events: Vec<Event>, end: Option<&str>) -> BackfillPage {
    BackfillPage { room: room(), events, end: end.map(str::to_owned), state: Vec::new() }
}

fn synced(store: &MemoryStore, delta: &SyncDelta) -> Synced {
    now(apply_sync(store, delta, Some(&user("me")), &PlainProtocol)).unwrap()
}

fn filled(store: &MemoryStore, gap: &Gap, page: &BackfillPage) -> Filled {
    now(apply_page(store, gap, page, Some(&user("me")), &PlainProtocol)).unwrap()
}

fn sync_token(token: &str) -> StateEntry {
    StateEntry {
        scope: Scope::Account,
        kind: kind(state_kind::SYNC_TOKEN),
        key: StateKey::new("").unwrap(),
        event_id: None,
        value: Json::of(token).unwrap(),
    }
}

fn rows(store: &MemoryStore) -> Vec<Pending> {
    now(store.pending(PendingQuery::default())).unwrap()
}
