//! From entities to rows and back: the only maker of payloads.

mod body;
mod frame;
mod key;
mod row;

pub use key::Key;
pub use row::{
    ChunkRow, GapRow, MediaColumns, MediaRow, MessageColumns, MessageRow, PendingRow, RoomRow, StateRow,
};

use std::fmt;

use crate::Collection;

/// The form of a plain payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Form {
    /// JSON text, readable without this library: for SQLite, which checks its own pages and whose
    /// stores people open with other tools.
    Text,
    /// bincode behind a format version and a checksum: for every other backend.
    Binary,
}

/// Encoded bytes on their way to the disk. Only the codec makes them, so no backend can write a body
/// that was not encoded, and, in a sealed store, not sealed.
#[derive(Clone, PartialEq, Eq)]
pub struct Payload(Vec<u8>);

impl Payload {
    /// What to write.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// What to write, as text, where it is text: a plain payload of [`Form::Text`].
    pub fn as_text(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Payload({} bytes)", self.0.len())
    }
}

/// What a payload is bound to, so that it is good in no other place and of no other age: its collection,
/// its key, and the columns that are written with it.
struct Bound<'a> {
    collection: Collection,
    key: &'a Key,
    columns: &'a [i64],
}

impl<'a> Bound<'a> {
    fn new(collection: Collection, key: &'a Key, columns: &'a [i64]) -> Self {
        Self { collection, key, columns }
    }

    /// The parts one after the other; each has a length that the collection gives.
    fn each_part(&self, mut part: impl FnMut(&[u8])) {
        part(&[self.collection.tag()]);
        part(self.key.as_bytes());
        self.columns.iter().for_each(|column| part(&column.to_be_bytes()));
    }
}

/// The bytes of media in one chunk row: small enough for ranges, large enough to cost little.
pub const CHUNK_BYTES: usize = 64 << 10;

/// Turns entities into rows (key columns and a [`Payload`]) and back. Given to a backend at open.
#[derive(Debug, Clone)]
pub struct Codec {
    form: Form,
}

impl Codec {
    /// Rows that anybody with the file can read.
    pub fn plain() -> Self {
        Self { form: Form::Binary }
    }

    /// The same codec with payloads in `form`. A backend asks for the one it keeps.
    #[must_use]
    pub fn in_form(self, form: Form) -> Self {
        Self { form }
    }

    /// Whether rows are sealed.
    pub fn is_sealed(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests;
