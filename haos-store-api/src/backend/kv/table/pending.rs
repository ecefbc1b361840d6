use crate::law::{OutboxRows, pending_matches};
#[cfg(all(feature = "native", not(target_arch = "wasm32")))]
use crate::native::StoredPending;
use crate::*;

use super::super::columns::{Columns, Cut};
use super::super::keys;
use super::super::reader::{Order, Reader};
use super::super::record::pending_columns;
use super::super::rows::Transaction;
#[cfg(all(feature = "native", not(target_arch = "wasm32")))]
use super::super::tree::Pair;
use super::super::tree::Tree;

/// Two keys, due time and revision stand before the payload.
const COLUMNS: usize = 16 + 16 + 8 + 8;

impl<T: Tree> Reader<'_, T> {
    pub(crate) fn pending_of(self, txn_id: &TxnId) -> Result<Option<Pending>> {
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
        let (txn, columns, payload) = pending_columns(seq, row)?;
        self.codec.pending(&txn, columns, payload)
    }

    /// Reads a row as it is, for the mirror of the outbox.
    #[cfg(all(feature = "native", not(target_arch = "wasm32")))]
    pub fn stored_pending(self, txn_id: &TxnId) -> Result<Option<StoredPending>> {
        let Some(seq) = self.pending_seq(txn_id)? else { return Ok(None) };
        self.get(&keys::pending(seq))?.map(|row| stored(seq, &row)).transpose()
    }

    /// Reads all rows as they are, if each can be read.
    #[cfg(all(feature = "native", not(target_arch = "wasm32")))]
    pub fn all_stored_pending(self) -> Result<Vec<StoredPending>> {
        let pairs = self.scan((keys::pending(0), keys::pending(u64::MAX)), Order::Up);
        let read = |(key, row): Pair<T::Bytes>| {
            let seq = self.read_seq(&key)?;
            self.read_pending(seq, &row).and_then(|_| stored(seq, &row))
        };
        pairs.map(|pair| pair.and_then(read)).collect()
    }

    pub(crate) fn read_seq(self, key: &[u8]) -> Result<u64> {
        keys::parse_seq(key).ok_or_else(|| self.corrupt("a key of the outbox is damaged"))
    }

    pub(crate) fn pending_rows(self, query: &PendingQuery) -> Result<Vec<Pending>> {
        let mut found = Vec::new();
        let Some(first) = query.after_seq.checked_add(1) else { return Ok(found) };
        if let Some(txn_id) = &query.txn_id {
            let row = self.pending_of(txn_id);
            let row = if query.skip_damaged { self.codec.keep(row)?.flatten() } else { row? };
            found.extend(row.filter(|row| pending_matches(query, row)));
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
            let row = self.indexed_pending(&pair?.0, query.room.as_ref());
            let row = if query.skip_damaged { self.codec.keep(row)? } else { Some(row?) };
            found.extend(row.filter(|row| pending_matches(query, row)));
        }
        Ok(found)
    }

    /// Reads the row that a key of the outbox, or of its index by room, names.
    fn indexed_pending(self, key: &[u8], room: Option<&RoomId>) -> Result<Pending> {
        match self.pending_at(self.read_seq(key)?)? {
            Some(row) if room.is_none_or(|room| row.room == *room) => Ok(row),
            Some(_) => Err(self.corrupt("an index of the outbox names another room's row")),
            None => Err(self.corrupt("an index of the outbox names a row that is not")),
        }
    }

    /// Tells whether both indexes find a row.
    pub(crate) fn is_indexed(self, row: &Pending) -> Result<bool> {
        let by_room = keys::pending_room(&self.codec.room_key(&row.room), row.seq);
        Ok(self.has(&by_room)? && self.pending_seq(&row.txn_id)? == Some(row.seq))
    }
}

#[cfg(all(feature = "native", not(target_arch = "wasm32")))]
fn stored(seq: u64, row: &[u8]) -> Result<StoredPending> {
    let (key, PendingColumns { not_before_ms, revision, .. }, payload) = pending_columns(seq, row)?;
    Ok(StoredPending { key, seq, not_before_ms, revision, payload: payload.to_vec() })
}

