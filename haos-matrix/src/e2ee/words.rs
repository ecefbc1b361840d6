//! Names that stand in the store.

use haos_store_api::{EventType, Json, MediaUri, RoomId, Scope, StateEntry, StateKey};

use crate::parse::{digest, known_key, known_kind};

/// The member of a message's `extra` that holds what it was before it was read: an object with the ciphertext as
/// `content`.
pub const ORIGINAL: &str = "haos.original";
/// The member of a message's `extra` that says why it cannot be read: an object with the `reason` (`no_key`, `withheld`,
/// `replayed`, `invalid`), and with the sender's `code` where the key was withheld.
pub const UNREAD: &str = "haos.unread";

/// The state of an encrypted room.
pub(super) const ENCRYPTION: &str = "m.room.encryption";
/// The kind of an encrypted event.
pub(super) const ENCRYPTED: &str = "m.room.encrypted";

/// Events for this device that wait to be read, in the account's scope, by their order.
pub(super) const INBOX: &str = "haos.e2ee.inbox";
/// Users whose devices changed, in the account's scope; under [`EVERYBODY`]: any user's may have.
pub(super) const CHANGED: &str = "haos.e2ee.changed";
pub(super) const EVERYBODY: &str = "*";
/// The server's counts of this device's one-time keys, in the account's scope.
pub(super) const COUNTS: &str = "haos.e2ee.counts";
/// The number of syncs that brought something for this device, in the account's scope.
pub(super) const TURN: &str = "haos.e2ee.turn";
/// After a login on a device that has keys, in the account's scope: the server may have forgotten them.
const ANEW: &str = "haos.e2ee.anew";
/// The event of each index of each session, in the room's scope: another event with the same ciphertext is a copy.
pub(super) const INDEX: &str = "haos.e2ee.index";
/// The sessions that messages of a room wait for, in the room's scope, by a hash: their ids.
pub(super) const AWAITED: &str = "haos.e2ee.awaited";
/// With the hash of a session: the events of a room that wait for it, in the room's scope.
const WAITING: &str = "haos.e2ee.waiting/";

/// The note that the device's keys must be uploaded once more.
pub(super) fn anew() -> StateEntry {
    of_account(known_kind(ANEW), known_key(""), Json::empty())
}

/// With the hash of a uri: the events that name the file there, in the account's scope.
const FILE: &str = "haos.e2ee.file/";

/// The kind of the entries of those who name a file.
pub(super) fn file(uri: &MediaUri) -> haos_store_api::Result<EventType> {
    EventType::new(format!("{FILE}{}", digest(uri.as_str())))
}

/// The kind of the entries of those who wait for a session.
pub(super) fn waiting(session: &str) -> haos_store_api::Result<EventType> {
    EventType::new(format!("{WAITING}{}", digest(session)))
}

/// The key of a session's index.
pub(super) fn index_key(session: &str, index: u32) -> StateKey {
    known_key(&format!("{}|{index}", digest(session)))
}

pub(super) fn session_key(session: &str) -> StateKey {
    known_key(&digest(session))
}

pub(super) fn of_room(room: &RoomId, kind: EventType, key: StateKey, value: Json) -> StateEntry {
    StateEntry { scope: Scope::Room(room.clone()), kind, key, event_id: None, value }
}

pub(super) fn of_account(kind: EventType, key: StateKey, value: Json) -> StateEntry {
    StateEntry { scope: Scope::Account, kind, key, event_id: None, value }
}
