use haos_e2e::browser::BrowserEngine;

/// The contenders, which take turns; the names are those of the page's modules.
pub(crate) const CONTENDERS: [&str; 8] =
    ["haos", "haos_sealed", "raw", "raw_log", "opfs", "dexie", "dexie_rooms", "dexie_seed"];
/// Fewer have no middle for as many changes.
const LEAST_MESSAGES: u32 = 2000;
const USAGE: &str = "usage: web [--engines LIST] [--contenders LIST] [--rounds N] [--messages N] \
                     [--scale] [--write]
  --engines LIST     of chromium, firefox, webkit (default: all)
  --contenders LIST  of haos, haos_sealed, raw, raw_log, opfs, dexie, dexie_rooms, dexie_seed (default: all)
  --rounds N         rounds that count, after one that does not (default: 7)
  --messages N       messages of the bulk, at least 2000 (default: 10000)
  --scale            also pages, gets and commits at 10,000 and 500,000 messages, and memory: minutes an engine
  --write            write docs/benchmarks-web.md";

/// The selection of measurements.
#[derive(Debug, Clone)]
pub(crate) struct Args {
    pub(crate) engines: Vec<BrowserEngine>,
    pub(crate) contenders: Vec<&'static str>,
    pub(crate) rounds: usize,
    pub(crate) messages: u32,
    pub(crate) scale: bool,
    pub(crate) write: bool,
}

impl Args {
    /// The text of an error is what to print.
    pub(crate) fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut args = Self {
            engines: BrowserEngine::ALL.to_vec(),
            contenders: CONTENDERS.to_vec(),
            rounds: 7,
            messages: 10_000,
            scale: false,
            write: false,
        };
        let usage = || USAGE.to_owned();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--scale" => args.scale = true,
                "--write" => args.write = true,
                option => {
                    let value = words.next().ok_or_else(usage)?;
                    match option {
                        "--engines" => args.engines = list(&value, BrowserEngine::from_name)?,
                        "--contenders" => args.contenders = list(&value, contender)?,
                        "--rounds" => args.rounds = number(&value)?.try_into().map_err(|_| usage())?,
                        "--messages" => args.messages = number(&value)?.max(LEAST_MESSAGES),
                        _ => return Err(usage()),
                    }
                }
            }
        }
        Ok(args)
    }
}

fn list<T>(names: &str, of: impl Fn(&str) -> Option<T>) -> Result<Vec<T>, String> {
    let found = names.split(',').map(|name| of(name.trim()).ok_or_else(|| format!("{name:?}?\n{USAGE}")));
    found.collect()
}

fn contender(name: &str) -> Option<&'static str> {
    CONTENDERS.into_iter().find(|known| *known == name)
}

fn number(text: &str) -> Result<u32, String> {
    text.parse().ok().filter(|n| *n > 0).ok_or_else(|| format!("{text:?} is no number\n{USAGE}"))
}
