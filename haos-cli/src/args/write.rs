//! The command line of what writes.

use std::path::PathBuf;

use clap::{Args, Subcommand};

const SEND: &str = "Write a text into a room.

It is stored first, durably, and sent then: with a session at once, if the homeserver answers within --wait \
seconds, else by the next `haos sync`. Without a network, and without a login, it waits in the outbox.";

const EDIT: &str = "Give a message of your own another text.

A message that was not sent yet is changed in place; one that is on its way or sent is followed by an edit.";

const REDACT: &str = "Take a message back.

A message that was not sent yet is cancelled: nobody ever sees it. One that is on its way or sent is \
followed by a redaction.";

const SEND_FILE: &str = "Send a file.

Its bytes are copied into the store, in portions, so that it can be sent later, whatever becomes of the \
file. If that is cut off, the bytes copied so far are removed by the next `haos sync` a day later.";

/// How a message is written.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct How {
    /// How many seconds to wait for the homeserver, if logged in; 0: queue it alone
    #[arg(long, value_name = "SECONDS", default_value_t = 5)]
    pub(crate) wait: u32,
    /// Queue it also if the homeserver will refuse it, by what the store knows of the room
    #[arg(long)]
    pub(crate) anyway: bool,
}

#[derive(Debug, Args)]
#[command(long_about = SEND)]
pub(crate) struct SendArgs {
    /// The room: its id, its name, or the unique start of either
    pub(crate) room: String,
    /// The text; `-` reads it from the input. Write `--` before a text that begins with a dash
    #[arg(required = true, value_name = "TEXT")]
    pub(crate) text: Vec<String>,
    #[command(flatten)]
    pub(crate) how: How,
}

#[derive(Debug, Args)]
pub(crate) struct ReplyArgs {
    /// The room: its id, its name, or the unique start of either
    pub(crate) room: String,
    /// The message to answer: its id, or that of its row in the outbox
    pub(crate) event: String,
    /// The text; `-` reads it from the input
    #[arg(required = true, value_name = "TEXT")]
    pub(crate) text: Vec<String>,
    #[command(flatten)]
    pub(crate) how: How,
}

#[derive(Debug, Args)]
#[command(long_about = EDIT)]
pub(crate) struct EditArgs {
    /// The room: its id, its name, or the unique start of either
    pub(crate) room: String,
    /// The message: its id, or that of its row in the outbox
    pub(crate) event: String,
    /// The new text; `-` reads it from the input
    #[arg(required = true, value_name = "TEXT")]
    pub(crate) text: Vec<String>,
    #[command(flatten)]
    pub(crate) how: How,
}

#[derive(Debug, Args)]
pub(crate) struct ReactArgs {
    /// The room: its id, its name, or the unique start of either
    pub(crate) room: String,
    /// The message to react to: its id, or that of its row in the outbox
    pub(crate) event: String,
    /// The reaction, such as 👍
    pub(crate) key: String,
    #[command(flatten)]
    pub(crate) how: How,
}

#[derive(Debug, Args)]
#[command(long_about = REDACT)]
pub(crate) struct RedactArgs {
    /// The room: its id, its name, or the unique start of either
    pub(crate) room: String,
    /// The message: its id, or that of its row in the outbox
    pub(crate) event: String,
    /// A reason, for others to read
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    #[command(flatten)]
    pub(crate) how: How,
}

#[derive(Debug, Args)]
#[command(long_about = SEND_FILE)]
pub(crate) struct SendFileArgs {
    /// The room: its id, its name, or the unique start of either
    pub(crate) room: String,
    /// The file
    pub(crate) file: PathBuf,
    /// A small picture to show before the file is opened
    #[arg(long, value_name = "FILE")]
    pub(crate) thumbnail: Option<PathBuf>,
    /// The name that others see, instead of the file's own
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// The media type, such as image/png; else the name's ending tells
    #[arg(long, value_name = "TYPE", value_parser = media_type)]
    pub(crate) mime: Option<String>,
    #[command(flatten)]
    pub(crate) how: How,
}

#[derive(Debug, Args)]
pub(crate) struct OutboxArgs {
    #[command(subcommand)]
    pub(crate) command: Option<OutboxCommand>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum OutboxCommand {
    /// List what was written and is not confirmed by the homeserver
    List {
        /// Only what goes to this room
        #[arg(long)]
        room: Option<String>,
    },
    /// Try again at once what waits or was refused
    Retry(RetryArgs),
    /// Take a message back that was not sent; one that is on its way is redacted
    Cancel {
        /// The row: its transaction id, or the unique start of it
        #[arg(value_name = "TXN")]
        row: String,
        #[command(flatten)]
        how: Wait,
    },
}

#[derive(Debug, Args)]
pub(crate) struct RetryArgs {
    /// The row: its transaction id, or the unique start of it. Only so a message is sent once more that may
    /// have arrived
    #[arg(value_name = "TXN")]
    pub(crate) row: Option<String>,
    /// All rows but those that may have arrived; the same as to name none
    #[arg(long, conflicts_with = "row")]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) how: Wait,
}

/// How long a command stays with a row.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Wait {
    /// How many seconds to wait for the homeserver, if logged in
    #[arg(long, value_name = "SECONDS", default_value_t = 5)]
    pub(crate) wait: u32,
}

fn media_type(text: &str) -> Result<String, String> {
    let word = |word: &str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "!#$&^_.+-".contains(c);
        !word.is_empty() && word.chars().all(plain)
    };
    match text.split_once('/') {
        Some((kind, name)) if word(kind) && word(name) => Ok(text.to_ascii_lowercase()),
        _ => Err("write a media type such as image/png".to_owned()),
    }
}
