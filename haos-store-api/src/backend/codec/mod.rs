//! From entities to rows and back: the only maker of payloads.

pub(crate) mod binary;
mod body;
mod envelope;
mod frame;
mod key;
mod row;

pub(crate) use frame::{PADDED, SEALED};
pub use key::Key;
pub use row::{
    ChunkRow, GapRow, Links, MediaColumns, MediaRow, MessageColumns, MessageRow, PendingColumns, PendingRow,
    RoomRef, RoomRow, RowRef, StateColumns, StateRow,
};

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::Keyring;
use crate::{Collection, Error, ErrorKind, Padding, Result};

/// The form of a plain payload. A sealed one is bytes in either form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Form {
    /// JSON text, readable without this library: for SQLite, which checks its own pages and whose
    /// stores people open with other tools. A module for browsers is without it.
    #[cfg(not(all(target_arch = "wasm32", target_os = "unknown")))]
    Text,
    /// Binary behind a format version and a checksum: for every other backend.
    Binary,
}

/// Encoded bytes on their way to the disk. Only the codec makes them, so no backend can write a body
/// that was not encoded, and, in a sealed store, not sealed.
#[derive(Clone, PartialEq, Eq)]
pub struct Payload(Vec<u8>);

impl Payload {
    /// Returns the bytes to write.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Turns the payload into the bytes to write.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// Returns the text to write, for a plain payload of `Form::Text`.
    pub fn as_text(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Payload({} bytes)", self.0.len())
    }
}

/// The binding of a payload, so that it is good in no other place and of no other age: its collection, the key of its
/// room or scope, its own key, and the columns that are written with it.
struct Bound {
    collection: Collection,
    parent: Option<Key>,
    key: Key,
    columns: [i64; Self::COLUMNS],
    used: usize,
}

impl Bound {
    /// The columns of a message; no row has more.
    const COLUMNS: usize = 7;
    /// The most bytes of all parts together.
    const BYTES: usize = 1 + 2 * Key::BYTES + 8 * Self::COLUMNS;

    /// Makes a binding; the last key is the row's own.
    fn new<const K: usize, const N: usize>(collection: Collection, keys: [&Key; K], used: [i64; N]) -> Self {
        let mut columns = [0; Self::COLUMNS];
        columns[..N].copy_from_slice(&used);
        let parent = if K > 1 { Some(*keys[0]) } else { None };
        Self { collection, parent, key: *keys[K - 1], columns, used: N }
    }

    /// Visits the parts one after the other; each has a length that the collection gives.
    fn each_part(&self, mut part: impl FnMut(&[u8])) {
        part(&[self.collection.tag()]);
        self.parent.iter().for_each(|key| part(key.as_bytes()));
        part(self.key.as_bytes());
        self.columns[..self.used].iter().for_each(|column| part(&column.to_be_bytes()));
    }
}

/// The bytes of media in one chunk row: small enough for ranges, large enough to cost little.
pub const CHUNK_BYTES: usize = 64 << 10;

/// Turns entities into rows (key columns and a [`Payload`]) and back. A backend gets it at opening.
#[derive(Debug, Clone)]
pub struct Codec {
    form: Form,
    /// The number of rows that lists left out, counted by all clones.
    damaged: Arc<AtomicU64>,
    /// True if a row under an unknown key counts as damaged.
    lenient: bool,
    padding: Padding,
    keyring: Option<Keyring>,
}

impl Codec {
    /// Makes a codec for rows that anybody with the file can read.
    pub fn plain() -> Self {
        Self {
            form: Form::Binary,
            damaged: Arc::default(),
            lenient: false,
            padding: Padding::None,
            keyring: None,
        }
    }

    /// Makes a codec for rows that nobody can read, or change unnoticed, without the keyring.
    pub fn sealed(keyring: Keyring) -> Self {
        Self { keyring: Some(keyring), ..Self::plain() }
    }

    /// Returns the keyring of a sealed store.
    pub fn keyring(&self) -> Option<&Keyring> {
        self.keyring.as_ref()
    }

    /// Writes payloads in `form`. A backend asks for the one it keeps.
    #[must_use]
    pub fn in_form(self, form: Form) -> Self {
        Self { form, ..self }
    }

    /// Pads sealed payloads; plain ones have no padding.
    #[must_use]
    pub fn padded(self, padding: Padding) -> Self {
        Self { padding, ..self }
    }

    /// Returns the padding of sealed payloads.
    pub fn padding(&self) -> Padding {
        self.padding
    }

    /// Turns damage into an absent row and counts it, so that one damaged row in a list does not refuse the others. A
    /// single read of it fails, and a check names it.
    ///
    /// # Errors
    /// Every one but `Corrupt`.
    pub fn keep<T>(&self, read: Result<T>) -> Result<Option<T>> {
        match read {
            Ok(row) => Ok(Some(row)),
            Err(error) if self.is_damage(&error) => {
                self.damaged.fetch_add(1, Ordering::Relaxed);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Returns a codec that takes a row under an unknown key for damaged: for callers who know that its keyring is the
    /// stored one.
    #[must_use]
    pub fn lenient(&self) -> Self {
        Self { lenient: true, ..self.clone() }
    }

    /// Returns a codec with a count of damaged rows of its own, for a view whose reader wants to know what it missed.
    #[must_use]
    pub fn counting_apart(&self) -> Self {
        Self { damaged: Arc::default(), ..self.clone() }
    }

    /// Tells whether an error means that a row is damaged.
    pub fn is_damage(&self, error: &Error) -> bool {
        error.kind() == ErrorKind::Corrupt || self.lenient && error.kind() == ErrorKind::WrongKey
    }

    /// Counts the times that a list left out a damaged row since the store was opened.
    pub fn damaged(&self) -> u64 {
        self.damaged.load(Ordering::Relaxed)
    }

    /// Tells whether payloads are bound to their place. Those of plain `Form::Text` are not: they tell their ids,
    /// which readers compare.
    pub fn binds(&self) -> bool {
        self.form == Form::Binary || self.is_sealed()
    }

    /// Tells whether rows are sealed.
    pub fn is_sealed(&self) -> bool {
        self.keyring.is_some()
    }
}

#[cfg(test)]
mod tests;
