use std::path::PathBuf;

const USAGE: &str = "usage: compare [--quick] [--peers PROGRAM] [--contenders LIST] [--write]
  --quick            a fifth of the messages, fewer passes
  --peers PROGRAM    also matrix-sdk-sqlite, plain and with a key: the program of benches/rivals
  --contenders LIST  only these
  --write            write docs/benchmarks.md";

/// Ours and the floor.
pub(crate) const OURS: [&str; 6] = ["floor", "memory", "sqlite", "sqlite-sealed", "sled", "sled-sealed"];
/// What `benches/rivals` has.
pub(crate) const PEERS: [&str; 2] = ["sdk", "sdk-key"];

/// What is measured.
pub(crate) struct Args {
    pub(crate) messages: usize,
    pub(crate) rooms: usize,
    /// Passes over the bulk.
    pub(crate) fills: usize,
    /// Passes over everything else.
    pub(crate) passes: usize,
    /// Who takes turns, and the program of each.
    pub(crate) contenders: Vec<(&'static str, PathBuf)>,
    pub(crate) quick: bool,
    pub(crate) write: bool,
}

impl Args {
    /// The text of an error is what to print.
    pub(crate) fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let ours = std::env::current_exe().map_err(|e| e.to_string())?.with_file_name("contend");
        let mut contenders: Vec<_> = OURS.iter().map(|name| (*name, ours.clone())).collect();
        let (mut quick, mut write) = (false, false);
        while let Some(word) = words.next() {
            match word.as_str() {
                "--quick" => quick = true,
                "--write" => write = true,
                "--peers" => {
                    let program = PathBuf::from(words.next().ok_or(USAGE)?);
                    contenders.extend(PEERS.iter().map(|name| (*name, program.clone())));
                }
                "--contenders" => {
                    let list = words.next().ok_or(USAGE)?;
                    contenders.retain(|(name, _)| list.split(',').any(|wanted| wanted == *name));
                }
                _ => return Err(USAGE.to_owned()),
            }
        }
        let (messages, rooms, fills, passes) = if quick { (20_000, 20, 1, 3) } else { (100_000, 100, 3, 7) };
        Ok(Self { messages, rooms, fills, passes, contenders, quick, write })
    }
}
