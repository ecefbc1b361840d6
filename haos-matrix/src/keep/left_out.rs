use haos_store_api::{Json, Result, Scope, StateEntry, StorageAdapter, StorageAdapterExt as _};

use super::unreadable::Ledger;
use crate::parse::{LEFT_OUT, UNREADABLE_KEY, known_key, known_kind};

/// The key for invites.
pub(super) const INVITES: &str = "invites";
/// The key for events for this device.
pub(super) const TO_DEVICE: &str = "to_device";

/// How much was left out since the store was made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeftOut {
    /// Things that could not be read, or were too large, and are not kept; repetitions are counted, too.
    pub unreadable: u64,
    /// Invites.
    pub invites: u64,
    /// Events for this device of senders who sent too many.
    pub to_device: u64,
}

impl LeftOut {
    /// All of it.
    pub fn total(&self) -> u64 {
        let Self { unreadable, invites, to_device } = self;
        unreadable.saturating_add(*invites).saturating_add(*to_device)
    }

    /// Reads the counts of a store.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn load(store: &dyn StorageAdapter) -> Result<Self> {
        let ledger = Ledger::load(store).await?;
        let (invites, to_device) = (count(store, INVITES).await?, count(store, TO_DEVICE).await?);
        Ok(Self { unreadable: ledger.left_out, invites, to_device })
    }
}

/// A count as it is stored.
async fn count(store: &dyn StorageAdapter, key: &'static str) -> Result<u64> {
    Ok(value(store, key).await?.and_then(|value| value.parse().ok()).unwrap_or_default())
}

/// The entry with a count that is higher by this number.
pub(super) async fn counted(
    store: &dyn StorageAdapter,
    key: &'static str,
    more: usize,
) -> Result<StateEntry> {
    let count = count(store, key).await?.saturating_add(more as u64);
    Ok(entry(key, Json::of(&count)?))
}

pub(super) async fn value(store: &dyn StorageAdapter, key: &'static str) -> Result<Option<Json>> {
    store.state_value(Scope::Account, &known_kind(LEFT_OUT), &known_key(key)).await
}

pub(super) fn entry(key: &'static str, value: Json) -> StateEntry {
    StateEntry {
        scope: Scope::Account,
        kind: known_kind(LEFT_OUT),
        key: known_key(key),
        event_id: None,
        value,
    }
}

/// Tells if an entry is an answer's count of itself.
pub(super) fn of_answer(entry: &StateEntry) -> bool {
    entry.kind.as_str() == LEFT_OUT && entry.key.as_str() == UNREADABLE_KEY
}
