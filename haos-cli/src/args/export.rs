//! The command line of `haos export`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use haos_store_api::UserId;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// The folder to make; it must be absent or empty
    pub(crate) folder: PathBuf,
    /// Only this room: its id, its name, or the unique start of either; may be repeated
    #[arg(long = "room", value_name = "ROOM")]
    pub(crate) rooms: Vec<String>,
    /// What to write
    #[arg(long, value_enum, default_value_t = Form::Html)]
    pub(crate) format: Form,
    /// Only messages of this user; may be repeated
    #[arg(long = "sender", value_name = "USER")]
    pub(crate) senders: Vec<UserId>,
    /// Only messages from this moment on: a date such as 2026-01-31, or 2026-01-31T12:00:00Z; days begin in UTC
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub(crate) from: Option<i64>,
    /// Only messages before this moment
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub(crate) until: Option<i64>,
    /// Leave out files and pictures
    #[arg(long)]
    pub(crate) no_media: bool,
}

/// The form of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// Pages for a browser, readable without a network
    Html,
    /// Text with marks
    Markdown,
    /// Every field of every message, for programs
    Json,
}

/// Reads a moment, in milliseconds.
fn moment(text: &str) -> Result<i64, String> {
    let day = || text.parse::<Date>().and_then(|date| date.to_zoned(TimeZone::UTC));
    let moment = text.parse::<Timestamp>().or_else(|_| day().map(|day| day.timestamp()));
    moment
        .map(Timestamp::as_millisecond)
        .map_err(|_| "write a date such as 2026-01-31, or a moment such as 2026-01-31T12:00:00Z".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments() {
        assert_eq!(moment("1970-01-02"), Ok(86_400_000));
        assert_eq!(moment("1970-01-01T01:00:00+01:00"), Ok(0));
        for text in ["", "yesterday", "2026-13-01", "12:00"] {
            assert!(moment(text).is_err(), "{text}");
        }
    }
}
