//! The types of each table's columns, which tell its rows from another table's.

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
