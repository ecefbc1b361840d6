use super::super::body::StateBody;
use super::super::frame::own_key;
use super::super::{Codec, Key, Payload, RowRef};
use crate::*;

/// A state entry.
#[derive(Debug, Clone)]
pub struct StateRow {
    /// Its scope's key.
    pub scope: Key,
    /// Its kind's key.
    pub kind: Key,
    /// Its key.
    pub key: Key,
    /// The other fields.
    pub payload: Payload,
}

/// The columns of a state entry that its payload is bound to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StateColumns {
    /// Its scope's key.
    pub scope: Key,
    /// Its kind's short key.
    pub kind: i64,
    /// Its key.
    pub key: Key,
    /// The commit that wrote the payload.
    pub written: Revision,
}

impl Codec {
    /// Makes the row of a state entry that the commit `written` writes.
    pub fn state_row(&self, entry: &StateEntry, written: Revision) -> Result<StateRow> {
        let key = self.state_key(&entry.scope, &entry.kind, &entry.key);
        let scope = self.scope_key(&entry.scope);
        let kind = self.kind_key(&entry.scope, &entry.kind);
        let body = StateBody {
            scope: entry.scope.clone(),
            kind: entry.kind.clone(),
            key: entry.key.clone(),
            value: entry.value.clone(),
            event_id: entry.event_id.clone(),
        };
        let columns = StateColumns { scope, kind: kind.short(), key, written };
        Ok(StateRow { scope, kind, key, payload: self.seal(&RowRef::State { columns }, &body)? })
    }

    /// Reads the state entry of a row.
    pub fn state(&self, columns: StateColumns, payload: &[u8]) -> Result<StateEntry> {
        let row = &RowRef::State { columns };
        let body: StateBody = self.open(row, payload)?;
        own_key(self, row, || self.state_key(&body.scope, &body.kind, &body.key))?;
        Ok(StateEntry {
            scope: body.scope,
            kind: body.kind,
            key: body.key,
            event_id: body.event_id,
            value: body.value,
        })
    }
}
