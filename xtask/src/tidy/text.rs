use super::files::File;
use super::finding::Finding;

/// Split, so that this file passes its own check.
const MACHINE_FOLDERS: [&str; 3] = [concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/wo", "rk/")];

/// Whitespace of what people edit by hand, and paths of one machine in any text.
pub(super) fn check(file: &File, findings: &mut Vec<Finding>) {
    let by_hand = file.has_extension(&["rs", "md", "toml", "sql"]);
    let Some(text) = file.text() else {
        if by_hand {
            findings.push(Finding::error(&file.path, "is not UTF-8 text"));
        }
        return;
    };
    for (line, number) in text.split('\n').zip(1..) {
        let mut error = |message: String| findings.push(Finding::error(&file.path, message).at(number));
        if let Some(folder) = MACHINE_FOLDERS.iter().find(|folder| names_folder(line, folder)) {
            error(format!("a path of one machine ({folder}): make it relative"));
        }
        if by_hand {
            whitespace(line).into_iter().for_each(|message| error(message.into()));
        }
    }
    if by_hand {
        findings.extend(end(text).map(|message| Finding::error(&file.path, message)));
    }
}

fn whitespace(line: &str) -> Option<&'static str> {
    if line.ends_with('\r') {
        Some("line ends in CR LF, not LF")
    } else if line.contains('\t') {
        Some("a tab: indent with spaces, write \\t in strings")
    } else if line.ends_with(char::is_whitespace) {
        Some("trailing whitespace")
    } else {
        None
    }
}

fn end(text: &str) -> Option<&'static str> {
    if text.is_empty() {
        None
    } else if !text.ends_with('\n') {
        Some("no line end at the end of the file")
    } else if text.ends_with("\n\n") {
        Some("an empty line at the end of the file")
    } else {
        None
    }
}

/// Tells if `folder` stands in `line` as the start of a path, not amid one (`src/home/`).
fn names_folder(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || "._-)}".contains(c))
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
    fn clean_text_passes() {
        assert!(messages("a.md", "# A\n\ntext\n").is_empty());
        assert!(messages("a.rs", "").is_empty());
    }

    #[test]
    fn whitespace_is_found_with_its_line() {
        assert_eq!(messages("a.rs", "a\nb \n"), ["error: a.rs:2: trailing whitespace"]);
        assert!(messages("a.sql", "a\n\tb\n")[0].starts_with("error: a.sql:2: a tab"));
        assert_eq!(messages("a.toml", "a\r\n"), ["error: a.toml:1: line ends in CR LF, not LF"]);
    }

    #[test]
    fn a_file_ends_in_one_line_end() {
        assert_eq!(messages("a.md", "a"), ["error: a.md: no line end at the end of the file"]);
        assert_eq!(messages("a.md", "a\n\n"), ["error: a.md: an empty line at the end of the file"]);
    }

    #[test]
    fn whitespace_of_data_is_left_alone() {
        assert!(messages("a.json", "{\t}  ").is_empty());
    }

    #[test]
    fn machine_paths_are_found_in_any_text() {
        for folder in MACHINE_FOLDERS {
            assert_eq!(messages("a.json", &format!("{{\"a\": \"{folder}x\"}}")).len(), 1);
            assert!(messages("a.txt", &format!("https://example.org{folder}x and src{folder}x")).is_empty());
        }
    }

    #[test]
    fn source_that_is_no_text_is_an_error() {
        let mut findings = Vec::new();
        check(&File { path: "a.rs".into(), bytes: vec![0xff] }, &mut findings);
        check(&File { path: "a.zst".into(), bytes: vec![0xff] }, &mut findings);
        assert_eq!(findings, [Finding::error("a.rs", "is not UTF-8 text")]);
    }
}
