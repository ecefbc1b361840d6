//! What the user wrote in rooms that the server has not confirmed.

use std::collections::{BTreeSet, HashMap};

use haos_queue::Protocol;
use haos_store_api::{EventId, Pending, PendingQuery, Result, RoomId, StorageAdapter, TxnId};

use super::latest::{Latest, REMOVED, edited_text, is_message, text};
use crate::base::gathered;
use crate::live::timeline::SendStatus;

/// The rows that are read at once: mostly all, and so few that a store reads them on the spot.
const PAGE: usize = 64;

/// The outbox's messages, edits and redactions, room by room.
#[derive(Debug, Default)]
pub(super) struct Unsent {
    rows: HashMap<RoomId, Vec<Row>>,
}

#[derive(Debug)]
struct Row {
    pending: Pending,
    /// True for a message and for an edit of one; false for a redaction.
    is_message: bool,
    /// True if it shows at what it is about.
    is_edit: bool,
}

impl Unsent {
    /// Reads the outbox; a damaged row is left out.
    pub(super) async fn read(store: &dyn StorageAdapter, protocol: &dyn Protocol) -> Result<Self> {
        let redaction = protocol.redaction().ok().map(|(kind, _)| kind);
        let mut rows: HashMap<RoomId, Vec<Row>> = HashMap::new();
        let mut query = PendingQuery { skip_damaged: true, limit: PAGE, ..PendingQuery::default() };
        loop {
            let page = store.pending(query.clone()).await?;
            // A page is short where rows were left out: only an empty one is the last.
            let next = page.last().map(|row| row.seq);
            for pending in page {
                let is_message = is_message(&pending.kind);
                if is_message || redaction.as_ref() == Some(&pending.kind) {
                    let relation = protocol.row_relation(&pending);
                    let is_edit = relation.is_some_and(|relation| relation.kind.is_hidden());
                    let row = Row { pending, is_message, is_edit };
                    rows.entry(row.pending.room.clone()).or_default().push(row);
                }
            }
            match next {
                Some(seq) => query.after_seq = seq,
                None => return Ok(Self { rows }),
            }
        }
    }

    /// Returns the rooms of which one has other rows than the other.
    pub(super) fn rooms_otherwise<'a>(&'a self, other: &'a Self) -> BTreeSet<&'a RoomId> {
        let told = |rows: &Self, room| {
            let rows = rows.rows.get(room).into_iter().flatten();
            rows.map(|row: &Row| (row.pending.seq, row.pending.revision)).collect::<Vec<_>>()
        };
        let rooms = self.rows.keys().chain(other.rows.keys());
        gathered(rooms.filter(|room| told(self, room) != told(other, room)))
    }

    /// Returns the latest message of a room that is unsent, with its unsent edits.
    pub(super) fn latest(&self, room: &RoomId) -> Option<Written<'_>> {
        let rows = self.rows.get(room)?;
        let row = &rows.iter().rev().find(|row| row.is_message && !row.is_edit)?.pending;
        let text = text(&row.kind, &row.content);
        let written = Written { row, text, status: SendStatus::of(row), is_redacted: false };
        Some(match self.change(room, |change| is_about(change, &row.txn_id, row.event_id.as_ref())) {
            Some(Change { text, is_redacted, .. }) => Written { text, is_redacted, ..written },
            None => written,
        })
    }

    /// Returns the unsent change of a stored message.
    pub(super) fn change_of(&self, room: &RoomId, latest: &Latest) -> Option<Change> {
        self.change(room, |row| row.target.as_ref() == Some(&latest.event_id))
    }

    /// Returns what the latest of the edits and redactions makes of a message; nothing follows a redaction.
    fn change(&self, room: &RoomId, is_about: impl Fn(&Pending) -> bool) -> Option<Change> {
        let is_change = |row: &&Row| (!row.is_message || row.is_edit) && is_about(&row.pending);
        let mut changes = self.rows.get(room)?.iter().filter(is_change);
        let latest = changes.clone().find(|row| !row.is_message).or_else(|| changes.next_back())?;
        let Row { pending, is_message, .. } = latest;
        let text = match is_message {
            true => edited_text(&pending.kind, &pending.content),
            false => REMOVED.to_owned(),
        };
        Some(Change { text, is_redacted: !is_message, status: SendStatus::of(pending) })
    }
}

/// An unsent message.
pub(super) struct Written<'a> {
    pub(super) row: &'a Pending,
    pub(super) text: String,
    pub(super) status: SendStatus,
    pub(super) is_redacted: bool,
}

/// An unsent edit or redaction.
pub(super) struct Change {
    pub(super) text: String,
    pub(super) is_redacted: bool,
    pub(super) status: SendStatus,
}

fn is_about(row: &Pending, txn_id: &TxnId, event_id: Option<&EventId>) -> bool {
    row.parent.as_ref() == Some(txn_id) || event_id.is_some() && row.target.as_ref() == event_id
}
