//! Words that are meant for a terminal, and whether they reached it. The tests of the demo read this file, too.

/// Colours, a title, a cleared screen, turned around, hidden, and lines that pass for others.
pub(crate) const NASTY: &str = "\u{1b}[31m\u{1b}]0;t\u{7}\u{9b}2J\u{202e}\u{2066}\u{200f}\u{61c}\u{200b}\u{7f}\u{e0041}\u{feff}\
    \nFORGED\rFORGED\u{85}FORGED\u{2028}FORGED\u{b}FORGED\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}";

/// Finds harm in an output: something that steers a terminal, turns a text around or hides it; or a line
/// that looks like one of ours.
pub(crate) fn harm(output: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(output).unwrap();
    let steers = |c: char| {
        c.is_control() && c != '\n'
            || "\u{61c}\u{200b}\u{200e}\u{200f}\u{2028}\u{2029}\u{feff}".contains(c)
            || ('\u{202a}'..='\u{202e}').contains(&c)
            || ('\u{2066}'..='\u{2069}').contains(&c)
            || ('\u{e0000}'..='\u{e0fff}').contains(&c)
    };
    let found = text.chars().find(|c| steers(*c)).map(|c| format!("{c:?}"));
    let forged = text.lines().any(|line| line.starts_with("FORGED")).then(|| "a forged line".to_owned());
    let piled = text.contains(&"\u{301}".repeat(9)).then(|| "a pile of marks".to_owned());
    let panics = text.contains("panicked").then(|| "a panic".to_owned());
    found.or(forged).or(piled).or(panics).map(|what| format!("{what} in {text:?}"))
}
