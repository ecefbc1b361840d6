use haos_store_api::law::sort_state;
use haos_store_api::{EventType, Result, Revision, Scope, StateEntry, StateKey, StateQuery};
use rusqlite::{Params, Row};

use crate::db::{Db, signed};

impl Db<'_> {
    pub(crate) fn state(self, scope: &Scope, kind: &EventType, key: &StateKey) -> Result<Option<StateEntry>> {
        let codec = self.codec;
        let sql = "SELECT nr, key, written, payload FROM state WHERE scope = ?1 AND kind = ?2 AND key = ?3";
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

    pub(crate) fn states(self, query: &StateQuery) -> Result<Vec<StateEntry>> {
        let scope = self.codec.scope_key(&query.scope);
        let mut found = match (&query.kind, &query.key) {
            (Some(kind), Some(key)) => self.state(&query.scope, kind, key)?.into_iter().collect(),
            (Some(kind), None) => {
                let kind = self.codec.kind_key(&query.scope, kind).short();
                let sql = "SELECT nr, key, written, payload FROM state WHERE scope = ?1 AND kind = ?2";
                self.states_by(sql, (scope.as_bytes(), kind))?
            }
            (None, _) => {
                let sql = "SELECT nr, key, written, payload FROM state WHERE scope = ?1";
                self.states_by(sql, [scope.as_bytes()])?
            }
        };
        // A short key may stand for another kind as well.
        found.retain(|entry: &StateEntry| {
            query.kind.as_ref().is_none_or(|kind| entry.kind == *kind)
                && query.key.as_ref().is_none_or(|key| entry.key == *key)
        });
        sort_state(&mut found);
        Ok(found)
    }

    fn states_by(self, sql: &str, params: impl Params) -> Result<Vec<StateEntry>> {
        let found = self.all(sql, params, |row| self.codec.keep(self.read_state(row)))?;
        Ok(found.into_iter().flatten().collect())
    }

    pub(crate) fn read_state(self, row: &Row<'_>) -> Result<StateEntry> {
        self.codec.state(&self.key(row, 1)?, self.revision(row, 2)?, self.bytes(row, 3)?)
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

    pub(crate) fn delete_state(self, scope: &Scope, kind: &EventType, key: &StateKey) -> Result<()> {
        let codec = self.codec;
        let sql = "DELETE FROM state WHERE scope = ?1 AND kind = ?2 AND key = ?3";
        self.run(
            sql,
            (
                codec.scope_key(scope).as_bytes(),
                codec.kind_key(scope, kind).short(),
                codec.state_key(scope, kind, key).as_bytes(),
            ),
        )?;
        Ok(())
    }
}
