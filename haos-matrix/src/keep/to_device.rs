use std::collections::{HashMap, HashSet};

use haos_store_api::{
    Json, Result, Scope, StateEntry, StateKey, StateQuery, StorageAdapter, StorageAdapterExt as _,
};
use tracing::warn;

use super::ToDeviceLimits;
use super::left_out::{TO_DEVICE, counted};
use crate::parse::{DEVICE_LIST, TO_DEVICE_KIND, known_key, known_kind};

/// The key that stands for all users.
const EVERYBODY: &str = "*";

/// The messages of one sender that wait.
#[derive(Debug, Clone, Copy, Default)]
struct Waiting {
    events: usize,
    bytes: usize,
}

/// The messages of everybody that wait.
#[derive(Debug, Default)]
struct Queue {
    senders: HashMap<String, Waiting>,
    bytes: usize,
}

impl Queue {
    /// Takes one more in, if it fits.
    fn takes(&mut self, value: &Json, limits: &ToDeviceLimits) -> bool {
        let bytes = value.as_str().len();
        let waiting = self.senders.entry(value.text("sender").unwrap_or_default()).or_default();
        let after = Waiting { events: waiting.events + 1, bytes: waiting.bytes.saturating_add(bytes) };
        let total = self.bytes.saturating_add(bytes);
        let fits =
            after.events <= limits.events && after.bytes <= limits.bytes && total <= limits.total_bytes;
        if fits {
            (*waiting, self.bytes) = (after, total);
        }
        fits
    }
}

/// Lets go what nobody reads, and of the rest what is too much.
pub(super) async fn admit(
    limits: Option<ToDeviceLimits>,
    store: &dyn StorageAdapter,
    account: &mut Vec<StateEntry>,
) -> Result<()> {
    let Some(limits) = limits else {
        account.retain(|entry| !matches!(entry.kind.as_str(), TO_DEVICE_KIND | DEVICE_LIST));
        return Ok(());
    };
    admit_events(limits, store, account).await?;
    admit_users(limits, store, account).await
}

async fn admit_events(
    limits: ToDeviceLimits,
    store: &dyn StorageAdapter,
    account: &mut Vec<StateEntry>,
) -> Result<()> {
    if !account.iter().any(|entry| entry.kind.as_str() == TO_DEVICE_KIND) {
        return Ok(());
    }
    let stored = store.state(StateQuery::kind(Scope::Account, known_kind(TO_DEVICE_KIND))).await?;
    let everything =
        ToDeviceLimits { events: usize::MAX, bytes: usize::MAX, total_bytes: usize::MAX, ..limits };
    let mut queue = Queue::default();
    for entry in &stored {
        queue.takes(&entry.value, &everything);
    }
    let known: HashSet<&StateKey> = stored.iter().map(|entry| &entry.key).collect();
    let before = account.len();
    account.retain(|entry| {
        entry.kind.as_str() != TO_DEVICE_KIND
            || known.contains(&entry.key)
            || queue.takes(&entry.value, &limits)
    });
    let left_out = before - account.len();
    if left_out > 0 {
        warn!(
            left_out,
            "too many events for this device wait to be read: more of their senders are left out"
        );
        account.push(counted(store, TO_DEVICE, left_out).await?);
    }
    Ok(())
}

/// Of users whose devices changed nobody may be forgotten: too many are everybody.
async fn admit_users(
    limits: ToDeviceLimits,
    store: &dyn StorageAdapter,
    account: &mut Vec<StateEntry>,
) -> Result<()> {
    let is_user = |entry: &StateEntry| entry.kind.as_str() == DEVICE_LIST;
    let new = account.iter().filter(|entry| is_user(entry)).count();
    if new == 0 {
        return Ok(());
    }
    let (kind, everybody) = (known_kind(DEVICE_LIST), known_key(EVERYBODY));
    let is_everybody = store.state_value(Scope::Account, &kind, &everybody).await?.is_some();
    let stored = store.state(StateQuery::kind(Scope::Account, kind.clone())).await?.len();
    if is_everybody || new.saturating_add(stored) > limits.users {
        account.retain(|entry| !is_user(entry));
        let value = Json::of(&serde_json::json!({ "changed": true }))?;
        account.push(StateEntry { scope: Scope::Account, kind, key: everybody, event_id: None, value });
    }
    Ok(())
}
