//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use haos_store_api::{Cursor, EventId, RoomId, UserId};

use crate::keys::{KeyArgs, REKEY, RekeyArgs, SEAL, SealArgs, ShredArgs, StoreArg, UnsealArgs};
use crate::text::parse_size;

const ABOUT: &str = "Import, browse and inspect an offline chat store.";
const LONG_ABOUT: &str = "Import, browse and inspect an offline chat store.

A store keeps the rooms, messages and state of one account, so that they can be read without a network. \
`haos import` fills it from saved answers of a Matrix homeserver; the other commands read it. Try \
`haos demo`: it needs no files, and no network but the loopback.";
const EXIT_CODES: &str = "Exit codes:
  0  done
  1  failed, for a reason that is none of the following
  2  wrong use of the command line
  3  bad input: a file, line, room, event or cursor that is not what it should be
  4  a problem with the store: damaged, sealed under another key, written by a newer version,
     not a store, not writable
  5  the store is busy or the disk is full: try again later

Errors go to stderr and say what to do next. What a command prints for programs (--json) goes to stdout.";

/// Import, browse and inspect an offline chat store.
#[derive(Debug, Parser)]
#[command(name = "haos", version, about = ABOUT, long_about = LONG_ABOUT, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    /// The store: `sqlite:PATH`, `sled:PATH`, or `memory:` for one that is gone when the command ends
    #[arg(long, global = true, env = "HAOS_STORE", default_value = "sqlite:haos.db", value_name = "URL")]
    pub(crate) store: String,
    /// Print JSON: one document, or one a line for `import`
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
    /// See the store at work: import, reading, sending, kills in the middle, all checked
    #[command(long_about = DEMO)]
    Demo(DemoArgs),
    /// A process that the demo kills
    #[command(hide = true)]
    DemoPart(DemoPartArgs),
}

const DEMO: &str = "See the store at work: import, reading, sending, kills in the middle, all checked.

The demo carries captured answers of a real homeserver: 22,603 events of one account. It imports them \
into a fresh store in processes of their own, kills those in the middle of their work, resumes, and then \
compares every room with what the server said, event by event. Then it writes messages while nothing is \
reachable, kills the process that wrote them, and sends them to a homeserver of its own on the loopback, \
whose network fails on purpose, with more kills in the middle: each must arrive once and in order. It ends \
with PASS, or with exit code 1 and the first event that is missing, doubled or misplaced. Its stores are \
its own: --store is not used.";

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
    /// The largest .json file to read, after decompression
    #[arg(long, value_name = "SIZE", default_value = "512MiB", value_parser = parse_size)]
    pub(crate) max_file: u64,
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
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Work in this folder and keep it; it must be empty or not exist yet
    #[arg(long, value_name = "FOLDER")]
    pub(crate) dir: Option<PathBuf>,
}

/// What a process of the demo does.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum DemoPart {
    Write,
    Send,
}

#[derive(Debug, Args)]
pub(crate) struct DemoPartArgs {
    pub(crate) part: DemoPart,
    #[arg(long)]
    pub(crate) folder: PathBuf,
    #[arg(long)]
    pub(crate) address: SocketAddr,
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
