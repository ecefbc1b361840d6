//! The calls, and what they name.

use haos::{Clear, Credentials, EventId, RoomId, TxnId, UserId};
use serde::Deserialize;

#[cfg(feature = "ts")]
use crate::kept::{KeepCall, KeptCall};
use crate::message::{Message, Target};
use crate::wanted::Watched;

/// What a frontend asks for, by the name of the call. A room is named by its id, an item of a timeline by the id that it has
/// there.
///
/// This is the one type of all calls, for other languages. Here each is read by itself, and answered by a function of its
/// own, so that a browser loads what a first screen calls before the rest.
#[cfg(feature = "ts")]
#[derive(Debug, serde::Serialize, ts_rs::TS)]
#[serde(tag = "call", rename_all = "camelCase")]
pub enum Call {
    /// Who is logged in: an account, or null.
    Account,
    /// Log in: the account.
    Login(LoginCall),
    /// Log out, there and here.
    Logout,
    /// Log out here alone.
    ForgetLogin,
    /// Sync and send from now on, where the chat was opened held.
    Start,
    /// Stop syncing and sending.
    Stop,
    /// What the platform says of the network.
    Online(OnlineCall),
    /// Try everything that waits.
    TryNow,
    /// What was carried over from a damaged store: a report, or null.
    Recovery,
    /// Remove what is stored: the amounts.
    Clear(ClearCall),
    /// Watch something: its number, and the value as it is.
    Watch(WatchCall),
    /// Wait for what follows: steps for a list, another value else; null at the end.
    Next(OfWatch),
    /// Watch it no longer; a call that waits ends.
    Unwatch(OfWatch),
    /// Widen a list of rooms: true if there are more.
    More(Page),
    /// Show older items of a timeline: how far it reached.
    Older(Page),
    /// Show newer items of a timeline: how far it reached.
    Newer(Page),
    /// Show an event with what is around it.
    Around(AroundCall),
    /// Go back to the live end.
    ToLive(Page),
    /// Whether a timeline shows the live end.
    IsLive(OfWatch),
    /// Fetch what a gap lacks: how far it reached.
    Fill(OfItem),
    /// Give an own message another text.
    Edit(EditCall),
    /// React to a message.
    React(Reacting),
    /// Take a reaction back.
    Unreact(Reacting),
    /// Take a message back.
    Redact(RedactCall),
    /// Try an unsent message again.
    RetryItem(OfItem),
    /// Give an unsent message up.
    CancelItem(OfItem),
    /// Send a text: its transaction.
    Send(SendCall),
    /// Give an own message another text, wherever it is shown.
    EditMessage(EditMessageCall),
    /// React to a message, wherever it is shown: the transaction.
    ReactTo(ReactToCall),
    /// Take a message back, wherever it is shown.
    RedactMessage(RedactMessageCall),
    /// Try a row of the outbox again.
    Retry(OfRow),
    /// Try all that is parked again: their number.
    RetryAll,
    /// Give a row of the outbox up.
    Cancel(OfRow),
    /// Pause the upload of a file.
    PauseUpload(OfRow),
    /// Go on with the upload of a file.
    RetryUpload(OfRow),
    /// What is known of a room.
    Room(OfRoom),
    /// The members of a room.
    Members(OfRoom),
    /// Mark a room as read up to an event.
    MarkRead(MarkReadCall),
    /// Tell the others that the user types, or stopped.
    Typing(TypingCall),
    /// The draft of a room, or null.
    Draft(OfRoom),
    /// Keep a draft in the place of the one that is there.
    SetDraft(SetDraftCall),
    /// Remove a draft.
    ClearDraft(OfRoom),
    /// Join a room by its id or alias: its id.
    Join(JoinCall),
    /// Leave a room, or decline an invite.
    Leave(OfRoom),
    /// Ask somebody to join.
    Invite(InviteCall),
    /// Remove somebody.
    RemoveMember(RemoveMemberCall),
    /// Make a room: its id.
    CreateRoom(CreateRoomCall),
    /// Read texts that a program keeps beside the chat: a list of them for each that is wanted.
    Kept(KeptCall),
    /// Keep such texts, in one commit.
    Keep(KeepCall),
    /// The rows of the outbox that the user decides about, in a room.
    HeldBack(OfRoom),
}

