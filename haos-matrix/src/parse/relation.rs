use haos_store_api::{EventId, EventType, Relation, RelationKind};

use super::members::Members;

/// Reads the relation of an event's content.
///
/// The rel_type decides; the reply inside a thread is a fallback for clients that know no threads
/// (specification, client-server API, "Forming relationships between events", "Rich replies",
/// "Threading"). A malformed relation counts as absent, as the specification asks. An edit without new content is to be
/// ignored ("Validity of replacement events"); that of an encrypted event is encrypted as well.
pub(crate) fn relation(kind: &EventType, content: &Members<'_>) -> Option<Relation> {
    let relates = content.object("m.relates_to")?;
    let mut typed = typed(&relates);
    if let Some(relation) = typed.as_mut().filter(|relation| relation.kind == RelationKind::Edit)
        && kind.as_str() != "m.room.encrypted"
        && content.object("m.new_content").is_none()
    {
        relation.kind = RelationKind::Ignored;
    }
    typed.or_else(|| {
        let reply = relates.object("m.in_reply_to")?;
        Some(Relation { kind: RelationKind::Reply, target: target(&reply)?, key: None })
    })
}

fn typed(relates: &Members<'_>) -> Option<Relation> {
    let name = relates.text("rel_type")?;
    let target = target(relates)?;
    let kind = match name.as_ref() {
        "m.replace" => RelationKind::Edit,
        "m.annotation" => RelationKind::Reaction,
        "m.thread" => RelationKind::Thread,
        _ => RelationKind::Other(name.into_owned()),
    };
    let key = match kind {
        RelationKind::Reaction => relates.text("key").map(Into::into),
        _ => None,
    };
    Some(Relation { kind, target, key })
}

fn target(relates: &Members<'_>) -> Option<EventId> {
    EventId::new(relates.text("event_id")?).ok()
}

/// Reads the event that a redaction empties, as far as the redaction tells.
///
/// Up to room version 10 `redacts` stands beside the content, from 11 on inside it; servers fill in the
/// other one. Where the two differ, the content's is taken until the room's version is known
/// ([`settled`](crate::redaction)).
pub(crate) fn redaction_target(event: &Members<'_>, content: Option<&Members<'_>>) -> Option<Relation> {
    let target = [content, Some(event)]
        .into_iter()
        .flatten()
        .find_map(|place| EventId::new(place.text("redacts")?).ok())?;
    Some(Relation { kind: RelationKind::Redaction, target, key: None })
}

/// How a state event relates to the one that it replaced, whose content servers repeat in it.
pub(crate) const REPLACES: &str = "replaces_state";

/// The event whose content a state event repeats as `prev_content`: stored as a relation, so that the copy is
/// found when that event is redacted. State takes no other relation.
pub(crate) fn replaced_state(event: &Members<'_>, unsigned: Option<&Members<'_>>) -> Option<Relation> {
    let places = || unsigned.into_iter().chain([event]);
    places().find_map(|place| place.get("prev_content"))?;
    let target = places().find_map(|place| EventId::new(place.text(REPLACES)?).ok())?;
    Some(Relation { kind: RelationKind::Other(REPLACES.to_owned()), target, key: None })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::members::body_members;

    fn of(relates: &str) -> Option<Relation> {
        of_event(
            "m.room.message",
            &format!(r#"{{"body":"x","m.new_content":{{}},"m.relates_to":{relates}}}"#),
        )
    }

    fn of_event(kind: &str, content: &str) -> Option<Relation> {
        relation(&EventType::new(kind).unwrap(), &body_members(content).unwrap())
    }

    #[test]
    fn kinds() {
        let kind = |relates| of(relates).unwrap().kind;
        assert_eq!(kind(r#"{"rel_type":"m.replace","event_id":"$a"}"#), RelationKind::Edit);
        assert_eq!(kind(r#"{"m.in_reply_to":{"event_id":"$a"}}"#), RelationKind::Reply);
        let thread = r#"{"rel_type":"m.thread","event_id":"$a","m.in_reply_to":{"event_id":"$b"}}"#;
        assert_eq!(kind(thread), RelationKind::Thread);
        assert_eq!(of(thread).unwrap().target.as_str(), "$a");
        let reference = r#"{"rel_type":"m.reference","event_id":"$a"}"#;
        assert_eq!(kind(reference), RelationKind::Other("m.reference".into()));
        let reaction = of(r#"{"rel_type":"m.annotation","event_id":"$a","key":"👍"}"#).unwrap();
        assert_eq!(reaction.key.as_deref(), Some("👍"));
    }

    #[test]
    fn an_edit_without_new_content_is_ignored_unless_that_is_hidden() {
        let kind = |kind, rest: &str| {
            let relates = r#""m.relates_to":{"rel_type":"m.replace","event_id":"$a"}"#;
            of_event(kind, &format!("{{{relates}{rest}}}")).unwrap().kind
        };
        assert_eq!(kind("m.room.message", r#","m.new_content":{"body":"x"}"#), RelationKind::Edit);
        assert_eq!(kind("m.room.message", ""), RelationKind::Ignored);
        assert_eq!(kind("m.room.message", r#","m.new_content":"x""#), RelationKind::Ignored);
        assert_eq!(kind("m.room.encrypted", r#","ciphertext":"x""#), RelationKind::Edit);
    }

    #[test]
    fn malformed_is_none() {
        let long = format!(r#"{{"rel_type":"m.replace","event_id":"{}"}}"#, "x".repeat(256));
        for relates in
            [r#""nope""#, "null", "[]", "{}", r#"{"rel_type":"m.replace"}"#, r#"{"event_id":"$a"}"#, &long]
        {
            assert_eq!(of(relates), None, "{relates}");
        }
    }
}
