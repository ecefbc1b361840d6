use super::files::File;
use super::finding::Finding;

const MOST_LINES: usize = 500;
const MANY_LINES: usize = 300;

/// Split, so that this file passes its own check.
const UNFINISHED: [&str; 3] = [concat!("to", "do!"), concat!("unimple", "mented!"), concat!("d", "bg!")];

/// Sizes, leftovers and the first line of a crate.
pub(super) fn check(file: &File, findings: &mut Vec<Finding>) {
    let Some(text) = file.text().filter(|_| file.has_extension(&["rs"])) else { return };
    findings.extend(size(file, text));
    if file.name() == "lib.rs" && !text.starts_with("//!") {
        findings
            .push(Finding::error(&file.path, "a crate starts with //!: one sentence on what it is").at(1));
    }
    for (line, number) in text.lines().zip(1..) {
        if let Some(name) = UNFINISHED.iter().find(|name| calls(line, name)) {
            findings.push(Finding::error(&file.path, format!("{name} is left over")).at(number));
        }
    }
}

fn size(file: &File, text: &str) -> Option<Finding> {
    let (path, lines) = (&file.path, code_lines(text));
    if is_test(path) {
        let all = text.lines().count();
        let message = || Finding::warning(path, format!("{all} lines of tests: is it one concept?"));
        (all > MOST_LINES).then(message)
    } else if lines > MOST_LINES {
        Some(Finding::error(path, format!("{lines} lines without tests, at most {MOST_LINES}: split it")))
    } else if lines > MANY_LINES {
        Some(Finding::warning(
            path,
            format!("{lines} lines without tests, over {MANY_LINES}: is it one concept?"),
        ))
    } else {
        None
    }
}

/// Integration tests, and unit tests in a file of their own.
fn is_test(path: &str) -> bool {
    path.starts_with("tests/") || path.contains("/tests/") || path.ends_with("/tests.rs")
}

/// Lines up to the inline test module; a `#[cfg(test)]` on anything else does not end the count.
fn code_lines(text: &str) -> usize {
    let lines: Vec<&str> = text.lines().collect();
    let opens_tests = |at: usize| {
        let item = lines[at + 1..].iter().find(|line| !line.trim_start().starts_with("#["));
        item.is_some_and(|line| line.starts_with("mod ") && line.ends_with('{'))
    };
    (0..lines.len()).find(|&at| lines[at] == "#[cfg(test)]" && opens_tests(at)).unwrap_or(lines.len())
}

/// Tells if `line` calls the macro `name`, not one whose name ends alike.
fn calls(line: &str, name: &str) -> bool {
    line.match_indices(name).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(path: &str, text: &str) -> Vec<String> {
        let mut findings = Vec::new();
        check(&File::of(path, text), &mut findings);
        findings.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn lines_up_to_the_tests_count() {
        assert_eq!(code_lines("a\nb\n"), 2);
        assert_eq!(code_lines("a\n#[cfg(test)]\nmod tests {\nb\n}\n"), 1);
        assert_eq!(code_lines("a\n#[cfg(test)]\n#[path = \"x\"]\nmod tests {\nb\n}\n"), 1);
    }

    #[test]
    fn other_test_items_do_not_hide_code() {
        assert_eq!(code_lines("#[cfg(test)]\nmod tests;\nb\n"), 3);
        assert_eq!(code_lines("#[cfg(test)]\nuse a::b;\nb\n"), 3);
        assert_eq!(code_lines("#[cfg(test)]"), 1);
    }

    #[test]
    fn sizes_warn_then_fail() {
        assert!(messages("a.rs", &"x\n".repeat(300)).is_empty());
        assert!(messages("a.rs", &"x\n".repeat(301))[0].starts_with("warning: a.rs: 301 lines"));
        assert!(messages("a.rs", &"x\n".repeat(500))[0].starts_with("warning"));
        assert!(messages("a.rs", &"x\n".repeat(501))[0].starts_with("error: a.rs: 501 lines"));
        assert!(messages("a/tests/b.rs", &"x\n".repeat(501))[0].starts_with("warning"));
    }

    #[test]
    fn leftovers_are_found() {
        for name in UNFINISHED {
            assert_eq!(
                messages("a.rs", &format!("ok\n    {name}(x)\n")),
                [format!("error: a.rs:2: {name} is left over")]
            );
            assert!(messages("a.rs", &format!("my_{name}(x)\n")).is_empty());
            assert!(messages("a.md", name).is_empty());
        }
    }

    #[test]
    fn a_crate_says_what_it_is() {
        assert!(messages("a/src/lib.rs", "//! A crate.\n").is_empty());
        assert_eq!(messages("a/src/lib.rs", "mod a;\n").len(), 1);
        assert!(messages("a/src/a.rs", "mod a;\n").is_empty());
    }
}
