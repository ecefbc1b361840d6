use haos_store_api::{EventId, EventType, Json, MediaUri, ParkReason, Pending, PendingState};

use crate::Sealed;
use crate::transport::{RECEIPT, TYPING, UPLOAD};

/// The states of a row, for tables: [`PendingState`] without what it carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(clippy::exhaustive_enums, reason = "tables list every state: a new one must not compile")]
pub enum Phase {
    /// Waits for its parent.
    Blocked,
    /// Waits for its turn.
    Queued,
    /// Is being sent.
    Sending,
    /// Accepted; its echo has not come.
    Sent,
    /// Waits for the user or a change of circumstances. So does a row in a state that this version does
    /// not know.
    Parked,
}

impl Phase {
    /// Every state.
    pub const ALL: [Self; 5] = [Self::Blocked, Self::Queued, Self::Sending, Self::Sent, Self::Parked];

    /// The state of a row.
    pub fn of(row: &Pending) -> Self {
        Self::of_state(row.state)
    }

    pub(crate) fn of_state(state: PendingState) -> Self {
        match state {
            PendingState::Blocked => Self::Blocked,
            PendingState::Queued => Self::Queued,
            PendingState::Sending => Self::Sending,
            PendingState::Sent => Self::Sent,
            _ => Self::Parked,
        }
    }
}

/// The class of a row, by its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(clippy::exhaustive_enums, reason = "every place that sorts rows must know all classes")]
pub enum Class {
    /// An event: in order, with an echo.
    Event,
    /// Bytes: no echo, beside the room's events.
    Upload,
    /// A receipt or typing: the latest counts, nobody misses one.
    Signal,
}

impl Class {
    /// The class of a row.
    pub fn of(row: &Pending) -> Self {
        Self::of_kind(&row.kind)
    }

    /// The class of a kind.
    pub fn of_kind(kind: &EventType) -> Self {
        match kind.as_str() {
            UPLOAD => Self::Upload,
            RECEIPT | TYPING => Self::Signal,
            _ => Self::Event,
        }
    }
}

/// An event in the life of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "tables list every event: a new one must not compile")]
pub enum Event {
    /// The row it waits for is on the server.
    ParentSent,
    /// The row it waits for was cancelled; `cancel`: this one goes with it.
    ParentCancelled {
        /// It makes no sense without its parent.
        cancel: bool,
    },
    /// A context takes it to send it.
    Lease(Taken),
    /// It could not be sealed, and was not leased.
    Unready(Failure),
    /// Its holder is still at it.
    Renew {
        /// Until when.
        until_ms: i64,
    },
    /// The server gave its upload a place.
    Placed(MediaUri),
    /// The server took it. Counts whoever asked.
    Accepted(Option<EventId>),
    /// An attempt failed, under this fence.
    Failed {
        /// The fence it was made under.
        fence: u64,
        /// How.
        failure: Failure,
    },
    /// Its holder's time ran out, or the holder restarted or let go of it, under this fence.
    LeaseLost {
        /// The fence it was held under.
        fence: u64,
        /// When it was to run out; a renewed lease is another one.
        until_ms: i64,
    },
    /// The server shows it in the timeline, as this event.
    Echo(EventId),
    /// The user takes it back.
    Cancel,
    /// The user gives it other content.
    Edit(Json),
    /// The user wants it tried again, at once.
    Retry,
    /// The reason for which it is parked may have passed.
    CauseGone(ParkReason),
    /// It waited too long.
    Expire,
    /// The server surely does not have it.
    ProvenAbsent,
    /// It may be on the server, and nothing can tell.
    Unprovable,
    /// The bytes that it uploads are gone.
    MediaMissing,
    /// The user pauses an upload.
    Pause,
}

/// The taker of a row, and the facts to remember if no answer comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// The context.
    pub owner: String,
    /// Until when, in milliseconds since 1970.
    pub until_ms: i64,
    /// The device that sends.
    pub device: String,
    /// The sync token held now.
    pub sync_token: Option<String>,
    /// The room's newest confirmed message.
    pub anchor: Option<EventId>,
    /// The form in which it goes out, where it has just been sealed.
    pub sealed: Option<Sealed>,
}

/// How an attempt failed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "the machine handles each")]
pub enum Failure {
    /// It may go better later.
    Transient {
        /// It may have been processed.
        ambiguous: bool,
        /// It counts as an attempt.
        counts: bool,
        /// A description of the failure.
        error: String,
    },
    /// The server wants quiet; not before this moment.
    RateLimited {
        /// In milliseconds since 1970.
        until_ms: i64,
    },
    /// The account cannot send now; the row is innocent.
    Paused,
    /// The server will never take it.
    Permanent {
        /// The reason.
        reason: ParkReason,
        /// The server's words.
        error: String,
    },
}

macro_rules! kinds {
    ($($kind:ident),* $(,)?) => {
        /// The events, for tables: [`Event`] without what it carries.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[allow(missing_docs, clippy::exhaustive_enums, reason = "named and documented as in `Event`")]
        pub enum EventKind {
            $($kind),*
        }

        impl EventKind {
            /// Every event.
            pub const ALL: &'static [Self] = &[$(Self::$kind),*];
        }
    };
}

kinds!(
    ParentSent,
    ParentCancelled,
    Lease,
    Unready,
    Unsealable,
    Renew,
    Placed,
    Accepted,
    Transient,
    RateLimited,
    Paused,
    Permanent,
    LeaseLost,
    Echo,
    Cancel,
    Edit,
    Retry,
    CauseGone,
    Expire,
    ProvenAbsent,
    Unprovable,
    MediaMissing,
    Pause,
);

impl Event {
    /// Which one.
    pub fn kind(&self) -> EventKind {
        match self {
            Self::ParentSent => EventKind::ParentSent,
            Self::ParentCancelled { .. } => EventKind::ParentCancelled,
            Self::Lease(_) => EventKind::Lease,
            Self::Unready(Failure::Permanent { .. }) => EventKind::Unsealable,
            Self::Unready(_) => EventKind::Unready,
            Self::Renew { .. } => EventKind::Renew,
            Self::Placed(_) => EventKind::Placed,
            Self::Accepted(_) => EventKind::Accepted,
            Self::Failed { failure, .. } => match failure {
                Failure::Transient { .. } => EventKind::Transient,
                Failure::RateLimited { .. } => EventKind::RateLimited,
                Failure::Paused => EventKind::Paused,
                Failure::Permanent { .. } => EventKind::Permanent,
            },
            Self::LeaseLost { .. } => EventKind::LeaseLost,
            Self::Echo(_) => EventKind::Echo,
            Self::Cancel => EventKind::Cancel,
            Self::Edit(_) => EventKind::Edit,
            Self::Retry => EventKind::Retry,
            Self::CauseGone(_) => EventKind::CauseGone,
            Self::Expire => EventKind::Expire,
            Self::ProvenAbsent => EventKind::ProvenAbsent,
            Self::Unprovable => EventKind::Unprovable,
            Self::MediaMissing => EventKind::MediaMissing,
            Self::Pause => EventKind::Pause,
        }
    }
}
