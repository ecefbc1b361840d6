use haos_store_api::backend::kv::{Columns, Cut, corrupt};
use haos_store_api::backend::law::StateRows;
use haos_store_api::backend::*;
use haos_store_api::*;

use super::super::kv::{Span, Table};
use super::super::rows::EngineRows;

/// Three keys and the revision stand before the payload.
const COLUMNS: usize = 48 + 8;

/// Makes the key of an entry.
pub(crate) fn state_place(codec: &Codec, scope: &Scope, kind: &EventType, key: &StateKey) -> Vec<u8> {
    let keys = [codec.scope_key(scope), codec.kind_key(scope, kind), codec.state_key(scope, kind, key)];
    keys.iter().flat_map(|key| *key.as_bytes()).collect()
}

/// Splits an entry's value into its columns and the payload.
pub(crate) fn state_columns(value: &[u8]) -> Result<(StateColumns, &[u8])> {
    let mut cut = Cut(value);
    let (scope, kind, key) = (cut.key()?, cut.key()?.short(), cut.key()?);
    Ok((StateColumns { scope, kind, key, written: cut.revision()? }, cut.0))
}

/// Reads the entry of a value.
pub(crate) fn read_state_row(codec: &Codec, value: &[u8]) -> Result<StateEntry> {
    let (columns, payload) = state_columns(value)?;
    codec.state(columns, payload)
}

impl EngineRows<'_> {
    pub(crate) fn read_state(
        &mut self,
        scope: &Scope,
        kind: &EventType,
        key: &StateKey,
    ) -> Result<Option<StateEntry>> {
        let place = state_place(self.codec, scope, kind, key);
        let Some(value) = self.view.get(Table::State, &place)? else { return Ok(None) };
        let found = read_state_row(self.codec, &value)?;
        if (&found.scope, &found.kind, &found.key) != (scope, kind, key) {
            return Err(corrupt("apply", "a state entry stands under another's key"));
        }
        Ok(Some(found))
    }

    pub(crate) fn put_state(&mut self, entry: &StateEntry) -> Result<()> {
        let row = self.codec.state_row(entry, self.revision)?;
        let place = state_place(self.codec, &entry.scope, &entry.kind, &entry.key);
        self.drop_state_at(&place)?;
        let payload = row.payload.as_bytes();
        let value = Columns::of(&place).count(self.revision.0).end(payload);
        self.view.draft.head.sums.grow(Collection::State, payload.len() as u64);
        self.view.set(Table::State, &place, Some(value));
        Ok(())
    }

    pub(crate) fn drop_state(&mut self, scope: &Scope, kind: &EventType, key: &StateKey) -> Result<bool> {
        let place = state_place(self.codec, scope, kind, key);
        self.drop_state_at(&place)
    }

    fn drop_state_at(&mut self, place: &[u8]) -> Result<bool> {
        let found = self.view.get(Table::State, place)?;
        if let Some(old) = &found {
            self.view.draft.head.sums.shrink(Collection::State, old.len().saturating_sub(COLUMNS) as u64);
            self.view.set(Table::State, place, None);
        }
        Ok(found.is_some())
    }

    pub(crate) fn drop_states(&mut self, scope: &Scope) -> Result<()> {
        let span = Span::prefix(self.codec.scope_key(scope).as_bytes());
        for (place, _) in self.view.scan(Table::State, span)? {
            self.drop_state_at(&place)?;
        }
        Ok(())
    }
}

impl StateRows for EngineRows<'_> {
    fn state(&mut self, scope: &Scope, kind: &EventType, key: &StateKey) -> Result<Option<StateEntry>> {
        let found = self.read_state(scope, kind, key);
        Ok(self.codec.keep(found)?.flatten())
    }

    fn write_state(&mut self, entry: &StateEntry) -> Result<()> {
        self.put_state(entry)
    }

    fn delete_state(&mut self, scope: &Scope, kind: &EventType, key: &StateKey) -> Result<bool> {
        self.drop_state(scope, kind, key)
    }
}
