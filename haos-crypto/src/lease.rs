//! Leases, by which contexts take turns. They do not fence: see [`fence`](crate::fence).

use haos_store_api::{Scope, StateEntry, WriteBatch};
use matrix_sdk_common::cross_process_lock::{
    CrossProcessLockGeneration, FIRST_CROSS_PROCESS_LOCK_GENERATION,
};
use matrix_sdk_common::ruma::MilliSecondsSinceUnixEpoch;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::place;
use crate::store::KeyStore;
use crate::value::{decode, encode};

#[derive(Serialize, Deserialize)]
struct Lease {
    holder: String,
    until_ms: u64,
    generation: CrossProcessLockGeneration,
}

impl KeyStore {
    /// Takes or prolongs a lease, by the wall clock, which contexts share. Returns its generation, a new one for each new
    /// holder; `None` while somebody else has it.
    pub(crate) async fn take_lease(
        &self,
        lease_ms: u32,
        name: &str,
        holder: &str,
    ) -> Result<Option<CrossProcessLockGeneration>> {
        let place = place::lease(name)?;
        loop {
            let stored = self.adapter()?.state(place.query()).await?.pop().map(|entry| entry.value);
            let lease: Option<Lease> = stored.as_ref().map(|stored| decode("a lease", stored)).transpose()?;
            let now = u64::from(MilliSecondsSinceUnixEpoch::now().get());
            let generation = match lease {
                None => FIRST_CROSS_PROCESS_LOCK_GENERATION,
                Some(lease) if lease.holder == holder => lease.generation,
                Some(lease) if lease.until_ms < now => lease.generation + 1,
                Some(_) => return Ok(None),
            };
            let until_ms = now.saturating_add(lease_ms.into());
            let value = encode(&Lease { holder: holder.to_owned(), until_ms, generation })?;
            let (kind, key) = (place.kind.clone(), place.key.clone());
            let mut batch = WriteBatch::relaxed();
            batch.expect_state(Scope::Account, kind.clone(), key.clone(), stored);
            batch.put_state(StateEntry { scope: Scope::Account, kind, key, event_id: None, value });
            match self.adapter()?.apply(batch).await.map_err(Error::from) {
                Ok(_) => return Ok(Some(generation)),
                // Somebody else was faster: look again.
                Err(error) if error.is_conflict() => {}
                Err(error) => return Err(error),
            }
        }
    }
}
