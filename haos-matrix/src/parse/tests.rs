//! The reading of each answer, and laws that hold wherever in it something is odd.

mod answers;
mod events;
mod limits;
mod sections;

use haos_queue::{BackfillPage, Event, RoomDelta, SyncDelta};
use haos_store_api::{Direction, Json, RoomId, StateEntry, UserId};
use serde_json::Value;

use super::*;
use crate::Account;

fn me() -> Account {
    Account::of(UserId::new("@me:x").unwrap())
}

fn room() -> RoomId {
    RoomId::new("!r").unwrap()
}

/// JSON with members by name and without nulls: what a reader takes from it.
fn shown(json: &Json) -> String {
    fn clean(value: &mut Value) {
        match value {
            Value::Object(members) => {
                members.retain(|_, value| !value.is_null());
                members.values_mut().for_each(clean);
            }
            Value::Array(items) => items.iter_mut().for_each(clean),
            _ => {}
        }
    }
    let mut value = json.parse().unwrap();
    clean(&mut value);
    value.to_string()
}

/// `kind [key] event value`; hashes are left out of keys.
fn entry(entry: &StateEntry) -> String {
    let key = match entry.kind.as_str() {
        "haos.unreadable" => "",
        "haos.to_device" => &entry.key.as_str()[..6],
        _ => entry.key.as_str(),
    };
    let id = entry.event_id.as_ref().map_or("-", |id| id.as_str());
    format!("{} [{key}] {id} {}", entry.kind, shown(&entry.value))
}

fn entries(state: &[StateEntry]) -> Vec<String> {
    state.iter().map(entry).collect()
}

/// An event's members, without the absent ones.
fn event(event: &Event) -> String {
    let mut parts = vec![
        event.id.to_string(),
        event.sender.to_string(),
        event.timestamp_ms.to_string(),
        event.kind.to_string(),
    ];
    parts.extend(event.state_key.as_ref().map(|key| format!("[{key}]")));
    parts.push(shown(&event.content));
    parts.extend(event.relation.as_ref().map(|relation| {
        let key = relation.key.as_ref().map_or_else(String::new, |key| format!(" {key}"));
        format!("({:?} {}{key})", relation.kind, relation.target)
    }));
    parts.extend(event.txn_id.as_ref().map(|txn_id| format!("txn={txn_id}")));
    parts.extend(event.redacted_by.as_ref().map(|by| format!("by={by}")));
    parts.extend(event.extra.as_ref().map(|extra| format!("extra={}", shown(extra))));
    parts.join(" ")
}

fn room_lines(delta: &RoomDelta) -> Vec<String> {
    let mut head = format!("{} {:?}", delta.id, delta.membership);
    if delta.limited {
        head += " limited";
    }
    if let Some(prev) = &delta.prev {
        head += &format!(" prev={prev}");
    }
    if let Some(unread) = delta.unread {
        head += &format!(" unread={}/{}", unread.notifications, unread.highlights);
    }
    if let Some(since) = delta.since_ms {
        head += &format!(" since={since}");
    }
    let mut lines = vec![head];
    lines.extend(entries(&delta.state).into_iter().map(|line| format!("{}: {line}", delta.id)));
    lines.extend(delta.timeline.iter().map(|of| format!("{} > {}", delta.id, event(of))));
    lines
}

/// All that a delta says, a line a thing.
fn lines(delta: &SyncDelta) -> Vec<String> {
    let mut lines: Vec<_> = delta.next.iter().map(|next| format!("next={next}")).collect();
    lines.extend(delta.rooms.iter().flat_map(room_lines));
    lines.extend(entries(&delta.account));
    lines
}

fn page_lines(page: &BackfillPage) -> Vec<String> {
    let mut lines = vec![format!("{} end={}", page.room, page.end.as_deref().unwrap_or("-"))];
    lines.extend(page.events.iter().map(event));
    lines.extend(entries(&page.state));
    lines
}

/// An endpoint, and how its answers are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Endpoint {
    Sync,
    Sliding,
    Messages,
    Context,
    Members,
}

impl Endpoint {
    fn read(self, json: &str, account: &Account) -> Result<Vec<String>, ParseError> {
        let (json, limits) = (json.as_bytes(), account.limits);
        Ok(match self {
            Self::Sync => lines(&parse_sync(json, account)?),
            Self::Sliding => {
                let Sliding { pos, counts, delta } = parse_sliding(json, account)?;
                let counts = counts.iter().map(|(list, count)| format!("{list}={count}"));
                [format!("pos={pos}")].into_iter().chain(counts).chain(lines(&delta)).collect()
            }
            Self::Messages => page_lines(&parse_messages_within(json, &room(), Direction::Older, limits)?),
            Self::Context => page_lines(&parse_context(json, &room(), limits)?),
            Self::Members => entries(&parse_roster(json, &room(), limits)?),
        })
    }
}
