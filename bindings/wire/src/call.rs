use haos::{Clear, Credentials, EventId, FileInfo, RoomFilter, RoomId, TxnId, UserId};
use serde::Deserialize;

use crate::message::{Message, Target};

/// What a frontend asks for. A room is named by its id, an item of a timeline by the id that it has there.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(optional_fields))]
#[serde(tag = "call", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Call {
    /// Who is logged in: an account, or null.
    Account,
    /// Log in: the account.
    Login {
        /// The homeserver's base url or the server's name.
        server: String,
        /// The proof of who it is.
        login: Login,
    },
    /// Log out, there and here.
    Logout,
    /// Log out here alone.
    ForgetLogin,
    /// Sync and send from now on, where the chat was opened held.
    Start,
    /// Stop syncing and sending.
    Stop,
    /// What the platform says of the network.
    Online {
        /// True if there is one.
        is_online: bool,
    },
    /// Try everything that waits.
    TryNow,
    /// What was carried over from a damaged store: a report, or null.
    Recovery,
    /// Remove what is stored: the amounts.
    Clear {
        /// How much of it.
        what: Clear,
    },

    /// Watch something: its number, and the value as it is.
    Watch {
        /// What.
        of: Watched,
    },
    /// Wait for what follows: steps for a list, another value else; null at the end.
    Next {
        /// The number.
        watch: u32,
    },
    /// Watch it no longer; a call that waits ends.
    Unwatch {
        /// The number.
        watch: u32,
    },
    /// Widen a list of rooms: true if there are more.
    More {
        /// The number of the list.
        watch: u32,
        /// How many rooms.
        want: usize,
    },

    /// Show older items of a timeline: how far it reached.
    Older {
        /// The number of the timeline.
        watch: u32,
        /// How many items.
        want: usize,
    },
    /// Show newer items of a timeline: how far it reached.
    Newer {
        /// The number of the timeline.
        watch: u32,
        /// How many items.
        want: usize,
    },
    /// Show an event with what is around it.
    Around {
        /// The number of the timeline.
        watch: u32,
        /// The event.
        event: EventId,
        /// How many items.
        want: usize,
    },
    /// Go back to the live end.
    ToLive {
        /// The number of the timeline.
        watch: u32,
        /// How many items.
        want: usize,
    },
    /// Whether a timeline shows the live end.
    IsLive {
        /// The number of the timeline.
        watch: u32,
    },
    /// Fetch what a gap lacks: how far it reached.
    Fill {
        /// The number of the timeline.
        watch: u32,
        /// The gap.
        item: String,
    },
    /// Give an own message another text.
    Edit {
        /// The number of the timeline.
        watch: u32,
        /// The message.
        item: String,
        /// The text.
        message: Message,
    },
    /// React to a message.
    React {
        /// The number of the timeline.
        watch: u32,
        /// The message.
        item: String,
        /// The emoji.
        key: String,
    },
    /// Take a reaction back.
    Unreact {
        /// The number of the timeline.
        watch: u32,
        /// The message.
        item: String,
        /// The emoji.
        key: String,
    },
    /// Take a message back.
    Redact {
        /// The number of the timeline.
        watch: u32,
        /// The message.
        item: String,
        /// The reason.
        reason: Option<String>,
    },
    /// Try an unsent message again.
    RetryItem {
        /// The number of the timeline.
        watch: u32,
        /// The message.
        item: String,
    },
    /// Give an unsent message up.
    CancelItem {
        /// The number of the timeline.
        watch: u32,
        /// The message.
        item: String,
    },

    /// Send a text: its transaction.
    Send {
        /// The room.
        room: RoomId,
        /// The text.
        message: Message,
        /// The transaction, which the frontend chooses: the same call made again sends nothing more.
        txn_id: Option<TxnId>,
    },
    /// Give an own message another text, wherever it is shown.
    EditMessage {
        /// The room.
        room: RoomId,
        /// The message.
        target: Target,
        /// The text.
        message: Message,
    },
    /// React to a message, wherever it is shown: the transaction.
    ReactTo {
        /// The room.
        room: RoomId,
        /// The message.
        target: Target,
        /// The emoji.
        key: String,
    },
    /// Take a message back, wherever it is shown.
    RedactMessage {
        /// The room.
        room: RoomId,
        /// The message.
        target: Target,
        /// The reason.
        reason: Option<String>,
    },
    /// Try a row of the outbox again.
    Retry {
        /// Its transaction.
        txn_id: TxnId,
    },
    /// Try all that is parked again: their number.
    RetryAll,
    /// Give a row of the outbox up.
    Cancel {
        /// Its transaction.
        txn_id: TxnId,
    },
    /// Pause the upload of a file.
    PauseUpload {
        /// The transaction of its message.
        txn_id: TxnId,
    },
    /// Go on with the upload of a file.
    RetryUpload {
        /// The transaction of its message.
        txn_id: TxnId,
    },

    /// What is known of a room.
    Room {
        /// The room.
        room: RoomId,
    },
    /// The members of a room.
    Members {
        /// The room.
        room: RoomId,
    },
    /// Mark a room as read up to an event.
    MarkRead {
        /// The room.
        room: RoomId,
        /// The event.
        event: EventId,
        /// True if the others are not told.
        is_private: Option<bool>,
    },
    /// Tell the others that the user types, or stopped.
    Typing {
        /// The room.
        room: RoomId,
        /// True while they type.
        is_typing: bool,
    },
    /// The draft of a room, or null.
    Draft {
        /// The room.
        room: RoomId,
    },
    /// Keep a draft in the place of the one that is there.
    SetDraft {
        /// The room.
        room: RoomId,
        /// Its text.
        text: String,
        /// The message that it answers.
        reply_to: Option<EventId>,
        /// The message that it edits.
        edit_of: Option<EventId>,
    },
    /// Remove a draft.
    ClearDraft {
        /// The room.
        room: RoomId,
    },
    /// Join a room by its id or alias: its id.
    Join {
        /// Id or alias.
        room: String,
    },
    /// Leave a room, or decline an invite.
    Leave {
        /// The room.
        room: RoomId,
    },
    /// Ask somebody to join.
    Invite {
        /// The room.
        room: RoomId,
        /// Who.
        user: UserId,
    },
    /// Remove somebody.
    RemoveMember {
        /// The room.
        room: RoomId,
        /// Who.
        user: UserId,
        /// The reason.
        reason: Option<String>,
    },
    /// Make a room: its id.
    CreateRoom {
        /// Its name.
        name: Option<String>,
        /// Its topic.
        topic: Option<String>,
        /// The people who are asked to join.
        invite: Option<Vec<UserId>>,
        /// True for a conversation with the invited.
        is_direct: Option<bool>,
        /// True if everybody may find and join it.
        is_public: Option<bool>,
    },
}

