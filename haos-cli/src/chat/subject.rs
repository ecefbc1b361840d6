//! The message that a command is about, by its id or by that of its row in the outbox.

use haos::{About, EventId, TxnId};
use haos_queue::UPLOAD;
use haos_store_api::{
    Json, Message, MessageQuery, Pending, PendingQuery, PendingState, Room, StorageAdapter,
};

use crate::error::{Error, Result};
use crate::text::clean;

/// How many rows a message may wait for: a thumbnail and a file.
const CHAIN: usize = 16;

/// A message that another one can be about.
#[derive(Debug)]
pub(super) enum Subject {
    /// One of the timeline.
    Stored(Box<Message>),
    /// One of the outbox.
    Unsent(Box<Pending>),
    /// One that the store does not have; the user says that the server does.
    Unknown(EventId),
}

impl Subject {
    /// Finds what `wanted` means in a room: an event's id, a transaction id or its unique start, or the id
    /// that an unsent message goes by.
    pub(super) async fn find(
        store: &dyn StorageAdapter,
        room: &Room,
        wanted: &str,
        anyway: bool,
    ) -> Result<Self> {
        let event = EventId::new(wanted);
        if let Ok(event) = &event
            && let Some(message) = store.message(&room.id, event).await?
        {
            return Ok(Self::Stored(Box::new(message)));
        }
        let rows = rows(store, Some(room)).await?;
        if let Some(row) = by_event(&rows, wanted).or_else(|| by_txn(&rows, wanted)) {
            return Ok(Self::Unsent(Box::new(message_of(&rows, row).clone())));
        }
        if let Ok(txn_id) = TxnId::new(local(wanted)) {
            let sent = store.messages(MessageQuery::Txn(txn_id)).await?;
            if let Some(message) = sent.into_iter().find(|message| message.room == room.id) {
                return Ok(Self::Stored(Box::new(message)));
            }
        }
        match event {
            Ok(event) if anyway && wanted.starts_with('$') => Ok(Self::Unknown(event)),
            _ => Err(Error::Input(format!(
                "the room has no message {} that is stored, sent or not: `haos timeline {}` shows those it has",
                clean(wanted),
                room.id,
            ))),
        }
    }

    /// Its content, as it was sent or is going to be.
    pub(super) fn content(&self) -> Option<&Json> {
        match self {
            Self::Stored(message) => Some(&message.content),
            Self::Unsent(row) => Some(&row.content),
            Self::Unknown(_) => None,
        }
    }

    /// How a draft names it.
    pub(super) fn about(&self) -> About {
        match self {
            Self::Stored(message) => About::Event(message.id.clone()),
            Self::Unknown(event) => About::Event(event.clone()),
            Self::Unsent(row) => match (&row.event_id, row.state) {
                (Some(event), PendingState::Sent) => About::Event(event.clone()),
                _ => About::Unsent(row.txn_id.clone()),
            },
        }
    }
}

/// The rows of the outbox: all, or a room's.
pub(super) async fn rows(store: &dyn StorageAdapter, room: Option<&Room>) -> Result<Vec<Pending>> {
    let room = room.map(|room| room.id.clone());
    Ok(store.pending(PendingQuery { room, skip_damaged: true, ..PendingQuery::default() }).await?)
}

/// The row of a transaction id, or of its unique start.
pub(super) fn by_txn<'a>(rows: &'a [Pending], wanted: &str) -> Option<&'a Pending> {
    let wanted = local(wanted);
    if let Some(row) = rows.iter().find(|row| row.txn_id.as_str() == wanted) {
        return Some(row);
    }
    let mut found = rows.iter().filter(|row| !wanted.is_empty() && row.txn_id.as_str().starts_with(wanted));
    found.next().filter(|_| found.next().is_none())
}

/// The row that the server accepted as this event.
fn by_event<'a>(rows: &'a [Pending], wanted: &str) -> Option<&'a Pending> {
    rows.iter().find(|row| row.event_id.as_ref().is_some_and(|event| event.as_str() == wanted))
}

/// The message of an upload: the row at the end of those that wait for it.
fn message_of<'a>(rows: &'a [Pending], row: &'a Pending) -> &'a Pending {
    let mut row = row;
    for _ in 0..CHAIN {
        let next = rows.iter().find(|next| next.parent.as_ref() == Some(&row.txn_id));
        match next {
            Some(next) if row.kind.as_str() == UPLOAD => row = next,
            _ => break,
        }
    }
    row
}

fn local(wanted: &str) -> &str {
    wanted.strip_prefix('~').unwrap_or(wanted)
}

#[cfg(test)]
mod tests {
    use haos_store_api::{EventType, RoomId};

    use super::*;

    fn row(txn: &str, kind: &str, parent: Option<&str>) -> Pending {
        let (room, kind) = (RoomId::new("!a").unwrap(), EventType::new(kind).unwrap());
        let row = Pending::new(TxnId::new(txn).unwrap(), room, kind, Json::empty(), 0);
        Pending { parent: parent.map(|txn| TxnId::new(txn).unwrap()), ..row }
    }

    #[test]
    fn rows_by_their_ids() {
        let rows = ["haos1a", "haos1b", "haos1"].map(|txn| row(txn, "m.room.message", None));
        let found = |wanted| by_txn(&rows, wanted).map(|row| row.txn_id.as_str());
        assert_eq!(found("haos1b"), Some("haos1b"));
        assert_eq!(found("~haos1a"), Some("haos1a"));
        assert_eq!(found("haos1"), Some("haos1"), "a whole id wins");
        assert_eq!(found("haos"), None, "three begin so");
        assert_eq!((found("x"), found("~"), found("")), (None, None, None));
    }

    #[test]
    fn an_upload_means_its_message() {
        let rows = [
            row("thumb", UPLOAD, None),
            row("file", UPLOAD, Some("thumb")),
            row("message", "m.room.message", Some("file")),
            row("reply", "m.room.message", Some("message")),
        ];
        assert_eq!(message_of(&rows, &rows[0]).txn_id.as_str(), "message");
        assert_eq!(message_of(&rows, &rows[2]).txn_id.as_str(), "message");
    }
}
