use haos_store_api::{Json, ParkReason, Pending, PendingQuery, PendingState, Result, RoomId, TxnId};

use super::{EnqueueError, Enqueued, Outbox, Shared};
use crate::draft::{About, Draft};
use crate::local::local_event_id;
use crate::machine::{Class, Event, Step};

/// The outcome of a wish about a row.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Acted {
    /// The row is changed, or gone, as asked. `maybe_sent`: an attempt had no answer, so that the server
    /// may have the message nevertheless.
    Done {
        /// The server may have it.
        maybe_sent: bool,
    },
    /// It is on its way or on the server: this row will edit it or take it back.
    Followed(Enqueued),
    /// The server had refused it: this row stands in its place, at the end of the outbox.
    Replaced(Enqueued),
    /// It is not in the outbox: the timeline has it, or it was cancelled.
    Gone,
    /// Nothing was to be done.
    Nothing,
}

impl Outbox {
    /// Takes a message back. What was not sent is removed, with its uploads and with what makes no sense
    /// without it; for what is on its way a redaction follows it.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn cancel(&self, txn_id: &TxnId) -> Result<Acted, EnqueueError> {
        let shared = &self.shared;
        let Some(row) = shared.row(txn_id).await? else { return Ok(Acted::Gone) };
        // A message goes with the uploads that it waits for; cancelling the first takes the rest along.
        let mut first = row;
        while let Some(parent) = &first.parent {
            match shared.row(parent).await? {
                Some(parent) if Class::of(&parent) == Class::Upload => first = parent,
                _ => break,
            }
        }
        match shared.act(&first.txn_id, &Event::Cancel).await? {
            // The upload was finished meanwhile: the message itself is left.
            None if first.txn_id != *txn_id => Box::pin(self.cancel(txn_id)).await,
            None => Ok(Acted::Gone),
            Some((row, Step::Follow)) => {
                let (kind, content) = shared.protocol.redaction()?;
                let draft = Draft::new(row.room.clone(), kind, content).about(about(&row));
                Ok(Acted::Followed(self.enqueue(draft).await?))
            }
            Some((row, _)) => Ok(Acted::Done { maybe_sent: row.ambiguous }),
        }
    }

    /// Gives a message other content. What was never attempted is changed in place; what is on its way or
    /// sent is followed by an edit; what the server refused is replaced.
    ///
    /// # Errors
    /// [`EnqueueError`] where the new content cannot be sent; nothing is changed then.
    pub async fn edit(&self, txn_id: &TxnId, content: Json) -> Result<Acted, EnqueueError> {
        let shared = &self.shared;
        let Some(row) = shared.row(txn_id).await? else { return Ok(Acted::Gone) };
        shared.sendable(&row.room, &row.kind, &content).await?;
        // A redaction has no content to edit.
        if is_redaction(&row, shared) {
            return Ok(Acted::Nothing);
        }
        let content_again = content.clone();
        match shared.act(txn_id, &Event::Edit(content.clone())).await? {
            None => Ok(Acted::Gone),
            Some((row, Step::Follow)) => {
                let target = match &row.event_id {
                    Some(event_id) => event_id.clone(),
                    None => local_event_id(&row.txn_id)?,
                };
                let (kind, content) =
                    shared.protocol.edit(&target, &row.kind, &content, Some(&row.content))?;
                let draft = Draft::new(row.room.clone(), kind, content).about(about(&row));
                Ok(Acted::Followed(self.enqueue(draft).await?))
            }
            Some((row, Step::Replace)) => match shared.replace(row, content).await? {
                Some(enqueued) => Ok(Acted::Replaced(enqueued)),
                // It was taken up again meanwhile.
                None => Box::pin(self.edit(txn_id, content_again)).await,
            },
            Some((_, Step::Keep)) => Ok(Acted::Nothing),
            Some(_) => Ok(Acted::Done { maybe_sent: false }),
        }
    }

    /// Tries a row again, at once: a parked one, or one that waits for its backoff. A row that may have
    /// been sent already ([`ParkReason::Ambiguous`]) is sent once more: the user has looked.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn retry(&self, txn_id: &TxnId) -> Result<Acted> {
        let acted = match self.shared.act(txn_id, &Event::Retry).await? {
            None => Acted::Gone,
            Some((_, Step::Keep)) => Acted::Nothing,
            Some(_) => Acted::Done { maybe_sent: false },
        };
        self.try_now();
        Ok(acted)
    }

    /// Tries everything again but what may have been sent, here or by the store that it was taken over from: that, the
    /// user decides one by one. Gives the number of rows that were taken up.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn retry_all(&self) -> Result<usize> {
        let mut taken = 0;
        for row in self.rows(None).await? {
            let PendingState::Parked(reason) = row.state else { continue };
            if !matches!(reason, ParkReason::Ambiguous | ParkReason::Restored) {
                let acted = self.shared.act(&row.txn_id, &Event::Retry).await?;
                taken += usize::from(matches!(acted, Some((_, Step::Put(_)))));
            }
        }
        self.try_now();
        Ok(taken)
    }

    /// Pauses an upload until it is retried. Bytes that went out are lost unless the server keeps them.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn pause_upload(&self, txn_id: &TxnId) -> Result<Acted> {
        Ok(match self.shared.act(txn_id, &Event::Pause).await? {
            None => Acted::Gone,
            Some((_, Step::Keep)) => Acted::Nothing,
            Some(_) => Acted::Done { maybe_sent: false },
        })
    }

    /// The parked rows that others of the room wait behind, oldest first.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn blockers(&self, room: &RoomId) -> Result<Vec<Pending>> {
        let rows = self.rows(Some(room)).await?;
        let parked = |row: &&Pending| matches!(row.state, PendingState::Parked(_));
        let last = rows.iter().rposition(|row| !parked(&row) && row.state != PendingState::Sent);
        Ok(rows.iter().take(last.unwrap_or(0)).filter(parked).cloned().collect())
    }

    /// The rows that can be read, by sequence number: all, or a room's.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn rows(&self, room: Option<&RoomId>) -> Result<Vec<Pending>> {
        let query = PendingQuery { room: room.cloned(), skip_damaged: true, ..PendingQuery::default() };
        self.shared.store.pending(query).await
    }
}

fn about(row: &Pending) -> About {
    match (&row.event_id, row.state) {
        (Some(event_id), PendingState::Sent) => About::Event(event_id.clone()),
        _ => About::Unsent(row.txn_id.clone()),
    }
}

fn is_redaction(row: &Pending, shared: &Shared) -> bool {
    shared.protocol.redaction().is_ok_and(|(kind, _)| kind == row.kind)
}
