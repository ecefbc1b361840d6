use haos_queue::BackfillPage;
use haos_store_api::RoomId;

use super::AnswerLimits;
use super::budget::Budget;
use super::decoded::decoded;
use super::event::RawEvent;
use super::members::{body_members, is_token};
use super::messages::member;
use crate::ParseError;
use haos_store_api::Scope;

/// Reads the answer of `GET /_matrix/client/v3/rooms/{roomId}/context/{eventId}` as the page of the events
/// before that one, which goes on from `start`.
///
/// # Errors
/// [`ParseError`] if the bytes are no such answer. Without a `start` it would claim the end of history.
pub(crate) fn parse_context(
    json: &[u8],
    room: &RoomId,
    limits: AnswerLimits,
) -> Result<BackfillPage, ParseError> {
    let text = decoded(json)?;
    let budget = Budget::of(&text, limits)?;
    let body = body_members(&text)?;
    let found = || body.get("start").map(serde_json::value::RawValue::get);
    let start = body.text("start").filter(|start| is_token(start));
    let start = start.ok_or_else(|| ParseError::shape("start", "a token", found()))?.into_owned();
    let scope = Scope::Room(room.clone());
    let (mut events, mut state) = (Vec::new(), Vec::new());
    for raw in body.list("events_before").unwrap_or_default() {
        if !budget.admits_event(raw) {
            continue;
        }
        match RawEvent::read(raw) {
            Ok(event) => events.push(event.event()),
            Err(_) => state.extend(budget.unreadable_event(&scope, raw)),
        }
    }
    events.reverse();
    let members = body.list("state").into_iter().flatten();
    state.extend(members.filter_map(|raw| member(&scope, raw, &budget)));
    budget.check()?;
    state.extend(budget.left_out());
    Ok(BackfillPage { room: room.clone(), events, end: Some(start), state })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_events_before_are_a_page() {
        let room = RoomId::new("!r").unwrap();
        let event =
            |id: &str| format!(r#"{{"event_id":"{id}","sender":"@a:x","type":"m.x","content":{{}}}}"#);
        let json = format!(
            r#"{{"start":"t1","event":{},"events_before":[{},{},3]}}"#,
            event("$c"),
            event("$b"),
            event("$a")
        );
        let page = parse_context(json.as_bytes(), &room, AnswerLimits::default()).unwrap();
        assert_eq!(page.end.as_deref(), Some("t1"));
        assert_eq!(page.events.iter().map(|event| event.id.as_str()).collect::<Vec<_>>(), ["$a", "$b"]);
        assert_eq!(page.state.len(), 1, "what cannot be read is set aside");
        assert!(parse_context(b"{}", &room, AnswerLimits::default()).is_err());
    }
}
