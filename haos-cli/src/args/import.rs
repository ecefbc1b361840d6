//! The command line of `haos import`.

use std::path::PathBuf;

use clap::Args;
use haos_matrix::AnswerLimits;
use haos_store_api::{RoomId, UserId};

use super::size;

const IMPORT: &str = "Fill the store from files of /sync and /messages responses.

A file holds one response (.json), or one a line (anything else, such as .jsonl); either may be \
compressed with zstd. What a response is, its content says:

  {\"next_batch\": …}                     a /sync response
  {\"since\": …, \"response\": {…}}         a /sync response, and the token it was asked with
  {\"room_id\", \"from\", \"response\": {…}}  a /messages response (dir=b): older events for a gap
  {\"chunk\": …, \"start\": …}              the same, bare: name its room with --room

Every response is one commit: an import that ends in the middle, whatever the reason, leaves whole \
responses, and the same command goes on where it ended. Importing anything twice changes nothing.";

#[derive(Debug, Args)]
#[command(long_about = IMPORT)]
pub(crate) struct ImportArgs {
    /// The files, in the order in which the server gave them
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// The own user id; remembered in the store
    #[arg(long, value_name = "@USER:SERVER")]
    pub(crate) user: Option<UserId>,
    /// The room of bare /messages responses
    #[arg(long, value_name = "ID")]
    pub(crate) room: Option<RoomId>,
    /// Apply every response, also those that were applied before
    #[arg(long)]
    pub(crate) again: bool,
    /// Fail at the end if pages were left out because the store has no gap for them
    #[arg(long)]
    pub(crate) strict: bool,
    /// Neither a progress bar nor, with --json, a line for every response
    #[arg(long, short)]
    pub(crate) quiet: bool,
    /// The longest line to read, after decompression
    #[arg(long, value_name = "SIZE", default_value = "64MiB", value_parser = size::bytes)]
    pub(crate) max_line: u64,
    /// The most of a file to read, after decompression [default: 256MiB of a .json file, 64GiB of lines]
    #[arg(long, value_name = "SIZE", value_parser = size::bytes)]
    pub(crate) max_file: Option<u64>,
    /// The most rooms, events, receipts and the like that one response may have
    #[arg(long, value_name = "N", default_value_t = AnswerLimits::default().entries)]
    pub(crate) max_entries: usize,
}
