//! The text of a message: words of the command line, or the input.

use std::io::Read as _;

use crate::error::{Error, Result};

/// No homeserver takes more; the outbox says how much it takes.
const MOST: u64 = 1 << 20;

/// The words, with a space between them; what stands in the input for `-`.
pub(super) fn text(words: &[String]) -> Result<String> {
    let text = match words {
        [dash] if dash == "-" => input()?,
        words => words.join(" "),
    };
    if text.trim().is_empty() {
        return Err(Error::Input("the text is empty: nothing was written".to_owned()));
    }
    Ok(text)
}

/// All of the input, without the line end that it closes with.
fn input() -> Result<String> {
    let mut bytes = Vec::new();
    let read = std::io::stdin().lock().take(MOST + 1).read_to_end(&mut bytes);
    read.map_err(|e| Error::Failed(format!("the input cannot be read: {e}")))?;
    if bytes.len() as u64 > MOST {
        let message = "the input is longer than any message: send it as a file, with `haos send-file`";
        return Err(Error::Input(message.to_owned()));
    }
    let mut text = String::from_utf8(bytes)
        .map_err(|_| Error::Input("the input is not UTF-8 text: nothing was written".to_owned()))?;
    if text.ends_with('\n') {
        text.truncate(text.trim_end_matches('\n').len());
        text.truncate(text.strip_suffix('\r').unwrap_or(&text).len());
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_joined_and_nothing_is_no_text() {
        let words = |words: &[&str]| text(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
        assert_eq!(words(&["hello", "world"]).unwrap(), "hello world");
        assert_eq!(words(&["-", "-"]).unwrap(), "- -");
        assert_eq!(words(&["", " "]).unwrap_err().code(), 3);
    }
}
