//! A model homeserver: it knows the true order, remembers transaction ids for a while, and forgets them.

use std::collections::BTreeMap;

use haos_store_api::{
    EventId, EventType, Json, MediaUri, Membership, Pending, Relation, RelationKind, Result, RoomId, Scope,
    StateEntry, StateKey, TxnId, UserId,
};

use haos_queue::{Answer, BackfillPage, Event, PauseReason, Refusal, RoomDelta, Session, Since, SyncDelta};

const HOUR_MS: u64 = 3_600_000;

/// The kind of an event that takes another back, in this model.
pub const REDACTION: &str = "m.room.redaction";

/// The kind of state that encrypts a room, in this model.
pub const ENCRYPTION: &str = "sim.encryption";

/// The kind of an encrypted event, in this model.
pub const ENCRYPTED: &str = "sim.encrypted";

/// An event as the server keeps it.
#[derive(Debug, Clone)]
pub struct Kept {
    /// Its place in the server's stream.
    pub stream: u64,
    /// The event, with its transaction id.
    pub event: Event,
    /// The device that sent it.
    pub device: Option<String>,
}

/// A room.
#[derive(Debug, Clone)]
pub struct ServerRoom {
    /// Its events in true order.
    pub events: Vec<Kept>,
    /// The user takes part.
    pub member: bool,
    /// The place in the stream at which it was encrypted.
    pub encrypted: Option<u64>,
    /// The stream's place when that changed last.
    changed: u64,
}

/// The server.
#[derive(Debug, Clone)]
pub struct ModelServer {
    /// Its rooms.
    pub rooms: BTreeMap<RoomId, ServerRoom>,
    /// How many things have happened.
    pub stream: u64,
    /// Uploaded bytes; none: a place without bytes yet.
    pub media: BTreeMap<MediaUri, Option<Vec<u8>>>,
    /// How long it knows a transaction id, in milliseconds.
    pub memory_ms: u64,
    /// The device that is logged in; others are refused.
    pub device: Option<String>,
    /// Its session must be renewed.
    pub expired: bool,
    user: UserId,
    txns: BTreeMap<(String, RoomId, TxnId), (EventId, u64)>,
}

impl ModelServer {
    /// A server without rooms.
    pub fn new(user: UserId) -> Self {
        Self {
            rooms: BTreeMap::new(),
            stream: 0,
            media: BTreeMap::new(),
            memory_ms: 24 * HOUR_MS,
            device: None,
            expired: false,
            user,
            txns: BTreeMap::new(),
        }
    }

    /// A room that the user is in.
    pub fn create_room(&mut self, id: RoomId) {
        self.stream += 1;
        self.rooms.insert(
            id,
            ServerRoom { events: Vec::new(), member: true, encrypted: None, changed: self.stream },
        );
    }

    /// The user is removed from a room, or joins it again.
    pub fn set_member(&mut self, id: &RoomId, member: bool) {
        self.stream += 1;
        if let Some(room) = self.rooms.get_mut(id) {
            (room.member, room.changed) = (member, self.stream);
        }
    }

    /// Forgets every transaction id, as a server does after a logout and a restart.
    pub fn forget(&mut self) {
        self.txns.clear();
    }

    /// The reason why a session is refused, if it is.
    pub fn refuses(&self, session: &Session) -> Option<Answer> {
        let account = if self.device.as_ref() != Some(&session.device) {
            PauseReason::LoggedOut
        } else if self.expired {
            PauseReason::SoftLogout
        } else {
            return None;
        };
        Some(Answer::Refused(Refusal { account: Some(account), ..Refusal::new(401, "M_UNKNOWN_TOKEN") }))
    }

