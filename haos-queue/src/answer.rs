//! A server's answers, in no protocol's words, and their consequences.

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
    /// A success without the protocol's content: no event id, HTML, not JSON, as captive portals give.
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
    /// The consequence for the account, if the refusal is about more than the request.
    pub account: Option<PauseReason>,
}

impl Refusal {
    /// A refusal with a status and a code.
    pub fn new(status: u16, code: &str) -> Self {
        Self { status, code: Some(code.to_owned()), ..Self::default() }
    }

    /// For the user and for logs; carries no content. A code is as long as the server wants: it is cut at
    /// [`MAX_CODE_BYTES`].
    pub fn describe(&self) -> String {
        match &self.code {
            Some(code) => format!("{} {}", self.status, said(code, MAX_CODE_BYTES)),
            None => format!("{}", self.status),
        }
    }
}

/// The consequence of an answer.
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
        /// A description of the failure.
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
        /// The reason.
        reason: ParkReason,
        /// The server's words.
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

    fn transient(ambiguous: bool, counts: bool, offline: bool, error: &str) -> Verdict {
        Verdict::Transient { ambiguous, counts, offline, error: error.to_owned() }
    }

    /// The table of statuses, as somebody reads it: with the protocol's code and without one.
    fn expected(status: u16, code: bool, upload: bool, error: &str) -> Verdict {
        let park = |reason| Verdict::Park { reason, error: error.to_owned() };
        match status {
            429 => Verdict::RateLimited { wait_ms: 0 },
            408 | 425 | 500..=999 => transient(true, true, false, error),
            401 | 403 | 404 | 407 if !code => transient(true, true, false, error),
            401 => Verdict::Pause(PauseReason::LoggedOut),
            403 => park(ParkReason::Forbidden),
            413 => park(ParkReason::TooLarge),
            400 => park(ParkReason::Invalid),
            404 => park(ParkReason::NotFound),
            409 if upload => Verdict::Uploaded(None),
            0..=399 => transient(true, false, true, error),
            _ => park(ParkReason::Refused),
        }
    }

    #[test]
    fn every_status_has_its_place() {
        for status in 0..1000 {
            for code in [None, Some("M_X")] {
                for upload in [false, true] {
                    let refusal = Refusal { status, code: code.map(str::to_owned), ..Refusal::default() };
                    let error = code.map_or(status.to_string(), |code| format!("{status} {code}"));
                    assert_eq!(refusal.describe(), error);
                    let verdict = Answer::Refused(refusal.clone()).verdict(upload);
                    assert_eq!(verdict, expected(status, code.is_some(), upload, &error), "{refusal:?}");
                    let of_account = Refusal { account: Some(PauseReason::LoggedOut), ..refusal };
                    assert_eq!(
                        Answer::Refused(of_account).verdict(upload),
                        Verdict::Pause(PauseReason::LoggedOut)
                    );
                }
            }
        }
        let quiet = Refusal { retry_after_ms: Some(7), ..Refusal::new(429, "M_X") };
        assert_eq!(Answer::Refused(quiet).verdict(false), Verdict::RateLimited { wait_ms: 7 });
        let long = Refusal::new(400, &"x".repeat(MAX_CODE_BYTES * 2));
        assert!(long.describe().len() <= 4 + MAX_CODE_BYTES);
    }

    #[test]
    fn what_never_left_is_not_ambiguous() {
        for (answer, maybe) in [
            (Answer::Unsent, false),
            (Answer::NoAnswer, true),
            (Answer::Unreadable, true),
            (Answer::TooLarge { limit: 5 }, true),
        ] {
            for upload in [false, true] {
                assert_eq!(answer.verdict(upload), transient(maybe, false, true, &answer.to_string()));
            }
        }
    }

    #[test]
    fn what_is_on_the_server_is_named() {
        let (event, uri) = (EventId::new("$e").unwrap(), MediaUri::new("mxc://x/1").unwrap());
        for (answer, verdict) in [
            (Answer::Accepted(event.clone()), Verdict::Accepted(Some(event))),
            (Answer::Done, Verdict::Accepted(None)),
            (Answer::Uploaded(uri.clone()), Verdict::Uploaded(Some(uri))),
        ] {
            assert_eq!((answer.verdict(false), answer.verdict(true)), (verdict.clone(), verdict));
        }
    }
}
