//! The command line of the demo.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{ArgGroup, Parser, ValueEnum};
use haos_store_api::RoomId;

const ABOUT: &str = "See the store at work: import, reading, sending, kills in the middle, all checked";
const LONG_ABOUT: &str = "See the store at work: import, reading, sending, kills in the middle, all checked.

The demo carries captured answers of a real homeserver: 22,603 events of one account. It imports them \
into a fresh store in processes of their own, kills those in the middle of their work, resumes, and then \
compares every room with what the server said, event by event. Then it writes messages while nothing is \
reachable, kills the process that wrote them, and sends them to a homeserver of its own on the loopback, \
whose network fails on purpose, with more kills in the middle: each must arrive once and in order. It ends \
with PASS, or with exit code 1 and the first event that is missing, doubled or misplaced. Its stores are \
its own.

With --homeserver the messages go to a real one: the demo logs in, makes four rooms, sends there, reads the \
rooms' history back, and leaves them. To one on the loopback it goes through a relay that loses requests and \
answers; to any other over the network as it is.";

/// See the store at work.
#[derive(Debug, Parser)]
#[command(name = "haos-demo", about = ABOUT, long_about = LONG_ABOUT)]
#[command(group(ArgGroup::new("sender").args(["user", "register"])))]
pub(crate) struct DemoArgs {
    /// Work in this folder and keep it; it must be empty or not exist yet
    #[arg(long, value_name = "FOLDER")]
    pub(crate) dir: Option<PathBuf>,
    /// Send to this homeserver: its url (http://localhost:8008), or the name in user ids (example.org)
    #[arg(long, value_name = "URL", requires = "sender")]
    pub(crate) homeserver: Option<String>,
    /// The user who sends there: @me:example.org, or me
    #[arg(long, value_name = "NAME", requires = "homeserver")]
    pub(crate) user: Option<String>,
    /// The password: the first line of this file. Without it, a terminal is asked
    #[arg(long, value_name = "FILE", requires = "user", conflicts_with = "register")]
    pub(crate) password_file: Option<PathBuf>,
    /// Send as a new user, which stays there: for servers that let everybody register, without TLS
    #[arg(long, requires = "homeserver")]
    pub(crate) register: bool,
    /// Stay in the rooms, to look at them with another client
    #[arg(long, requires = "homeserver")]
    pub(crate) keep_rooms: bool,
    /// Print JSON: one document
    #[arg(long)]
    pub(crate) json: bool,
}

/// The part of a process of the demo.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Part {
    Write,
    Send,
}

/// A process that the demo kills.
#[derive(Debug, Parser)]
#[command(name = "haos-demo part")]
pub(crate) struct PartArgs {
    pub(crate) part: Part,
    #[arg(long)]
    pub(crate) folder: PathBuf,
    /// Of the model homeserver; without it, the session in the store says where to
    #[arg(long)]
    pub(crate) address: Option<SocketAddr>,
    #[arg(long = "room")]
    pub(crate) rooms: Vec<RoomId>,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::{Path, PathBuf};

    use clap::{Arg, CommandFactory as _};

    use super::*;

    fn sources(folder: &Path) -> Vec<PathBuf> {
        let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        paths.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
    }

    #[test]
    fn the_command_lines_are_consistent() {
        DemoArgs::command().debug_assert();
        PartArgs::command().debug_assert();
    }

    #[test]
    fn flags_that_a_text_names_exist() {
        let commands = [DemoArgs::command(), PartArgs::command()];
        let own = commands.iter().flat_map(|command| command.get_arguments().filter_map(Arg::get_long));
        // Those of the import are tried by each run.
        let known: BTreeSet<_> = own.chain(["store", "again", "quiet"]).collect();
        let mut seen = 0;
        for path in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
            let text = std::fs::read_to_string(&path).unwrap();
            let code = text.lines().filter(|line| !line.trim_start().starts_with("//") && line.contains('"'));
            for line in code {
                let words = line.split(|c: char| !(c.is_ascii_lowercase() || c == '-'));
                let flags = words.filter_map(|word| word.strip_prefix("--"));
                for flag in flags.filter(|flag| flag.starts_with(|c: char| c.is_ascii_lowercase())) {
                    assert!(known.contains(flag), "{}: there is no --{flag}: {line}", path.display());
                    seen += 1;
                }
            }
        }
        assert!(seen > 10, "{seen}");
    }
}
