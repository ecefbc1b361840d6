use haos_store_api::{Membership, Room, RoomId};
use serde::Serialize;

use super::account::Account;
use super::item::name_of;

/// The kind of rooms that group others.
const SPACE: &str = "m.space";

/// A choice of rooms. Its conditions combine: a room meets them all.
///
/// ```
/// use haos::live::rooms::RoomFilter;
///
/// let filter = RoomFilter::joined().direct().named("ada");
/// # let _ = filter;
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct RoomFilter {
    membership: Option<Membership>,
    favourites: bool,
    direct: bool,
    unread: bool,
    spaces: bool,
    space: Option<RoomId>,
    /// In lower case.
    name: Option<String>,
}

impl RoomFilter {
    /// Chooses the rooms that the user takes part in.
    pub fn joined() -> Self {
        Self { membership: Some(Membership::Join), ..Self::default() }
    }

    /// Chooses the rooms that the user is invited to.
    pub fn invites() -> Self {
        Self { membership: Some(Membership::Invite), ..Self::default() }
    }

    /// Chooses all rooms, those that the user left among them.
    pub fn all() -> Self {
        Self::default()
    }

    /// Only those that the user marked as favourites.
    #[must_use]
    pub fn favourites(mut self) -> Self {
        self.favourites = true;
        self
    }

    /// Only direct chats.
    #[must_use]
    pub fn direct(mut self) -> Self {
        self.direct = true;
        self
    }

    /// Only those with unread messages that notify, and those marked as unread.
    #[must_use]
    pub fn unread(mut self) -> Self {
        self.unread = true;
        self
    }

    /// Only those that stand in this space itself, not in a space within it.
    #[must_use]
    pub fn space(mut self, space: &RoomId) -> Self {
        self.space = Some(space.clone());
        self
    }

    /// Only those with a name that begins with this, or has it at the beginning of a word; capital and small letters
    /// are the same.
    #[must_use]
    pub fn named(mut self, prefix: &str) -> Self {
        self.name = Some(prefix.trim().to_lowercase());
        self
    }

    /// Only spaces, which are left out otherwise.
    #[must_use]
    pub fn spaces(mut self) -> Self {
        self.spaces = true;
        self
    }

    /// Returns the conditions that a store tests. Most rooms are joined: without that condition a store reads a page on
    /// the spot, since it looks at no others.
    pub(super) fn of_store(&self) -> (Option<Membership>, Option<RoomId>) {
        let membership = self.membership.filter(|membership| *membership != Membership::Join);
        (membership, self.space.clone())
    }

    /// Tells whether the account's data names the rooms in question.
    pub(super) fn is_listed(&self) -> bool {
        self.favourites || self.direct
    }

    /// Tells whether a room that the account's data names is in question.
    pub(super) fn lists(&self, room: &RoomId, account: &Account) -> bool {
        (!self.favourites || account.favourite(room).is_some()) && (!self.direct || account.is_direct(room))
    }

    /// Tells whether it chooses a room.
    pub(super) fn chooses(&self, room: &Room, account: &Account) -> bool {
        let is_space = room.kind.as_ref().is_some_and(|kind| kind.as_str() == SPACE);
        let is_unread = || {
            room.unread.notifications > 0 || room.unread.highlights > 0 || account.is_marked_unread(&room.id)
        };
        is_space == self.spaces
            && self.membership.is_none_or(|membership| room.membership == membership)
            && self.space.as_ref().is_none_or(|space| room.spaces.contains(space))
            && (!self.unread || is_unread())
            && self.lists(&room.id, account)
            && self.name.as_ref().is_none_or(|prefix| has_word(name_of(room), prefix))
    }
}

/// Tells whether a name, or what follows the beginning of a word in it, begins with a prefix in lower case.
fn has_word(name: &str, prefix: &str) -> bool {
    let name = name.to_lowercase();
    let mut before = None;
    name.char_indices().any(|(at, char)| {
        let begins = at == 0 || before.is_some_and(|before: char| !before.is_alphanumeric());
        before = Some(char);
        begins && name[at..].starts_with(prefix)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_by_the_beginning_of_its_words() {
        for (name, prefix, found) in [
            ("Ada Lovelace", "ada", true),
            ("Ada Lovelace", "LOVE", true),
            ("Ada Lovelace", "ada l", true),
            ("Ada Lovelace", " Ada ", true),
            ("Ada Lovelace", "", true),
            ("Ada Lovelace", "lace", false),
            ("Ada Lovelace", "adal", false),
            ("#haos-dev", "dev", true),
            ("#haos-dev", "#h", true),
            ("Zoë & ÉMILE", "émi", true),
            ("ÇA VA", "ça", true),
            ("ΑΘΗΝΑ", "αθη", true),
            ("東京", "東", true),
            ("e\u{301}a", "a", true),
        ] {
            let filter = RoomFilter::all().named(prefix);
            assert_eq!(has_word(name, &filter.name.unwrap()), found, "{name} {prefix}");
        }
    }
}
