use haos_store_api::law::pending_matches;
use haos_store_api::{Collection, Pending, PendingQuery, Result, TxnId};

use sled::IVec;

use crate::db::{Db, Order};
use crate::keys;
use crate::record::{Columns, Cut};
use crate::rows::SledRows;

/// Two keys, due time and revision stand before the payload.
const COLUMNS: usize = 16 + 16 + 8 + 8;

impl Db<'_> {
    pub(crate) fn pending(self, txn_id: &TxnId) -> Result<Option<Pending>> {
        let Some(seq) = self.pending_seq(txn_id)? else { return Ok(None) };
        match self.pending_at(seq)? {
            Some(found) if found.txn_id == *txn_id => Ok(Some(found)),
            _ => Err(self.corrupt("an outbox row's index names another row")),
        }
    }

    pub(crate) fn pending_seq(self, txn_id: &TxnId) -> Result<Option<u64>> {
        let found = self.get(&keys::pending_txn(&self.codec.txn_key(txn_id)))?;
        found.map(|seq| Cut(&seq).count()).transpose()
    }

    pub(crate) fn pending_at(self, seq: u64) -> Result<Option<Pending>> {
        self.get(&keys::pending(seq))?.map(|row| self.read_pending(seq, &row)).transpose()
    }

    pub(crate) fn read_pending(self, seq: u64, row: &[u8]) -> Result<Pending> {
        let mut cut = Cut(row);
        let (txn, _, not_before_ms, revision) = (cut.key()?, cut.key()?, cut.int()?, cut.revision()?);
        self.codec.pending(&txn, seq, not_before_ms, revision, cut.0)
    }

    pub(crate) fn read_seq(self, key: &[u8]) -> Result<u64> {
        keys::parse_seq(key).ok_or_else(|| self.corrupt("a key of the outbox is damaged"))
    }

    pub(crate) fn pending_rows(self, query: &PendingQuery) -> Result<Vec<Pending>> {
        let mut found = Vec::new();
        let Some(first) = query.after_seq.checked_add(1) else { return Ok(found) };
        if let Some(txn_id) = &query.txn_id {
            found.extend(self.pending(txn_id)?.filter(|row| pending_matches(query, row)));
            found.truncate(query.limit);
            return Ok(found);
        }
        let span = match &query.room {
            Some(room) => {
                let room = self.codec.room_key(room);
                (keys::pending_room(&room, first), keys::pending_room(&room, u64::MAX))
            }
            None => (keys::pending(first), keys::pending(u64::MAX)),
        };
        for pair in self.scan(span, Order::Up) {
            if found.len() >= query.limit {
                break;
            }
            let seq = self.read_seq(&pair?.0)?;
            let row = self.pending_at(seq)?;
            let row = row.ok_or_else(|| self.corrupt("an index of the outbox names a row that is not"))?;
            if pending_matches(query, &row) {
                found.push(row);
            }
        }
        Ok(found)
    }
}

impl SledRows<'_> {
    /// Inserts or replaces a row, under its own sequence number.
    pub(crate) fn put_pending(&mut self, pending: &Pending) -> Result<()> {
        let row = self.codec.pending_row(pending)?;
        let (seq, payload) = (pending.seq, row.payload.as_bytes());
        self.drop_pending_at(seq)?;
        let columns = Columns::default().key(&row.key).key(&row.room);
        let columns = columns.int(pending.not_before_ms).count(pending.revision.0);
        self.set(keys::pending(seq), Some(columns.end(payload)));
        self.set(keys::pending_txn(&row.key), Some(Columns::default().count(seq).end(&[])));
        self.set(keys::pending_room(&row.room, seq), Some(IVec::default()));
        self.grow(Collection::Pending, payload.len());
        Ok(())
    }

    pub(crate) fn drop_pending(&mut self, txn_id: &TxnId) -> Result<()> {
        match self.db().pending_seq(txn_id)? {
            Some(seq) => self.drop_pending_at(seq),
            None => Ok(()),
        }
    }

    fn drop_pending_at(&mut self, seq: u64) -> Result<()> {
        let key = keys::pending(seq);
        if let Some(old) = self.db().get(&key)? {
            let mut cut = Cut(&old);
            let (txn, room) = (cut.key()?, cut.key()?);
            self.set(keys::pending_txn(&txn), None);
            self.set(keys::pending_room(&room, seq), None);
            self.shrink(Collection::Pending, old.len().saturating_sub(COLUMNS));
            self.set(key, None);
        }
        Ok(())
    }
}