/// The proof of who logs in.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(untagged)]
pub enum Login {
    /// By a password.
    Password {
        /// The user, as `ada` or `@ada:example.org`.
        user: String,
        /// The password.
        password: String,
    },
    /// By a token of single sign-on.
    Token {
        /// The token.
        token: String,
    },
}

impl From<Login> for Credentials {
    fn from(login: Login) -> Self {
        match login {
            Login::Password { user, password } => Self::password(user, password),
            Login::Token { token } => Self::token(token),
        }
    }
}

/// What can be watched.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(optional_fields))]
#[serde(tag = "list", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Watched {
    /// A list of rooms, the latest first.
    Rooms {
        /// Which.
        query: Option<RoomQuery>,
        /// How many.
        limit: usize,
    },
    /// The timeline of a room.
    Timeline {
        /// The room.
        room: RoomId,
        /// How many items.
        limit: usize,
        /// Show this event, and what is around it.
        around: Option<EventId>,
        /// The reader's offset from UTC, in minutes, for days to begin by.
        utc_offset: Option<i32>,
    },
    /// What is unsent, a list.
    Outbox,
    /// The connection.
    Connection,
    /// How far the first sync is, or null.
    SyncProgress,
    /// The storage.
    Storage,
    /// Who else types in a room.
    Typing {
        /// The room.
        room: RoomId,
    },
    /// How far a file is.
    Upload {
        /// The transaction of its message.
        txn_id: TxnId,
    },
}

