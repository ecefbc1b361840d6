use haos_store_api::{EventId, Relation, RelationKind};

use super::members::Members;

/// What an event's content relates to.
///
/// The rel_type decides; the reply inside a thread is a fallback for clients that know no threads
/// (specification, client-server API, "Forming relationships between events", "Rich replies",
/// "Threading"). A malformed relation is none, as the specification asks.
pub(crate) fn relation(content: &Members<'_>) -> Option<Relation> {
    let relates = content.object("m.relates_to")?;
    typed(&relates).or_else(|| {
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

/// What a redaction empties.
///
/// Up to room version 10 `redacts` stands beside the content, from 11 on inside it; servers fill in the
/// other one. Beside it comes first: in an old room the sender could write anything into the content.
pub(crate) fn redaction_target(event: &Members<'_>, content: Option<&Members<'_>>) -> Option<Relation> {
    let target = [Some(event), content]
        .into_iter()
        .flatten()
        .find_map(|place| EventId::new(place.text("redacts")?).ok())?;
    Some(Relation { kind: RelationKind::Redaction, target, key: None })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::members::body_members;

    fn of(relates: &str) -> Option<Relation> {
        let content = format!(r#"{{"body":"x","m.relates_to":{relates}}}"#);
        relation(&body_members(content.as_bytes()).unwrap())
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
    fn malformed_is_none() {
        let long = format!(r#"{{"rel_type":"m.replace","event_id":"{}"}}"#, "x".repeat(256));
        for relates in
            [r#""nope""#, "null", "[]", "{}", r#"{"rel_type":"m.replace"}"#, r#"{"event_id":"$a"}"#, &long]
        {
            assert_eq!(of(relates), None, "{relates}");
        }
    }
}
