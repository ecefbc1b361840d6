//! Defects of writing.

use haos_store_api::backend::*;

use haos_store_api::*;

use crate::adapter::Mutant;
use crate::defect::Defect;

impl Mutant {
    /// Returns the batch as the defect makes it.
    pub(crate) async fn spoil(&self, batch: WriteBatch) -> Result<WriteBatch> {
        let mut spoiled = match batch.durability() {
            Durability::Strict => WriteBatch::strict(),
            Durability::Relaxed => WriteBatch::relaxed(),
        };
        if self.defect != Defect::IgnoresPreconditions {
            for precondition in batch.preconditions() {
                spoiled.expect(precondition.clone());
            }
        }
        for op in batch.ops() {
            for op in self.ops_for(op.clone()).await? {
                spoiled.push(op);
            }
        }
        Ok(spoiled)
    }

    async fn ops_for(&self, op: Op) -> Result<Vec<Op>> {
        use Defect::*;
        let ops = match (self.defect, op) {
            (RemovalLeavesState, Op::RemoveRoom(id)) => {
                // Only the state comes back, once the room does.
                let scope = Scope::Room(id.clone());
                let kept = self.inner.state(StateQuery::all(scope)).await?;
                self.leftovers().extend(kept);
                vec![Op::RemoveRoom(id)]
            }
            (RemovalLeavesState, Op::PutRoom(room)) => {
                let scope = Scope::Room(room.id.clone());
                let mut leftovers = self.leftovers();
                let (back, rest) = leftovers.drain(..).partition(|entry| entry.scope == scope);
                *leftovers = rest;
                let back: Vec<StateEntry> = back;
                [Op::PutRoom(room)].into_iter().chain(back.into_iter().map(Op::PutState)).collect()
            }
            (RemovalTakesOutbox, Op::RemoveRoom(id)) => {
                let query = PendingQuery { room: Some(id.clone()), ..Default::default() };
                let rows = self.inner.pending(query).await?;
                let rows = rows.into_iter().map(|row| Op::RemovePending(row.txn_id));
                [Op::RemoveRoom(id)].into_iter().chain(rows).collect()
            }
            (AnchorsMove, Op::PutMessage(message)) => {
                let stored = self.inner.message(&message.room, &message.id).await?;
                let gone = stored.map(|old| Op::RemoveMessage(old.room, old.id));
                gone.into_iter().chain([Op::PutMessage(message)]).collect()
            }
            (RedactionUndone, Op::PutMessage(message)) => {
                match self.inner.message(&message.room, &message.id).await? {
                    Some(old) if old.redacted_by.is_some() => {
                        let back = Message { position: old.position, ..message };
                        vec![Op::RemoveMessage(old.room, old.id), Op::PutMessage(back)]
                    }
                    _ => vec![Op::PutMessage(message)],
                }
            }
            (RedactionKeepsRelation, Op::Redact(redact)) => {
                match self.inner.message(&redact.room, &redact.target).await? {
                    Some(old) if old.redacted_by.is_none() => {
                        let emptied = Message {
                            content: redact.content,
                            redacted_by: Some(redact.by),
                            extra: None,
                            ..old.clone()
                        };
                        vec![Op::RemoveMessage(old.room, old.id), Op::PutMessage(emptied)]
                    }
                    _ => vec![Op::Redact(redact)],
                }
            }
            (TransactionForgotten, Op::PutMessage(message)) => {
                vec![Op::PutMessage(Message { txn_id: None, ..message })]
            }
            (ConfirmsEverything, Op::PutMessage(message)) => {
                vec![Op::PutMessage(Message { provisional: false, ..message })]
            }
            (RenumbersOneByOne, Op::Renumber(room, moves)) => {
                moves.into_iter().map(|step| Op::Renumber(room.clone(), vec![step])).collect()
            }
            (GapLosesToken, Op::PutGap(gap)) => vec![Op::PutGap(Gap { token: None, ..gap })],
            (PruneIgnoresProtection, Op::Prune(prune)) => {
                vec![Op::Prune(Prune { protect: Vec::new(), ..prune })]
            }
            (PruneIgnoresOutbox, Op::PutPending(row)) => {
                vec![Op::PutPending(Pending { target: None, ..row })]
            }
            (FenceFalls, Op::PutPending(row)) => self.forgetting(row).await?,
            (ContentChangesAfterAttempt, Op::PutPending(row)) => {
                let query = PendingQuery { txn_id: Some(row.txn_id.clone()), ..Default::default() };
                let stored = self.inner.pending(query).await?;
                let differs = stored.iter().any(|old| old.content != row.content);
                if differs { self.forgetting(row).await? } else { vec![Op::PutPending(row)] }
            }
            (FormChangesInDoubt, Op::PutPending(row)) => {
                let query = PendingQuery { txn_id: Some(row.txn_id.clone()), ..Default::default() };
                let stored = self.inner.pending(query).await?;
                let differs =
                    |old: &Pending| old.content == row.content && old.wire_form() != row.wire_form();
                if stored.iter().any(differs) {
                    self.forgetting(row).await?
                } else {
                    vec![Op::PutPending(row)]
                }
            }
            (AnchorFollows, Op::PutPending(row)) => {
                let query = PendingQuery { txn_id: Some(row.txn_id.clone()), ..Default::default() };
                let stored = self.inner.pending(query).await?;
                let moves = |old: &Pending| old.first_attempt_ms.is_some() && old.anchor != row.anchor;
                if stored.iter().any(moves) { self.forgetting(row).await? } else { vec![Op::PutPending(row)] }
            }
            (RenameLosesBytes, Op::RenameMedia(from, to)) => {
                let query = MediaQuery { key: Some(from.clone()), ..Default::default() };
                let Some(info) = self.inner.media_index(query).await?.pop() else {
                    return Ok(vec![Op::RenameMedia(from, to)]);
                };
                vec![Op::RemoveMedia(from), Op::PutMedia(MediaInfo { key: to, ..info }, Vec::new())]
            }
            (AppendIgnoresOffset, Op::AppendMedia { key, at, bytes }) => {
                let query = MediaQuery { key: Some(key.clone()), ..Default::default() };
                let at = self.inner.media_index(query).await?.pop().map_or(at, |info| info.size);
                vec![Op::AppendMedia { key, at, bytes }]
            }
            (TouchGoesBack, Op::TouchMedia(keys, now_ms)) => {
                let mut ops = Vec::new();
                for key in keys {
                    if let Some(media) = self.inner.media(&key, ByteRange::ALL).await? {
                        let info = MediaInfo { last_access_ms: now_ms, ..media.info };
                        ops.push(Op::PutMedia(info, media.bytes));
                    }
                }
                ops
            }
            (PinForgotten, Op::PinMedia(..)) => Vec::new(),
            (EvictionTakesUnsent, Op::EvictMedia(policy, now_ms)) => {
                let all = self.inner.media_index(MediaQuery::default()).await?;
                let gone = law::evict(&all, &Default::default(), policy, now_ms);
                gone.into_iter().map(Op::RemoveMedia).collect()
            }
            (ReformatsJson, Op::PutMessage(message)) => {
                let content: serde_json::Value = message.content.parse()?;
                vec![Op::PutMessage(Message { content: Json::of(&content)?, ..message })]
            }
            (ClipsTimes, Op::PutMessage(message)) => {
                let timestamp_ms = message.timestamp_ms.max(0);
                vec![Op::PutMessage(Message { timestamp_ms, ..message })]
            }
            (_, op) => vec![op],
        };
        Ok(ops)
    }

    /// Stores a row as if it were another than the one before.
    async fn forgetting(&self, row: Pending) -> Result<Vec<Op>> {
        Ok(vec![Op::RemovePending(row.txn_id.clone()), Op::PutPending(row)])
    }
}