/// Log in: the account.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "ts", derive(serde::Serialize, ts_rs::TS), ts(optional_fields))]
#[serde(rename_all = "camelCase")]
pub struct LoginCall {
    /// The homeserver's base url or the server's name.
    pub server: String,
    /// The proof of who it is.
    pub login: Login,
}

/// What the platform says of the network.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "ts", derive(serde::Serialize, ts_rs::TS), ts(optional_fields))]
#[serde(rename_all = "camelCase")]
pub struct OnlineCall {
    /// True if there is one.
    pub is_online: bool,
}

/// Remove what is stored: the amounts.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "ts", derive(serde::Serialize, ts_rs::TS), ts(optional_fields))]
#[serde(rename_all = "camelCase")]
pub struct ClearCall {
    /// How much of it.
    pub what: Clear,
}

/// Watch something: its number, and the value as it is.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "ts", derive(serde::Serialize, ts_rs::TS), ts(optional_fields))]
#[serde(rename_all = "camelCase")]
pub struct WatchCall {
    /// What.
    pub of: Watched,
}

/// A call about something that is watched.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "ts", derive(serde::Serialize, ts_rs::TS), ts(optional_fields))]
#[serde(rename_all = "camelCase")]
pub struct OfWatch {
    /// The number of what is watched.
    pub watch: u32,
}

/// A call that moves or widens what is watched.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "ts", derive(serde::Serialize, ts_rs::TS), ts(optional_fields))]
#[serde(rename_all = "camelCase")]
pub struct Page {
    /// The number of what is watched.
    pub watch: u32,
    /// How many items or rooms.
    pub want: usize,
}

/// Show an event with what is around it.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "ts", derive(serde::Serialize, ts_rs::TS), ts(optional_fields))]
#[serde(rename_all = "camelCase")]
pub struct AroundCall {
    /// The number of the timeline.
    pub watch: u32,
    /// The event.
    pub event: EventId,
    /// How many items.
    pub want: usize,
}

/// A call about an item of a timeline.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "ts", derive(serde::Serialize, ts_rs::TS), ts(optional_fields))]
#[serde(rename_all = "camelCase")]
pub struct OfItem {
    /// The number of what is watched.
    pub watch: u32,
    /// The item.
    pub item: String,
}

/// Give an own message another text.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "ts", derive(serde::Serialize, ts_rs::TS), ts(optional_fields))]
#[serde(rename_all = "camelCase")]
pub struct EditCall {
    /// The number of the timeline.
    pub watch: u32,
    /// The message.
    pub item: String,
    /// The text.
    pub message: Message,
}

/// A reaction to an item of a timeline.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "ts", derive(serde::Serialize, ts_rs::TS), ts(optional_fields))]
#[serde(rename_all = "camelCase")]
pub struct Reacting {
    /// The number of what is watched.
    pub watch: u32,
    /// The item.
    pub item: String,
    /// The emoji.
    pub key: String,
}

/// Take a message back.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "ts", derive(serde::Serialize, ts_rs::TS), ts(optional_fields))]
#[serde(rename_all = "camelCase")]
pub struct RedactCall {
    /// The number of the timeline.
    pub watch: u32,
    /// The message.
    pub item: String,
    /// The reason.
    pub reason: Option<String>,
}

/// Send a text: its transaction.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "ts", derive(serde::Serialize, ts_rs::TS), ts(optional_fields))]
#[serde(rename_all = "camelCase")]
pub struct SendCall {
    /// The room.
    pub room: RoomId,
    /// The text.
    pub message: Message,
    /// The transaction, which the frontend chooses: the same call made again sends nothing more.
    pub txn_id: Option<TxnId>,
}

