//! What a server said, in no protocol's words, and what follows from it.

use std::fmt;

use haos_store_api::{EventId, MediaUri, ParkReason};

use crate::{MAX_CODE_BYTES, PauseReason, said};

/// The outcome of one request, as a transport saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer {
    /// Accepted, as this event.
    Accepted(EventId),
    /// Accepted; this kind of request has no id (a receipt, a notification of typing).
    Done,
    /// The media is on the server, here.
    Uploaded(MediaUri),
    /// No connection was made: surely nothing reached the server.
    Unsent,
    /// No answer: DNS, TLS, a timeout, a reset. The request may have been processed.
    NoAnswer,
    /// A success that is none: no event id, HTML, not JSON, as captive portals give.
    Unreadable,
    /// An answer that is larger than what is read of one: it was not read to its end.
    TooLarge {
        /// The most bytes that are read, after decompression.
        limit: u64,
    },
    /// The server refused.
    Refused(Refusal),
}

/// A refusal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// The protocol's code, such as `M_FORBIDDEN`; none where the answer is not the protocol's, as from
    /// a proxy.
    pub code: Option<String>,
    /// How long to wait, in milliseconds, if the server says.
    pub retry_after_ms: Option<u64>,
    /// What the protocol makes of the account, if the refusal is about more than the request.
    pub account: Option<PauseReason>,
}

impl Refusal {
    /// A refusal with a status and a code.
    pub fn new(status: u16, code: &str) -> Self {
        Self { status, code: Some(code.to_owned()), ..Self::default() }
    }

    /// For the user and for logs; carries no content. A code is as long as the server wants: so much of it as
    /// [`MAX_CODE_BYTES`] says.
    pub fn describe(&self) -> String {
        match &self.code {
            Some(code) => format!("{} {}", self.status, said(code, MAX_CODE_BYTES)),
            None => format!("{}", self.status),
        }
    }
}

/// What follows from an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// It is on the server. The event's id, where it has one.
    Accepted(Option<EventId>),
    /// The media is on the server; where, if the answer said.
    Uploaded(Option<MediaUri>),
    /// Try again.
    Transient {
        /// It may have been processed.
        ambiguous: bool,
        /// It counts as an attempt.
        counts: bool,
        /// Nothing answered: it says something about the connection rather than about the request.
        offline: bool,
        /// What happened.
        error: String,
    },
    /// Try again later, and so must every other request of the account.
    RateLimited {
        /// At least so long, in milliseconds.
        wait_ms: u64,
    },
    /// Nothing is wrong with the row: the account must do something first.
    Pause(PauseReason),
    /// The server will never take it as it is.
    Park {
        /// Why.
        reason: ParkReason,
        /// What the server said.
        error: String,
    },
}

impl fmt::Display for Answer {
    /// For the user and for logs; carries no content.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Accepted(_) | Self::Done | Self::Uploaded(_) => "accepted",
            Self::Unsent => "no connection",
            Self::NoAnswer => "no answer",
            Self::Unreadable => "an answer that is not the server's",
            Self::TooLarge { limit } => return write!(f, "an answer of more than {limit} bytes"),
            Self::Refused(refusal) => return f.write_str(&refusal.describe()),
        })
    }
}

impl Answer {
    /// The table of answers in `docs/semantics.md`.
    pub fn verdict(&self, upload: bool) -> Verdict {
        let silent = |ambiguous| Verdict::Transient {
            ambiguous,
            counts: false,
            offline: true,
            error: self.to_string(),
        };
        match self {
            Self::Accepted(event_id) => Verdict::Accepted(Some(event_id.clone())),
            Self::Done => Verdict::Accepted(None),
            Self::Uploaded(uri) => Verdict::Uploaded(Some(uri.clone())),
            Self::Unsent => silent(false),
            Self::NoAnswer | Self::Unreadable | Self::TooLarge { .. } => silent(true),
            Self::Refused(refusal) => refusal.verdict(upload),
        }
    }
}

impl Refusal {
    fn verdict(&self, upload: bool) -> Verdict {
        if let Some(reason) = &self.account {
            return Verdict::Pause(reason.clone());
        }
        let error = self.describe();
        let park = |reason| Verdict::Park { reason, error: error.clone() };
        match (self.status, &self.code) {
            (429, _) => Verdict::RateLimited { wait_ms: self.retry_after_ms.unwrap_or(0) },
            // Without a code it is not the server that refuses, but something on the way to it.
            (408 | 425 | 500.., _) | (401 | 403 | 404 | 407, None) => {
                Verdict::Transient { ambiguous: true, counts: true, offline: false, error }
            }
            (401, _) => Verdict::Pause(PauseReason::LoggedOut),
            (403, _) => park(ParkReason::Forbidden),
            (413, _) => park(ParkReason::TooLarge),
            (400, _) => park(ParkReason::Invalid),
            (404, _) => park(ParkReason::NotFound),
            (409, _) if upload => Verdict::Uploaded(None),
            // Statuses below 400 are no refusals: whoever answered so is not the server.
            (..400, _) => Verdict::Transient { ambiguous: true, counts: false, offline: true, error },
            (_, _) => park(ParkReason::Refused),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16, code: Option<&str>) -> Verdict {
        let code = code.map(str::to_owned);
        Answer::Refused(Refusal { status, code, ..Refusal::default() }).verdict(false)
    }

    #[test]
    fn every_status_has_its_place() {
        for status in [408, 425, 500, 502, 503, 504, 520, 524, 599] {
            let verdict = refused(status, None);
            let expected =
                matches!(verdict, Verdict::Transient { ambiguous: true, counts: true, offline: false, .. });
            assert!(expected, "{status}: {verdict:?}");
        }
        for status in [401, 403, 404, 407] {
            assert!(matches!(refused(status, None), Verdict::Transient { .. }), "a proxy's {status}");
        }
        let parks = [
            (400, ParkReason::Invalid),
            (403, ParkReason::Forbidden),
            (404, ParkReason::NotFound),
            (405, ParkReason::Refused),
            (409, ParkReason::Refused),
            (413, ParkReason::TooLarge),
            (422, ParkReason::Refused),
        ];
        for (status, expected) in parks {
            assert!(
                matches!(refused(status, Some("M_X")), Verdict::Park { reason, .. } if reason == expected)
            );
        }
        assert_eq!(refused(429, None), Verdict::RateLimited { wait_ms: 0 });
        assert_eq!(refused(401, Some("M_UNKNOWN_TOKEN")), Verdict::Pause(PauseReason::LoggedOut));
        let conflict = Answer::Refused(Refusal::new(409, "M_CANNOT_OVERWRITE_MEDIA"));
        assert_eq!(conflict.verdict(true), Verdict::Uploaded(None));
        assert!(matches!(refused(302, None), Verdict::Transient { offline: true, .. }));
    }

    #[test]
    fn what_never_left_is_not_ambiguous() {
        for (answer, maybe) in [(Answer::Unsent, false), (Answer::NoAnswer, true), (Answer::Unreadable, true)]
        {
            let verdict = answer.verdict(false);
            assert!(
                matches!(verdict, Verdict::Transient { ambiguous, counts: false, .. } if ambiguous == maybe),
                "{verdict:?}"
            );
        }
    }
}
