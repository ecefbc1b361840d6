use std::collections::{HashSet, VecDeque};

use haos_store_api::{Json, Result, Scope, StateEntry, StateKey, StorageAdapter, WriteBatch, state_kind};
use serde::{Deserialize, Serialize};

use super::KeepLimits;
use super::left_out::{entry, of_answer, value};
use crate::parse::{UNREADABLE_KEY, known_kind};

/// The kept part of what could not be read, in the order in which it came.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Ledger {
    pub(super) left_out: u64,
    kept: VecDeque<Kept>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    scope: Scope,
    key: StateKey,
    bytes: usize,
}

impl Ledger {
    pub(super) async fn load(store: &dyn StorageAdapter) -> Result<Self> {
        let value = value(store, UNREADABLE_KEY).await?;
        Ok(value.and_then(|value| value.parse().ok()).unwrap_or_default())
    }

    /// Takes an entry in, unless it is known.
    fn keep(&mut self, entry: &StateEntry) {
        let is_known = self.kept.iter().any(|kept| kept.key == entry.key && kept.scope == entry.scope);
        if is_known {
            self.left_out += 1;
            return;
        }
        let (scope, key) = (entry.scope.clone(), entry.key.clone());
        self.kept.push_back(Kept { scope, key, bytes: entry.value.as_str().len() });
    }

    /// Gives up the oldest until the rest fits.
    fn trim(&mut self, limits: &KeepLimits) -> Vec<Kept> {
        let mut bytes: usize = self.kept.iter().map(|kept| kept.bytes).sum();
        let mut gone = Vec::new();
        while self.kept.len() > limits.unreadable || bytes > limits.unreadable_bytes {
            let Some(oldest) = self.kept.pop_front() else { break };
            bytes -= oldest.bytes;
            self.left_out += 1;
            gone.push(oldest);
        }
        gone
    }
}

/// Takes what is one too many out of an answer's lists, and lets `batch` remove what the store gives up for the
/// rest; the ledger after that, if the answer has anything to do with it.
pub(super) async fn admit(
    limits: &KeepLimits,
    store: &dyn StorageAdapter,
    lists: Vec<&mut Vec<StateEntry>>,
    batch: &mut WriteBatch,
) -> Result<Option<StateEntry>> {
    let concerns = |entry: &StateEntry| entry.kind.as_str() == state_kind::UNREADABLE || of_answer(entry);
    if !lists.iter().any(|list| list.iter().any(concerns)) {
        return Ok(None);
    }
    let mut ledger = Ledger::load(store).await?;
    for entry in lists.iter().flat_map(|list| list.iter()) {
        if of_answer(entry) {
            let of_answer: u64 = entry.value.parse().unwrap_or_default();
            ledger.left_out = ledger.left_out.saturating_add(of_answer);
        } else if entry.kind.as_str() == state_kind::UNREADABLE {
            ledger.keep(entry);
        }
    }
    let gone = ledger.trim(limits);
    let lost: HashSet<_> = gone.iter().map(|kept| (&kept.scope, &kept.key)).collect();
    for list in lists {
        list.retain(|entry| {
            let is_lost =
                entry.kind.as_str() == state_kind::UNREADABLE && lost.contains(&(&entry.scope, &entry.key));
            !is_lost && !of_answer(entry)
        });
    }
    for Kept { scope, key, .. } in gone {
        batch.remove_state(scope, known_kind(state_kind::UNREADABLE), key);
    }
    Ok(Some(entry(UNREADABLE_KEY, Json::of(&ledger)?)))
}

#[cfg(test)]
mod tests {
    use haos_store_api::RoomId;

    use super::*;
    use crate::parse::known_key;

    fn entry(room: &str, key: &str, bytes: usize) -> StateEntry {
        let scope = Scope::Room(RoomId::new(room).unwrap());
        let value = Json::new(format!("\"{}\"", "x".repeat(bytes - 2))).unwrap();
        StateEntry {
            scope,
            kind: known_kind(state_kind::UNREADABLE),
            key: known_key(key),
            event_id: None,
            value,
        }
    }

    #[test]
    fn the_oldest_go_first_by_number_and_by_bytes() {
        let limits = KeepLimits { unreadable: 3, unreadable_bytes: 100, ..KeepLimits::default() };
        let mut ledger = Ledger::default();
        for key in ["a", "b", "c", "d"] {
            ledger.keep(&entry("!r", key, 10));
        }
        ledger.keep(&entry("!r", "d", 10));
        let gone: Vec<_> = ledger.trim(&limits).into_iter().map(|kept| kept.key.to_string()).collect();
        assert_eq!((gone, ledger.left_out), (vec!["a".to_owned()], 2), "one gone, one repeated");
        ledger.keep(&entry("!other", "d", 85));
        let gone: Vec<_> = ledger.trim(&limits).into_iter().map(|kept| kept.key.to_string()).collect();
        assert_eq!(gone, ["b", "c"]);
        assert_eq!(ledger.trim(&limits), []);
    }
}
