use std::collections::BTreeMap;

use haos::content::Content;
use haos::live::timeline::{Post, Profile};
use haos::{RoomItem, TimelineItem, TimelineItemKind};
use serde::{Deserialize, Serialize};

/// What a person sees, and where it is other than it should be.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Screen {
    /// The list of rooms.
    pub rooms: Vec<RoomLine>,
    /// The timelines from their beginning, by room id.
    pub timelines: BTreeMap<String, Vec<Line>>,
    /// Where what the steps have led to is not what a fresh reading finds.
    pub differences: Vec<String>,
}

/// A room as it is listed, without what is somebody's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RoomLine {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The latest message: its id, sender, sender's name, and text.
    pub latest: Option<Quoted>,
    /// Its time, in milliseconds since 1970.
    pub last_activity_ms: i64,
}

/// An item of a timeline, without what is somebody's own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The event's id; of what is no event, the item's.
    pub id: String,
    /// Its sender.
    pub sender: String,
    /// The name of the sender.
    pub name: Option<String>,
    /// The type of the event; of what is none, `gap` or `local`.
    pub kind: String,
    /// Its text; none for a state event.
    pub text: Option<String>,
    /// True if it was edited.
    pub is_edited: bool,
    /// True if it was taken back.
    pub is_redacted: bool,
    /// Its reactions, each with who, in order.
    pub reactions: Vec<(String, Vec<String>)>,
    /// The message that it answers.
    pub quote: Option<Quoted>,
    /// Those who have read up to it, by id.
    pub readers: Vec<String>,
}

/// A message within another line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quoted {
    /// Its id.
    pub id: String,
    /// Its sender, if it is known.
    pub sender: Option<String>,
    /// The name of the sender.
    pub name: Option<String>,
    /// Its text, if there is one.
    pub text: Option<String>,
}

impl RoomLine {
    pub(super) fn of(room: &RoomItem) -> Self {
        Self {
            id: room.id.to_string(),
            name: room.name.clone(),
            latest: room.latest.as_ref().map(|latest| Quoted {
                id: latest.event_id.as_ref().map(ToString::to_string).unwrap_or_default(),
                text: Some(latest.text.clone()),
                ..Quoted::by(Some(&latest.sender))
            }),
            last_activity_ms: room.last_activity_ms,
        }
    }
}

impl Quoted {
    fn by(sender: Option<&Profile>) -> Self {
        Self {
            sender: sender.map(|sender| sender.id.to_string()),
            name: sender.and_then(|sender| sender.name.clone()),
            ..Self::default()
        }
    }
}

impl Line {
    /// None for days and the read marker.
    pub(super) fn of(item: &TimelineItem) -> Option<Self> {
        let of = |kind: &str| Self { id: item.id.to_string(), kind: kind.to_owned(), ..Self::default() };
        match &item.kind {
            TimelineItemKind::Event(event) => Some(Self {
                id: event.event_id.to_string(),
                kind: event.post.kind.to_string(),
                readers: readers(event.receipts.iter().map(|receipt| receipt.user.id.to_string())),
                ..Self::of_post(&event.post)
            }),
            TimelineItemKind::Local(local) => Some(Self { ..Self::of_post(&local.post) }.named(of("local"))),
            TimelineItemKind::Gap => Some(of("gap")),
            _ => None,
        }
    }

    fn named(self, other: Self) -> Self {
        Self { id: other.id, kind: other.kind, ..self }
    }

    fn of_post(post: &Post) -> Self {
        let reaction = |reaction: &haos::live::timeline::Reaction| {
            (reaction.key.clone(), reaction.senders.iter().map(ToString::to_string).collect())
        };
        Self {
            sender: post.sender.id.to_string(),
            name: post.sender.name.clone(),
            text: match &post.content {
                Content::State(_) => None,
                content => Some(content.plain()),
            },
            is_edited: post.edited.is_some(),
            is_redacted: post.is_redacted,
            reactions: post.reactions.iter().map(reaction).collect(),
            quote: post.reply.as_ref().map(|quote| Quoted {
                id: quote.event_id.to_string(),
                text: quote.text.clone(),
                ..Quoted::by(quote.sender.as_ref())
            }),
            ..Self::default()
        }
    }
}

fn readers(users: impl Iterator<Item = String>) -> Vec<String> {
    let mut users: Vec<String> = users.collect();
    users.sort();
    users
}
