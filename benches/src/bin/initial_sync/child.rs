//! The reports of the contenders' processes, a line of JSON each.

use serde::{Deserialize, Serialize};

/// An initial sync into a store.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Synced {
    /// From before the store is opened until all is in it.
    pub(crate) seconds: f64,
    /// From then until the client can be used.
    pub(crate) usable_seconds: f64,
    /// Events that the client has at hand, in memory or on request.
    pub(crate) events: u64,
    /// Events that the store keeps.
    pub(crate) stored: u64,
    /// The most that was resident in memory, in bytes.
    pub(crate) peak_bytes: u64,
    /// Resident bytes before anything was done: the runtime, its modules.
    pub(crate) before_bytes: u64,
}

/// A start from the store.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Started {
    /// From before the store is opened until rooms and page are at hand.
    pub(crate) seconds: f64,
    /// Rooms in the list.
    pub(crate) rooms: u64,
    /// The newest of them.
    pub(crate) room: String,
    /// Messages of its first page.
    pub(crate) messages: u64,
    /// The most that was resident in memory, in bytes.
    pub(crate) peak_bytes: u64,
    /// Resident bytes before the store was opened.
    pub(crate) before_bytes: u64,
}
