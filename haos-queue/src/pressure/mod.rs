//! Storage under pressure: how full a store is, what goes first when it is too full, and what is never
//! refused. Everything here is about what can be fetched again; what the user wrote goes only when
//! [`Clear::EverythingAndUnsent`] asks for it by name.
//!
//! [`Kept`] stands before a store, and is one: the outbox, the sync engine and the media cache write through it. It
//! starts no task: it looks at the store after a write, at most every ten minutes.
//!
//! The store's own counters of payload bytes are the truth. They leave out indexes, the log and free pages:
//! choose a quota well below what the device grants. A device that is full to the last byte is no substitute
//! for a quota: SQLite needs room in its log even to remove something, so that only the user can help then.

mod clear;
mod kept;
mod level;
mod policy;
mod relief;
mod watch;
mod weight;

pub use clear::{Clear, Cleared, clear};
pub use kept::Kept;
pub use level::Level;
pub use policy::PressureOptions;
pub use relief::PressureReport;
pub use watch::LevelWatch;
#[doc(hidden)]
pub use weight::Weight; // for stores of tests that are full by the same count
