//! The items of a timeline.

use std::fmt;
use std::sync::Arc;

use haos_queue::{RowStatus, UPLOAD};
use haos_store_api::{EventId, EventType, Json, ParkReason, Pending, PendingState, TxnId, UserId};
use serde::Serialize;

use crate::content::Content;

/// An item of a timeline.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct TimelineItem {
    /// Its id, for its whole life in the list: a message keeps it when the server has taken it.
    pub id: Arc<str>,
    /// What it is.
    #[serde(flatten)]
    pub kind: TimelineItemKind,
}

impl TimelineItem {
    /// Returns its message, if it is one.
    pub fn post(&self) -> Option<&Post> {
        match &self.kind {
            TimelineItemKind::Event(event) => Some(&event.post),
            TimelineItemKind::Local(local) => Some(&local.post),
            _ => None,
        }
    }
}

/// The kinds of items.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(tag = "type", rename_all = "snake_case", rename_all_fields = "camelCase")]
#[non_exhaustive]
pub enum TimelineItemKind {
    /// An event that the server has.
    Event(Box<EventItem>),
    /// Something the user wrote that the server has not confirmed.
    Local(Box<LocalItem>),
    /// Messages that the server has and the store lacks: [`fill`](super::Timeline::fill) fetches them, and
    /// [`older`](super::Timeline::older) those before the first message.
    Gap,
    /// What is below is unread.
    ReadMarker,
    /// Another day begins: a date, in days since 1970-01-01 of the timeline's offset from UTC.
    Day {
        /// The number of the day.
        days: i64,
        /// The same as `YYYY-MM-DD`.
        date: String,
    },
}

/// An event that the server has.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct EventItem {
    /// Its id on the server.
    pub event_id: EventId,
    /// The transaction that sent it, if it was sent from here.
    pub txn_id: Option<TxnId>,
    /// Its message.
    #[serde(flatten)]
    pub post: Post,
    /// Those who have read up to here and no further, latest first.
    pub receipts: Vec<Receipt>,
}

/// Something the user wrote that the server has not confirmed.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct LocalItem {
    /// Its transaction.
    pub txn_id: TxnId,
    /// Its message.
    #[serde(flatten)]
    pub post: Post,
    /// How the sending goes.
    pub status: SendStatus,
    /// The latest error, for the user.
    pub error: Option<String>,
}

/// The status of something that is sent, as a person sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(tag = "status", content = "reason", rename_all = "snake_case")]
#[non_exhaustive]
pub enum SendStatus {
    /// It waits for its turn or for the network.
    Waiting,
    /// It is on its way.
    Sending,
    /// Several attempts failed, and it is tried on.
    StillTrying,
    /// Many attempts failed: offer [`retry`](super::Timeline::retry).
    Delayed,
    /// It was refused or waits for the person: offer [`retry`](super::Timeline::retry) and
    /// [`cancel`](super::Timeline::cancel).
    Parked(ParkReason),
    /// The server has it; it comes with the next sync.
    Sent,
}

/// A message or another event, as shown.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Post {
    /// Its sender, as they were then.
    pub sender: Profile,
    /// True if the own user wrote it.
    pub is_own: bool,
    /// The time, in milliseconds since 1970: the server's, or that of the writing.
    pub timestamp_ms: i64,
    /// Its type, such as `m.room.message`.
    pub kind: EventType,
    /// What it says, with the latest edit.
    pub content: Content,
    /// The same as it came, byte for byte.
    pub raw: Json,
    /// Its latest edit, if there is one.
    pub edited: Option<Edited>,
    /// The message that it answers, quoted.
    pub reply: Option<Quote>,
    /// The thread that it belongs to, by its first message.
    pub thread_root: Option<EventId>,
    /// The thread that it began.
    pub thread: Option<ThreadSummary>,
    /// Its reactions, in the order in which their keys first came.
    pub reactions: Vec<Reaction>,
    /// The number of reactions with keys that are not listed.
    pub more_reactions: u64,
    /// True if its content was taken back; by an unsent redaction as well.
    pub is_redacted: bool,
    /// True if it mentions the own user, or the whole room.
    pub mentions_me: bool,
}

