use haos_store_api::{
    Error, EventId, EventType, Json, MediaQuery, MessageQuery, Pending, PendingQuery, PendingState, Result,
    RoomId, TxnId, WriteBatch,
};

use super::decoded::Decoded;
use super::{Outbox, Shared};
use crate::OutboxOptions;
use crate::conflict::{Retries, unless_conflict};
use crate::draft::{About, Draft, Moment};
use crate::host::new_txn_id;
use crate::local::{local_event_id, rewrite};
use crate::machine::{Class, Event, Family, move_children, plan, step};

/// A draft that is in the outbox now, and survives a power loss.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enqueued {
    /// Its transaction id, for its whole life.
    pub txn_id: TxnId,
    /// The id that other drafts name it by until it is sent.
    pub local_id: EventId,
    /// Its place in the outbox; 0 if it was sent before.
    pub seq: u64,
}

/// The reason why a draft was not taken. Nothing is stored then.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EnqueueError {
    /// The server would answer with an error for ever.
    #[error("the content can never be sent: {0}")]
    Unsendable(String),
    /// Too large for the server.
    #[error("the content has {bytes} bytes and the server takes {limit}: shorten it, or send a file")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// It is about a message that is neither in the outbox nor in the store.
    #[error("the message {0} that this one is about is unknown: was it cancelled?")]
    UnknownParent(TxnId),
    /// Bytes of a file would go to an encrypted room as they are.
    #[error(
        "the room is encrypted and the bytes of an upload are not: stage them with `Outbox::stage_sealed`"
    )]
    Unsealed,
    /// Staged bytes are gone.
    #[error("the bytes of an upload are not in the store: stage them again")]
    MissingMedia,
    /// The store refused.
    #[error(transparent)]
    Store(#[from] Error),
}

impl Outbox {
    /// Takes a draft: one durable commit. When it returns, the message survives power loss, shows in the
    /// outbox, and will be sent by whichever context drives it.
    ///
    /// # Errors
    /// [`EnqueueError`]; nothing is stored then.
    pub async fn enqueue(&self, draft: Draft) -> Result<Enqueued, EnqueueError> {
        let shared = &self.shared;
        shared.sendable(&draft.room, &draft.kind, &draft.content).await?;
        let in_clear = draft.uploads.iter().any(|staged| staged.sealing.is_none());
        if in_clear && shared.is_encrypted(&draft.room).await? {
            return Err(EnqueueError::Unsealed);
        }
        for staged in &draft.uploads {
            let query = MediaQuery { key: Some(staged.key.clone()), ..MediaQuery::default() };
            if shared.store.media_index(query).await?.is_empty() {
                return Err(EnqueueError::MissingMedia);
            }
        }
        let txn_id = draft.txn_id.clone().map_or_else(|| new_txn_id(&*shared.host), Ok)?;
        let mut retries = Retries::default();
        loop {
            if draft.txn_id.is_some()
                && let Some(taken) = shared.taken(&draft.room, &txn_id).await?
            {
                return Ok(taken);
            }
            let held = shared.keep_time().await?;
            let (mut batch, ours) = shared.enqueue_batch(draft.clone(), &txn_id).await?;
            let told = shared.tell_time(&mut batch, held)?;
            if let Some(commit) = retries.committed(shared.store.apply(batch).await)? {
                shared.told_time(told);
                let found = commit.assigned.iter().find(|(given, _)| *given == ours);
                let seq = found.map_or(0, |(_, seq)| *seq);
                return Ok(Enqueued { local_id: local_event_id(&ours)?, txn_id: ours, seq });
            }
        }
    }
}

impl Shared {
    fn moment(&self) -> Moment {
        Moment { wall_ms: self.host.now_ms(), now_ms: self.now_ms() }
    }

    pub(super) async fn sendable(
        &self,
        room: &RoomId,
        kind: &EventType,
        content: &Json,
    ) -> Result<(), EnqueueError> {
        let OutboxOptions { max_content_bytes, max_sealed_bytes, .. } = self.options;
        // Most contents need no look at the room.
        let grows = content.as_str().len() > max_sealed_bytes && self.protocol.seals(kind);
        let (bytes, limit) = match grows && self.is_encrypted(room).await? {
            true => (content.as_str().len(), max_sealed_bytes),
            false => (content.as_str().len(), max_content_bytes),
        };
        if bytes > limit {
            return Err(EnqueueError::TooLarge { bytes, limit });
        }
        // Decoding every string finds lone surrogates, which JSON can write and nobody can read.
        serde_json::from_str::<Decoded>(content.as_str())
            .map(drop)
            .map_err(|e| EnqueueError::Unsendable(e.to_string()))
    }

    /// The draft of a transaction that was taken before.
    async fn taken(&self, room: &RoomId, txn_id: &TxnId) -> Result<Option<Enqueued>> {
        let seq = match self.parent(room, txn_id).await? {
            Parent::Unsent(row) => row.seq,
            Parent::Sent(_) => 0,
            Parent::Unknown => return Ok(None),
        };
        Ok(Some(Enqueued { local_id: local_event_id(txn_id)?, txn_id: txn_id.clone(), seq }))
    }

