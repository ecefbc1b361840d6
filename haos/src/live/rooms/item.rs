use haos_store_api::{EventId, Membership, RoomId, TxnId, UserId};
use serde::Serialize;

use crate::live::timeline::{Profile, SendStatus};

/// A room as the list shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RoomItem {
    /// Its id.
    pub id: RoomId,
    /// Its name as people see it; never empty.
    pub name: String,
    /// The uri of its picture: its own, or of a direct chat the other person's.
    pub avatar: Option<String>,
    /// The own user's relation to it.
    pub membership: Membership,
    /// The other people of a direct chat; empty for other rooms.
    pub direct: Vec<UserId>,
    /// True if the user marked it as a favourite.
    pub is_favourite: bool,
    /// True if the user wants to hear nothing of it.
    pub is_muted: bool,
    /// True if the user marked it as unread.
    pub is_marked_unread: bool,
    /// Messages that notify.
    pub unread: u64,
    /// Messages that mention the user.
    pub mentions: u64,
    /// The latest message, the user's unsent ones among them.
    pub latest: Option<Preview>,
    /// Who is typing besides the user.
    pub typing: Vec<Profile>,
    /// True if a draft waits there.
    pub has_draft: bool,
    /// The time of the latest activity, in milliseconds since 1970.
    pub last_activity_ms: i64,
}

/// The latest message of a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Preview {
    /// Its sender.
    pub sender: Profile,
    /// True if the own user wrote it.
    pub is_own: bool,
    /// Its text, shortened, in one line.
    pub text: String,
    /// Its time, in milliseconds since 1970.
    pub timestamp_ms: i64,
    /// Its id on the server, if it is there.
    pub event_id: Option<EventId>,
    /// Its transaction, if it was sent from here.
    pub txn_id: Option<TxnId>,
    /// How its sending goes, if the server has not confirmed it.
    pub sending: Option<SendStatus>,
}
