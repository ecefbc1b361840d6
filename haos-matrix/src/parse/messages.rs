use haos_queue::BackfillPage;
use haos_store_api::{Direction, RoomId, Scope, StateEntry};

use super::AnswerLimits;
use super::budget::Budget;
use super::decoded::decoded;
use super::event::RawEvent;
use super::members::{body_members, is_token, list};
use super::rest::state_value;
use crate::ParseError;

/// Reads the answer of `GET /_matrix/client/v3/rooms/{roomId}/messages`, asked for with `dir=b`
/// (`Direction::Older`) or `dir=f` (`Direction::Newer`).
///
/// The page's state holds events that could not be read, as entries of kind `haos.unreadable`, and the
/// members that lazy loading sent along, and those that its events are about: they are as of the page, and good only
/// where the store has none, or earlier ones.
///
/// # Errors
/// [`ParseError`] if the bytes are not such a page. So does an `end` that is no token: taken for none it
/// would claim the end of history.
pub fn parse_messages(json: &[u8], room: &RoomId, direction: Direction) -> Result<BackfillPage, ParseError> {
    parse_messages_within(json, room, direction, AnswerLimits::default())
}

/// [`parse_messages`] within limits of the caller's.
///
/// # Errors
/// Those of [`parse_messages`]; `TooMuch` where there is more in it.
pub fn parse_messages_within(
    json: &[u8],
    room: &RoomId,
    direction: Direction,
    limits: AnswerLimits,
) -> Result<BackfillPage, ParseError> {
    let text = decoded(json)?;
    let budget = Budget::of(&text, limits)?;
    let body = body_members(&text)?;
    let chunk = body.get("chunk").ok_or_else(|| ParseError::shape("chunk", "a list of events", None))?;
    let events =
        list(chunk).ok_or_else(|| ParseError::shape("chunk", "a list of events", Some(chunk.get())))?;
    let end = match body.get("end") {
        None => None,
        Some(raw) => {
            let token = body.text("end").filter(|token| is_token(token));
            Some(token.ok_or_else(|| ParseError::shape("end", "a token", Some(raw.get())))?.into_owned())
        }
    };
    let scope = Scope::Room(room.clone());
    let (mut read, mut state, mut set) = (Vec::new(), Vec::new(), Vec::new());
    for raw in events {
        if !budget.admits_event(raw) {
            continue;
        }
        match RawEvent::read(raw) {
            Ok(event) => {
                set.extend(member_entry(&scope, &event));
                read.push(event.event());
            }
            Err(_) => state.extend(budget.unreadable_event(&scope, raw)),
        }
    }
    if direction == Direction::Older {
        read.reverse();
        set.reverse();
    }
    if let Some(raw) = body.get("state") {
        match list(raw) {
            Some(members) => state.extend(members.into_iter().filter_map(|raw| member(&scope, raw, &budget))),
            None => state.extend(budget.unreadable_member(&scope, "state", raw)),
        }
    }
    // The latest last.
    state.extend(set);
    budget.check()?;
    state.extend(budget.left_out());
    Ok(BackfillPage { room: room.clone(), events: read, end, state })
}

/// A member, or what could not be read. Other state of the past is left out: the current one comes with
/// the sync.
pub(crate) fn member(
    scope: &Scope,
    raw: &serde_json::value::RawValue,
    budget: &Budget,
) -> Option<StateEntry> {
    if !budget.admits_event(raw) {
        return None;
    }
    match RawEvent::read(raw) {
        Ok(event) => member_entry(scope, &event),
        Err(_) => budget.unreadable_event(scope, raw),
    }
}

fn member_entry(scope: &Scope, event: &RawEvent<'_>) -> Option<StateEntry> {
    let key = event.state_key.clone().filter(|_| event.kind.as_str() == "m.room.member")?;
    let value = state_value(&event.members);
    Some(StateEntry {
        scope: scope.clone(),
        kind: event.kind.clone(),
        key,
        event_id: Some(event.id.clone()),
        value,
    })
}
