//! The change feed between the windows and workers that have one store open.
//!
//! Each context tells its commits in its own hub and posts them on a `BroadcastChannel`: the revision and the ids of
//! touched items, never content. Only contexts of the same origin hear it, and they can open the database as well, so
//! ids reach nobody who could not read them; nothing of it reaches the disk, on which a sealed store hides them.
//!
//! A message is a hint, and any script of the origin can post one. A revision that is not the next one is believed once
//! the database confirms it. Commits that a context missed, because it was frozen, or a message came late or was
//! unreadable, it learns as a resync: read all shown data again.

mod message;
mod order;
#[cfg(target_arch = "wasm32")]
mod shared;

#[cfg(target_arch = "wasm32")]
pub(crate) use shared::{Feed, Stored};
