//! Text for people: safe on a terminal, short, in usual units.

use jiff::Timestamp;
use unicode_width::UnicodeWidthStr as _;

pub(crate) use crate::clean::{clean, clean_lines};

/// Tells what the system refused, and what to do about it.
pub fn why(error: &std::io::Error) -> String {
    format!("{} ({error})", haos_store_api::backend::explain_io(error).1)
}

/// At most `most` columns of a terminal, the last one `…` if some are left out. A joined emoji is not cut within.
pub fn shorten(text: &str, most: usize) -> String {
    if text.width() <= most {
        return text.to_owned();
    }
    let (mut cut, keep) = (0, most.saturating_sub(1));
    for (at, c) in text.char_indices() {
        let shown = &text[..at + c.len_utf8()];
        let is_open = c == '\u{200d}' || text[shown.len()..].starts_with('\u{200d}');
        match shown.width() {
            width if width > most => break,
            width if width <= keep && !is_open => cut = shown.len(),
            _ => {}
        }
    }
    format!("{}…", &text[..cut])
}

/// A moment as `2026-01-31T12:00:00Z`; `-` for none.
pub(crate) fn time(ms: i64) -> String {
    match Timestamp::from_millisecond(ms) {
        Ok(moment) if ms != 0 => moment.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        Ok(_) => "-".to_owned(),
        Err(_) => format!("{ms} ms"),
    }
}

/// `1 room`, `1,234 rooms`.
pub fn plural(n: u64, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{} {noun}s", number(n)) }
}

/// `1,234,567`.
pub fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `999 B`, `1.5 KiB`, `12.0 MiB`.
pub fn bytes(n: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if n < 1024 {
        return format!("{n} B");
    }
    let mut value = n as f64 / 1024.0;
    let mut unit = UNITS[0];
    for next in &UNITS[1..] {
        if value < 1024.0 {
            break;
        }
        value /= 1024.0;
        unit = next;
    }
    format!("{value:.1} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units() {
        assert_eq!(number(0), "0");
        assert_eq!(number(1_234_567), "1,234,567");
        assert_eq!(plural(1, "room"), "1 room");
        assert_eq!(plural(1000, "room"), "1,000 rooms");
        assert_eq!(bytes(1023), "1023 B");
        assert_eq!(bytes(1536), "1.5 KiB");
        assert_eq!(bytes(200 << 20), "200.0 MiB");
        assert_eq!(time(0), "-");
        assert_eq!(time(1_795_362_779_000), "2026-11-22T15:52:59Z");
        assert_eq!(time(i64::MAX), format!("{} ms", i64::MAX));
    }

    #[test]
    fn what_is_too_wide_is_cut_between_characters() {
        for (text, most, expected) in [
            ("abc", 3, "abc"),
            ("äöüß", 3, "äö…"),
            ("會議改到下午", 12, "會議改到下午"),
            ("會議改到下午", 11, "會議改到下…"),
            ("會議改到下午", 10, "會議改到…"),
            ("e\u{301}e\u{301}e\u{301}", 2, "e\u{301}…"),
            ("👨‍👩‍👧 family", 9, "👨‍👩‍👧 family"),
            ("👨‍👩‍👧 family", 6, "👨‍👩‍👧 fa…"),
            ("a👨‍👩‍👧", 2, "a…"),
            ("שלום עולם", 5, "שלום…"),
            ("abc", 0, "…"),
        ] {
            let short = shorten(text, most);
            assert_eq!(short, expected, "{text} in {most}");
            assert!(short.width() <= most.max(1), "{text} in {most}");
        }
    }
}
