use std::rc::Rc;

use haos_store_api::backend::kv::{Columns, Cut, corrupt};
use haos_store_api::backend::law::OutboxRows;
use haos_store_api::backend::*;
use haos_store_api::*;

use super::super::kv::{Span, Table};
use super::super::rows::EngineRows;

/// Sequence number, the transaction's key, due time and revision stand before the payload.
const COLUMNS: usize = 8 + 16 + 8 + 8;

/// Splits an outbox row's value into its transaction's key, its other columns and the payload.
pub(crate) fn pending_columns(value: &[u8]) -> Result<(Key, PendingColumns, &[u8])> {
    let mut cut = Cut(value);
    let (seq, txn, not_before_ms, revision) = (cut.count()?, cut.key()?, cut.int()?, cut.revision()?);
    Ok((txn, PendingColumns { seq, room: None, not_before_ms, revision }, cut.0))
}

/// Reads the outbox row of a value.
pub(crate) fn read_outbox_row(codec: &Codec, value: &[u8]) -> Result<Pending> {
    let (txn, columns, payload) = pending_columns(value)?;
    codec.pending(&txn, columns, payload)
}

impl EngineRows<'_> {
    /// Reads the key of a transaction's row.
    fn outbox_place(&mut self, txn_id: &TxnId) -> Result<Option<[u8; 8]>> {
        let key = self.codec.txn_key(txn_id);
        let Some(value) = self.view.get(Table::OutboxIds, key.as_bytes())? else { return Ok(None) };
        let mut cut = Cut(&value);
        cut.key()?;
        Ok(Some(cut.count()?.to_be_bytes()))
    }

    pub(crate) fn read_pending(&mut self, txn_id: &TxnId) -> Result<Option<Pending>> {
        let Some(place) = self.outbox_place(txn_id)? else { return Ok(None) };
        let damaged = || corrupt("apply", "an outbox row's index names another row");
        let value = self.view.get(Table::Outbox, &place)?.ok_or_else(damaged)?;
        let found = read_outbox_row(self.codec, &value)?;
        let is_it = found.txn_id == *txn_id && found.seq.to_be_bytes() == place;
        if is_it { Ok(Some(found)) } else { Err(damaged()) }
    }

    pub(crate) fn read_outbox(&mut self) -> Result<Vec<Pending>> {
        let all = self.view.scan(Table::Outbox, Span::prefix(&[]))?;
        let read = |(place, value): &(Vec<u8>, Rc<[u8]>)| {
            if !value.starts_with(place) {
                return Err(corrupt("apply", "an outbox row stands under another's number"));
            }
            read_outbox_row(self.codec, value)
        };
        all.iter().map(read).collect()
    }

    /// Inserts or replaces a row, under its own sequence number.
    pub(crate) fn put_pending(&mut self, pending: &Pending) -> Result<()> {
        let row = self.codec.pending_row(pending)?;
        let place = pending.seq.to_be_bytes();
        match self.outbox_place(&pending.txn_id)? {
            Some(_) => {
                let old = self.view.get(Table::Outbox, &place)?.map_or(0, |old| old.len());
                self.view.draft.head.sums.shrink(Collection::Pending, old.saturating_sub(COLUMNS) as u64);
            }
            // The number of a row never changes: an update writes one record.
            None => {
                let value = Columns::of(row.key.as_bytes()).count(pending.seq).end(&[]);
                self.view.set(Table::OutboxIds, row.key.as_bytes(), Some(value));
            }
        }
        let payload = row.payload.as_bytes();
        let columns = Columns::of(&place).key(&row.key).int(pending.not_before_ms).count(pending.revision.0);
        self.view.draft.head.sums.grow(Collection::Pending, payload.len() as u64);
        self.view.set(Table::Outbox, &place, Some(columns.end(payload)));
        Ok(())
    }

    pub(crate) fn drop_pending(&mut self, txn_id: &TxnId) -> Result<()> {
        let Some(place) = self.outbox_place(txn_id)? else { return Ok(()) };
        let old = self.view.get(Table::Outbox, &place)?.map_or(0, |old| old.len());
        self.view.draft.head.sums.shrink(Collection::Pending, old.saturating_sub(COLUMNS) as u64);
        self.view.set(Table::Outbox, &place, None);
        let key = self.codec.txn_key(txn_id);
        self.view.set(Table::OutboxIds, key.as_bytes(), None);
        Ok(())
    }
}

impl OutboxRows for EngineRows<'_> {
    fn pending(&mut self, txn_id: &TxnId) -> Result<Option<Pending>> {
        self.read_pending(txn_id)
    }

    fn all_pending(&mut self) -> Result<Vec<Pending>> {
        self.read_outbox()
    }

    fn next_seq(&mut self) -> Result<u64> {
        self.view.draft.head.last_seq += 1;
        Ok(self.view.draft.head.last_seq)
    }

    fn write_pending(&mut self, pending: &Pending) -> Result<()> {
        self.put_pending(pending)
    }

    fn delete_pending(&mut self, txn_id: &TxnId) -> Result<()> {
        self.drop_pending(txn_id)
    }
}
