//! Standard error: warnings, errors, questions, and what clap and a panic have to say.

use std::io::{self, IsTerminal as _, Write as _};
use std::panic::PanicHookInfo;
use std::process::ExitCode;

use clap::error::ContextValue;
use console::Term;

use crate::clean::{clean, clean_lines};

/// Says something on standard error. Further lines are indented, so that none of them passes for another notice.
#[expect(clippy::disallowed_methods, reason = "this is where it is cleaned")]
pub fn notice(text: &str) {
    // Nobody is left to tell if this fails, and a closed stderr must not stop the command.
    let _ = io::stderr().write_all(lines(text).as_bytes());
}

/// Tells if a terminal shows standard error.
#[expect(clippy::disallowed_methods, reason = "nothing is written")]
pub(crate) fn is_terminal() -> bool {
    io::stderr().is_terminal()
}

/// Asks on the terminal; gives where the answer is typed.
#[expect(clippy::disallowed_methods, reason = "the question is cleaned")]
pub(crate) fn ask(question: &str) -> io::Result<Term> {
    let terminal = Term::stderr();
    // The space behind a question is what it ends with.
    terminal.write_str(&format!("{} ", clean(question)))?;
    Ok(terminal)
}

/// Says what clap found in the command line: help, the version, or a mistake, with the words of the user in it.
pub(crate) fn usage(mut found: clap::Error) -> ExitCode {
    let words: Vec<_> = found.context().map(|(kind, value)| (kind, cleaned(value))).collect();
    for (kind, value) in words {
        if let Some(value) = value {
            found.insert(kind, value);
        }
    }
    let text = found.render().to_string();
    let safe: String = clean_lines(&text).iter().flat_map(|line| [line, "\n"]).collect();
    if safe.trim_end() == text.trim_end() {
        // In colour, where they are shown.
        let _ = found.print();
    } else {
        notice(&safe);
    }
    ExitCode::from(u8::try_from(found.exit_code()).unwrap_or(1))
}

/// The user's text on one line; `None` if it stands so already.
fn cleaned(value: &ContextValue) -> Option<ContextValue> {
    match value {
        ContextValue::String(word) if clean(word) != *word => Some(ContextValue::String(clean(word))),
        ContextValue::Strings(words) if words.iter().any(|word| clean(word) != *word) => {
            Some(ContextValue::Strings(words.iter().map(|word| clean(word)).collect()))
        }
        _ => None,
    }
}

/// From now on, a panic is told here too.
pub(crate) fn tell_panics() {
    std::panic::set_hook(Box::new(|panic| notice(&told(panic))));
}

fn told(panic: &PanicHookInfo<'_>) -> String {
    let place = panic.location().map_or("an unknown place".to_owned(), ToString::to_string);
    let payload = panic.payload();
    let words =
        payload.downcast_ref::<&str>().copied().or(payload.downcast_ref::<String>().map(String::as_str));
    let mut text = format!("haos panicked at {place}: {}", words.unwrap_or("without a word"));
    let trace = std::backtrace::Backtrace::capture();
    match trace.status() {
        std::backtrace::BacktraceStatus::Captured => text.push_str(&format!("\n{trace}")),
        _ => text.push_str("\nRUST_BACKTRACE=1 shows where it came from"),
    }
    text
}

fn lines(text: &str) -> String {
    let mut lines = clean_lines(text).into_iter();
    let mut told = lines.next().unwrap_or_default();
    for line in lines {
        told.push_str("\n  ");
        told.push_str(line.strip_prefix("  ").unwrap_or(&line));
    }
    told.push('\n');
    told
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn a_notice_is_told_apart_from_what_it_tells() {
        assert_eq!(
            lines("error: a\u{1b}[31m\n  cause: b\nerror: c\rd"),
            "error: a[31m\n  cause: b\n  error: c d\n"
        );
    }

    #[test]
    fn words_of_the_user_are_cleaned() {
        let mut command = crate::args::Cli::command();
        let found = command.try_get_matches_from_mut(["haos", "no\u{1b}[2J\nerror: such"]).unwrap_err();
        let shown: Vec<_> = found.context().filter_map(|(_, value)| cleaned(value)).collect();
        assert_eq!(shown, [ContextValue::String("no[2J error: such".to_owned())]);
    }
}
