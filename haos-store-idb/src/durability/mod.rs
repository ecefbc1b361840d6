//! The protection of a store that the browser may erase: persistent storage, the quota, and a canary beside IndexedDB
//! that tells of an erasure.

#[cfg(target_arch = "wasm32")]
mod canary;
mod id;
mod mark;
#[cfg(target_arch = "wasm32")]
mod persistence;
mod verdict;

#[cfg(target_arch = "wasm32")]
pub use self::persistence::Persistence;
#[cfg(target_arch = "wasm32")]
pub(crate) use self::{
    canary::{Canary, check, forget},
    id::StoreId,
    mark::Census,
    persistence::{ask_persistence, learn_persistence, persistence, quota},
    verdict::Verdict,
};