    /// Takes an event. Gives the answer, and whether it is a new event.
    ///
    /// # Errors
    /// Never in practice: the ids it makes are valid.
    pub fn send(&mut self, session: &Session, row: &Pending, now_ms: u64) -> Result<(Answer, bool)> {
        if let Some(refusal) = self.refuses(session) {
            return Ok((refusal, false));
        }
        let Some(room) = self.rooms.get(&row.room) else {
            return Ok((Answer::Refused(Refusal::new(404, "M_NOT_FOUND")), false));
        };
        let key = (session.device.clone(), row.room.clone(), row.txn_id.clone());
        if let Some((event_id, at_ms)) = self.txns.get(&key)
            && now_ms.saturating_sub(*at_ms) < self.memory_ms
        {
            return Ok((Answer::Accepted(event_id.clone()), false));
        }
        if !room.member {
            return Ok((Answer::Refused(Refusal::new(403, "M_FORBIDDEN")), false));
        }
        let (kind, content) = row.wire_form();
        let event = Event {
            id: EventId::new(format!("${}", self.stream + 1))?,
            sender: self.user.clone(),
            timestamp_ms: i64::try_from(now_ms).unwrap_or(i64::MAX),
            kind: kind.clone(),
            state_key: None,
            content: content.clone(),
            relation: None,
            txn_id: Some(row.txn_id.clone()),
            redacted_by: None,
            extra: None,
        };
        self.txns.insert(key, (event.id.clone(), now_ms));
        let id = event.id.clone();
        self.keep(&row.room, event, Some(session.device.clone()), row.target.clone());
        Ok((Answer::Accepted(id), true))
    }