impl<T: Tree> Transaction<'_, T> {
    /// Inserts or replaces a row, under its own sequence number.
    pub(crate) fn put_pending(&mut self, pending: &Pending) -> Result<()> {
        let row = self.codec.pending_row(pending)?;
        let (seq, payload) = (pending.seq, row.payload.as_bytes());
        self.drop_pending_at(seq)?;
        let columns = Columns::default().key(&row.key).key(&row.room);
        let columns = columns.int(pending.not_before_ms).count(pending.revision.0);
        self.set(keys::pending(seq), columns.end(payload));
        self.set(keys::pending_txn(&row.key), Columns::default().count(seq).end(&[]));
        self.set(keys::pending_room(&row.room, seq), Vec::new());
        self.grow(Collection::Pending, payload.len());
        Ok(())
    }

    pub(crate) fn drop_pending(&mut self, txn_id: &TxnId) -> Result<()> {
        match self.reader().pending_seq(txn_id)? {
            Some(seq) => self.drop_pending_at(seq),
            None => Ok(()),
        }
    }

    fn drop_pending_at(&mut self, seq: u64) -> Result<()> {
        let key = keys::pending(seq);
        if let Some(old) = self.reader().get(&key)? {
            let mut cut = Cut(&old);
            let (txn, room) = (cut.key()?, cut.key()?);
            self.remove(keys::pending_txn(&txn));
            self.remove(keys::pending_room(&room, seq));
            self.shrink(Collection::Pending, old.len().saturating_sub(COLUMNS));
            self.remove(key);
        }
        Ok(())
    }
}

impl<T: Tree> OutboxRows for Transaction<'_, T> {
    fn pending(&mut self, txn_id: &TxnId) -> Result<Option<Pending>> {
        self.reader().pending_of(txn_id)
    }

    fn all_pending(&mut self) -> Result<Vec<Pending>> {
        self.reader().pending_rows(&PendingQuery::default())
    }

    fn next_seq(&mut self) -> Result<u64> {
        self.layer.head.last_seq += 1;
        Ok(self.layer.head.last_seq)
    }

    fn write_pending(&mut self, pending: &Pending) -> Result<()> {
        self.put_pending(pending)
    }

    fn delete_pending(&mut self, txn_id: &TxnId) -> Result<()> {
        self.drop_pending(txn_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kv::{Head, Layer, Map};
    use crate::{Codec, ErrorKind, EventType, Json};

    /// The row decays while the store is open: opening it would set the store aside.
    #[test]
    fn a_damaged_row_is_skipped_where_that_is_asked_for() {
        let (mut tree, codec) = (Map::new(), Codec::plain());
        let (room, kind) = (RoomId::new("!r").unwrap(), EventType::new("m.room.message").unwrap());
        let mut layer = Layer::new(Head::default());
        let mut rows = Transaction::new(&tree, &codec, &mut layer, crate::Revision(1));
        for seq in 1..=3 {
            let txn_id = TxnId::new(format!("t{seq}")).unwrap();
            let row = Pending::new(txn_id, room.clone(), kind.clone(), Json::empty(), 0);
            rows.write_pending(&Pending { seq, ..row }).unwrap();
        }
        tree.extend(layer.into_changes().filter_map(|(key, value)| Some((key.into(), value?))));
        let second = tree.get_mut(keys::pending(2).as_slice()).unwrap();
        let mut value = second.to_vec();
        *value.last_mut().unwrap() ^= 1;
        *second = value.into();

        let reader = Reader::new(&tree, &codec, "test");
        let none = PendingQuery::default;
        let asks: [(PendingQuery, &[u64]); 3] = [
            (none(), &[1, 3]),
            (PendingQuery { room: Some(room), ..none() }, &[1, 3]),
            (PendingQuery { txn_id: Some(TxnId::new("t2").unwrap()), ..none() }, &[]),
        ];
        for (nth, (query, expected)) in asks.into_iter().enumerate() {
            assert_eq!(reader.pending_rows(&query).unwrap_err().kind(), ErrorKind::Corrupt);
            let rows = reader.pending_rows(&PendingQuery { skip_damaged: true, ..query }).unwrap();
            assert_eq!(rows.iter().map(|row| row.seq).collect::<Vec<_>>(), expected);
            assert_eq!(codec.damaged(), nth as u64 + 1);
        }
    }
}
