//! The outbox rows that a store took over or handed on.
//!
//! Each has a note in the store's state, written with the row. Whoever restores once more learns from it that a row
//! which is not there was sent or cancelled.

use std::collections::{BTreeMap, HashMap};

use haos_store_api::{
    EventType, PendingState, Result, Scope, StateEntry, StateKey, StateQuery, StorageAdapter, TxnId,
    WriteBatch,
};
use serde::{Deserialize, Serialize};

use crate::kinds::{TAKEN, account};

/// The most notes of a store; the oldest go.
const MOST: usize = 10_000;

/// A note of one outbox row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Note {
    pub(crate) txn_id: TxnId,
    pub(crate) said: Said,
}

/// What a note says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Said {
    /// The number of the note.
    pub(crate) n: u64,
    /// The row was handed on to another store.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) gone: bool,
    /// The row is held back until the store that it comes from has let it go; then it returns to this state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) coming: Option<PendingState>,
}

impl Note {
    /// Reads a note; one that cannot be read says nothing.
    pub(crate) fn of(entry: &StateEntry) -> Option<Self> {
        let txn_id = TxnId::new(entry.key.as_str()).ok()?;
        Some(Self { txn_id, said: entry.value.parse().ok()? })
    }

    /// The entry that holds it.
    pub(crate) fn entry(&self) -> Result<StateEntry> {
        account(TAKEN, self.txn_id.as_str(), &self.said)
    }
}

/// The notes of a store.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    said: HashMap<TxnId, Said>,
    by_number: BTreeMap<u64, TxnId>,
}

impl Ledger {
    pub(crate) async fn read<S: StorageAdapter + ?Sized>(store: &S) -> Result<Self> {
        let entries = store.state(StateQuery::kind(Scope::Account, EventType::new(TAKEN)?)).await?;
        let mut ledger = Self::default();
        for note in entries.iter().filter_map(Note::of) {
            ledger.keep(note);
        }
        Ok(ledger)
    }

    pub(crate) fn get(&self, txn_id: &TxnId) -> Option<Said> {
        self.said.get(txn_id).copied()
    }

    pub(crate) fn notes(&self) -> Vec<Note> {
        let note = |txn_id: &TxnId| Some(Note { txn_id: txn_id.clone(), said: self.get(txn_id)? });
        self.by_number.values().filter_map(note).collect()
    }

    fn keep(&mut self, note: Note) {
        if let Some(before) = self.said.insert(note.txn_id.clone(), note.said) {
            self.by_number.remove(&before.n);
        }
        self.by_number.insert(note.said.n, note.txn_id);
    }

    /// Adds a note to a batch, under the next number. Of too many, the oldest go, but for rows that are on their way.
    pub(crate) fn put(&mut self, batch: &mut WriteBatch, txn_id: &TxnId, said: Said) -> Result<()> {
        let n = self.by_number.last_key_value().map_or(0, |(n, _)| n.saturating_add(1));
        let note = Note { txn_id: txn_id.clone(), said: Said { n, ..said } };
        batch.put_state(note.entry()?);
        self.keep(note);
        while self.said.len() > MOST {
            let is_settled =
                |(_, txn_id): &(&u64, &TxnId)| self.get(txn_id).is_some_and(|said| said.coming.is_none());
            let Some((n, oldest)) = self.by_number.iter().find(is_settled) else { return Ok(()) };
            let (n, oldest) = (*n, oldest.clone());
            batch.remove_state(Scope::Account, EventType::new(TAKEN)?, StateKey::new(oldest.as_str())?);
            self.by_number.remove(&n);
            self.said.remove(&oldest);
        }
        Ok(())
    }
}
