use std::fmt;

use haos_store_seal::{Hash, Mac};

use super::Codec;
use crate::{Collection, EventId, EventType, MediaKey, RoomId, Scope, StateKey, TxnId, UserId};

/// A key column: 16 bytes that stand for an identifier.
///
/// It is the start of a hash over the identifier and its collection, a SHA-256 in a plain store and an
/// HMAC-SHA256 under the store's own key in a sealed one, so that indexes stay small and no column holds an
/// id; the id itself is in the payload and is compared on read.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key([u8; Self::BYTES]);

impl Key {
    /// The length of a key.
    pub const BYTES: usize = 16;

    /// Makes a key from its column.
    pub fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    /// Returns the bytes.
    pub fn as_bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }

    /// Returns the first eight bytes as a number, for an index that may hold doubles.
    pub fn short(&self) -> i64 {
        let mut short = [0; 8];
        short.copy_from_slice(&self.0[..8]);
        i64::from_be_bytes(short)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({:016x}…)", self.short())
    }
}

impl Codec {
    /// Makes the key of a room.
    pub fn room_key(&self, room: &RoomId) -> Key {
        self.key(Collection::Rooms, &[room.as_str()])
    }

    /// Makes the key of an event in its room: of a message, or of a relation's target.
    pub fn event_key(&self, room: &RoomId, event: &EventId) -> Key {
        self.key(Collection::Messages, &[room.as_str(), event.as_str()])
    }

    /// Makes the key of a sender in a room.
    pub fn sender_key(&self, room: &RoomId, sender: &UserId) -> Key {
        self.key(Collection::Messages, &["sender", room.as_str(), sender.as_str()])
    }

    /// Makes the key of a transaction.
    pub fn txn_key(&self, txn_id: &TxnId) -> Key {
        self.key(Collection::Pending, &[txn_id.as_str()])
    }

    /// Makes the key of no transaction: stores whose keys come from the same secret have it in common.
    #[cfg(all(feature = "native", not(target_arch = "wasm32")))]
    pub(crate) fn mirror_key(&self) -> Key {
        self.key(Collection::Pending, &["mirror", ""])
    }

    /// Makes the key of a media item.
    pub fn media_key(&self, key: &MediaKey) -> Key {
        self.key(Collection::Media, &[key.uri.as_str(), key.format.as_str()])
    }

    /// Makes the key of a scope of state.
    pub fn scope_key(&self, scope: &Scope) -> Key {
        self.key(Collection::State, &["scope", scope_text(scope)])
    }

    /// Makes the key of a kind of state within its scope.
    pub fn kind_key(&self, scope: &Scope, kind: &EventType) -> Key {
        self.key(Collection::State, &["kind", scope_text(scope), kind.as_str()])
    }

    /// Makes the key of a state entry.
    pub fn state_key(&self, scope: &Scope, kind: &EventType, key: &StateKey) -> Key {
        self.key(Collection::State, &[scope_text(scope), kind.as_str(), key.as_str()])
    }

    /// Identifiers hold no NUL, so NUL separates them without doubt.
    pub(super) fn key(&self, collection: Collection, parts: &[&str]) -> Key {
        if let Some(keyring) = &self.keyring {
            return keyed(keyring.index_hash(collection), parts);
        }
        let mut hash = Hash::default();
        hash.update(collection.name().as_bytes());
        for part in parts {
            hash.update(&[0]);
            hash.update(part.as_bytes());
        }
        cut(&hash.finish())
    }
}

fn keyed(mut hash: Mac, parts: &[&str]) -> Key {
    for part in parts {
        hash.update(&[0]);
        hash.update(part.as_bytes());
    }
    cut(&hash.finish())
}

fn cut(hash: &[u8]) -> Key {
    let mut key = [0; Key::BYTES];
    key.copy_from_slice(&hash[..Key::BYTES]);
    Key(key)
}

/// Names a scope; no room id is empty, so the empty text is the account.
fn scope_text(scope: &Scope) -> &str {
    match scope {
        Scope::Account => "",
        Scope::Room(room) => room.as_str(),
    }
}

impl Codec {
    /// Makes the key of a chunk: its blob and its place among the blob's chunks.
    pub(super) fn chunk_key(&self, blob: u64, index: u64) -> Key {
        self.key(Collection::Media, &["chunk", &format!("{blob}/{index}")])
    }
}
