use haos_queue::{MAX_SAID_BYTES, said};
use thiserror::Error;

/// The reason why a response as a whole could not be read. Nothing of it may be applied, least of all its token.
///
/// It says where, and never carries content.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ParseError {
    /// The bytes are not UTF-8.
    #[error("not UTF-8 at byte {offset}: fetch it again, and check that nothing recodes the body on the way")]
    Encoding {
        /// The first byte that is not.
        offset: usize,
    },
    /// The text ends inside a value.
    #[error("the JSON ends too early, at byte {offset}: the answer was cut off, fetch it again")]
    Truncated {
        /// The place of its end, in bytes.
        offset: usize,
    },
    /// The text is not JSON.
    #[error(
        "not JSON at byte {offset} (line {line}, column {column}): {reason}; \
             check that a Matrix homeserver answered, not a proxy or a login page"
    )]
    Syntax {
        /// The place, in bytes.
        offset: usize,
        /// The line, from 1.
        line: usize,
        /// The column in bytes, from 1.
        column: usize,
        /// The reader's finding.
        reason: String,
    },
    /// The JSON is not such a response.
    #[error(
        "`{at}` should be {expected}, and it is {found}; check that this is the answer of the \
             endpoint it was parsed for, with status 200"
    )]
    Shape {
        /// The path of the member, such as `rooms.join`, as long as an error may be; empty for the whole.
        at: String,
        /// The expected type.
        expected: &'static str,
        /// The type that is there.
        found: &'static str,
    },
    /// There is more in it than is read of one answer, or an object or a list is too wide to be taken apart.
    #[error(
        "the answer has more than {limit} entries: ask for less, or raise `AnswerLimits::entries` if that is \
             right"
    )]
    TooMuch {
        /// The most that are read.
        limit: usize,
    },
    /// A single event cannot be read. In a sync or a page it would have been set aside.
    #[error("the event's `{member}` {reason}; keep its text, a later version may read it")]
    Event {
        /// The member at fault.
        member: &'static str,
        /// The fault in it.
        reason: &'static str,
    },
}

impl ParseError {
    pub(crate) fn syntax(text: &str, error: &serde_json::Error) -> Self {
        let (line, column) = (error.line(), error.column());
        let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
        let offset = (start + column.saturating_sub(1)).min(text.len());
        if error.is_eof() {
            return Self::Truncated { offset: text.len() };
        }
        let message = error.to_string();
        let reason = message.split(" at line ").next().unwrap_or_default();
        let reason = said(reason, MAX_SAID_BYTES);
        Self::Syntax { offset, line, column, reason }
    }

    pub(crate) fn shape(at: impl Into<String>, expected: &'static str, found: Option<&str>) -> Self {
        let found = match found.and_then(|text| text.bytes().next()) {
            None => "absent",
            Some(b'{') => "an object",
            Some(b'[') => "a list",
            Some(b'"') => "a text",
            Some(b't' | b'f') => "a boolean",
            Some(b'n') => "null",
            Some(_) => "a number",
        };
        Self::Shape { at: said(&at.into(), MAX_SAID_BYTES), expected, found }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::members::body;

    /// One wrong byte anywhere between the parts of a text is found where it is; a text that ends early ends there.
    #[test]
    fn errors_say_where() {
        const TEXT: &str = "{\n \"a\" : [ 1 , 22 ] ,\n\n \"b\" : { } }\n";
        let blanks = TEXT.match_indices([' ', '\n']).map(|(at, _)| at);
        for at in blanks {
            let text = format!("{}!{}", &TEXT[..at], &TEXT[at..]);
            let (before, line) = (&TEXT[..at], TEXT[..at].matches('\n').count() + 1);
            let column = at - before.rfind('\n').map_or(0, |end| end + 1) + 1;
            let error = body(&text).unwrap_err();
            let ParseError::Syntax { offset, line: found, column: of, reason } = &error else {
                panic!("{text}: {error}");
            };
            assert_eq!((*offset, *found, *of), (at, line, column), "{text}");
            assert!(!reason.is_empty() && !reason.contains(" at line "), "{reason}");
            if at > 0 && at < TEXT.len() - 1 {
                let cut = body(before).unwrap_err();
                assert_eq!(cut, ParseError::Truncated { offset: at }, "{before}");
            }
        }
    }
}
