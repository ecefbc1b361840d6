//! A test that all that errors name exists: commands and flags of this program, options and variants of the libraries.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::CommandFactory as _;

use crate::args::Cli;

/// Every line of code in `folder` that is no comment.
fn lines(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            lines(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") && !path.ends_with("named.rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
            found.extend(code.map(|line| (path.clone(), line.to_owned())));
        }
    }
}

fn sources() -> Vec<(PathBuf, String)> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut found = Vec::new();
    for entry in std::fs::read_dir(workspace).unwrap() {
        let source = entry.unwrap().path().join("src");
        if source.parent().unwrap().file_name().unwrap().to_string_lossy().starts_with("haos-")
            && source.is_dir()
        {
            lines(&source, &mut found);
        }
    }
    assert!(found.len() > 10_000, "{}", found.len());
    found
}

/// The words in backquotes, each with the text before it.
fn quoted(line: &str) -> impl Iterator<Item = (&str, &str)> {
    let parts: Vec<_> = line.split('`').collect();
    let last = parts.len().saturating_sub(1);
    (1..last).step_by(2).map(move |n| (parts[n - 1], parts[n])).collect::<Vec<_>>().into_iter()
}

fn flags(command: &clap::Command, into: &mut BTreeSet<String>) {
    let own = command.get_arguments().filter_map(clap::Arg::get_long);
    into.extend(own.chain(["help", "version"]).map(|long| format!("--{long}")));
    command.get_subcommands().for_each(|sub| flags(sub, into));
}

/// The words of a text that look like flags.
fn flag_words(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| !(c.is_ascii_lowercase() || c == '-'));
    words.filter(|word| {
        word.strip_prefix("--").is_some_and(|name| name.starts_with(|c: char| c.is_ascii_lowercase()))
    })
}

#[test]
fn commands_and_flags() {
    let cli = Cli::command();
    let (mut known, mut seen) = (BTreeSet::new(), 0);
    flags(&cli, &mut known);
    for (path, line) in sources() {
        for (_, text) in quoted(&line).filter(|(_, text)| text.starts_with("haos ")) {
            let mut command = &cli;
            for word in text.split(' ').skip(1) {
                match command.find_subcommand(word) {
                    Some(sub) => command = sub,
                    None => break,
                }
            }
            assert_ne!(command.get_name(), "haos", "{}: there is no `{text}`", path.display());
            let mut own = BTreeSet::new();
            flags(command, &mut own);
            for flag in flag_words(text) {
                assert!(own.contains(flag) || is_global(&cli, flag), "{}: `{text}`", path.display());
            }
            seen += 1;
        }
        if path.starts_with(Path::new(env!("CARGO_MANIFEST_DIR"))) && line.contains('"') {
            for flag in flag_words(&line) {
                assert!(known.contains(flag), "{}: there is no {flag}: {line}", path.display());
                seen += 1;
            }
        }
    }
    assert!(seen > 50, "{seen}");
}

/// A flag of all commands.
fn is_global(cli: &clap::Command, flag: &str) -> bool {
    cli.get_arguments().filter_map(clap::Arg::get_long).any(|long| flag.strip_prefix("--") == Some(long))
}

#[test]
fn options_and_variants() {
    let sources = sources();
    let has = |file: &str, what: &str| {
        sources.iter().any(|(path, line)| path.ends_with(file) && line.trim_start().starts_with(what))
    };
    let mut seen = 0;
    for (path, line) in &sources {
        for (before, text) in quoted(line) {
            if before.ends_with("option ") {
                // Of a store of each kind, and of a store of any.
                let builds = format!("pub fn {text}(self");
                let there = has("haos-store-api/src/backend/native/options.rs", &builds)
                    && has("haos-store/src/open.rs", &format!("pub {text}:"));
                assert!(there, "{}: there is no option `{text}`", path.display());
                seen += 1;
            } else if let Some((kind, variant)) = text.split_once("::")
                && matches!(kind, "OnDamage" | "Maintenance" | "KeyChange")
            {
                let declares = |word: &str| {
                    let mut within = false;
                    sources.iter().any(|(_, line)| {
                        within = (within || line.starts_with(&format!("pub enum {kind} ")))
                            && !line.starts_with('}');
                        within && line.trim().trim_end_matches(',') == word
                    })
                };
                assert!(declares(variant), "{}: there is no `{text}`", path.display());
                seen += 1;
            }
        }
    }
    assert!(seen > 10, "{seen}");
}
