//! The site as a homeserver: a message is a PUT under its transaction id, a sync a GET.

use async_trait::async_trait;
use haos_queue::{Answer, Event, Refusal, RoomDelta, Session, Since, SyncDelta, Transport};
use haos_store_api::{EventId, EventType, Json, Membership, Pending, Result, RoomId, TxnId, UserId};
use serde_json::{Value, json};

use crate::ask;

/// The session that writes.
pub(crate) fn session() -> Result<Session> {
    Ok(Session { user: UserId::new("@ada:x")?, device: "browser".to_owned() })
}

/// Requests to the site that the page comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Site;

#[async_trait(?Send)]
impl Transport for Site {
    async fn send(&self, row: &Pending) -> Answer {
        let content: Value = serde_json::from_str(row.content.as_str()).unwrap_or_default();
        let body = json!({ "room": row.room.as_str(), "seq": row.seq, "content": content });
        let path = format!("/send/{}", row.txn_id.as_str());
        let Some((status, text)) = ask("PUT", &path, &body.to_string()).await else {
            return Answer::NoAnswer;
        };
        if status != 200 {
            return Answer::Refused(Refusal { status, ..Refusal::default() });
        }
        let answer: Value = serde_json::from_str(&text).unwrap_or_default();
        let id = answer["event_id"].as_str().and_then(|id| EventId::new(id).ok());
        id.map_or(Answer::Unreadable, Answer::Accepted)
    }
}

/// The server's news behind a token; `None` if it does not answer.
pub(crate) async fn sync(since: Option<String>) -> Result<Option<SyncDelta>> {
    let path = format!("/sync?since={}", since.as_deref().unwrap_or_default());
    let Some((200, text)) = ask("GET", &path, "").await else { return Ok(None) };
    let answer: Value = serde_json::from_str(&text).unwrap_or_default();
    let mut rooms: Vec<RoomDelta> = Vec::new();
    for event in answer["events"].as_array().into_iter().flatten() {
        let room = RoomId::new(event["room"].as_str().unwrap_or_default())?;
        let at = rooms.iter().position(|delta| delta.id == room).unwrap_or_else(|| {
            rooms.push(RoomDelta::new(room, Membership::Join));
            rooms.len() - 1
        });
        rooms[at].timeline.push(received(event)?);
    }
    let initial = since.is_none();
    let next = answer["next"].as_str().map(str::to_owned);
    Ok(Some(SyncDelta { since: Since::Stored(since), initial, next, rooms, ..SyncDelta::default() }))
}

fn received(event: &Value) -> Result<Event> {
    Ok(Event {
        id: EventId::new(event["event_id"].as_str().unwrap_or_default())?,
        sender: session()?.user,
        timestamp_ms: event["at_ms"].as_i64().unwrap_or_default(),
        kind: EventType::new("m.room.message")?,
        state_key: None,
        content: Json::of(&event["content"])?,
        relation: None,
        txn_id: event["txn_id"].as_str().map(TxnId::new).transpose()?,
        redacted_by: None,
        extra: None,
    })
}
