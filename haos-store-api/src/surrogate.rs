use std::borrow::Cow;

/// Replaces each escape of a lone surrogate in JSON by one of U+FFFD. JSON can write such a half of a character, for
/// instance after a client cut a text; no Unicode text can hold it, and most readers refuse all of the JSON. The length
/// stays.
pub fn without_lone_surrogates(json: &str) -> Cow<'_, str> {
    let bytes = json.as_bytes();
    let surrogate = |at: usize| -> Option<u16> {
        let digits = json.get(at..at + 6)?.strip_prefix("\\u")?;
        let unit = u16::from_str_radix(digits, 16).ok()?;
        (0xd800..0xe000).contains(&unit).then_some(unit)
    };
    let mut lone = Vec::new();
    let mut at = 0;
    while let Some(found) = json.get(at..).and_then(|rest| rest.find('\\')) {
        at += found;
        let pair = (surrogate(at), surrogate(at + 6));
        at += match pair {
            (Some(0xd800..0xdc00), Some(0xdc00..)) => 12,
            (Some(_), _) => {
                lone.push(at);
                6
            }
            // The escape of one character; the rest of a `\u` holds no backslash.
            _ if bytes.get(at + 1).is_some_and(u8::is_ascii) => 2,
            _ => 1,
        };
    }
    if lone.is_empty() {
        return Cow::Borrowed(json);
    }
    let mut mended = json.to_owned();
    for at in lone {
        mended.replace_range(at..at + 6, "\\ufffd");
    }
    Cow::Owned(mended)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lone_ones_become_replacement_characters() {
        for (text, mended) in [
            (r#""cut \ud83d""#, Some(r#""cut \ufffd""#)),
            (
                r#""\uDE00 \uD83D\ude00 \ud83d\ud83d\ude00""#,
                Some(r#""\ufffd \uD83D\ude00 \ufffd\ud83d\ude00""#),
            ),
            (r#""\ud83d\n\udc00\ud800""#, Some(r#""\ufffd\n\ufffd\ufffd""#)),
            (r#"{"\ud83d":1}"#, Some(r#"{"\ufffd":1}"#)),
            (r#""\\ud83d \\\\ud83d \u00e9 \ud83d\ude00 é""#, None),
            (r#""\\\ud83d""#, Some(r#""\\\ufffd""#)),
            (r#""\ud8"#, None),
            ("\"\\é\"", None),
            ("\\", None),
            ("\"\\ud83é\"", None),
        ] {
            assert_eq!(without_lone_surrogates(text), mended.unwrap_or(text), "{text}");
        }
    }
}
