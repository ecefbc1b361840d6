use haos_queue::unless_conflict;
use haos_store_api::{
    EventType, Json, Result, Scope, StateEntry, StateKey, StateQuery, StorageAdapter, WriteBatch,
};
use serde::{Deserialize, Serialize};

use super::{SESSION, Stored};

/// The key, beside the session, of the claim.
const KEY: &str = "refresh";

/// The right to refresh the tokens, of one context at a time: a server that is asked twice with one refresh
/// token takes back what it gave the first time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Claim {
    pub(crate) owner: String,
    /// Until when, in milliseconds since 1970.
    pub(crate) until_ms: i64,
}

impl Claim {
    /// Takes the right, if nobody else has it and the session is still as `stored`.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) async fn take(&self, store: &dyn StorageAdapter, stored: Stored, now_ms: i64) -> Result<bool> {
        let value = Self::value(store).await?;
        let holder: Option<Self> = value.as_ref().and_then(|value| value.parse().ok());
        // A claim that reaches further than a new one would was made under another clock.
        let holds = |claim: &Self| {
            claim.owner != self.owner && claim.until_ms > now_ms && claim.until_ms <= self.until_ms
        };
        if holder.as_ref().is_some_and(holds) {
            return Ok(false);
        }
        let mut batch = WriteBatch::strict();
        stored.expect(&mut batch)?;
        batch.expect_state(Scope::Account, EventType::new(SESSION)?, StateKey::new(KEY)?, value);
        batch.put_state(StateEntry {
            scope: Scope::Account,
            kind: EventType::new(SESSION)?,
            key: StateKey::new(KEY)?,
            event_id: None,
            value: Json::of(self)?,
        });
        Ok(unless_conflict(store.apply(batch).await)?.is_some())
    }

    /// Gives the right back with a batch, which fails if somebody else has it by now.
    pub(crate) fn end(&self, batch: &mut WriteBatch) -> Result<()> {
        let (kind, key) = (EventType::new(SESSION)?, StateKey::new(KEY)?);
        batch.expect_state(Scope::Account, kind.clone(), key.clone(), Some(Json::of(self)?));
        batch.remove_state(Scope::Account, kind, key);
        Ok(())
    }

    async fn value(store: &dyn StorageAdapter) -> Result<Option<Json>> {
        let query = StateQuery::one(Scope::Account, EventType::new(SESSION)?, StateKey::new(KEY)?);
        Ok(store.state(query).await?.into_iter().next().map(|entry| entry.value))
    }
}
