//! Backup, restore, move and export of any HAOS store.

mod copy;
mod handover;
mod kinds;
mod record;
mod restore;
mod walk;

pub use copy::{copy, move_store};
pub use handover::{MoveOptions, Moved, move_outbox};
pub use kinds::{RESTORING, TAKEN};
pub use record::Record;
pub use restore::{Counts, Outbox, Reason, Restore, RestoreOptions, Restored};
