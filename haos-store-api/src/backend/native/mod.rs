//! The common part of native stores, for their backends: the stages of a store's life, its threads, the queue of reads,
//! the group commit, options, keys, and the salvage from a damaged store.
//!
//! A backend implements [`Backend`] with its [`Readers`] and its [`Writer`]; [`Shell`] makes the adapter of it. The store
//! that users see is a type of the backend's own around that, with its documentation:
//! [`forward_store!`](crate::forward_store) hands the methods on, and [`Options`] bears a name of the backend's.

mod adapter;
mod apart;
mod backend;
mod convert;
mod desk;
mod error;
mod job;
mod keys;
mod mirror;
mod options;
mod queue;
mod rotate;
mod salvage;
mod shell;
mod snapshot;
#[cfg(test)]
mod tests;
mod works;

pub use crate::kv::corrupt;
pub use crate::kv::counters::newer;
pub use apart::Stop;
pub use backend::{Backend, Found, Opened, Reader, Readers};
pub use convert::{To, cut_off};
pub use error::{closed, ended, read_only, sealed, unknown_query};
pub use job::{Failed, Submission, Writer, Writing};
pub use keys::{KeyringPlace, Unlocked, unlock, with_keyring};
pub use mirror::{Mirror, OutboxImage, Plan, StoredPending, wipe};
pub use options::{OnDamage, Options, Profile};
pub use salvage::{LostRooms, Salvage, Weaver, gaps_where_some_were_lost};
pub use shell::Shell;
