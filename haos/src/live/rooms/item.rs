use haos_store_api::{EventId, Membership, Room, RoomId, TxnId, UserId};
use serde::Serialize;

use crate::live::timeline::{Profile, SendStatus};

/// The name of a room of which nothing is known that could name it (specification, client-server API, "Calculating the
/// display name for a room").
const NAMELESS: &str = "Empty room";
/// The most characters of a preview's text.
const TEXT_CHARS: usize = 140;

/// A room as the list shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct RoomItem {
    /// Its id.
    pub id: RoomId,
    /// Its name as people see it; never empty.
    pub name: String,
    /// The uri of its picture: its own, or of a direct chat the other person's.
    pub avatar: Option<String>,
    /// The own user's relation to it.
    pub membership: Membership,
    /// The other people of a direct chat, by `m.direct`; empty for other rooms.
    pub direct: Vec<UserId>,
    /// True if the user marked it as a favourite.
    pub is_favourite: bool,
    /// True if its messages do not notify; mentions may.
    pub is_muted: bool,
    /// True if the user marked it as unread.
    pub is_marked_unread: bool,
    /// Messages that notify.
    pub unread: u64,
    /// Messages that mention the user.
    pub mentions: u64,
    /// The latest message: the latest that the user has not sent yet, or else the latest stored one. None for an
    /// invite, and where the latest events are no messages.
    pub latest: Option<Preview>,
    /// Who is typing besides the user, the first of them.
    pub typing: Vec<Profile>,
    /// True if a draft waits there.
    pub has_draft: bool,
    /// The time of the latest activity, in milliseconds since 1970.
    pub last_activity_ms: i64,
}

/// The latest message of a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Preview {
    /// Its sender.
    pub sender: Profile,
    /// True if the own user wrote it.
    pub is_own: bool,
    /// Its text, with the latest edit, shortened, in one line; "Message removed" if its content was taken back.
    pub text: String,
    /// True if its content was taken back; by an unsent redaction as well.
    pub is_redacted: bool,
    /// Its time, in milliseconds since 1970.
    pub timestamp_ms: i64,
    /// Its id on the server, if it is there.
    pub event_id: Option<EventId>,
    /// Its transaction, if it was sent from here.
    pub txn_id: Option<TxnId>,
    /// How its sending goes, or that of its edit or redaction, if the server has not confirmed it.
    pub sending: Option<SendStatus>,
}

/// Returns a room's name as people see it.
pub(super) fn name_of(room: &Room) -> &str {
    room.name.as_deref().unwrap_or(NAMELESS)
}

/// Puts a text into one line, shortened.
pub(super) fn one_line(text: &str) -> String {
    let (mut line, mut chars) = (String::new(), 0);
    for word in text.split_whitespace() {
        for char in (chars > 0).then_some(' ').into_iter().chain(word.chars()) {
            if chars == TEXT_CHARS {
                line.push('…');
                return line;
            }
            line.push(char);
            chars += 1;
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_becomes_one_short_line() {
        assert_eq!(one_line("  one\n\ttwo \u{a0} three\n"), "one two three");
        assert_eq!(one_line(" \n "), "");
        let most = "é".repeat(TEXT_CHARS);
        assert_eq!(one_line(&most), most);
        assert_eq!(one_line(&format!("{most}e")), format!("{most}…"));
        assert_eq!(one_line(&format!("{most} e")), format!("{most}…"));
        assert_eq!(one_line(&format!("{most}\n")), most);
    }
}
