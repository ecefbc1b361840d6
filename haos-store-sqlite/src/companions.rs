//! SQLite's files beside a database.

use std::path::Path;

use haos_store_api::Result;
use haos_store_api::backend::files::{Expected, beside, refuse_odd};

pub(crate) const COMPANIONS: [&str; 3] = ["-wal", "-shm", JOURNAL];
pub(crate) const JOURNAL: &str = "-journal";
/// The mirror of the outbox, which the shell of native stores keeps.
pub(crate) const MIRROR: &str = ".outbox";

/// Refuses a database with anything except files beside it.
pub(crate) fn check(path: &Path) -> Result<()> {
    COMPANIONS
        .iter()
        .chain(&[MIRROR])
        .try_for_each(|ending| refuse_odd("open", &beside(path, ending), Expected::File).map(drop))
}