/// A person in a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Profile {
    /// Their id.
    pub id: UserId,
    /// Their name in the room, if they have one.
    pub name: Option<String>,
    /// The uri of their picture.
    pub avatar: Option<String>,
}

/// An edit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Edited {
    /// The time, in milliseconds since 1970.
    pub timestamp_ms: i64,
    /// How its sending goes, if the server has not confirmed it.
    pub sending: Option<SendStatus>,
}

/// A message that is quoted by another.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Quote {
    /// Its id, by which the answer names it.
    pub event_id: EventId,
    /// Its sender, as they are now; absent if it is not stored.
    pub sender: Option<Profile>,
    /// Its text now, shortened; absent if it is not stored or was taken back.
    pub text: Option<String>,
}

/// A thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct ThreadSummary {
    /// The number of its stored messages besides the first.
    pub count: u64,
}

/// The reactions with one key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Reaction {
    /// The emoji, or what stands for it.
    pub key: String,
    /// The number of people.
    pub count: u64,
    /// Who, the first of them.
    pub senders: Vec<UserId>,
    /// True if the own user is among them.
    pub is_own: bool,
    /// How the sending of the own one goes, if the server has not confirmed it.
    pub sending: Option<SendStatus>,
}

/// Somebody who has read up to an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Receipt {
    /// Who.
    pub user: Profile,
    /// When, in milliseconds since 1970, if the server says.
    pub timestamp_ms: Option<i64>,
}

/// The longest chain of uploads that is followed: a message has two.
const LONGEST_CHAIN: usize = 64;

/// For the person.
impl fmt::Display for SendStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Waiting => "waiting",
            Self::Sending => "sending",
            Self::StillTrying => "still trying",
            Self::Delayed => "delayed",
            Self::Sent => "sent, not confirmed yet",
            Self::Parked(ParkReason::Forbidden) => "parked: the server does not let you",
            Self::Parked(ParkReason::TooLarge) => "parked: too large for the server",
            Self::Parked(ParkReason::Invalid) => "parked: the server refused the content",
            Self::Parked(ParkReason::NotFound) => "parked: the room is not there",
            Self::Parked(ParkReason::Ambiguous) => {
                "parked: it may have arrived: look, then retry or cancel it"
            }
            Self::Parked(ParkReason::Expired) => "parked: it waited too long",
            Self::Parked(ParkReason::ParentFailed) => "parked: what it is about was not sent",
            Self::Parked(ParkReason::MissingMedia) => "parked: its file is gone",
            Self::Parked(ParkReason::Paused) => "parked: paused",
            Self::Parked(ParkReason::Restored) => {
                "parked: the store that it comes from may send it: look, then retry or cancel it"
            }
            Self::Parked(ParkReason::Unsealed) => "parked: the room is encrypted, and this could not be",
            Self::Parked(_) => "parked: the server refused it",
        })
    }
}

impl SendStatus {
    /// Reads the status of a message and its latest error: as long as it waits for its uploads, those of the first that
    /// is left. `find` gives the rows of the outbox by their transactions.
    pub(crate) fn of_message<'a>(
        row: &'a Pending,
        find: impl Fn(&TxnId) -> Option<&'a Pending>,
    ) -> (Self, Option<&'a str>) {
        let before = |row: &&'a Pending| {
            let parent = row.parent.as_ref().filter(|_| row.state == PendingState::Blocked)?;
            find(parent).filter(|parent| parent.kind.as_str() == UPLOAD && parent.state != PendingState::Sent)
        };
        let decides = std::iter::successors(Some(row), before).take(LONGEST_CHAIN).last().unwrap_or(row);
        let error = decides.error.as_deref().filter(|_| decides.state != PendingState::Sent);
        (Self::of(decides), error)
    }

    /// Reads the status of an outbox row.
    pub fn of(row: &Pending) -> Self {
        match RowStatus::of(row) {
            RowStatus::Sending => Self::Sending,
            RowStatus::StillTrying => Self::StillTrying,
            RowStatus::Delayed => Self::Delayed,
            RowStatus::Parked(reason) => Self::Parked(reason),
            RowStatus::Sent => Self::Sent,
            _ => Self::Waiting,
        }
    }
}
