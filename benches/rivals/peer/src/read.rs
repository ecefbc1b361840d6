use matrix_sdk::Room;
use matrix_sdk::deserialized_responses::TimelineEventKind;
use matrix_sdk::ruma::api::Direction;
use matrix_sdk::ruma::api::client::message::get_message_events;
use matrix_sdk::ruma::events::AnyTimelineEvent;
use matrix_sdk::ruma::serde::Raw;
use matrix_sdk::ruma::{OwnedEventId, OwnedUserId, RoomId, UInt};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Result;
use crate::client::Peer;

/// Events of a page of history.
const PAGE: u32 = 100;
const ENCRYPTED: &str = "m.room.encrypted";

/// An event as it is read: itself, not what edits have made of it.
#[derive(Debug, Serialize)]
pub(crate) struct Read {
    pub(crate) event: OwnedEventId,
    sender: OwnedUserId,
    /// Its type as the server has it, and decrypted.
    wire_type: String,
    r#type: String,
    body: Option<String>,
    pub(crate) content: Value,
    /// What it relates to, as the server sees it, and within.
    relation: Value,
    inner_relation: Value,
    /// Why it could not be decrypted.
    failure: Option<String>,
    is_redacted: bool,
}

/// What is looked at of an event.
#[derive(Deserialize)]
struct Event {
    event_id: OwnedEventId,
    sender: OwnedUserId,
    #[serde(flatten)]
    within: Within,
    #[serde(default)]
    unsigned: Value,
}

/// What may be encrypted of it.
#[derive(Deserialize)]
struct Within {
    r#type: String,
    content: Value,
}

impl Peer {
    /// All events of a room that the server shows, decrypted where that is possible, oldest first.
    pub(crate) async fn read(&self, room: &RoomId) -> Result<Vec<Read>> {
        let room = self.room(room).await?;
        let (mut events, mut from) = (Vec::new(), None);
        loop {
            let mut request =
                get_message_events::v3::Request::new(room.room_id().to_owned(), Direction::Backward);
            request.limit = UInt::from(PAGE);
            request.from = from;
            let page = self.client.send(request).await?;
            for event in &page.chunk {
                events.push(told(&room, event).await?);
            }
            from = page.end;
            if from.is_none() {
                events.reverse();
                return Ok(events);
            }
        }
    }
}

async fn told(room: &Room, raw: &Raw<AnyTimelineEvent>) -> Result<Read> {
    let Event { event_id, sender, within: wire, unsigned } = raw.deserialize_as_unchecked()?;
    let is_redacted = unsigned["redacted_because"].is_object();
    let (wire_type, relation) = (wire.r#type.clone(), wire.content["m.relates_to"].clone());
    let mut failure = None;
    let Within { r#type, content } = if wire_type == ENCRYPTED && !is_redacted {
        match room.decrypt_event(raw.cast_ref_unchecked(), None).await?.kind {
            TimelineEventKind::UnableToDecrypt { utd_info, .. } => {
                failure = Some(format!("{:?}", utd_info.reason));
                Within { r#type: wire_type.clone(), content: Value::Object(Default::default()) }
            }
            kind => kind.raw().deserialize_as_unchecked()?,
        }
    } else {
        wire
    };
    let body = content["body"].as_str().map(str::to_owned);
    let inner_relation = content["m.relates_to"].clone();
    Ok(Read {
        event: event_id,
        sender,
        wire_type,
        r#type,
        body,
        content,
        relation,
        inner_relation,
        failure,
        is_redacted,
    })
}
