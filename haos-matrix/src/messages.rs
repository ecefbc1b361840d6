use haos_queue::BackfillPage;
use haos_store_api::{Direction, RoomId, Scope, StateEntry};

use crate::ParseError;
use crate::event::RawEvent;
use crate::members::{body_members, list};
use crate::rest::state_value;
use crate::unreadable::{unreadable_event, unreadable_member};

/// A page of a room's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Messages {
    /// The events, oldest first, and the token that goes on in the page's direction.
    pub page: BackfillPage,
    /// Members who sent some of the events, from lazy loading. They are as of the page, not of now: good
    /// only where the store has none.
    pub members: Vec<StateEntry>,
    /// Events that could not be read, as entries of kind `haos.unreadable`: to be stored with the page.
    pub unreadable: Vec<StateEntry>,
}

/// Reads the answer of `GET /_matrix/client/v3/rooms/{roomId}/messages`, asked for with `dir=b`
/// (`Direction::Older`) or `dir=f` (`Direction::Newer`).
///
/// # Errors
/// [`ParseError`] if the bytes are not such a page. So does an `end` that is no token: taken for none it
/// would claim the end of history.
pub fn parse_messages(json: &[u8], room: &RoomId, direction: Direction) -> Result<Messages, ParseError> {
    let body = body_members(json)?;
    let chunk = body.get("chunk").ok_or_else(|| ParseError::shape("chunk", "a list of events", None))?;
    let events =
        list(chunk).ok_or_else(|| ParseError::shape("chunk", "a list of events", Some(chunk.get())))?;
    let end = match body.get("end") {
        None => None,
        Some(raw) => {
            let token = body.text("end").filter(|token| !token.is_empty());
            Some(token.ok_or_else(|| ParseError::shape("end", "a token", Some(raw.get())))?.into_owned())
        }
    };
    let scope = Scope::Room(room.clone());
    let mut read = Messages {
        page: BackfillPage { room: room.clone(), events: Vec::with_capacity(events.len()), end },
        members: Vec::new(),
        unreadable: Vec::new(),
    };
    for raw in events {
        match RawEvent::read(raw) {
            Ok(event) => read.page.events.push(event.event()),
            Err(_) => read.unreadable.push(unreadable_event(&scope, raw)),
        }
    }
    if direction == Direction::Older {
        read.page.events.reverse();
    }
    if let Some(raw) = body.get("state") {
        match list(raw) {
            Some(state) => state.into_iter().for_each(|raw| read.state(&scope, raw)),
            None => read.unreadable.push(unreadable_member(&scope, "state", raw)),
        }
    }
    Ok(read)
}

impl Messages {
    fn state(&mut self, scope: &Scope, raw: &serde_json::value::RawValue) {
        match RawEvent::read(raw) {
            Ok(RawEvent { id, kind, state_key: Some(key), members, .. })
                if kind.as_str() == "m.room.member" =>
            {
                let value = state_value(&members);
                self.members.push(StateEntry { scope: scope.clone(), kind, key, event_id: Some(id), value });
            }
            // Other state of the past: the current one comes with the sync.
            Ok(_) => {}
            Err(_) => self.unreadable.push(unreadable_event(scope, raw)),
        }
    }
}
