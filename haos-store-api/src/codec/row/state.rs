use super::super::body::StateBody;
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
    /// The rest.
    pub payload: Payload,
}

impl Codec {
    /// The row of a state entry that the commit `written` writes.
    pub fn state_row(&self, entry: &StateEntry, written: Revision) -> Result<StateRow> {
        let key = self.state_key(&entry.scope, &entry.kind, &entry.key);
        let body = StateBody {
            scope: entry.scope.clone(),
            kind: entry.kind.clone(),
            key: entry.key.clone(),
            value: entry.value.clone(),
            event_id: entry.event_id.clone(),
        };
        Ok(StateRow {
            scope: self.scope_key(&entry.scope),
            kind: self.kind_key(&entry.scope, &entry.kind),
            key,
            payload: self.seal(&RowRef::State { key: &key, written }, &body)?,
        })
    }

    /// The state entry of a row.
    pub fn state(&self, key: &Key, written: Revision, payload: &[u8]) -> Result<StateEntry> {
        let body: StateBody = self.open(&RowRef::State { key, written }, payload)?;
        Ok(StateEntry {
            scope: body.scope,
            kind: body.kind,
            key: body.key,
            event_id: body.event_id,
            value: body.value,
        })
    }
}
