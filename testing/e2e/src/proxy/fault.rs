use std::time::Duration;

/// The fate of a request on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The server processes it; the client's connection closes without an answer.
    DropResponse,
    /// The connection closes before the server hears of it.
    ResetBefore,
    /// The server processes it; half of the answer's body is sent, then the connection closes. Of a large
    /// body less may arrive; an answer without a body passes.
    Truncate,
    /// The server processes it and the answer never comes; the connection closes after `at_most`.
    HangAfter {
        /// How long the client is left waiting if it does not give up.
        at_most: Duration,
    },
    /// 429 `M_LIMIT_EXCEEDED` in place of the server's answer; the server does not hear of it.
    Status429 {
        /// The wait that the answer asks of the client, told in milliseconds.
        retry_after: Duration,
    },
    /// 502 with a page of HTML, as from a proxy; the server does not hear of it.
    Status502,
    /// 200 with a page of HTML, as from a captive portal; the server does not hear of it.
    Portal,
    /// 302 to a page elsewhere, as from a captive portal; the server does not hear of it.
    Redirect,
    /// It is forwarded later, and other faults may befall it as well.
    Latency(Duration),
}

/// Faults without their parameters, for counting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum FaultKind {
    /// [`Fault::DropResponse`]
    DropResponse,
    /// [`Fault::ResetBefore`]
    ResetBefore,
    /// [`Fault::Truncate`]
    Truncate,
    /// [`Fault::HangAfter`]
    HangAfter,
    /// [`Fault::Status429`]
    Status429,
    /// [`Fault::Status502`]
    Status502,
    /// [`Fault::Portal`]
    Portal,
    /// [`Fault::Redirect`]
    Redirect,
    /// [`Fault::Latency`]
    Latency,
}

impl FaultKind {
    /// Every kind.
    pub const ALL: [Self; 9] = [
        Self::DropResponse,
        Self::ResetBefore,
        Self::Truncate,
        Self::HangAfter,
        Self::Status429,
        Self::Status502,
        Self::Portal,
        Self::Redirect,
        Self::Latency,
    ];
}

impl Fault {
    /// Which fault it is.
    pub fn kind(self) -> FaultKind {
        match self {
            Self::DropResponse => FaultKind::DropResponse,
            Self::ResetBefore => FaultKind::ResetBefore,
            Self::Truncate => FaultKind::Truncate,
            Self::HangAfter { .. } => FaultKind::HangAfter,
            Self::Status429 { .. } => FaultKind::Status429,
            Self::Status502 => FaultKind::Status502,
            Self::Portal => FaultKind::Portal,
            Self::Redirect => FaultKind::Redirect,
            Self::Latency(_) => FaultKind::Latency,
        }
    }
}
