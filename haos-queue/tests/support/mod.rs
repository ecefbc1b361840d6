//! A model homeserver that knows the true order, and the checks of a store against it.
#![allow(unreachable_pub, dead_code, clippy::unwrap_used, reason = "each test uses its part, and panics")]

use std::collections::BTreeMap;

use haos_queue::{BackfillPage, Event, RoomDelta, Since, SyncDelta};
use haos_sim::compare_timeline;
use haos_store_api::*;

pub fn room_id(n: usize) -> RoomId {
    RoomId::new(format!("!room{n}")).unwrap()
}

pub fn own() -> UserId {
    UserId::new("@me:x").unwrap()
}

/// One server: rooms of events in true order, each with its place in the server's stream.
#[derive(Debug, Default)]
pub struct Server {
    pub rooms: BTreeMap<usize, Vec<(u64, Event)>>,
    pub stream: u64,
}

impl Server {
    fn send(&mut self, room: usize, event: Event) {
        self.stream += 1;
        self.rooms.entry(room).or_default().push((self.stream, event));
    }

    fn event(&self, room: usize, sender: UserId) -> Event {
        Event {
            id: EventId::new(format!("${room}-{}", self.stream)).unwrap(),
            sender,
            timestamp_ms: 1000 + self.stream as i64,
            kind: EventType::new("m.room.message").unwrap(),
            state_key: None,
            content: Json::new(format!(r#"{{"body":"{}"}}"#, self.stream)).unwrap(),
            relation: None,
            txn_id: None,
            redacted_by: None,
            extra: None,
        }
    }

    pub fn message(&mut self, room: usize) {
        let event = self.event(room, UserId::new("@other:x").unwrap());
        self.send(room, event);
    }

    /// The own user's message: its event, as the send's answer and the echo give it.
    pub fn own_message(&mut self, room: usize, txn_id: &TxnId) -> Event {
        let event = Event { txn_id: Some(txn_id.clone()), ..self.event(room, own()) };
        self.send(room, event.clone());
        event
    }

    /// Redacts the message `back` from the newest, in the truth and by an event.
    pub fn redact(&mut self, room: usize, back: usize) {
        let mut by = self.event(room, UserId::new("@mod:x").unwrap());
        let events = self.rooms.entry(room).or_default();
        let Some(at) = events.len().checked_sub(back + 1) else { return };
        let target = &mut events[at].1;
        if target.redacted_by.is_some() || target.kind.as_str() != "m.room.message" {
            return;
        }
        target.redacted_by = Some(by.id.clone());
        target.content = Json::empty();
        by.kind = EventType::new("m.room.redaction").unwrap();
        by.relation = Some(Relation { kind: RelationKind::Redaction, target: target.id.clone(), key: None });
        self.send(room, by);
    }

    /// The response to a sync from `since` (none: initial) with at most `limit` events a room.
    pub fn sync(&self, since: Option<u64>, limit: usize) -> SyncDelta {
        let mut delta = SyncDelta {
            since: Since::Stored(since.map(|n| format!("s{n}"))),
            initial: since.is_none(),
            next: Some(format!("s{}", self.stream)),
            ..SyncDelta::default()
        };
        for (room, events) in &self.rooms {
            let news = events.iter().filter(|(n, _)| *n > since.unwrap_or(0)).count();
            if news == 0 {
                continue;
            }
            let shown = news.min(limit);
            let first = events.len() - shown;
            delta.rooms.push(RoomDelta {
                limited: news > limit,
                prev: Some(format!("p{first}")),
                timeline: events[first..].iter().map(|(_, event)| event.clone()).collect(),
                ..RoomDelta::new(room_id(*room), Membership::Join)
            });
        }
        delta
    }

    /// The page of at most `limit` events before the token.
    pub fn page(&self, room: usize, token: &str, limit: usize) -> BackfillPage {
        let end: usize = token[1..].parse().unwrap();
        let first = end.saturating_sub(limit);
        let events = self.rooms[&room][first..end].iter().map(|(_, event)| event.clone()).collect();
        // As real servers do, it may say only with an empty page that history has ended.
        let more = first > 0 || (end > 0 && limit.is_multiple_of(2));
        BackfillPage {
            room: room_id(room),
            events,
            end: more.then(|| format!("p{first}")),
            state: Vec::new(),
        }
    }
}

pub async fn timeline(store: &dyn StorageAdapter, room: usize) -> Vec<Item> {
    let mut page = Page::oldest(7);
    let mut items = Vec::new();
    loop {
        let slice = store.timeline(&room_id(room), page).await.unwrap();
        let more = slice.more;
        let next = slice.newer();
        items.extend(slice.items);
        let Some(next) = next.filter(|_| more) else { return items };
        page = Page::newer_than(next, 7);
    }
}

/// The stored timeline of a room against the truth ([`compare_timeline`]), and what is known to be redacted
/// is empty.
pub async fn check(
    store: &dyn StorageAdapter,
    server: &Server,
    room: usize,
    seen: u64,
) -> Result<(), String> {
    let Some(truth) = server.rooms.get(&room) else { return Ok(()) };
    let truth: Vec<_> = truth.iter().map(|(stream, event)| (*stream, &event.id)).collect();
    let items = timeline(store, room).await;
    compare_timeline(&items, &truth, seen)?;
    // Whoever holds a redaction holds no content of its target.
    let messages: Vec<_> = items.iter().filter_map(Item::as_message).collect();
    for by in &messages {
        let target = by.relation.as_ref().filter(|relation| relation.kind == RelationKind::Redaction);
        let stored = target.and_then(|target| messages.iter().find(|message| message.id == target.target));
        if stored.is_some_and(|stored| stored.redacted_by.is_none() || stored.content != Json::empty()) {
            return Err(format!("{:?} was redacted and is not empty", target.map(|t| &t.target)));
        }
    }
    Ok(())
}
