use std::collections::BTreeMap;

use haos_queue::SyncDelta;
use haos_store_api::{Json, Membership, RoomId, Scope};
use serde_json::value::RawValue;

use super::account_data::account_data;
use super::budget::Budget;
use super::decoded::decoded;
use super::device::{device_lists, to_device};
use super::members::{Member, Members, body_members, is_token, object, quoted};
use super::room::{events, mentions};
use crate::{Account, ParseError};

/// Reads the answer of `GET /_matrix/client/v3/sync`. `since` of the delta is left unknown: the caller knows
/// which token the request went on from.
///
/// Nothing the server says once is lost with the token that moves on:
/// - An event without a valid id, sender or type, and any section of an odd shape, becomes a state entry
///   of kind `haos.unreadable` with the JSON as its value, in its room's scope; a room whose own id is not
///   valid, in the account's. Each is kept once, and no more of an answer than its
///   [limits](crate::AnswerLimits) say: how many more there were is the account's entry of kind
///   `haos.left_out` under the key `unreadable`.
/// - To-device events and changed device lists become account entries of kinds `haos.to_device` and
///   `haos.device_list`: whoever handles them removes them.
///
/// Left out are what the server repeats (key counts, unread counts by thread) and what is over soon
/// (typing, presence, all ephemeral events but receipts).
///
/// Kinds of its own in a room's scope: `haos.receipt` under `type|user` or `type|user|thread`,
/// `haos.summary` under each member's name. Room state and members stand under their event type and state
/// key with the event's JSON, less `unsigned`, as their value; account data under its type and the empty
/// key with its content. State events may not use kinds that begin with `haos.`, nor those of account
/// data that clients rely on (`m.fully_read`, `m.tag`): they stay in the timeline and are no state.
///
/// The order of the members of an object means nothing: rooms come out in the order of their ids, and one that is
/// left and asked into again is one. Of members with one name the last counts.
///
/// # Errors
/// [`ParseError`] if the bytes are not such a response: cut off, no JSON, no `next_batch`, or `rooms` is
/// not an object of objects; or if there is too much in it.
pub fn parse_sync(json: &[u8], context: &Account) -> Result<SyncDelta, ParseError> {
    let text = decoded(json)?;
    let budget = Budget::of(&text, context.limits)?;
    let body = body_members(&text)?;
    let next = body.text("next_batch").filter(|next| is_token(next)).ok_or_else(|| {
        let found = body.get("next_batch").map(RawValue::get);
        ParseError::shape("next_batch", "a token", found)
    })?;
    let mut delta = SyncDelta { next: Some(next.clone().into_owned()), ..SyncDelta::default() };
    read_rooms(&body, (context, &budget), &mut delta)?;
    let scope = Scope::Account;
    for (name, raw) in ["account_data", "to_device"].map(|name| (name, body.get(name))) {
        let Some(raw) = raw else { continue };
        let Some(events) = events(raw) else {
            delta.account.extend(budget.unreadable_member(&scope, name, raw));
            continue;
        };
        delta.account.extend(events.into_iter().enumerate().filter_map(|(place, event)| match name {
            "to_device" => budget.admits_event(event).then(|| to_device(&next, place, event)),
            _ => account_data(&scope, event, &budget),
        }));
    }
    let lists = body.get("device_lists").into_iter();
    delta.account.extend(lists.flat_map(|lists| device_lists(lists, &budget)));
    budget.check()?;
    delta.account.extend(budget.left_out());
    Ok(delta)
}

fn read_rooms(
    body: &Members<'_>,
    (context, budget): (&Account, &Budget),
    delta: &mut SyncDelta,
) -> Result<(), ParseError> {
    let Some(raw) = body.get("rooms") else { return Ok(()) };
    let sections =
        Members::of(raw).ok_or_else(|| ParseError::shape("rooms", "an object", Some(raw.get())))?;
    let mut told: BTreeMap<RoomId, Vec<(Membership, &RawValue)>> = BTreeMap::new();
    for section in sections.iter().filter(|section| section.value.get() != "null") {
        let membership = match section.name() {
            "join" => Membership::Join,
            "invite" => Membership::Invite,
            "knock" => Membership::Knock,
            "leave" => Membership::Leave,
            name => {
                delta.account.extend(budget.unreadable_member(&Scope::Account, name, section.value));
                continue;
            }
        };
        let rooms = Members::of(section.value).ok_or_else(|| {
            let at = format!("rooms.{}", section.name());
            ParseError::shape(at, "an object", Some(section.value.get()))
        })?;
        for member in rooms.iter().take_while(|_| budget.admits()) {
            let Some(id) = member.name.as_deref().and_then(|name| RoomId::new(name).ok()) else {
                let aside = || set_aside(section, member);
                delta.account.extend(budget.unreadable(&Scope::Account, member.bytes(), aside));
                continue;
            };
            told.entry(id).or_default().push((membership, member.value));
        }
    }
    delta.rooms = told.into_iter().flat_map(|(id, told)| mentions(&id, told, (context, budget))).collect();
    Ok(())
}

/// A room whose id is invalid, as `{section: {id: room}}`.
fn set_aside(section: &Member<'_>, room: &Member<'_>) -> Json {
    let inner = object([(room.key, room.value.get())]);
    object([(quoted(section.name()).as_str(), inner.as_str())])
}