    /// Somebody else's message.
    ///
    /// # Errors
    /// Never in practice: the ids it makes are valid.
    pub fn other(&mut self, room: &RoomId, now_ms: u64) -> Result<()> {
        let event = Event {
            id: EventId::new(format!("${}", self.stream + 1))?,
            sender: UserId::new("@other:sim")?,
            timestamp_ms: i64::try_from(now_ms).unwrap_or(i64::MAX),
            kind: EventType::new("m.room.message")?,
            state_key: None,
            content: Json::new(r#"{"body":"other"}"#)?,
            relation: None,
            txn_id: None,
            redacted_by: None,
            extra: None,
        };
        self.keep(room, event, None, None);
        Ok(())
    }

    /// Tells if a room is encrypted.
    pub fn is_encrypted(&self, room: &RoomId) -> bool {
        self.rooms.get(room).is_some_and(|there| there.encrypted.is_some())
    }

    /// Somebody encrypts a room.
    ///
    /// # Errors
    /// Never in practice: the ids it makes are valid.
    pub fn encrypt(&mut self, room: &RoomId, now_ms: u64) -> Result<()> {
        let event = Event {
            id: EventId::new(format!("${}", self.stream + 1))?,
            sender: UserId::new("@other:sim")?,
            timestamp_ms: i64::try_from(now_ms).unwrap_or(i64::MAX),
            kind: EventType::new(ENCRYPTION)?,
            state_key: Some(StateKey::new("")?),
            content: Json::empty(),
            relation: None,
            txn_id: None,
            redacted_by: None,
            extra: None,
        };
        self.keep(room, event, None, None);
        if let Some(room) = self.rooms.get_mut(room) {
            room.encrypted.get_or_insert(self.stream);
        }
        Ok(())
    }

    fn keep(&mut self, room: &RoomId, mut event: Event, device: Option<String>, target: Option<EventId>) {
        self.stream += 1;
        let Some(room) = self.rooms.get_mut(room) else { return };
        if let Some(target) = target.filter(|_| event.kind.as_str() == REDACTION) {
            if let Some(kept) = room.events.iter_mut().find(|kept| kept.event.id == target)
                && kept.event.redacted_by.is_none()
            {
                kept.event.redacted_by = Some(event.id.clone());
                kept.event.content = Json::empty();
            }
            event.relation = Some(Relation { kind: RelationKind::Redaction, target, key: None });
        }
        room.events.push(Kept { stream: self.stream, event, device });
    }

    /// The event as a session sees it: transaction ids are told to the device that sent them.
    fn shown(kept: &Kept, session: &Session) -> Event {
        let mut event = kept.event.clone();
        if kept.device.as_ref() != Some(&session.device) {
            event.txn_id = None;
        }
        event
    }

    /// The answer to a sync.
    pub fn sync(&self, session: &Session, since: Option<u64>, limit: usize) -> SyncDelta {
        let mut delta = SyncDelta {
            since: Since::Stored(since.map(|n| format!("s{n}"))),
            initial: since.is_none(),
            next: Some(format!("s{}", self.stream)),
            ..SyncDelta::default()
        };
        let since = since.unwrap_or(0);
        for (id, room) in &self.rooms {
            let news = room.events.iter().filter(|kept| kept.stream > since).count();
            if news == 0 && room.changed <= since {
                continue;
            }
            let first = room.events.len() - news.min(limit);
            let membership = if room.member { Membership::Join } else { Membership::Leave };
            delta.rooms.push(RoomDelta {
                state: room
                    .encrypted
                    .filter(|at| *at > since)
                    .and_then(|_| encryption(id))
                    .into_iter()
                    .collect(),
                limited: news > limit,
                prev: Some(format!("p{first}")),
                timeline: room.events[first..].iter().map(|kept| Self::shown(kept, session)).collect(),
                ..RoomDelta::new(id.clone(), membership)
            });
        }
        delta
    }

    /// A page of the events before a token, or of the newest ones.
    pub fn page(&self, session: &Session, room: &RoomId, from: Option<&str>, limit: usize) -> BackfillPage {
        let events = self.rooms.get(room).map_or(&[][..], |room| &room.events);
        let end =
            from.and_then(|token| token.get(1..)?.parse().ok()).unwrap_or(events.len()).min(events.len());
        let first = end.saturating_sub(limit);
        BackfillPage {
            room: room.clone(),
            events: events[first..end].iter().map(|kept| Self::shown(kept, session)).collect(),
            end: (first > 0).then(|| format!("p{first}")),
            state: Vec::new(),
        }
    }

    /// An event.
    pub fn event(&self, session: &Session, room: &RoomId, id: &EventId) -> Option<Event> {
        let kept = self.rooms.get(room)?.events.iter().find(|kept| kept.event.id == *id)?;
        Some(Self::shown(kept, session))
    }

    /// A place for media.
    ///
    /// # Errors
    /// Never in practice: the uris it makes are valid.
    pub fn create_media(&mut self) -> Result<MediaUri> {
        self.stream += 1;
        let uri = MediaUri::new(format!("mxc://sim/{}", self.stream))?;
        self.media.insert(uri.clone(), None);
        Ok(uri)
    }

    /// Takes bytes.
    ///
    /// # Errors
    /// Never in practice: the uris it makes are valid.
    pub fn upload(&mut self, session: &Session, at: Option<&MediaUri>, bytes: Vec<u8>) -> Result<Answer> {
        if let Some(refusal) = self.refuses(session) {
            return Ok(refusal);
        }
        let uri = match at {
            Some(uri) => uri.clone(),
            None => self.create_media()?,
        };
        Ok(match self.media.get_mut(&uri) {
            None => Answer::Refused(Refusal::new(404, "M_NOT_FOUND")),
            Some(Some(_)) => Answer::Refused(Refusal::new(409, "M_CANNOT_OVERWRITE_MEDIA")),
            Some(place) => {
                *place = Some(bytes);
                Answer::Uploaded(uri)
            }
        })
    }

    /// How many events a room has.
    pub fn count(&self, room: &RoomId) -> usize {
        self.rooms.get(room).map_or(0, |room| room.events.len())
    }
}

/// The state of an encrypted room, as a sync tells it.
fn encryption(room: &RoomId) -> Option<StateEntry> {
    Some(StateEntry {
        scope: Scope::Room(room.clone()),
        kind: EventType::new(ENCRYPTION).ok()?,
        key: StateKey::new("").ok()?,
        event_id: None,
        value: Json::empty(),
    })
}
