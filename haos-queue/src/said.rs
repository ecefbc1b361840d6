//! Texts of servers, as far as they are kept.

/// So much of an error's code is kept, in bytes; the codes of protocols are half as long.
pub const MAX_CODE_BYTES: usize = 64;

/// So much of an error's text is kept, in bytes.
pub const MAX_SAID_BYTES: usize = 1024;

/// A text that a server chose, for an error that is stored or shown: on one line, without control characters, and
/// not longer than `most` bytes, of which `…` is the end where more was said.
pub fn said(text: &str, most: usize) -> String {
    const MORE: char = '…';
    let mut kept = String::new();
    // Where it would be cut if more comes.
    let mut cut = 0;
    for c in text.chars() {
        let c = if c.is_control() { ' ' } else { c };
        if kept.len() + c.len_utf8() > most {
            kept.truncate(cut);
            kept.push(MORE);
            break;
        }
        kept.push(c);
        if kept.len() + MORE.len_utf8() <= most {
            cut = kept.len();
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_kept_on_a_line_and_cut_between_characters() {
        assert_eq!(said("M_FORBIDDEN", 64), "M_FORBIDDEN");
        assert_eq!(said("a\u{1b}[31m\r\nb\u{9b}", 64), "a [31m  b ");
        assert_eq!(said("12345678", 8), "12345678");
        assert_eq!(said("123456789", 8), "12345…");
        assert_eq!(said("äöüßä", 8), "äö…");
        let long = said(&"M".repeat(480_000), MAX_CODE_BYTES);
        assert_eq!((long.len(), long.ends_with("M…")), (MAX_CODE_BYTES, true));
    }
}
