//! The types of each table's and index's columns, which tell its rows from another one's.

use super::record::{Type, types};

/// A column's type.
#[derive(Debug, Clone, Copy)]
enum Column {
    /// The rowid's own, which is empty.
    Id,
    /// A key of 16 bytes.
    Key,
    Int,
    MaybeInt,
    Text,
    /// Text or bytes.
    Body,
    Bytes,
    MaybeBytes,
    Any,
}

impl Column {
    fn fits(self, found: Type) -> bool {
        match self {
            Self::Id => found == Type::Null,
            Self::Key => found == Type::Blob(16),
            Self::Int => matches!(found, Type::Int(..)),
            Self::MaybeInt => matches!(found, Type::Int(..) | Type::Null),
            Self::Text => matches!(found, Type::Text(_)),
            Self::Body => matches!(found, Type::Text(_) | Type::Blob(_)),
            Self::Bytes => matches!(found, Type::Blob(_)),
            Self::MaybeBytes => matches!(found, Type::Blob(_) | Type::Null),
            Self::Any => true,
        }
    }
}

/// A table with rowids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Shape {
    Schema,
    Keyring,
    Room,
    Message,
    Gap,
    Pending,
    Media,
    Chunk,
    State,
}

impl Shape {
    /// The tables of the store.
    pub(crate) const TABLES: [Self; 8] = [
        Self::Keyring,
        Self::Room,
        Self::Message,
        Self::Gap,
        Self::Pending,
        Self::Media,
        Self::Chunk,
        Self::State,
    ];

    /// Returns the table's name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Schema => "sqlite_schema",
            Self::Keyring => "keyring",
            Self::Room => "room",
            Self::Message => "message",
            Self::Gap => "gap",
            Self::Pending => "pending",
            Self::Media => "media",
            Self::Chunk => "media_chunk",
            Self::State => "state",
        }
    }

    fn columns(self) -> &'static [Column] {
        use Column::*;
        match self {
            Self::Schema => &[Body, Body, Body, Int, Any],
            Self::Keyring | Self::Chunk => &[Id, Bytes],
            Self::Room => &[Id, Key, Int, Int, Body],
            Self::Message => &[Id, Key, Int, MaybeInt, MaybeInt, Int, Int, Body],
            Self::Gap => &[Id, Int, Body],
            Self::Pending => &[Id, Key, Int, Int, Int, Body],
            Self::Media => &[Id, Key, Int, Int, Int, Int, Body, MaybeBytes],
            Self::State => &[Id, Key, Int, Key, Int, Body],
        }
    }

    /// Tells whether a record's first bytes are those of a row. Somebody may have added columns behind ours.
    pub(super) fn fits(self, id: i64, local: &[u8]) -> bool {
        let ids = match self {
            Self::Keyring => id == 1,
            // The first chunk of the first item has a greater one.
            Self::Chunk => id >= 1 << 24,
            Self::Schema => true,
            _ => id > 0,
        };
        let Some((found, _)) = types(local).filter(|_| ids) else { return false };
        let columns = self.columns();
        found.len() >= columns.len() && columns.iter().zip(found).all(|(column, found)| column.fits(found))
    }
}

/// An index; `meta` has the form of one, since its names are its keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Index {
    Meta,
    RoomKey,
    RoomActivity,
    MessageKey,
    PendingKey,
    PendingRoom,
    MediaKey,
    MediaAccess,
    StatePlace,
}

impl Index {
    /// Returns the index's name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Meta => "meta",
            Self::RoomKey => "room_by_key",
            Self::RoomActivity => "room_by_activity",
            Self::MessageKey => "message_by_key",
            Self::PendingKey => "pending_by_key",
            Self::PendingRoom => "pending_by_room",
            Self::MediaKey => "media_by_key",
            Self::MediaAccess => "media_by_access",
            Self::StatePlace => "state_by_place",
        }
    }

    /// Tells whether a record's first bytes are those of an entry: the columns of the index, and the row's key.
    pub(super) fn fits(self, local: &[u8]) -> bool {
        use Column::*;
        let columns: &[Column] = match self {
            Self::Meta => &[Text, Any],
            Self::RoomKey | Self::PendingKey | Self::MediaKey => &[Key, Int],
            Self::RoomActivity | Self::PendingRoom | Self::MediaAccess => &[Int, Int],
            Self::MessageKey => &[Int, Key, Int],
            Self::StatePlace => &[Key, Int, Key, Int],
        };
        let Some((found, _)) = types(local) else { return false };
        found.len() == columns.len() && columns.iter().zip(found).all(|(column, found)| column.fits(found))
    }
}
