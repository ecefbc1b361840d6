//! The command line of what reads a store.

use clap::Args;
use haos_store_api::{Cursor, EventId};

#[derive(Debug, Args)]
pub(crate) struct RoomsArgs {
    /// Only the rooms of this space: its id, or the unique start of its name
    #[arg(long, value_name = "ROOM")]
    pub(crate) space: Option<String>,
    /// How many at most
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<usize>,
}

#[derive(Debug, Args)]
pub(crate) struct TimelineArgs {
    /// The room: its id, its name, or the unique start of either
    pub(crate) room: String,
    /// How many messages and gaps to read; those that show at another message count too
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = page_size)]
    pub(crate) limit: usize,
    #[command(flatten)]
    pub(crate) place: Place,
}

/// The place to read at. Without any of these: the newest messages.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub(crate) struct Place {
    /// Read what is older than a cursor that was printed before
    #[arg(long, value_name = "CURSOR")]
    pub(crate) before: Option<Cursor>,
    /// Read what is newer than a cursor that was printed before
    #[arg(long, value_name = "CURSOR")]
    pub(crate) after: Option<Cursor>,
    /// Read what is around a message
    #[arg(long, value_name = "EVENT")]
    pub(crate) around: Option<EventId>,
    /// Read from the beginning of what is stored
    #[arg(long)]
    pub(crate) oldest: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// The room: its id, its name, or the unique start of either
    pub(crate) room: String,
    /// The message
    pub(crate) event: Option<EventId>,
}

#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// Read every row and check it
    #[arg(long)]
    pub(crate) check: bool,
    /// If anything of the store is damaged, set it aside and carry what can be read of the outbox into a fresh one
    #[arg(long)]
    pub(crate) recover: bool,
}

fn page_size(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(n @ 1..=100_000) => Ok(n),
        _ => Err("write a number from 1 to 100000".to_owned()),
    }
}
