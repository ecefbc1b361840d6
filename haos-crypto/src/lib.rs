//! Keys of encrypted rooms in any HAOS offline store.
//!
//! [`KeyStore`] is the store of an [`OlmMachine`](matrix_sdk_crypto::OlmMachine) over any
//! [`StorageAdapter`](haos_store_api::StorageAdapter): the device's identity, its ratchets, the keys of rooms, other
//! people's devices. They stand beside the messages, in the account's state, under kinds that begin with
//! [`KEYS`](haos_store_api::state_kind::KEYS).
//!
//! ```
//! use std::sync::Arc;
//!
//! use haos_crypto::KeyStore;
//! use haos_store_api::MemoryStore;
//! use matrix_sdk_common::ruma::{device_id, user_id};
//! use matrix_sdk_crypto::OlmMachine;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let (alice, phone) = (user_id!("@alice:example.org"), device_id!("PHONE"));
//! let store = Arc::new(MemoryStore::new());
//!
//! let keys = KeyStore::open(store.clone()).await?;
//! let machine = OlmMachine::with_store(alice, phone, keys, None).await?;
//! let identity = machine.identity_keys();
//!
//! // Later: the same device.
//! drop(machine);
//! let keys = KeyStore::open(store).await?;
//! let machine = OlmMachine::with_store(alice, phone, keys.clone(), None).await?;
//! assert_eq!(machine.identity_keys(), identity);
//! assert!(!keys.is_stale());
//! # Ok(()) }
//! ```
//!
//! # Two contexts
//!
//! Of two machines over one account only one writes: the other's next write fails with [`Error::Stale`] and stores
//! nothing, and a machine gives ciphertext out only when its step is stored. So no two messages are ever encrypted under
//! one index of a room's key, whatever leases say. See [`KeyStore::is_stale`].
//!
//! # Killed in the middle
//!
//! What a sync brought is stored as one write, or not at all, if the machine receives it within
//! [`KeyStore::together`].
//!
//! # Secrets
//!
//! In a plain store keys are as readable as its messages: seal it (`docs/encryption.md`). What this crate takes out of a
//! store itself it overwrites when it is done; the rows that the adapter holds in memory are not.
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test may panic"))]

mod changes;
mod error;
mod fence;
mod group;
mod lease;
mod machine;
mod place;
mod room_keys;
mod store;
mod value;

pub use error::Error;
pub use store::KeyStore;