    async fn enqueue_batch(
        &self,
        mut draft: Draft,
        txn_id: &TxnId,
    ) -> Result<(WriteBatch, TxnId), EnqueueError> {
        let mut batch = WriteBatch::strict();
        if let Some(About::Unsent(parent)) = draft.about.clone() {
            match self.parent(&draft.room, &parent).await? {
                Parent::Unsent(row) => drop(batch.expect_pending(&parent, Some(row.revision))),
                Parent::Sent(event_id) => {
                    draft.content = swapped(&draft.content, &parent, &event_id)?;
                    draft.about = Some(About::Event(event_id));
                }
                Parent::Unknown => return Err(EnqueueError::UnknownParent(parent)),
            }
        }
        if Class::of_kind(&draft.kind) == Class::Signal {
            self.supersede(&mut batch, &draft.room, &draft.kind).await?;
        }
        for staged in &draft.uploads {
            // From now on the row protects it.
            batch.pin_media(staged.key.clone(), false);
        }
        let rows = draft.rows(txn_id.clone(), self.moment(), &self.options)?;
        for row in rows {
            batch.expect_pending(&row.txn_id, None).put_pending(row);
        }
        Ok((batch, txn_id.clone()))
    }

    /// A new row in the place of one that the server refused, in one batch; what waited for that one waits
    /// for this one. None if the row was changed meanwhile.
    pub(super) async fn replace(
        &self,
        old: Pending,
        content: Json,
    ) -> Result<Option<Enqueued>, EnqueueError> {
        let family = Family::read(&*self.store, old).await?;
        let old = &family.row;
        let txn_id = new_txn_id(&*self.host)?;
        let local_id = local_event_id(&txn_id)?;
        self.keep_time().await?;
        let Moment { wall_ms, now_ms } = self.moment();
        let row = Pending {
            priority: old.priority,
            target: old.target.clone(),
            media: old.media.clone(),
            expires_at_ms: Some(now_ms.saturating_add_unsigned(self.options.expiry_ms)),
            ..Pending::new(txn_id.clone(), old.room.clone(), old.kind.clone(), content, wall_ms)
        };
        let mut batch = WriteBatch::strict();
        batch.expect_pending(&old.txn_id, Some(old.revision)).remove_pending(old.txn_id.clone());
        batch.expect_pending(&txn_id, None).put_pending(row);
        move_children(&mut batch, &family, &txn_id)?;
        Ok(unless_conflict(self.store.apply(batch).await)?.map(|commit| {
            let seq = commit.assigned.first().map_or(0, |(_, seq)| *seq);
            Enqueued { txn_id, local_id, seq }
        }))
    }

    /// Takes back what the outbox holds of a kind of which the latest counts.
    async fn supersede(&self, batch: &mut WriteBatch, room: &RoomId, kind: &EventType) -> Result<()> {
        let query = PendingQuery { room: Some(room.clone()), skip_damaged: true, ..PendingQuery::default() };
        for row in self.store.pending(query).await? {
            if row.kind == *kind && row.state != PendingState::Sending {
                batch.expect_pending(&row.txn_id, Some(row.revision)).remove_pending(row.txn_id);
            }
        }
        Ok(())
    }

    /// Looks for a message of the outbox.
    pub(crate) async fn parent(&self, room: &RoomId, txn_id: &TxnId) -> Result<Parent> {
        if let Some(row) = self.row(txn_id).await? {
            return Ok(match &row.event_id {
                _ if row.room != *room => Parent::Unknown,
                Some(event_id) if row.state == PendingState::Sent => Parent::Sent(event_id.clone()),
                _ => Parent::Unsent(Box::new(row)),
            });
        }
        let sent = self.store.messages(MessageQuery::Txn(txn_id.clone())).await?;
        let sent = sent.into_iter().find(|message| message.room == *room);
        Ok(sent.map_or(Parent::Unknown, |message| Parent::Sent(message.id)))
    }

    /// Puts a row where `old` stands, if that is still as it was read. Gives it as it is stored.
    pub(crate) async fn put(&self, old: &Pending, next: Pending, mut batch: WriteBatch) -> Result<Pending> {
        batch.expect_pending(&old.txn_id, Some(old.revision)).put_pending(next.clone());
        let commit = self.store.apply(batch).await?;
        Ok(Pending { revision: commit.revision, ..next })
    }

    pub(crate) async fn row(&self, txn_id: &TxnId) -> Result<Option<Pending>> {
        let query = PendingQuery { txn_id: Some(txn_id.clone()), ..PendingQuery::default() };
        Ok(self.store.pending(query).await?.into_iter().next())
    }

    /// Carries out an event on a row, with all that follows for those that wait for it; reads again on a
    /// conflict. `then` may change what was decided. Gives the row as it was when the step was decided;
    /// none if it is gone.
    pub(crate) async fn act(
        &self,
        txn_id: &TxnId,
        event: &Event,
    ) -> Result<Option<(Pending, crate::machine::Step)>> {
        let mut retries = Retries::default();
        self.keep_time().await?;
        loop {
            let Some(row) = self.row(txn_id).await? else { return Ok(None) };
            let family = Family::read(&*self.store, row).await?;
            let context = self.context();
            let decided = step(&family.row, event, &context);
            let Some(batch) = plan(&family, event, &decided, &context, &*self.protocol)? else {
                return Ok(Some((family.row, decided)));
            };
            if retries.committed(self.store.apply(batch).await)?.is_some() {
                return Ok(Some((family.row, decided)));
            }
        }
    }
}

/// The state of a message that another is about.
pub(crate) enum Parent {
    Unsent(Box<Pending>),
    Sent(EventId),
    Unknown,
}

fn swapped(content: &Json, parent: &TxnId, event_id: &EventId) -> Result<Json> {
    let local = local_event_id(parent)?;
    Ok(rewrite(content, local.as_str(), event_id.as_str())?.unwrap_or_else(|| content.clone()))
}
