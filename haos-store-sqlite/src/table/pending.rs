use haos_store_api::backend::law::{OutboxRows, pending_matches};
use haos_store_api::backend::native::StoredPending;
use haos_store_api::backend::*;
use haos_store_api::*;
use rusqlite::Row;

use crate::db::{Db, Flow, NEXT, STOP, signed};
use crate::rows::SqlRows;

impl Db<'_> {
    pub(crate) fn pending(self, txn_id: &TxnId) -> Result<Option<Pending>> {
        let sql = "SELECT seq, key, not_before_ms, revision, payload, room FROM pending WHERE key = ?1";
        let key = self.codec.txn_key(txn_id);
        match self.first(sql, [key.as_bytes()], |row| self.read_pending(row))? {
            Some(found) if found.txn_id != *txn_id => {
                Err(self.corrupt("an outbox row stands under another's key"))
            }
            found => Ok(found),
        }
    }

    /// Reads a row as it is, for the mirror of the outbox.
    pub(crate) fn stored_pending(self, txn_id: &TxnId) -> Result<Option<StoredPending>> {
        let sql = "SELECT seq, key, not_before_ms, revision, payload, room FROM pending WHERE key = ?1";
        self.first(sql, [self.codec.txn_key(txn_id).as_bytes()], |row| self.read_stored(row))
    }

    /// Reads all rows as they are, if each can be read.
    pub(crate) fn all_stored_pending(self) -> Result<Vec<StoredPending>> {
        let sql = "SELECT seq, key, not_before_ms, revision, payload, room FROM pending ORDER BY seq";
        self.all(sql, (), |row| self.read_pending(row).and_then(|_| self.read_stored(row)))
    }

    fn read_stored(self, row: &Row<'_>) -> Result<StoredPending> {
        Ok(StoredPending {
            key: self.key(row, 1)?,
            seq: self.count(row, 0)?,
            not_before_ms: self.int(row, 2)?,
            revision: self.revision(row, 3)?,
            payload: self.bytes(row, 4)?.to_vec(),
        })
    }

    /// Makes room for a row: damage may have moved its number or its key.
    pub(crate) fn clear_pending(self, row: &Pending) -> Result<()> {
        let key = self.codec.txn_key(&row.txn_id);
        self.run("DELETE FROM pending WHERE seq = ?1 OR key = ?2", (signed(row.seq), key.as_bytes()))
            .map(drop)
    }

    pub(crate) fn pending_rows(self, query: &PendingQuery) -> Result<Vec<Pending>> {
        let mut found = Vec::new();
        let mut take = |row: &Row<'_>| -> Result<Flow> {
            if found.len() >= query.limit {
                return Ok(STOP);
            }
            let pending = self.read_pending(row);
            let pending = if query.skip_damaged { self.codec.keep(pending)? } else { Some(pending?) };
            found.extend(pending.filter(|pending| pending_matches(query, pending)));
            Ok(NEXT)
        };
        let (after, due) = (signed(query.after_seq), query.due_ms.unwrap_or(i64::MAX));
        if let Some(txn_id) = &query.txn_id {
            let sql = "SELECT seq, key, not_before_ms, revision, payload, room FROM pending WHERE key = ?1";
            self.each(sql, [self.codec.txn_key(txn_id).as_bytes()], &mut take)?;
        } else if let Some(room) = &query.room {
            let sql = "SELECT seq, key, not_before_ms, revision, payload, room FROM pending
                       WHERE room = ?1 AND seq > ?2 AND not_before_ms <= ?3 ORDER BY seq";
            self.each(sql, (self.codec.room_key(room).short(), after, due), &mut take)?;
        } else {
            let sql = "SELECT seq, key, not_before_ms, revision, payload, room FROM pending
                       WHERE seq > ?1 AND not_before_ms <= ?2 ORDER BY seq";
            self.each(sql, (after, due), &mut take)?;
        }
        Ok(found)
    }

    pub(crate) fn read_pending(self, row: &Row<'_>) -> Result<Pending> {
        let columns = PendingColumns {
            seq: self.count(row, 0)?,
            room: Some(self.int(row, 5)?),
            not_before_ms: self.int(row, 2)?,
            revision: self.revision(row, 3)?,
        };
        self.codec.pending(&self.key(row, 1)?, columns, self.bytes(row, 4)?)
    }

    /// Inserts or replaces a row, under its own sequence number.
    pub(crate) fn write_pending(self, pending: &Pending) -> Result<()> {
        let row = self.codec.pending_row(pending)?;
        let sql = "INSERT INTO pending (seq, key, room, not_before_ms, revision, payload)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                   ON CONFLICT (seq) DO UPDATE SET not_before_ms = excluded.not_before_ms,
                   revision = excluded.revision, payload = excluded.payload";
        self.run(
            sql,
            (
                signed(pending.seq),
                row.key.as_bytes(),
                row.room.short(),
                pending.not_before_ms,
                signed(pending.revision.0),
                self.bind(&row.payload),
            ),
        )?;
        Ok(())
    }

    pub(crate) fn delete_pending(self, txn_id: &TxnId) -> Result<()> {
        self.run("DELETE FROM pending WHERE key = ?1", [self.codec.txn_key(txn_id).as_bytes()])?;
        Ok(())
    }
}

impl OutboxRows for SqlRows<'_> {
    fn pending(&mut self, txn_id: &TxnId) -> Result<Option<Pending>> {
        self.db.pending(txn_id)
    }

    fn all_pending(&mut self) -> Result<Vec<Pending>> {
        self.db.pending_rows(&PendingQuery::default())
    }

    fn next_seq(&mut self) -> Result<u64> {
        self.db.next_seq()
    }

    fn write_pending(&mut self, pending: &Pending) -> Result<()> {
        self.db.write_pending(pending)
    }

    fn delete_pending(&mut self, txn_id: &TxnId) -> Result<()> {
        self.db.delete_pending(txn_id)
    }
}
