use crate::law::{StateRows, sort_state};
use crate::*;

use super::super::columns::{Columns, Cut};
use super::super::keys;
use super::super::reader::{Order, Reader};
use super::super::rows::Transaction;
use super::super::tree::Tree;

/// The revision stands before the payload.
const COLUMNS: usize = 8;

impl<T: Tree> Reader<'_, T> {
    pub(crate) fn state_entry(
        self,
        scope: &Scope,
        kind: &EventType,
        key: &StateKey,
    ) -> Result<Option<StateEntry>> {
        let place = self.state_place(scope, kind, key);
        let Some(row) = self.get(&place)? else { return Ok(None) };
        let found = self.read_state(&place, &row)?;
        if (&found.scope, &found.kind, &found.key) != (scope, kind, key) {
            return Err(self.corrupt("a state entry stands under another's key"));
        }
        Ok(Some(found))
    }

    fn state_place(self, scope: &Scope, kind: &EventType, key: &StateKey) -> Vec<u8> {
        let codec = self.codec;
        keys::state(&codec.scope_key(scope), &codec.kind_key(scope, kind), &codec.state_key(scope, kind, key))
    }

    pub(crate) fn read_state(self, key: &[u8], row: &[u8]) -> Result<StateEntry> {
        let (columns, payload) = self.state_columns(key, row)?;
        self.codec.state(columns, payload)
    }

    /// Splits a row of state into its columns and the rest.
    pub(crate) fn state_columns<'v>(self, key: &[u8], row: &'v [u8]) -> Result<(StateColumns, &'v [u8])> {
        let keys = keys::parse_state(key).ok_or_else(|| self.corrupt("a key of state is damaged"))?;
        let (scope, kind, key) = keys;
        let mut cut = Cut(row);
        let columns = StateColumns { scope, kind: kind.short(), key, written: cut.revision()? };
        Ok((columns, cut.0))
    }

    pub(crate) fn state_entries(self, query: &StateQuery) -> Result<Vec<StateEntry>> {
        if let Some(kind) = query.paged()? {
            return self.state_page(kind, query);
        }
        if let (Some(kind), Some(key)) = (&query.kind, &query.key) {
            return Ok(self.state_entry(&query.scope, kind, key)?.into_iter().collect());
        }
        let kind = query.kind.as_ref().map(|kind| self.codec.kind_key(&query.scope, kind));
        let span = keys::states(&self.codec.scope_key(&query.scope), kind.as_ref());
        let mut found = Vec::new();
        for pair in self.scan(span, Order::Up) {
            let (key, row) = pair?;
            found.extend(self.codec.keep(self.read_state(&key, &row))?);
        }
        found.retain(|entry| query.key.as_ref().is_none_or(|key| entry.key == *key));
        sort_state(&mut found);
        Ok(found)
    }

    fn state_page(self, kind: &EventType, query: &StateQuery) -> Result<Vec<StateEntry>> {
        let (scope, mut found) = (&query.scope, Vec::new());
        let (low, high) = keys::states(&self.codec.scope_key(scope), Some(&self.codec.kind_key(scope, kind)));
        // No key goes on after its 48 bytes: the place with one more is the next.
        let after = query.after.as_ref().map(|key| [self.state_place(scope, kind, key), vec![0]].concat());
        let mut pairs = self.scan((after.unwrap_or(low), high), Order::Up);
        while found.len() < query.limit
            && let Some(pair) = pairs.next()
        {
            let (key, row) = pair?;
            found.extend(self.codec.keep(self.read_state(&key, &row))?);
        }
        Ok(found)
    }

    pub(crate) fn count_state_entries(self, scope: &Scope, kind: &EventType) -> Result<u64> {
        let span = keys::states(&self.codec.scope_key(scope), Some(&self.codec.kind_key(scope, kind)));
        self.scan(span, Order::Up).try_fold(0, |count, pair| pair.map(|_| count + 1))
    }
}

impl<T: Tree> Transaction<'_, T> {
    pub(crate) fn put_state(&mut self, entry: &StateEntry) -> Result<()> {
        let row = self.codec.state_row(entry, self.revision)?;
        let payload = row.payload.as_bytes();
        let key = keys::state(&row.scope, &row.kind, &row.key);
        self.drop_state_at(key.clone())?;
        self.set(key, Columns::default().count(self.revision.0).end(payload));
        self.grow(Collection::State, payload.len());
        Ok(())
    }

    pub(crate) fn drop_state(&mut self, scope: &Scope, kind: &EventType, key: &StateKey) -> Result<bool> {
        self.drop_state_at(self.reader().state_place(scope, kind, key))
    }

    /// Removes everything in a scope.
    pub(crate) fn drop_states(&mut self, scope: &Scope) -> Result<()> {
        let span = keys::states(&self.codec.scope_key(scope), None);
        let places: Vec<_> = self.reader().scan(span, Order::Up).collect::<Result<_>>()?;
        places.into_iter().try_for_each(|(key, _)| self.drop_state_at(key.to_vec()).map(drop))
    }

    fn drop_state_at(&mut self, key: Vec<u8>) -> Result<bool> {
        let Some(old) = self.reader().get(&key)? else { return Ok(false) };
        self.shrink(Collection::State, old.len().saturating_sub(COLUMNS));
        self.remove(key);
        Ok(true)
    }
}

impl<T: Tree> StateRows for Transaction<'_, T> {
    fn state(&mut self, scope: &Scope, kind: &EventType, key: &StateKey) -> Result<Option<StateEntry>> {
        Ok(self.codec.keep(self.reader().state_entry(scope, kind, key))?.flatten())
    }

    fn write_state(&mut self, entry: &StateEntry) -> Result<()> {
        self.put_state(entry)
    }

    fn delete_state(&mut self, scope: &Scope, kind: &EventType, key: &StateKey) -> Result<bool> {
        self.drop_state(scope, kind, key)
    }
}
