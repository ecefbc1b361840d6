//! The command line: data, and how it is parsed. It knows no command.

mod archive;
mod browse;
mod export;
mod import;
mod keys;
mod online;
mod size;
mod write;

use clap::{Parser, Subcommand};

pub(crate) use archive::{ArchiveKeys, BackupArgs, MoveArgs, RestoreArgs};
pub(crate) use browse::{DoctorArgs, Place, RoomsArgs, ShowArgs, TimelineArgs};
pub(crate) use export::{ExportArgs, Form};
pub(crate) use import::ImportArgs;
pub(crate) use keys::{KeyArgs, Pad, RekeyArgs, SealArgs, ShredArgs, StoreArg, UnsealArgs};
#[cfg(feature = "e2ee")]
pub(crate) use online::DevicesArgs;
pub(crate) use online::{
    BackfillArgs, JoinArgs, LoginArgs, LogoutArgs, MediaArgs, ReadArgs, RoomArgs, SyncArgs,
};
pub(crate) use write::{
    EditArgs, How, OutboxArgs, OutboxCommand, ReactArgs, RedactArgs, ReplyArgs, RetryArgs, SendArgs,
    SendFileArgs,
};

const ABOUT: &str = "Chat through an offline store: read, write and sync it.";
const LONG_ABOUT: &str = "Chat through an offline store: read, write and sync it.

A store keeps the rooms, messages and state of one account, so that they can be read without a network, \
and what is written until it can be sent. `haos login` and `haos sync` fill it from a Matrix homeserver, \
`haos import` from saved answers of one.";
const EXIT_CODES: &str = "Exit codes:
  0  done
  1  failed, for another reason than the following
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
    /// List the devices of a user, with the keys that people compare
    #[cfg(feature = "e2ee")]
    Devices(DevicesArgs),
    /// Fetch a file or a picture, or a thumbnail of it
    Media(MediaArgs),
    /// Say what the store is, how large it is, and with --check whether it is sound
    Doctor(DoctorArgs),
    /// Write everything into one file
    Backup(BackupArgs),
    /// Fill the store from an archive, or merge one into it
    Restore(RestoreArgs),
    /// Move everything into another store
    Move(MoveArgs),
    /// Write rooms for people: pages for a browser, Markdown, or JSON
    Export(ExportArgs),
    /// Give free space of the store back to the system
    Compact,
    /// Make views in a plain SQLite store, for people with a SQLite shell
    Views,
    /// Seal a plain store with a passphrase or a key
    Seal(SealArgs),
    /// Make a sealed store a plain one, which anybody with the file can read
    Unseal(UnsealArgs),
    /// Change who can open a sealed store: its passphrase and its keys
    Rekey(RekeyArgs),
    /// Give a sealed store a new data key, and seal every row under it; cut off, it goes on when run again
    Rotate(StoreArg),
    /// Destroy the keys of a sealed store: nobody opens it any more, for good
    Shred(ShredArgs),
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
