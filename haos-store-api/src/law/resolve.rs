//! How an incoming record merges with the stored one.

use crate::{Error, Message, Pending, Redact, Result};

/// Merges an incoming message with the stored one of the same id.
///
/// - A confirmed message is an anchor: its position never moves. A provisional one takes the position
///   of whoever confirms it.
/// - A redaction is for good: content that comes later does not bring it back.
/// - The transaction id, once known, stays.
/// - Everything else is as it came last.
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
    let mut merged = if stored.redacted_by.is_some() { stored.clone() } else { incoming.clone() };
    merged.position = if confirms { incoming.position } else { stored.position };
    merged.provisional = stored.provisional && incoming.provisional;
    merged.txn_id = stored.txn_id.clone().or_else(|| incoming.txn_id.clone());
    Ok(merged)
}

/// A message after its redaction; the first redaction counts.
pub fn redact(stored: &Message, redact: &Redact) -> Message {
    let mut message = stored.clone();
    if message.redacted_by.is_none() {
        message.content = redact.content.clone();
        message.redacted_by = Some(redact.by.clone());
        message.relation = None;
        message.extra = None;
    }
    message
}

/// Merges an incoming outbox row with the stored one of the same transaction id.
///
/// The sequence number, the room and the time of writing stay; the fence only grows. Content changes
/// only while no attempt was made: servers answer a reused transaction id with the first event and
/// ignore the new content.
///
/// # Errors
/// `Invalid` for another room, or for other content after an attempt.
pub fn resolve_pending(stored: &Pending, incoming: &Pending) -> Result<Pending> {
    if stored.room != incoming.room {
        return Err(Error::invalid("apply", "an outbox row cannot change its room: enqueue a new one"));
    }
    let attempted = stored.first_attempt_ms.is_some();
    let differs = stored.kind != incoming.kind
        || stored.content != incoming.content
        || (stored.wire.is_some() && stored.wire != incoming.wire);
    if attempted && differs {
        return Err(Error::invalid(
            "apply",
            "a transaction id is never reused for other content after an attempt: enqueue an edit instead",
        ));
    }
    let mut merged = incoming.clone();
    merged.seq = stored.seq;
    merged.created_ms = stored.created_ms;
    merged.fence = stored.fence.max(incoming.fence);
    merged.revision = stored.revision;
    Ok(merged)
}
