//! Where each value stands: kind and key, in the account's scope.
//!
//! Room state goes with its room. Keys must not: what was read once stays readable in a backup, and an account's devices
//! belong to no room.

use haos_store_api::{EventType, Scope, StateEntry, StateKey, StateQuery, state_kind};
use matrix_sdk_crypto::olm::SenderDataType;
use sha2::{Digest as _, Sha256};

use crate::error::Result;

/// The longest text that is part of a kind or a key as it is.
const LONGEST: usize = 128;

/// A kind and a key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) kind: EventType,
    pub(crate) key: StateKey,
}

impl Place {
    pub(crate) fn query(&self) -> StateQuery {
        StateQuery::one(Scope::Account, self.kind.clone(), self.key.clone())
    }

    pub(crate) fn of(entry: &StateEntry) -> Self {
        Self { kind: entry.kind.clone(), key: entry.key.clone() }
    }
}

/// Fits text from elsewhere into a kind or a key. These end at 255 bytes and take no NUL; what a server sends may be
/// longer and have one, and must not keep what came along from being stored.
fn part(text: &str) -> String {
    if text.len() <= LONGEST && !text.contains('\0') && !text.starts_with('#') {
        return text.to_owned();
    }
    format!("#{}", hash(&[text]))
}

/// Makes one text of several, for which no two lists have the same.
fn hash(texts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for text in texts {
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text);
    }
    matrix_sdk_crypto::vodozemac::base64_encode(hash.finalize())
}

fn kind(name: &str) -> Result<EventType> {
    Ok(EventType::new(format!("{}{name}", state_kind::KEYS))?)
}

fn kind_of(name: &str, of: &str) -> Result<EventType> {
    kind(&format!("{name}/{}", part(of)))
}

fn place(kind: EventType, key: &str) -> Result<Place> {
    Ok(Place { kind, key: StateKey::new(part(key))? })
}

/// The few values that there are one of.
pub(crate) mod single {
    pub(crate) const ACCOUNT: &str = "account";
    pub(crate) const IDENTITY: &str = "cross_signing";
    pub(crate) const SYNC_TOKEN: &str = "sync_token";
    pub(crate) const BACKUP_KEY: &str = "backup_key";
    pub(crate) const BACKUP_VERSION: &str = "backup_version";
    pub(crate) const DEHYDRATED: &str = "dehydrated_device_key";
    pub(crate) const FENCE: &str = "fence";
}

macro_rules! places {
    ($($(#[$doc:meta])* $name:ident($($arg:ident),+) => $place:expr;)+) => {
        $($(#[$doc])* pub(crate) fn $name($($arg: &str),+) -> Result<Place> { $place })+
    };
}

places! {
    one(name) => place(kind("own")?, name);
    olm_session(sender_key, session) => place(olm_sessions(sender_key)?, session);
    room_key(room, session) => place(room_keys(room)?, session);
    sent_key(room) => place(kind("room_key_out")?, room);
    tracked(user) => place(tracked_users()?, user);
    device(user, device) => place(devices(user)?, device);
    identity(user) => place(kind("identity")?, user);
    message_hash(sender_key, text) => place(kind("message")?, &hash(&[sender_key, text]));
    request(id) => place(requests()?, id);
    /// The latest request for a thing.
    requested(what) => place(kind("requested")?, &hash(&[what]));
    secret(name, nth) => place(secrets(name)?, nth);
    withheld(room, session) => place(withheld_of(room)?, session);
    settings(room) => place(kind("room_settings")?, room);
    bundle(room, user) => place(kind("key_bundle")?, &hash(&[room, user]));
    pending_bundle(room) => place(pending_bundles()?, room);
    downloaded(room) => place(kind("downloaded")?, room);
    custom(name) => place(kind("custom")?, name);
    lease(name) => place(kind("lease")?, name);
    /// A room key among those that one backup has.
    backed_up(version, room, session) => place(backed_up_to(version)?, &hash(&[room, session]));
    /// A room key that no backup has.
    unbacked(room, session) => place(not_backed_up()?, &hash(&[room, session]));
    /// A backup that any room key was written to.
    backup(version) => place(backups()?, version);
}

macro_rules! kinds {
    ($($name:ident($($arg:ident)?) => $kind:expr;)+) => {
        $(pub(crate) fn $name($($arg: &str)?) -> Result<EventType> { $kind })+
    };
}

kinds! {
    olm_sessions(sender_key) => kind_of("olm", sender_key);
    room_keys(room) => kind_of("room_key", room);
    devices(user) => kind_of("device", user);
    secrets(name) => kind_of("secret", name);
    withheld_of(room) => kind_of("withheld", room);
    backed_up_to(version) => kind_of("backed_up", version);
    tracked_users() => kind("tracked");
    requests() => kind("request");
    pending_bundles() => kind("pending_bundle");
    not_backed_up() => kind("unbacked");
    backups() => kind("backup");
}

/// The room keys that came from a device, and are as trusted as this.
pub(crate) fn keys_from(sender_key: &str, trust: SenderDataType) -> Result<EventType> {
    kind(&format!("from/{}/{}", trust as u8, part(sender_key)))
}

pub(crate) fn key_from(sender_key: &str, trust: SenderDataType, session: &str) -> Result<Place> {
    place(keys_from(sender_key, trust)?, session)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_has_a_place_of_its_own() {
        let long = "a".repeat(300);
        let texts = ["", "a", "a\0", "a\0b", "#a", "#", &long, &long[1..]];
        let mut places: Vec<_> = texts.iter().map(|text| custom(text).unwrap()).collect();
        places.extend(texts.iter().map(|text| device(text, text).unwrap()));
        let count = places.len();
        places.sort();
        places.dedup();
        assert_eq!(places.len(), count);
        assert!(places.iter().all(|place| place.kind.as_str().starts_with(state_kind::KEYS)));
    }

    #[test]
    fn parts_of_a_hash_do_not_run_together() {
        assert_ne!(hash(&["ab", "c"]), hash(&["a", "bc"]));
    }
}
