//! The entities of a store.

mod media;
mod message;
mod pending;
mod room;
mod state;

pub use media::{Media, MediaInfo, MediaKey};
pub use message::{Gap, Message, Relation, RelationKind};
pub use pending::{Lease, ParkReason, Pending, PendingState};
pub use room::{Membership, Room, Unread};
pub use state::{Scope, StateEntry};

use serde::{Deserialize, Serialize};

/// The number of a commit: it grows by one with every batch that changes something.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Revision(pub u64);

impl Revision {
    /// Before the first commit.
    pub const ZERO: Self = Self(0);

    /// Returns the revision after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl std::fmt::Display for Revision {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}
