//! What a call wants: which rooms, which list, which file.

use haos::{EventId, FileInfo, RoomFilter, RoomId, TxnId};
use serde::Deserialize;

/// What can be watched.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "ts", derive(serde::Serialize, ts_rs::TS), ts(optional_fields))]
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
#[cfg_attr(feature = "ts", derive(serde::Serialize, ts_rs::TS), ts(optional_fields))]
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
#[cfg_attr(feature = "ts", derive(serde::Serialize, ts_rs::TS))]
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
#[cfg_attr(feature = "ts", derive(serde::Serialize, ts_rs::TS), ts(optional_fields))]
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
#[cfg_attr(feature = "ts", derive(serde::Serialize, ts_rs::TS), ts(optional_fields))]
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
    /// The first of its bytes that is wanted; all of them, if nothing is said.
    pub start: Option<u64>,
    /// The byte after the last that is wanted.
    pub end: Option<u64>,
}
