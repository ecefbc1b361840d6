//! The command lines of archives and of moves.

use std::path::PathBuf;

use clap::Args;

const BACKUP: &str = "Write everything into one file, which any store can be filled from.

The store may be in use: the archive has all of one moment. It is `FILE.part` until it is whole; cut off, the same \
command goes on with it. The file is plain unless it is encrypted, also where the store is sealed; an encrypted one is \
an ordinary age file. The login is in encrypted archives alone.";

const RESTORE: &str = "Fill the store from an archive, or merge one into it.

What the store has stays: what it lacks is taken, timelines are merged, and doing it twice changes nothing. Cut off, the \
same command goes on. Unsent messages are held back, since the store that they come from may send them still: `haos \
outbox retry` sends one, --send-unsent all of them.";

const MOVE: &str = "Move everything into another store, of any kind.

What is there is merged, as `haos restore` does. Unsent messages are handed over: at any moment one of the two stores \
sends them, and none is lost. Everything else stays where it is, too. Cut off, the same command goes on.";

#[derive(Debug, Args)]
#[command(long_about = BACKUP)]
pub(crate) struct BackupArgs {
    /// The archive to make
    pub(crate) file: PathBuf,
    /// Leave out what this archive has; name those that it builds on first, each with an option of its own
    #[arg(long = "base", value_name = "FILE")]
    pub(crate) bases: Vec<PathBuf>,
    /// Encrypt it under a passphrase, which a terminal is asked for
    #[arg(long, conflicts_with_all = ["archive_passphrase_file", "recipients"])]
    pub(crate) encrypt: bool,
    /// Encrypt it to the holder of this key (age1…); may be repeated
    #[arg(long = "recipient", value_name = "KEY", conflicts_with = "archive_passphrase_file")]
    pub(crate) recipients: Vec<String>,
    #[command(flatten)]
    pub(crate) keys: ArchiveKeys,
    /// Archive the login even if the archive is plain: who has the file can act as the user
    #[arg(long)]
    pub(crate) session: bool,
    /// Take the place of a file that exists
    #[arg(long)]
    pub(crate) replace: bool,
    /// How much to compress: 1 is quick, 19 is small
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(i32).range(1..=19))]
    pub(crate) level: i32,
}

#[derive(Debug, Args)]
#[command(long_about = RESTORE)]
pub(crate) struct RestoreArgs {
    /// The archive; one that builds on others comes last, behind them
    #[arg(required = true)]
    pub(crate) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) keys: ArchiveKeys,
    /// Read every byte of the archive, say what it holds, and restore nothing
    #[arg(long)]
    pub(crate) check: bool,
    /// Send its unsent messages: the store that they come from is gone
    #[arg(long)]
    pub(crate) send_unsent: bool,
    /// Take the login, if the archive has one and the store has none
    #[arg(long)]
    pub(crate) session: bool,
}

/// The secrets of an encrypted archive.
#[derive(Debug, Args)]
pub(crate) struct ArchiveKeys {
    /// The passphrase of the archive: the first line of this file. Without it, a terminal is asked
    #[arg(long, value_name = "FILE")]
    pub(crate) archive_passphrase_file: Option<PathBuf>,
    /// The secret key of the archive (AGE-SECRET-KEY-1…): the first line of this file
    #[arg(long, value_name = "FILE", conflicts_with = "archive_passphrase_file")]
    pub(crate) identity_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(long_about = MOVE)]
pub(crate) struct MoveArgs {
    /// The other store: `sqlite:PATH` or `sled:PATH`; it is made if it is absent
    #[arg(value_name = "URL")]
    pub(crate) to: String,
    /// The passphrase of the other store: the first line of this file. A store that is made is sealed with it
    #[arg(long, value_name = "FILE", conflicts_with = "to_key_file")]
    pub(crate) to_passphrase_file: Option<PathBuf>,
    /// The key of the other store: 32 bytes, or 64 hex digits
    #[arg(long, value_name = "FILE")]
    pub(crate) to_key_file: Option<PathBuf>,
    /// Leave unsent messages where they are
    #[arg(long)]
    pub(crate) copy: bool,
    /// Hand over messages that are being sent, too: whoever sent them is gone
    #[arg(long, conflicts_with = "copy")]
    pub(crate) take_sending: bool,
    /// Take the login along, if the other store has none. Use one of the stores alone from then on
    #[arg(long)]
    pub(crate) session: bool,
}
