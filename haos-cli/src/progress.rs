//! A progress bar on stderr, where that is a terminal.

use std::io;

use console::Term;
use haos_store::Progress;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle, TermLike};

use crate::clean::Cleaner;
use crate::notice;

/// How often a bar is drawn, a second.
const RATE_HZ: u8 = 20;

/// A bar over bytes; hidden if `quiet` or if stderr is no terminal.
pub(crate) fn bytes(total: u64, quiet: bool) -> ProgressBar {
    bar(total, quiet, "{prefix} [{bar:30}] {bytes}/{total_bytes} {msg}")
}

/// A count without an end.
pub(crate) fn counter(name: &'static str, quiet: bool) -> ProgressBar {
    bar(0, quiet, "{prefix} {human_pos} {msg}").with_prefix(name)
}

/// A line that changes, at the bottom.
pub(crate) fn line() -> ProgressBar {
    bar(0, false, "{msg}")
}

/// Runs a chore, which tells how far it is, under a bar.
pub(crate) async fn chore<T>(name: &'static str, quiet: bool, run: impl AsyncFnOnce(Progress) -> T) -> T {
    let bar = bar(0, quiet, "{prefix} [{bar:30}] {percent}%").with_prefix(name);
    let told = bar.clone();
    let progress = Progress::to(move |done, total| {
        told.set_length(total);
        told.set_position(done);
    });
    let done = run(progress).await;
    bar.finish_and_clear();
    done
}

#[expect(clippy::disallowed_methods, reason = "a bar of its own is what the target is for")]
fn bar(total: u64, quiet: bool, template: &str) -> ProgressBar {
    let target = match quiet || !notice::is_terminal() {
        true => ProgressDrawTarget::hidden(),
        false => ProgressDrawTarget::term_like_with_hz(Box::new(Screen(Term::buffered_stderr())), RATE_HZ),
    };
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::with_draw_target(Some(total), target).with_style(style)
}

/// A terminal that shows cleaned texts.
#[derive(Debug)]
struct Screen(Term);

impl TermLike for Screen {
    fn width(&self) -> u16 {
        self.0.size().1
    }

    fn height(&self) -> u16 {
        self.0.size().0
    }

    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        self.0.move_cursor_up(n)
    }

    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        self.0.move_cursor_down(n)
    }

    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        self.0.move_cursor_right(n)
    }

    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        self.0.move_cursor_left(n)
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.0.write_line(&cleaned(text))
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.0.write_str(&cleaned(text))
    }

    fn clear_line(&self) -> io::Result<()> {
        self.0.clear_line()
    }

    fn flush(&self) -> io::Result<()> {
        self.0.flush()
    }
}

fn cleaned(text: &str) -> String {
    // How a bar is drawn over the one before.
    if text == "\r" {
        return text.to_owned();
    }
    let mut cleaned = String::new();
    Cleaner::default().push(text, &mut cleaned);
    cleaned
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_steers_the_terminal_only_where_it_is_drawn() {
        assert_eq!(cleaned("a\u{1b}[2Jb\u{202e}\rc   "), "a[2Jb c   ");
        assert_eq!(cleaned("\r"), "\r");
    }
}
