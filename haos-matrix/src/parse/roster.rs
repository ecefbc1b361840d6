use haos_store_api::{RoomId, Scope, StateEntry};

use super::AnswerLimits;
use super::budget::Budget;
use super::decoded::decoded;
use super::members::{body_members, list};
use super::messages::member;
use crate::ParseError;

/// Reads the answer of `GET /_matrix/client/v3/rooms/{roomId}/members` as state entries; what cannot be
/// read becomes entries of kind `haos.unreadable`.
///
/// # Errors
/// [`ParseError`] if the bytes are no such answer.
pub(crate) fn parse_roster(
    json: &[u8],
    room: &RoomId,
    limits: AnswerLimits,
) -> Result<Vec<StateEntry>, ParseError> {
    let text = decoded(json)?;
    let budget = Budget::of(&text, limits)?;
    let body = body_members(&text)?;
    let chunk = body.get("chunk");
    let fault =
        || ParseError::shape("chunk", "a list of members", chunk.map(serde_json::value::RawValue::get));
    let members = chunk.and_then(list).ok_or_else(fault)?;
    let scope = Scope::Room(room.clone());
    let entries = members.into_iter().filter_map(|raw| member(&scope, raw, &budget)).collect();
    budget.check()?;
    Ok(entries)
}
