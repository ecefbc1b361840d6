//! The merge of an incoming record with the stored one.

use crate::{Error, Message, Pending, Redact, Relation, Result};

/// Merges an incoming message with the stored one of the same id.
///
/// - A confirmed message is an anchor: its position never moves. A provisional one takes the position of the
///   message that confirms it.
/// - A send's answer that comes later does not undo a confirmation by sync.
/// - A redaction is for good: later content does not bring the former back. An emptied edit, reaction or redaction
///   stays known as one, so that it does not show as a removed message.
/// - A known transaction id stays.
/// - All other fields are those of the incoming message.
///
/// Merging the same message again changes nothing.
///
/// # Errors
/// `Invalid` if the two are not the same event.
pub fn resolve_message(stored: &Message, incoming: &Message) -> Result<Message> {
    if stored.room != incoming.room || stored.id != incoming.id {
        return Err(Error::invalid("apply", "two events share one key: the store cannot hold both"));
    }
    let confirms = stored.provisional && !incoming.provisional;
    let knows_better = stored.redacted_by.is_some() || (!stored.provisional && incoming.provisional);
    let mut merged = if knows_better { stored.clone() } else { incoming.clone() };
    merged.position = if confirms { incoming.position } else { stored.position };
    merged.provisional = stored.provisional && incoming.provisional;
    merged.txn_id = stored.txn_id.clone().or_else(|| incoming.txn_id.clone());
    if merged.redacted_by.is_some() && merged.relation.is_none() {
        merged.relation = emptied_relation(stored.relation.as_ref());
    }
    Ok(merged)
}

/// Returns the rest of a relation once its message is emptied: the fact that the message had no place of its own.
fn emptied_relation(relation: Option<&Relation>) -> Option<Relation> {
    let relation = relation.filter(|relation| relation.kind.is_hidden())?;
    Some(Relation { key: None, ..relation.clone() })
}

/// Returns a message after its redaction; the first redaction counts.
pub fn redact(stored: &Message, redact: &Redact) -> Message {
    let mut message = stored.clone();
    if message.redacted_by.is_none() {
        message.content = redact.content.clone();
        message.redacted_by = Some(redact.by.clone());
        message.relation = emptied_relation(stored.relation.as_ref());
        message.extra = None;
    }
    message
}

/// Merges an incoming outbox row with the stored one of the same transaction id.
///
/// The sequence number, the room, the time of writing and that of the first attempt stay; the fence only grows; the
/// anchor is that of the first attempt. Content changes only before the first attempt: servers answer a reused
/// transaction id with the first event and ignore the new content. The form on the wire may become another one while
/// the row waits and no attempt can have arrived: who reads it may be others by then.
///
/// # Errors
/// `Invalid` for another room, for other content after an attempt, or for another form of what may have arrived.
pub fn resolve_pending(stored: &Pending, incoming: &Pending) -> Result<Pending> {
    if stored.room != incoming.room {
        return Err(Error::invalid("apply", "an outbox row cannot change its room: enqueue a new one"));
    }
    let attempted = stored.first_attempt_ms.is_some();
    let wire_differs = stored.wire != incoming.wire || stored.wire_kind != incoming.wire_kind;
    let differs = stored.kind != incoming.kind
        || stored.content != incoming.content
        || (stored.may_be_sent() && wire_differs);
    if attempted && differs {
        return Err(Error::invalid(
            "apply",
            "a transaction id is never reused for other content after an attempt: enqueue an edit instead",
        ));
    }
    let mut merged = incoming.clone();
    merged.seq = stored.seq;
    merged.created_ms = stored.created_ms;
    merged.first_attempt_ms = stored.first_attempt_ms.or(incoming.first_attempt_ms);
    if attempted {
        merged.anchor = stored.anchor.clone();
    }
    merged.fence = stored.fence.max(incoming.fence);
    merged.revision = stored.revision;
    Ok(merged)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EventId, EventType, Json, Position, RoomId, TxnId, UserId};

    fn message(provisional: bool, position: u64, body: &str) -> Message {
        Message {
            room: RoomId::new("!r").unwrap(),
            id: EventId::new("$e").unwrap(),
            position: Position::new(position).unwrap(),
            sender: UserId::new("@a").unwrap(),
            timestamp_ms: 0,
            kind: EventType::new("m.room.message").unwrap(),
            state_key: None,
            content: Json::of(body).unwrap(),
            relation: None,
            txn_id: provisional.then(|| TxnId::new("t").unwrap()),
            redacted_by: None,
            provisional,
            extra: None,
        }
    }

    #[test]
    fn a_late_answer_does_not_undo_the_echo() {
        let confirmed = message(false, 5, "echo");
        let merged = resolve_message(&confirmed, &message(true, 9, "answer")).unwrap();
        assert_eq!(merged, Message { txn_id: Some(TxnId::new("t").unwrap()), ..confirmed });
    }

    #[test]
    fn the_first_attempt_is_never_forgotten() {
        let room = RoomId::new("!r").unwrap();
        let kind = EventType::new("m.room.message").unwrap();
        let fresh = Pending::new(TxnId::new("t").unwrap(), room, kind, Json::of("a").unwrap(), 0);
        let tried = Pending { first_attempt_ms: Some(7), ..fresh.clone() };
        let again = resolve_pending(&tried, &fresh).unwrap();
        assert_eq!(again.first_attempt_ms, Some(7));
        let late = Pending { anchor: Some(EventId::new("$late").unwrap()), ..tried.clone() };
        assert_eq!(
            resolve_pending(&tried, &late).unwrap().anchor,
            None,
            "there was none at the first attempt"
        );
        assert_eq!(resolve_pending(&fresh, &late).unwrap().anchor, late.anchor);
        assert_eq!(resolve_pending(&late, &tried).unwrap().anchor, late.anchor);
        let other = Pending { content: Json::of("b").unwrap(), ..fresh };
        assert!(resolve_pending(&again, &other).is_err());
    }
}
