//! Changes of a room's state.

use std::collections::HashSet;

use haos_store_api::{EventId, EventType, MediaUri, RoomId, StateKey, UserId};
use serde::Serialize;

use super::file::media_uri;
use super::member::MemberChange;
use super::poll;
use super::read::{Object, string};

/// A change of a room's state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(tag = "change", rename_all = "snake_case", rename_all_fields = "camelCase")]
#[non_exhaustive]
pub enum StateChange {
    /// A member came, went, or changed their profile.
    Member(MemberChange),
    /// The room was created.
    Created {
        /// True if it is a space.
        is_space: bool,
        /// The room that it continues.
        predecessor: Option<RoomId>,
    },
    /// The room's name changed.
    Name {
        /// Its name; none if it was removed.
        name: Option<String>,
    },
    /// The room's topic changed.
    Topic {
        /// Its topic; none if it was removed.
        topic: Option<String>,
    },
    /// The room's picture changed.
    Avatar {
        /// Its picture; none if it was removed.
        uri: Option<MediaUri>,
    },
    /// Messages are encrypted from then on.
    Encryption {
        /// The algorithm.
        algorithm: Option<String>,
    },
    /// The rights of members changed.
    PowerLevels,
    /// Messages were pinned or unpinned.
    Pinned {
        /// Those that were pinned, at most 100.
        added: Vec<EventId>,
        /// Those that were unpinned, at most 100.
        removed: Vec<EventId>,
    },
    /// It changed who may join.
    JoinRules {
        /// The rule, such as `public`, `invite`, `knock`, `restricted` or `knock_restricted`.
        rule: Option<String>,
    },
    /// It changed who may read the history.
    HistoryVisibility {
        /// The visibility: `invited`, `joined`, `shared` or `world_readable`.
        visibility: Option<String>,
    },
    /// It changed if guests may join.
    GuestAccess {
        /// True if they may.
        is_allowed: bool,
    },
    /// The room's address changed.
    CanonicalAlias {
        /// Its main address; none if it has none any more.
        alias: Option<String>,
    },
    /// The room was replaced by another.
    Tombstone {
        /// The other room.
        replacement: Option<RoomId>,
        /// The sender's words about it.
        body: Option<String>,
    },
    /// A room was added to this space, or removed from it.
    SpaceChild {
        /// The room.
        room: RoomId,
        /// False if it was removed.
        is_added: bool,
    },
    /// This room says that it belongs to a space, or no longer does.
    SpaceParent {
        /// The space.
        space: RoomId,
        /// False if it no longer does.
        is_added: bool,
    },
    /// Anything else.
    Other {
        /// The event's type.
        kind: EventType,
    },
}

/// The most messages that are listed as pinned or unpinned.
const MAX_PINNED: usize = 100;

impl StateChange {
    /// Reads a change. `prev` is the content that it replaced.
    pub(super) fn of(
        kind: &EventType,
        sender: &UserId,
        state_key: &StateKey,
        content: &Object<'_>,
        prev: Option<&Object<'_>>,
    ) -> Self {
        let read = match kind.as_str() {
            "m.room.member" => MemberChange::of(sender, state_key, content, prev).map(Self::Member),
            "m.space.child" => RoomId::new(state_key)
                .ok()
                .map(|room| Self::SpaceChild { room, is_added: is_linked(content) }),
            "m.space.parent" => RoomId::new(state_key)
                .ok()
                .map(|space| Self::SpaceParent { space, is_added: is_linked(content) }),
            // These have one place alone; elsewhere they mean nothing.
            kind if state_key.as_str().is_empty() => Self::of_room(kind, content, prev),
            _ => None,
        };
        read.unwrap_or_else(|| Self::Other { kind: kind.clone() })
    }

    fn of_room(kind: &str, content: &Object<'_>, prev: Option<&Object<'_>>) -> Option<Self> {
        Some(match kind {
            "m.room.create" => Self::Created {
                is_space: content.text("type").as_deref() == Some("m.space"),
                predecessor: content.object("predecessor").parse("room_id"),
            },
            "m.room.name" => Self::Name { name: content.name("name") },
            "m.room.topic" => Self::Topic {
                topic: content
                    .name("topic")
                    .or_else(|| poll::text(&content.object("m.topic")).map(super::read::short)),
            },
            "m.room.avatar" => Self::Avatar { uri: media_uri(content, "url") },
            "m.room.encryption" => Self::Encryption { algorithm: content.name("algorithm") },
            "m.room.power_levels" => Self::PowerLevels,
            "m.room.pinned_events" => pinned(content, prev),
            "m.room.join_rules" => Self::JoinRules { rule: content.name("join_rule") },
            "m.room.history_visibility" => {
                Self::HistoryVisibility { visibility: content.name("history_visibility") }
            }
            "m.room.guest_access" => {
                Self::GuestAccess { is_allowed: content.text("guest_access").as_deref() == Some("can_join") }
            }
            "m.room.canonical_alias" => Self::CanonicalAlias { alias: content.name("alias") },
            "m.room.tombstone" => {
                Self::Tombstone { replacement: content.parse("replacement_room"), body: content.name("body") }
            }
            _ => return None,
        })
    }

