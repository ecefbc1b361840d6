use haos_queue::Event;
use haos_store_api::{EventId, EventType, Json, Relation, StateKey, TxnId, UserId};
use serde_json::value::RawValue;

use super::AnswerLimits;
use super::budget::Budget;
use super::decoded::decoded;
use super::members::{Members, body, json, text};
use super::number::integer;
use super::relation::{redaction_target, relation, replaced_state};
use super::rest::rest;
use crate::ParseError;

/// The largest integer of Matrix JSON, and its negative the smallest (specification, appendices,
/// canonical JSON).
const MAX_INTEGER: i64 = (1 << 53) - 1;

/// Reads one event, such as the answer of `GET /rooms/{roomId}/event/{eventId}`.
///
/// # Errors
/// [`ParseError`] if the bytes are not a JSON object, or the event has no valid id, sender or type, or a
/// state key that is invalid.
pub fn parse_event(json: &[u8]) -> Result<Event, ParseError> {
    let text = decoded(json)?;
    Budget::of(&text, AnswerLimits::default())?;
    let raw = body(&text)?;
    if !raw.get().starts_with('{') {
        return Err(ParseError::shape("", "an event", Some(raw.get())));
    }
    match RawEvent::read(raw) {
        Ok(event) => Ok(event.event()),
        Err(Fault { member, reason }) => Err(ParseError::Event { member, reason }),
    }
}

/// An event whose ids are valid, over the text it came in.
pub(crate) struct RawEvent<'a> {
    pub(crate) id: EventId,
    pub(crate) kind: EventType,
    pub(crate) state_key: Option<StateKey>,
    sender: UserId,
    pub(crate) members: Members<'a>,
}

/// The reason why an event cannot be read.
pub(crate) struct Fault {
    member: &'static str,
    reason: &'static str,
}

impl<'a> RawEvent<'a> {
    pub(crate) fn read(raw: &'a RawValue) -> Result<Self, Fault> {
        if Json::is_too_deep(raw.get()) {
            return Err(Fault { member: "event", reason: "is nested too deeply" });
        }
        let members = Members::of(raw).ok_or(Fault { member: "event", reason: "is not an object" })?;
        Ok(Self {
            id: exact(id(&members, "event_id", EventId::new)?, "event_id")?,
            kind: id(&members, "type", EventType::new)?,
            state_key: match members.get("state_key") {
                None => None,
                Some(_) => Some(id(&members, "state_key", StateKey::new)?),
            },
            sender: exact(id(&members, "sender", UserId::new)?, "sender")?,
            members,
        })
    }

    /// The event of a timeline.
    pub(crate) fn event(&self) -> Event {
        let members = &self.members;
        let unsigned = members.object("unsigned");
        let (timestamp_ms, exact) = timestamp(members);
        let content = members.object("content");
        let replaced = replaced_state(members, unsigned.as_ref()).filter(|_| self.state_key.is_some());
        let repeats = replaced.is_some();
        let relation = if self.kind.as_str() == "m.room.redaction" {
            redaction_target(members, content.as_ref())
        } else if self.state_key.is_some() {
            replaced
        } else {
            content.as_ref().and_then(|content| relation(&self.kind, content))
        };
        let redacts = redacts_elsewhere(relation.as_ref(), members);
        Event {
            id: self.id.clone(),
            sender: self.sender.clone(),
            timestamp_ms,
            kind: self.kind.clone(),
            state_key: self.state_key.clone(),
            content: members.get("content").map_or_else(Json::empty, json),
            relation,
            txn_id: unsigned
                .as_ref()
                .and_then(|unsigned| unsigned.text("transaction_id"))
                .and_then(|id| TxnId::new(id).ok()),
            redacted_by: redacted_by(members, unsigned.as_ref()),
            extra: rest(members, unsigned.as_ref(), repeats, |name| match name {
                "origin_server_ts" => !exact,
                "redacts" => redacts,
                _ => true,
            }),
        }
    }
}

/// Reads the id `member` with its constructor.
pub(crate) fn id<T, E>(
    members: &Members<'_>,
    member: &'static str,
    new: impl Fn(String) -> Result<T, E>,
) -> Result<T, Fault> {
    let raw = members.get(member).ok_or(Fault { member, reason: "is missing" })?;
    let text = text(raw).ok_or(Fault { member, reason: "is not a text" })?;
    new(text.into_owned()).map_err(|_| Fault { member, reason: "is empty, too long, or holds a NUL" })
}

/// Two ids that differ in what is no text would become one.
fn exact<T: AsRef<str>>(id: T, member: &'static str) -> Result<T, Fault> {
    match id.as_ref().contains(char::REPLACEMENT_CHARACTER) {
        true => Err(Fault { member, reason: "is no text" }),
        false => Ok(id),
    }
}

/// The server's time, and whether it says all of what the server sent.
pub(crate) fn timestamp(members: &Members<'_>) -> (i64, bool) {
    match members.get("origin_server_ts") {
        None => (0, true),
        Some(raw) => {
            let time = integer(raw).unwrap_or_default().clamp(-MAX_INTEGER, MAX_INTEGER);
            (time, raw.get() == time.to_string())
        }
    }
}

/// Tells if `redacts` says something that the relation does not.
fn redacts_elsewhere(relation: Option<&Relation>, members: &Members<'_>) -> bool {
    relation.map(|relation| relation.target.as_str()) != members.text("redacts").as_deref()
}

/// Returns the redaction that emptied the event: the one that the server bundles, or the id that Synapse adds.
fn redacted_by(members: &Members<'_>, unsigned: Option<&Members<'_>>) -> Option<EventId> {
    let valid = |id| EventId::new(id).ok();
    [unsigned, Some(members)].into_iter().flatten().find_map(|place| {
        let because = place.object("redacted_because").and_then(|because| because.text("event_id"));
        because.and_then(valid).or_else(|| place.text("redacted_by").and_then(valid))
    })
}
