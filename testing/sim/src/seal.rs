//! Encryption as far as the outbox can go wrong about it: whose turn it is in a session, who was told, which bytes go out.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use haos_store_api::*;
use serde::{Deserialize, Serialize};

use super::network::Network;
use super::server::ENCRYPTED;
use super::world::Chance;
use haos_queue::{Answer, Seal, SealFile, Sealed, Unready};

/// Under this kind, in the account's scope, the sessions are stored, under the ids of their rooms.
const SESSION: &str = "sim.session";

/// A place in a room's session. One message is encrypted there, and nothing else ever is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SessionPlace {
    /// The session.
    pub session: u64,
    /// The place, from 0.
    pub index: u64,
}

/// An event as it goes over the wire, for all to read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ciphertext {
    /// The place that it was encrypted at.
    pub place: SessionPlace,
    /// Its type.
    pub kind: EventType,
    /// Its content.
    pub content: String,
}

/// A context's encryption: as a real one does, it keeps its sessions in memory, so that it is late when another context
/// has moved on. The store's entry is its fence.
pub struct ModelSeal {
    store: Arc<dyn StorageAdapter>,
    chance: Mutex<Chance>,
    held: Mutex<BTreeMap<RoomId, SessionPlace>>,
}

impl ModelSeal {
    /// Encryption with sessions in a store; the seed names new ones.
    pub fn new(store: Arc<dyn StorageAdapter>, seed: u64) -> Self {
        Self { store, chance: Mutex::new(Chance::new(seed)), held: Mutex::default() }
    }

    fn held(&self) -> std::sync::MutexGuard<'_, BTreeMap<RoomId, SessionPlace>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The place that was taken last, from memory if it was read before; none if there is no session.
    async fn last(&self, kind: &EventType, room: &RoomId) -> Result<Option<SessionPlace>> {
        let held = self.held().get(room).copied();
        if held.is_some() {
            return Ok(held);
        }
        let key = StateKey::new(room.as_str())?;
        let stored = self.store.state_value(Scope::Account, kind, &key).await?;
        stored.map(|value| value.parse()).transpose()
    }

    /// Takes the next place of the room's session, and has it stored.
    async fn take(&self, room: &RoomId) -> Result<SessionPlace> {
        let (kind, key) = (EventType::new(SESSION)?, StateKey::new(room.as_str())?);
        let last = self.last(&kind, room).await?;
        let next = match last {
            Some(place) => SessionPlace { index: place.index + 1, ..place },
            None => {
                let session = self.chance.lock().unwrap_or_else(PoisonError::into_inner).bits();
                SessionPlace { session, index: 0 }
            }
        };
        let fence = last.map(|place| Json::of(&place)).transpose()?;
        let mut batch = WriteBatch::relaxed();
        batch.expect_state(Scope::Account, kind.clone(), key.clone(), fence);
        batch.put_state(StateEntry {
            scope: Scope::Account,
            kind,
            key,
            event_id: None,
            value: Json::of(&next)?,
        });
        // Whatever comes of it, what was known may be old.
        self.held().remove(room);
        self.store.apply(batch).await?;
        self.held().insert(room.clone(), next);
        Ok(next)
    }
}

#[async_trait]
impl Seal for ModelSeal {
    async fn prepare(&self, _room: &RoomId) -> Result<(), Unready> {
        Ok(())
    }

    async fn seal(&self, row: &Pending) -> Result<Sealed, Unready> {
        let place = self.take(&row.room).await?;
        let content = row.content.as_str().to_owned();
        let ciphertext = Ciphertext { place, kind: row.kind.clone(), content };
        Ok(Sealed { kind: EventType::new(ENCRYPTED)?, content: Json::of(&ciphertext)? })
    }
}

/// The encryption of a file, for all to read: each byte is turned over.
#[derive(Debug, Clone, Copy, Default)]
pub struct ModelFile;

impl SealFile for ModelFile {
    fn seal(&mut self, bytes: &mut [u8]) {
        bytes.iter_mut().for_each(|byte| *byte = !*byte);
    }

    fn finish(&mut self) -> Result<Json> {
        Json::new(r#"{"key":"none"}"#)
    }
}

/// [`ModelSeal`] in a simulated world: what it asks the server for may fail, and the laws are checked.
pub(super) struct SimSeal {
    network: Network,
    model: ModelSeal,
}

impl SimSeal {
    pub(super) fn new(network: Network, store: Arc<dyn StorageAdapter>) -> Self {
        let seed = network.state.with(|sim| sim.chance.bits());
        Self { network, model: ModelSeal::new(store, seed) }
    }
}

#[async_trait]
impl Seal for SimSeal {
    async fn prepare(&self, room: &RoomId) -> Result<(), Unready> {
        let state = &self.network.state;
        match self.network.tell(room).await {
            Answer::Done => {}
            failed => return Err(Unready::Answered(failed)),
        }
        match state.with(|sim| if sim.settled { u64::MAX } else { sim.chance.below(40) }) {
            0 => return Err(Unready::Paused("the user must look at a device".to_owned())),
            1 => return Err(Unready::Refused("nobody is left to encrypt for".to_owned())),
            _ => {}
        }
        state.with(|sim| sim.truth.tells(self.network.group, room));
        Ok(())
    }

    async fn seal(&self, row: &Pending) -> Result<Sealed, Unready> {
        self.network.state.with(|sim| sim.truth.seals(self.network.group, row));
        self.model.seal(row).await
    }
}
