//! The people of a timeline, as they were when they wrote.

use std::collections::HashMap;

use haos_store_api::{Item, Json, Message, UserId};

use super::Profile;

const MEMBER: &str = "m.room.member";

/// The names and pictures of the senders of a timeline's part.
///
/// The changes within it tell who somebody was before each: the room's state tells only who they are now.
pub(super) struct Profiles<'a> {
    now: &'a HashMap<UserId, Profile>,
    /// The changes of each person, oldest first: the index of the item, the content before, and the one from then on.
    changes: HashMap<&'a str, Vec<Change<'a>>>,
}

struct Change<'a> {
    at: usize,
    before: Option<Json>,
    after: &'a Json,
}

impl<'a> Profiles<'a> {
    /// Reads the changes in a timeline's part; `now` has the present profiles.
    pub(super) fn of(items: &'a [Item], now: &'a HashMap<UserId, Profile>) -> Self {
        let mut changes: HashMap<&str, Vec<Change<'_>>> = HashMap::new();
        for (at, item) in items.iter().enumerate() {
            let Some(message) = item.as_message().filter(|message| message.kind.as_str() == MEMBER) else {
                continue;
            };
            if let Some(user) = &message.state_key {
                let change = Change { at, before: previous(message), after: &message.content };
                changes.entry(user.as_str()).or_default().push(change);
            }
        }
        Self { now, changes }
    }

    /// Returns the profile of somebody at an item; beyond the last, the present one.
    pub(super) fn at(&self, user: &UserId, at: usize) -> Profile {
        let changes = self.changes.get(user.as_str()).map_or(&[][..], Vec::as_slice);
        let later = changes.partition_point(|change| change.at <= at);
        let content = match (later.checked_sub(1).map(|last| &changes[last]), changes.get(later)) {
            (Some(last), _) => Some(last.after),
            (None, Some(next)) => next.before.as_ref(),
            (None, None) => None,
        };
        match content {
            Some(content) => Profile::of(user, Some(content)),
            None => self.present(user),
        }
    }

    /// Returns the profile that somebody has now.
    pub(super) fn present(&self, user: &UserId) -> Profile {
        self.now.get(user).cloned().unwrap_or_else(|| Profile::of(user, None))
    }
}

impl Profile {
    /// Reads the profile of somebody from the content of their member event, if there is one.
    pub(crate) fn of(user: &UserId, content: Option<&Json>) -> Self {
        let text = |name| content?.text(name).filter(|text| !text.trim().is_empty());
        Self { id: user.clone(), name: text("displayname"), avatar: text("avatar_url") }
    }
}

/// Returns the content of the state that an event replaced, where the event repeats it.
pub(super) fn previous(message: &Message) -> Option<Json> {
    let extra = message.extra.as_ref()?;
    let unsigned = extra.member("unsigned");
    unsigned.and_then(|unsigned| unsigned.member("prev_content")).or_else(|| extra.member("prev_content"))
}

#[cfg(test)]
mod tests {
    use haos_store_api::{EventId, EventType, Position, RoomId, StateKey};

    use super::*;

    fn message(at: u64, kind: &str, content: &str, extra: Option<&str>) -> Item {
        let ada = UserId::new("@ada:x").unwrap();
        Item::Message(Message {
            room: RoomId::new("!r").unwrap(),
            id: EventId::new(format!("${at}")).unwrap(),
            position: Position::new(at).unwrap(),
            sender: ada.clone(),
            timestamp_ms: 0,
            kind: EventType::new(kind).unwrap(),
            state_key: (kind == MEMBER).then(|| StateKey::new(ada.as_str()).unwrap()),
            content: Json::new(content).unwrap(),
            relation: None,
            txn_id: None,
            redacted_by: None,
            provisional: false,
            extra: extra.map(|extra| Json::new(extra).unwrap()),
        })
    }

    #[test]
    fn people_are_shown_as_they_were() {
        let before = r#"{"unsigned":{"prev_content":{"membership":"join","displayname":"Ada"}}}"#;
        let items = [
            message(0, "m.room.message", "{}", None),
            message(1, MEMBER, r#"{"membership":"join","displayname":"Lady"}"#, Some(before)),
            message(2, "m.room.message", "{}", None),
        ];
        let (ada, bob) = (UserId::new("@ada:x").unwrap(), UserId::new("@bob:x").unwrap());
        let content = Json::new(r#"{"displayname":"Countess","avatar_url":"mxc://x/a"}"#).unwrap();
        let now = HashMap::from([(ada.clone(), Profile::of(&ada, Some(&content)))]);
        let profiles = Profiles::of(&items, &now);
        let name = |at| profiles.at(&ada, at).name;
        assert_eq!(name(0).as_deref(), Some("Ada"), "before the change");
        assert_eq!(name(1).as_deref(), Some("Lady"), "with it");
        assert_eq!(name(2).as_deref(), Some("Lady"), "after it");
        assert_eq!(profiles.at(&bob, 0), Profile { id: bob, name: None, avatar: None });
        let unchanged = Profiles::of(&items[..1], &now).at(&ada, 0);
        assert_eq!(
            (unchanged.name.as_deref(), unchanged.avatar.as_deref()),
            (Some("Countess"), Some("mxc://x/a"))
        );
    }
}
