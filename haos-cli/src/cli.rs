//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use haos_matrix::AnswerLimits;
use haos_store_api::{Cursor, EventId, RoomId, UserId};

use crate::chat::{
    BackfillArgs, EditArgs, JoinArgs, LoginArgs, LogoutArgs, MediaArgs, OutboxArgs, ReactArgs, ReadArgs,
    RedactArgs, ReplyArgs, RoomArgs, SendArgs, SendFileArgs, SyncArgs,
};
use crate::keys::{KeyArgs, REKEY, RekeyArgs, SEAL, SealArgs, ShredArgs, StoreArg, UnsealArgs};
use crate::text::parse_size;

const ABOUT: &str = "Chat through an offline store: read, write and sync it.";
const LONG_ABOUT: &str = "Chat through an offline store: read, write and sync it.

A store keeps the rooms, messages and state of one account, so that they can be read without a network, \
and what is written until it can be sent. `haos login` and `haos sync` fill it from a Matrix homeserver, \
`haos import` from saved answers of one.";
const EXIT_CODES: &str = "Exit codes:
  0  done
  1  failed, for a reason that is none of the following
  2  wrong use of the command line
  3  bad input: a file, line, room, event or cursor that is not what it should be; not logged in; refused
     by the homeserver
  4  a problem with the store: damaged, sealed under another key, written by a newer version,
     not a store, not writable
  5  the store is busy, the disk is full or the homeserver is not reached: try again later

Errors go to stderr and say what to do next. What a command prints for programs (--json) goes to stdout.";

/// Chat through an offline store.
#[derive(Debug, Parser)]
#[command(name = "haos", version, about = ABOUT, long_about = LONG_ABOUT, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    /// The store: `sqlite:PATH`, `sled:PATH`, or `memory:` for one that is gone when the command ends
    #[arg(long, global = true, env = "HAOS_STORE", default_value = "sqlite:haos.db", value_name = "URL")]
    pub(crate) store: String,
    /// Print JSON: one document, or one a line for `import` and `sync`
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) keys: KeyArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Fill the store from files of /sync and /messages responses
    Import(ImportArgs),
    /// List the rooms, latest activity first
    Rooms(RoomsArgs),
    /// Read a room: messages with their edits and reactions, and the gaps between them
    Timeline(TimelineArgs),
    /// Show everything about a room or a message
    Show(ShowArgs),
    /// Log in to a Matrix homeserver
    Login(LoginArgs),
    /// End the session; rooms, messages and the outbox stay
    Logout(LogoutArgs),
    /// Send what waits and show what comes, until Ctrl-C
    Sync(SyncArgs),
    /// Write a text into a room; `-` reads it from the input
    Send(SendArgs),
    /// Answer a message
    Reply(ReplyArgs),
    /// Give a message of your own another text
    Edit(EditArgs),
    /// React to a message
    React(ReactArgs),
    /// Take a message back
    Redact(RedactArgs),
    /// Send a file
    SendFile(SendFileArgs),
    /// List what was written and is not confirmed by the homeserver; retry or cancel it
    Outbox(OutboxArgs),
    /// Mark a room as read
    Read(ReadArgs),
    /// Fetch older messages of a room
    Backfill(BackfillArgs),
    /// Join a room
    Join(JoinArgs),
    /// Leave a room, or decline an invite
    Leave(RoomArgs),
    /// List who is in a room
    Members(RoomArgs),
    /// Fetch a file or a picture, or a thumbnail of it
    Media(MediaArgs),
    /// Say what the store is, how large it is, and with --check whether it is sound
    Doctor(DoctorArgs),
    /// Give free space of the store back to the system
    Compact,
    /// Seal a plain store with a passphrase or a key
    #[command(long_about = SEAL)]
    Seal(SealArgs),
    /// Make a sealed store a plain one, which anybody with the file can read
    Unseal(UnsealArgs),
    /// Change who can open a sealed store: its passphrase and its keys
    #[command(long_about = REKEY)]
    Rekey(RekeyArgs),
    /// Give a sealed store a new data key, and seal every row under it; cut off, it goes on when run again
    Rotate(StoreArg),
    /// Destroy the keys of a sealed store: nobody opens it any more, for good
    Shred(ShredArgs),
}

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
    #[arg(long, value_name = "SIZE", default_value = "64MiB", value_parser = parse_size)]
    pub(crate) max_line: u64,
    /// The most of a file to read, after decompression [default: 256MiB of a .json file, 64GiB of lines]
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub(crate) max_file: Option<u64>,
    /// The most rooms, events, receipts and the like that one response may have
    #[arg(long, value_name = "N", default_value_t = AnswerLimits::default().entries)]
    pub(crate) max_entries: usize,
}

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

/// Where to read. Without any of these: the newest messages.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory as _;
        Cli::command().debug_assert();
    }
}