    /// Tells the change in English: "Ada changed the room's name to “Lobby”". `sender` is the name of the one who did
    /// it; `target` that of the member whom it is about, whose id stands for it.
    pub fn sentence(&self, sender: &str, target: Option<&str>) -> String {
        format!("{sender} {}", self.told(target))
    }

    /// Tells the change without a name at hand.
    pub(super) fn plain(&self) -> String {
        match self {
            Self::Member(change) if change.is_own() => self.sentence(change.user.as_str(), None),
            _ => self.sentence("Somebody", None),
        }
    }

    fn told(&self, target: Option<&str>) -> String {
        let set = |what: &str, value: &Option<String>| match value {
            Some(value) => format!("changed the room's {what} to {}", quoted(value)),
            None => format!("removed the room's {what}"),
        };
        let fixed = match self {
            Self::Member(change) => return change.sentence(target),
            Self::Name { name } => return set("name", name),
            Self::Topic { topic } => return set("topic", topic),
            Self::CanonicalAlias { alias } => return set("address", alias),
            Self::Pinned { added, removed } => return pinned_sentence(added.len(), removed.len()),
            Self::Other { kind } => return format!("changed the room's state ({kind})"),
            Self::Created { is_space: true, .. } => "created the space",
            Self::Created { .. } => "created the room",
            Self::Avatar { uri: Some(_) } => "changed the room's picture",
            Self::Avatar { uri: None } => "removed the room's picture",
            Self::Encryption { .. } => "turned on encryption",
            Self::PowerLevels => "changed the rights of members",
            Self::JoinRules { rule } => join_rule(rule.as_deref()),
            Self::HistoryVisibility { visibility } => history(visibility.as_deref()),
            Self::GuestAccess { is_allowed: true } => "let guests join the room",
            Self::GuestAccess { is_allowed: false } => "closed the room to guests",
            Self::Tombstone { .. } => "replaced the room with a new one",
            Self::SpaceChild { is_added: true, .. } => "added a room to the space",
            Self::SpaceChild { is_added: false, .. } => "removed a room from the space",
            Self::SpaceParent { is_added: true, .. } => "added the room to a space",
            Self::SpaceParent { is_added: false, .. } => "removed the room from a space",
        };
        fixed.to_owned()
    }
}

/// Without a server to ask, a room is not in the space (specification, "Spaces").
fn is_linked(content: &Object<'_>) -> bool {
    content.list("via").is_some_and(|servers| !servers.is_empty())
}

fn pinned(content: &Object<'_>, prev: Option<&Object<'_>>) -> StateChange {
    let events = |of: &Object<'_>| -> Vec<EventId> {
        let events = of.list("pinned").unwrap_or_default();
        events.into_iter().filter_map(|json| EventId::new(string(json)?).ok()).collect()
    };
    // Without the list before, the new ones among them are not known.
    let (before, after) = prev.map(|prev| (events(prev), events(content))).unwrap_or_default();
    let new = |events: Vec<EventId>, known: HashSet<EventId>| {
        events.into_iter().filter(|event| !known.contains(event)).take(MAX_PINNED).collect()
    };
    StateChange::Pinned {
        added: new(after.clone(), before.iter().cloned().collect()),
        removed: new(before, after.into_iter().collect()),
    }
}

fn pinned_sentence(added: usize, removed: usize) -> String {
    let count = |count| match count {
        1 => "a message".to_owned(),
        _ => format!("{count} messages"),
    };
    match (added, removed) {
        (0, 0) => "changed the pinned messages".to_owned(),
        (added, 0) => format!("pinned {}", count(added)),
        (0, removed) => format!("unpinned {}", count(removed)),
        (added, removed) => format!("pinned {} and unpinned {}", count(added), count(removed)),
    }
}

fn join_rule(rule: Option<&str>) -> &'static str {
    match rule {
        Some("public") => "let everybody join the room",
        Some("invite" | "private") => "made the room invite only",
        Some("knock") => "let people ask to join the room",
        Some("restricted") => "let members of other rooms join the room",
        Some("knock_restricted") => "let members of other rooms join the room, and others ask to",
        _ => "changed who may join the room",
    }
}

fn history(visibility: Option<&str>) -> &'static str {
    match visibility {
        Some("invited") => "let members read what was said since their invite",
        Some("joined") => "let members read what was said since they joined",
        Some("shared") => "let members read the whole history",
        Some("world_readable") => "let everybody read the whole history",
        _ => "changed who may read the history",
    }
}

/// Puts a text into quotation marks.
pub(super) fn quoted(text: &str) -> String {
    format!("“{text}”")
}
