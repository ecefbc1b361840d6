//! The command line of what speaks to a homeserver.

use std::path::PathBuf;

use clap::Args;

use super::size;
use super::write::Wait;

const LOGIN: &str = "Log in to a Matrix homeserver.

The session is kept in the store, sealed where the store is; its files are readable for their owner alone \
from then on. A store that had a session keeps its device, so that what was being sent is not sent twice. \
The password is typed at the terminal, or stands in a file that nobody else can read: arguments and \
variables of a process are for everybody to see.";

const SYNC: &str = "Send what waits, and show what comes.

The line at the bottom says where the connection stands: connecting, catching up, live, when the next try \
is, or what there is to do. Messages show as they arrive, and rows of the outbox as they go. Ctrl-C ends it, \
after what is under way. Where the output is no terminal it is plain lines, with --json one document a \
line. One process a store sends and syncs; a second one shows what the first one brings, and takes over \
when that ends.";

const BACKFILL: &str = "Fetch older messages of a room.

Gaps are closed from the newest one on, then history goes on towards the beginning of the room. What was \
fetched is stored at once: cut off, the same command goes on where it ended.";

#[derive(Debug, Args)]
#[command(long_about = LOGIN)]
pub(crate) struct LoginArgs {
    /// The homeserver: its url (`https://matrix.example.org`), or the name in user ids (example.org). Without
    /// it, the one of the last login
    #[arg(long, value_name = "URL")]
    pub(crate) homeserver: Option<String>,
    /// The user: @me:example.org, or me
    #[arg(long, conflicts_with = "token_file")]
    pub(crate) user: Option<String>,
    /// The password: the first line of this file. Without it, a terminal is asked
    #[arg(long, value_name = "FILE", conflicts_with = "token_file")]
    pub(crate) password_file: Option<PathBuf>,
    /// A login token, as single sign-on gives one: the first line of this file
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
    /// The name of this device for others, where it is new
    #[arg(long, value_name = "NAME", default_value = "haos")]
    pub(crate) device_name: String,
}

#[derive(Debug, Args)]
pub(crate) struct LogoutArgs {
    /// Forget the session here also if the homeserver cannot be told: it goes on there
    #[arg(long)]
    pub(crate) forget: bool,
}

#[derive(Debug, Args)]
#[command(long_about = SYNC)]
pub(crate) struct SyncArgs {
    /// End once everything new is here and everything written is sent
    #[arg(long)]
    pub(crate) once: bool,
    /// End after this number of seconds
    #[arg(long = "for", value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) seconds: Option<u32>,
}

#[derive(Debug, Args)]
#[command(long_about = BACKFILL)]
pub(crate) struct BackfillArgs {
    /// The room: its id, its name, or the unique start of either
    pub(crate) room: String,
    /// How many messages to fetch, at least
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) limit: u64,
    /// Everything, back to the beginning of the room
    #[arg(long, conflicts_with = "limit")]
    pub(crate) all: bool,
}

#[derive(Debug, Args)]
pub(crate) struct JoinArgs {
    /// The room: its id or an alias (#name:server); or what `haos rooms` lists, such as an invite
    #[arg(value_name = "ROOM_OR_ALIAS")]
    pub(crate) room: String,
}

#[derive(Debug, Args)]
pub(crate) struct RoomArgs {
    /// The room: its id, its name, or the unique start of either
    pub(crate) room: String,
}

#[derive(Debug, Args)]
pub(crate) struct ReadArgs {
    /// The room: its id, its name, or the unique start of either
    pub(crate) room: String,
    /// The last message that was read; the newest one if none is named
    pub(crate) event: Option<String>,
    /// Do not show others how far it was read
    #[arg(long)]
    pub(crate) private: bool,
    #[command(flatten)]
    pub(crate) how: Wait,
}

#[derive(Debug, Args)]
pub(crate) struct MediaArgs {
    /// The item: mxc://server/id, as messages have it
    #[arg(value_name = "URI")]
    pub(crate) uri: String,
    /// Write it into this file; else it goes to the output
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// A small picture of it instead
    #[arg(long, value_name = "WIDTHxHEIGHT", value_parser = pixels)]
    pub(crate) thumbnail: Option<(u32, u32)>,
    /// The most that is downloaded of it
    #[arg(long, value_name = "SIZE", default_value = "1GiB", value_parser = size::bytes)]
    pub(crate) max_size: u64,
}

fn pixels(text: &str) -> Result<(u32, u32), String> {
    let parsed = text.split_once('x').and_then(|(width, height)| {
        let side = |side: &str| side.parse().ok().filter(|side| (1..=4096).contains(side));
        Some((side(width)?, side(height)?))
    });
    parsed.ok_or_else(|| "write a size in pixels such as 320x240".to_owned())
}

#[cfg(feature = "e2ee")]
#[derive(Debug, Args)]
pub(crate) struct DevicesArgs {
    /// The user, such as @ada:example.org; without one, who is logged in
    pub(crate) user: Option<String>,
}