/// Which rooms a list has: all conditions that are named hold.
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(optional_fields))]
#[serde(rename_all = "camelCase")]
pub struct RoomQuery {
    /// `join` if nothing is said; `invite`; `all`.
    pub membership: Option<Part>,
    /// Favourites alone.
    pub favourites: Option<bool>,
    /// Direct chats alone.
    pub direct: Option<bool>,
    /// Unread ones alone.
    pub unread: Option<bool>,
    /// Those of a space.
    pub space: Option<RoomId>,
    /// Those whose name has a word that begins so.
    pub name: Option<String>,
    /// Spaces instead of rooms.
    pub spaces: Option<bool>,
}

/// Which rooms by the user's part in them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// In those that the user is a member of.
    Join,
    /// In those that the user is asked to join.
    Invite,
    /// Any, or none any more.
    All,
}

impl From<RoomQuery> for RoomFilter {
    fn from(query: RoomQuery) -> Self {
        let mut filter = match query.membership {
            Some(Part::All) => Self::all(),
            Some(Part::Invite) => Self::invites(),
            Some(Part::Join) | None => Self::joined(),
        };
        let is = |condition: Option<bool>| condition == Some(true);
        if is(query.favourites) {
            filter = filter.favourites();
        }
        if is(query.direct) {
            filter = filter.direct();
        }
        if is(query.unread) {
            filter = filter.unread();
        }
        if is(query.spaces) {
            filter = filter.spaces();
        }
        if let Some(space) = &query.space {
            filter = filter.space(space);
        }
        if let Some(prefix) = &query.name {
            filter = filter.named(prefix);
        }
        filter
    }
}

/// What is known of a file that is sent; the rest is guessed from its name and its bytes.
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(optional_fields))]
#[serde(rename_all = "camelCase")]
pub struct FileFacts {
    /// Its name.
    pub name: Option<String>,
    /// Its media type.
    pub mime: Option<String>,
    /// A text beside it.
    pub caption: Option<String>,
    /// The width of a picture or video, in pixels.
    pub width: Option<u32>,
    /// The height of a picture or video, in pixels.
    pub height: Option<u32>,
    /// How long a sound or video is, in milliseconds.
    pub duration_ms: Option<u64>,
}

impl From<FileFacts> for FileInfo {
    fn from(facts: FileFacts) -> Self {
        let mut info = Self::guess();
        if let Some(name) = facts.name {
            info = info.name(name);
        }
        if let Some(mime) = facts.mime {
            info = info.mime(mime);
        }
        if let Some(text) = facts.caption {
            info = info.caption(text);
        }
        if let (Some(width), Some(height)) = (facts.width, facts.height) {
            info = info.size(width, height);
        }
        if let Some(duration_ms) = facts.duration_ms {
            info = info.duration_ms(duration_ms);
        }
        info
    }
}

/// Which media is wanted: the original, or a thumbnail where a size is named.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(optional_fields))]
#[serde(rename_all = "camelCase")]
pub struct MediaWanted {
    /// Its uri, as an event has it.
    pub uri: haos_store_api::MediaUri,
    /// The width of the thumbnail, in pixels.
    pub width: Option<u32>,
    /// The height of the thumbnail, in pixels.
    pub height: Option<u32>,
    /// True to fill the size and cut what is over.
    pub crop: Option<bool>,
    /// The room that refers to it.
    pub room: Option<RoomId>,
}
