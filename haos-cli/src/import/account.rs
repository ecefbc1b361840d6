//! Whose store it is.

use haos_store_api::{
    EventType, Json, Scope, StateEntry, StateKey, StorageAdapter, StorageAdapterExt as _, UserId, WriteBatch,
    state_kind,
};

use crate::error::{Error, Result};

/// The own user: as given now, which is remembered, or as given before.
pub(super) async fn user(store: &dyn StorageAdapter, given: Option<&UserId>) -> Result<Option<UserId>> {
    let (kind, key) = (EventType::new(state_kind::OWN_USER)?, StateKey::new("")?);
    let stored = store.state_value(Scope::Account, &kind, &key).await?;
    let stored: Option<UserId> = stored.map(|value| value.parse()).transpose()?;
    match (given, stored) {
        (None, stored) => Ok(stored),
        (Some(given), Some(stored)) if *given != stored => Err(Error::Unhealthy(format!(
            "this is the store of {stored}: import for {given} into another one, with --store"
        ))),
        (Some(_), Some(stored)) => Ok(Some(stored)),
        (Some(given), None) => {
            let mut batch = WriteBatch::relaxed();
            let value = Json::of(given)?;
            batch.put_state(StateEntry { scope: Scope::Account, kind, key, event_id: None, value });
            store.apply(batch).await?;
            Ok(Some(given.clone()))
        }
    }
}
