use std::collections::BTreeMap;

use haos_queue::SyncDelta;
use haos_store_api::backend::law::sort_by;
use haos_store_api::{RoomId, Scope};
use serde_json::value::RawValue;

use super::budget::Budget;
use super::decoded::decoded;
use super::members::{Members, body_members, is_token, object};
use super::number::count;
use super::sliding_room::{Extensions, sliding_room};
use crate::{Account, ParseError};

/// An answer of simplified sliding sync (MSC4186).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sliding {
    /// The position from which the connection goes on.
    pub pos: String,
    /// How many rooms each list has in all.
    pub counts: BTreeMap<String, u64>,
    /// The rooms of the answer, as a sync has them: without a token of its own.
    pub delta: SyncDelta,
}

/// Reads the answer of simplified sliding sync. Each room is read as one of `GET /sync` would be, with
/// `required_state` as the state after the timeline; so it is told what [`parse_sync`](crate::parse_sync)
/// says of odd events and shapes.
///
/// The name and the avatar that the server makes up for a room are left out: nothing would take them back.
/// Heroes are kept as `haos.summary` has them from a sync, and under the key `heroes` as they came.
///
/// # Errors
/// [`ParseError`] if the bytes are not such a response: cut off, no JSON, no `pos`, or `rooms` is no object.
pub fn parse_sliding(json: &[u8], account: &Account) -> Result<Sliding, ParseError> {
    let text = decoded(json)?;
    let budget = Budget::of(&text, account.limits)?;
    let body = body_members(&text)?;
    let pos = body.text("pos").filter(|pos| is_token(pos));
    let found = || body.get("pos").map(RawValue::get);
    let pos = pos.ok_or_else(|| ParseError::shape("pos", "a position", found()))?.into_owned();
    let mut counts = BTreeMap::new();
    for list in body.object("lists").iter().flat_map(Members::iter) {
        let rooms = Members::of(list.value).and_then(|list| list.get("count").and_then(count));
        counts.extend(rooms.map(|rooms| (list.name().to_owned(), rooms)));
    }
    let mut delta = SyncDelta::default();
    read_rooms(&body, (account, &budget), &mut delta)?;
    budget.check()?;
    delta.account.extend(budget.left_out());
    Ok(Sliding { pos, counts, delta })
}

fn read_rooms(
    body: &Members<'_>,
    (account, budget): (&Account, &Budget),
    delta: &mut SyncDelta,
) -> Result<(), ParseError> {
    let Some(raw) = body.get("rooms") else { return Ok(()) };
    let rooms = Members::of(raw).ok_or_else(|| ParseError::shape("rooms", "an object", Some(raw.get())))?;
    let extensions = Extensions::of(body);
    for member in rooms.iter().take_while(|_| budget.admits()) {
        let Some(id) = member.name.as_deref().and_then(|name| RoomId::new(name).ok()) else {
            let value = || object([(member.key, member.value.get())]);
            delta.account.extend(budget.unreadable(&Scope::Account, member.bytes(), value));
            continue;
        };
        let Some(room) = Members::of(member.value) else {
            delta.account.extend(budget.unreadable_member(&Scope::Account, member.name(), member.value));
            continue;
        };
        delta.rooms.push(sliding_room(id, &room, &extensions, (account, budget)));
    }
    sort_by(&mut delta.rooms, |a, b| a.id.cmp(&b.id));
    Ok(())
}
