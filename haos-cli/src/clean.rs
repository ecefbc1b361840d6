//! Texts as a terminal may have them.
//!
//! Names, texts, ids and errors come from strangers. Taken out is whatever steers a terminal (C0, DEL, C1), turns
//! the direction of a text around, or hides or fakes a text by being invisible; a character cannot carry more than
//! a few marks, which would reach over other lines. Kept are emoji, with their joiners and variation selectors,
//! and the joiners that Persian and the scripts of India are written with.

use std::borrow::Cow;
use std::fmt::Write as _;

use unicode_width::UnicodeWidthChar as _;

/// The most marks, selectors and joiners that may follow one character. The scripts that stack most need six.
const MARKS: u8 = 8;

/// A filter of characters, in their order.
#[derive(Debug, Default)]
pub(crate) struct Cleaner {
    /// How many characters without a width came since the latest one with a width.
    marks: u8,
    /// There is something before that a joiner could join.
    joinable: bool,
}

/// The handling of a character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Kept,
    /// White space that also moves the cursor or begins a line.
    Space,
    Dropped,
}

impl Cleaner {
    /// Adds the text to what was cleaned before it. Line ends stay.
    pub(crate) fn push(&mut self, text: &str, cleaned: &mut String) {
        for c in text.chars() {
            match self.fate(c) {
                Fate::Kept => cleaned.push(c),
                Fate::Space if c == '\n' => cleaned.push(c),
                Fate::Space => cleaned.push(' '),
                Fate::Dropped => {}
            }
        }
    }

    fn fate(&mut self, c: char) -> Fate {
        match c {
            '!'..='~' => (self.marks, self.joinable) = (0, true),
            ' ' => (self.marks, self.joinable) = (0, false),
            '\t'..='\r' | '\u{85}' | '\u{2028}' | '\u{2029}' => {
                (self.marks, self.joinable) = (0, false);
                return Fate::Space;
            }
            c if is_hidden(c) => return Fate::Dropped,
            c if c.width() != Some(0) => (self.marks, self.joinable) = (0, true),
            c => {
                let joins = matches!(c, '\u{200c}' | '\u{200d}');
                if self.marks == MARKS || joins && !self.joinable {
                    return Fate::Dropped;
                }
                (self.marks, self.joinable) = (self.marks + 1, self.joinable && !joins);
            }
        }
        Fate::Kept
    }
}

/// Tells if a character is a control, or stands for nothing that can be seen.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            // The direction of texts.
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            // Invisible: hyphens, fillers, spaces without a width, marks of annotations, shorthand and music.
            | '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180e}' | '\u{200b}'
            | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            // Tags, and the selectors that texts are hidden in.
            | '\u{e0000}'..='\u{e0fff}')
}

/// A text on one line.
pub fn clean(text: &str) -> String {
    let mut cleaned = clean_lines(text).join(" ");
    cleaned.truncate(cleaned.trim_end().len());
    cleaned
}

/// The lines of a text.
pub(crate) fn clean_lines(text: &str) -> Vec<String> {
    let clean = |line| {
        let mut cleaned = String::new();
        Cleaner::default().push(line, &mut cleaned);
        cleaned
    };
    text.lines().map(clean).collect()
}

/// JSON that means the same and can be shown on a terminal: what is not shown as it is, is escaped.
pub(crate) fn escape(json: &str) -> Cow<'_, str> {
    let (mut cleaner, mut escaped) = (Cleaner::default(), String::new());
    let mut done = 0;
    for (at, c) in json.char_indices() {
        // Outside of strings, all is ASCII; within, JSON has escaped the controls of C0.
        if cleaner.fate(c) == Fate::Kept || c < '\u{7f}' {
            continue;
        }
        escaped.push_str(&json[done..at]);
        for unit in c.encode_utf16(&mut [0; 2]) {
            // Writing to a string does not fail.
            let _ = write!(escaped, "\\u{unit:04x}");
        }
        done = at + c.len_utf8();
    }
    if done == 0 {
        return Cow::Borrowed(json);
    }
    escaped.push_str(&json[done..]);
    Cow::Owned(escaped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_steers_a_terminal_is_left() {
        assert_eq!(clean("a\u{1b}[31mb\u{7}\u{9b}c\u{202e}d\u{7f}\n"), "a[31mbcd");
        assert_eq!(
            clean("a\u{2066}b\u{200f}c\u{61c}d\u{200b}e\u{feff}f\u{e0041}g\u{3164}h\u{ad}i"),
            "abcdefghi"
        );
        assert_eq!(clean_lines("a\r\nb\tc"), ["a", "b c"]);
    }

    #[test]
    fn one_line_stays_one() {
        assert_eq!(clean("a\nb\rc\u{2028}d\u{2029}e\u{85}f\u{b}g\n"), "a b c d e f g");
    }

    #[test]
    fn what_people_write_stays() {
        for text in [
            "שלום 👍🏽",
            "👨‍👩‍👧‍👦 ❤️‍🔥 🏳️‍🌈 1️⃣ 🇩🇪",
            "می‌خواهم",
            "क्‍ष",
            "Tiếng Việt",
            "e\u{323}\u{302}",
            "བོད་སྐད་",
            "한국어",
            "สวัสดี ที่นี่",
        ] {
            assert_eq!(clean(text), text);
        }
    }

    #[test]
    fn marks_do_not_pile_up() {
        let piled = format!("a{}b\u{301}", "\u{301}".repeat(1000));
        assert_eq!(clean(&piled), format!("a{}b\u{301}", "\u{301}".repeat(MARKS.into())));
        assert_eq!(clean("\u{200d}a\u{200d}\u{200d}b \u{200c}c"), "a\u{200d}b c", "a joiner joins");
        let (mut cleaner, mut cleaned) = (Cleaner::default(), String::new());
        (0..20).for_each(|_| cleaner.push("\u{301}", &mut cleaned));
        assert_eq!(cleaned.chars().count(), usize::from(MARKS), "in however many pieces");
    }

    #[test]
    fn json_loses_nothing() {
        let nasty = format!(
            "\u{1b}\u{7f}\u{9b}\u{202e}\u{2028}\u{e0041}ä👍\u{1f3fd}{}\r\n\t\\\"",
            "\u{301}".repeat(20)
        );
        let json = serde_json::to_string(&[&nasty]).unwrap();
        let shown = escape(&json);
        assert_eq!(serde_json::from_str::<[String; 1]>(&shown).unwrap(), [nasty]);
        assert!(shown.chars().all(|c| !c.is_control() && !is_hidden(c)), "{shown}");
        assert!(shown.contains(r"\u007f\u009b\u202e\u2028\udb40\udc41ä👍"), "{shown}");
        assert!(matches!(escape(r#"{"a":"ä"}"#), Cow::Borrowed(_)));
    }
}
