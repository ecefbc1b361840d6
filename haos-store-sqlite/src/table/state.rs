use haos_store_api::backend::law::{StateRows, sort_state};
use haos_store_api::backend::*;
use haos_store_api::*;
use rusqlite::{Params, Row};

use crate::db::{Db, NEXT, STOP, signed};
use crate::rows::SqlRows;

/// Reads the columns of a row that begins with `nr, key, written, payload, scope, kind`.
pub(crate) fn state_columns(db: Db<'_>, row: &Row<'_>) -> Result<StateColumns> {
    let (scope, kind, key) = (db.key(row, 4)?, db.int(row, 5)?, db.key(row, 1)?);
    Ok(StateColumns { scope, kind, key, written: db.revision(row, 2)? })
}

impl Db<'_> {
    pub(crate) fn state(self, scope: &Scope, kind: &EventType, key: &StateKey) -> Result<Option<StateEntry>> {
        let codec = self.codec;
        let sql = "SELECT nr, key, written, payload, scope, kind FROM state WHERE scope = ?1 AND kind = ?2 AND key = ?3";
        let params =
            (codec.scope_key(scope), codec.kind_key(scope, kind).short(), codec.state_key(scope, kind, key));
        let params = (params.0.as_bytes(), params.1, params.2.as_bytes());
        match self.first(sql, params, |row| self.read_state(row))? {
            Some(found) if (&found.scope, &found.kind, &found.key) != (scope, kind, key) => {
                Err(self.corrupt("a state entry stands under another's key"))
            }
            found => Ok(found),
        }
    }

    pub(crate) fn state_entries(self, query: &StateQuery) -> Result<Vec<StateEntry>> {
        if let Some(kind) = query.paged()? {
            return self.state_page(kind, query);
        }
        let scope = self.codec.scope_key(&query.scope);
        let mut found = match (&query.kind, &query.key) {
            (Some(kind), Some(key)) => self.state(&query.scope, kind, key)?.into_iter().collect(),
            (Some(kind), None) => {
                let kind = self.codec.kind_key(&query.scope, kind).short();
                let sql =
                    "SELECT nr, key, written, payload, scope, kind FROM state WHERE scope = ?1 AND kind = ?2";
                self.states_by(sql, (scope.as_bytes(), kind), query)?
            }
            (None, _) => {
                let sql = "SELECT nr, key, written, payload, scope, kind FROM state WHERE scope = ?1";
                self.states_by(sql, [scope.as_bytes()], query)?
            }
        };
        found.retain(|entry: &StateEntry| query.key.as_ref().is_none_or(|key| entry.key == *key));
        sort_state(&mut found);
        Ok(found)
    }

    /// Reads the entries that a statement selects by the query's scope and kind.
    fn states_by(self, sql: &str, params: impl Params, query: &StateQuery) -> Result<Vec<StateEntry>> {
        let found = self.all(sql, params, |row| self.codec.keep(self.read_state_of(query, row)))?;
        Ok(found.into_iter().flatten().collect())
    }

    fn state_page(self, kind: &EventType, query: &StateQuery) -> Result<Vec<StateEntry>> {
        let (codec, mut found) = (self.codec, Vec::new());
        let sql = "SELECT nr, key, written, payload, scope, kind FROM state
                   WHERE scope = ?1 AND kind = ?2 AND key > ?3 ORDER BY key";
        let after = query.after.as_ref().map(|key| codec.state_key(&query.scope, kind, key));
        // Before every key.
        let after: &[u8] = after.as_ref().map_or(&[], |key| key.as_bytes());
        let params = (codec.scope_key(&query.scope), codec.kind_key(&query.scope, kind).short(), after);
        self.each(sql, (params.0.as_bytes(), params.1, params.2), |row| {
            if found.len() >= query.limit {
                return Ok(STOP);
            }
            found.extend(codec.keep(self.read_state_of(query, row))?);
            Ok(NEXT)
        })?;
        Ok(found)
    }

    /// Reads a row that the query's scope and kind selected.
    fn read_state_of(self, query: &StateQuery, row: &Row<'_>) -> Result<StateEntry> {
        match self.read_state(row)? {
            entry if entry.scope == query.scope && query.kind.as_ref().is_none_or(|k| entry.kind == *k) => {
                Ok(entry)
            }
            _ => Err(self.corrupt("a state entry stands under another scope or kind")),
        }
    }

    pub(crate) fn read_state(self, row: &Row<'_>) -> Result<StateEntry> {
        self.codec.state(state_columns(self, row)?, self.bytes(row, 3)?)
    }

    pub(crate) fn write_state(self, entry: &StateEntry, written: Revision) -> Result<()> {
        let row = self.codec.state_row(entry, written)?;
        let sql = "INSERT INTO state (scope, kind, key, written, payload) VALUES (?1, ?2, ?3, ?4, ?5)
                   ON CONFLICT (scope, kind, key)
                   DO UPDATE SET written = excluded.written, payload = excluded.payload";
        let (scope, kind, key) = (row.scope.as_bytes(), row.kind.short(), row.key.as_bytes());
        self.run(sql, (scope, kind, key, signed(written.0), self.bind(&row.payload)))?;
        Ok(())
    }

    pub(crate) fn delete_state(self, scope: &Scope, kind: &EventType, key: &StateKey) -> Result<bool> {
        let codec = self.codec;
        let sql = "DELETE FROM state WHERE scope = ?1 AND kind = ?2 AND key = ?3";
        let deleted = self.run(
            sql,
            (
                codec.scope_key(scope).as_bytes(),
                codec.kind_key(scope, kind).short(),
                codec.state_key(scope, kind, key).as_bytes(),
            ),
        )?;
        Ok(deleted > 0)
    }
}

impl StateRows for SqlRows<'_> {
    fn state(&mut self, scope: &Scope, kind: &EventType, key: &StateKey) -> Result<Option<StateEntry>> {
        Ok(self.db.codec.keep(self.db.state(scope, kind, key))?.flatten())
    }

    fn write_state(&mut self, entry: &StateEntry) -> Result<()> {
        self.db.write_state(entry, self.revision)
    }

    fn delete_state(&mut self, scope: &Scope, kind: &EventType, key: &StateKey) -> Result<bool> {
        self.db.delete_state(scope, kind, key)
    }
}