/// Give an own message another text, wherever it is shown.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "ts", derive(serde::Serialize, ts_rs::TS), ts(optional_fields))]
#[serde(rename_all = "camelCase")]
pub struct EditMessageCall {
    /// The room.
    pub room: RoomId,
    /// The message.
    pub target: Target,
    /// The text.
    pub message: Message,
}

/// React to a message, wherever it is shown: the transaction.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "ts", derive(serde::Serialize, ts_rs::TS), ts(optional_fields))]
#[serde(rename_all = "camelCase")]
pub struct ReactToCall {
    /// The room.
    pub room: RoomId,
    /// The message.
    pub target: Target,
    /// The emoji.
    pub key: String,
}

/// Take a message back, wherever it is shown.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "ts", derive(serde::Serialize, ts_rs::TS), ts(optional_fields))]
#[serde(rename_all = "camelCase")]
pub struct RedactMessageCall {
    /// The room.
    pub room: RoomId,
    /// The message.
    pub target: Target,
    /// The reason.
    pub reason: Option<String>,
}

/// A call about a row of the outbox.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "ts", derive(serde::Serialize, ts_rs::TS), ts(optional_fields))]
#[serde(rename_all = "camelCase")]
pub struct OfRow {
    /// Its transaction.
    pub txn_id: TxnId,
}

/// A call about a room.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "ts", derive(serde::Serialize, ts_rs::TS), ts(optional_fields))]
#[serde(rename_all = "camelCase")]
pub struct OfRoom {
    /// The room.
    pub room: RoomId,
}

/// Mark a room as read up to an event.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "ts", derive(serde::Serialize, ts_rs::TS), ts(optional_fields))]
#[serde(rename_all = "camelCase")]
pub struct MarkReadCall {
    /// The room.
    pub room: RoomId,
    /// The event.
    pub event: EventId,
    /// True if the others are not told.
    pub is_private: Option<bool>,
}

/// Tell the others that the user types, or stopped.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "ts", derive(serde::Serialize, ts_rs::TS), ts(optional_fields))]
#[serde(rename_all = "camelCase")]
pub struct TypingCall {
    /// The room.
    pub room: RoomId,
    /// True while they type.
    pub is_typing: bool,
}

/// Keep a draft in the place of the one that is there.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "ts", derive(serde::Serialize, ts_rs::TS), ts(optional_fields))]
#[serde(rename_all = "camelCase")]
pub struct SetDraftCall {
    /// The room.
    pub room: RoomId,
    /// Its text.
    pub text: String,
    /// The message that it answers.
    pub reply_to: Option<EventId>,
    /// The message that it edits.
    pub edit_of: Option<EventId>,
}

/// Join a room by its id or alias: its id.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "ts", derive(serde::Serialize, ts_rs::TS), ts(optional_fields))]
#[serde(rename_all = "camelCase")]
pub struct JoinCall {
    /// Id or alias.
    pub room: String,
}

/// Ask somebody to join.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "ts", derive(serde::Serialize, ts_rs::TS), ts(optional_fields))]
#[serde(rename_all = "camelCase")]
pub struct InviteCall {
    /// The room.
    pub room: RoomId,
    /// Who.
    pub user: UserId,
}

/// Remove somebody.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "ts", derive(serde::Serialize, ts_rs::TS), ts(optional_fields))]
#[serde(rename_all = "camelCase")]
pub struct RemoveMemberCall {
    /// The room.
    pub room: RoomId,
    /// Who.
    pub user: UserId,
    /// The reason.
    pub reason: Option<String>,
}

/// Make a room: its id.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "ts", derive(serde::Serialize, ts_rs::TS), ts(optional_fields))]
#[serde(rename_all = "camelCase")]
pub struct CreateRoomCall {
    /// Its name.
    pub name: Option<String>,
    /// Its topic.
    pub topic: Option<String>,
    /// The people who are asked to join.
    pub invite: Option<Vec<UserId>>,
    /// True for a conversation with the invited.
    pub is_direct: Option<bool>,
    /// True if everybody may find and join it.
    pub is_public: Option<bool>,
}

/// The proof of who logs in.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "ts", derive(serde::Serialize, ts_rs::TS))]
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
