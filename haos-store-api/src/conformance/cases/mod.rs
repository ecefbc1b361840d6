//! The cases, a module a theme. Their list is in `suite.rs`.

pub(crate) mod batch;
pub(crate) mod content;
pub(crate) mod cursors;
pub(crate) mod eviction;
pub(crate) mod feed;
pub(crate) mod gaps;
pub(crate) mod lifecycle;
pub(crate) mod media;
pub(crate) mod messages;
pub(crate) mod outbox;
pub(crate) mod preconditions;
pub(crate) mod pruning;
pub(crate) mod queries;
pub(crate) mod renumbering;
pub(crate) mod rooms;
pub(crate) mod snapshots;
pub(crate) mod state;
pub(crate) mod tampering;
pub(crate) mod timeline;
