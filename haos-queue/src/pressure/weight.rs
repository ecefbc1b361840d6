//! The weight of a batch, and if there is room for it.

use haos_store_api::backend::SortedSet;
use haos_store_api::{Durability, Json, MediaKey, Message, Op, Pending, Room, WriteBatch, state_kind};

use super::PressureOptions;

/// About what a row takes beside its content.
const ROW_BYTES: u64 = 256;

/// The state that is never refused: without it, nothing could be paused, nor go on after a login, and an encrypted room
/// could be taken for one that is not.
const NOTES: [&str; 5] =
    [crate::GATE, crate::outbox::CLOCK, state_kind::SESSION, state_kind::OWN_USER, state_kind::ENCRYPTED];

/// The bytes that a batch brings, as if nothing of it were stored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Weight {
    /// Bytes that can be fetched again.
    pub cache: u64,
    /// Bytes of the user.
    pub own: u64,
    /// It takes rows out of the outbox, or moves them on: it is never refused by counting, since only
    /// such a batch makes room in a store that is full of unsent messages.
    pub settles: bool,
}

impl Weight {
    /// Weighs a batch. Own are new outbox rows, the media that they send, unconfirmed messages, and all but
    /// messages in a strict batch, such as a draft or bytes that are staged.
    pub fn of(batch: &WriteBatch) -> Self {
        let is_strict = batch.durability() == Durability::Strict;
        let rows = batch.ops().iter().filter_map(|op| match op {
            Op::PutPending(row) => Some(row),
            _ => None,
        });
        let staged: SortedSet<&MediaKey> = rows.flat_map(|row| &row.media).collect();
        let mut weight = Self::default();
        for op in batch.ops() {
            let (bytes, is_own) = match op {
                Op::PutPending(row) if row.seq == 0 => (row_bytes(row), true),
                Op::PutPending(_) | Op::RemovePending(_) => {
                    weight.settles = true;
                    (0, true)
                }
                Op::PutMessage(message) => (message_bytes(message), message.provisional),
                Op::PutMedia(info, bytes) => {
                    (ROW_BYTES + len(bytes), is_strict || info.pinned || staged.contains(&info.key))
                }
                Op::AppendMedia { key, bytes, .. } => (len(bytes), is_strict || staged.contains(key)),
                // A note takes the place of the one before, a key that of one that was used.
                Op::PutState(entry) if is_note(entry.kind.as_str()) => (0, true),
                Op::PutState(entry) => (ROW_BYTES + json(&entry.value), is_strict),
                Op::PutRoom(room) => (room_bytes(room), is_strict),
                Op::PutGap(_) => (ROW_BYTES, is_strict),
                // Removing, moving and emptying bring nothing.
                _ => (0, false),
            };
            let sum = if is_own { &mut weight.own } else { &mut weight.cache };
            *sum = sum.saturating_add(bytes);
        }
        weight
    }

    /// All of it.
    pub fn bytes(&self) -> u64 {
        self.cache.saturating_add(self.own)
    }
}

/// Tells if state of a kind is never refused. Without its keys, a store that is full could not send.
fn is_note(kind: &str) -> bool {
    NOTES.contains(&kind) || kind.starts_with(state_kind::KEYS)
}

/// Tells if a batch fits: bytes that can be fetched again must leave the headroom free, the user's own may use
/// it up to the quota.
pub(super) fn admit(weight: &Weight, used: u64, quota: Option<u64>, options: &PressureOptions) -> bool {
    let Some(quota) = quota else { return true };
    let limit = if weight.cache > 0 { options.cache_bytes(quota) } else { quota };
    weight.settles || weight.bytes() == 0 || used.saturating_add(weight.bytes()) <= limit
}

fn len(bytes: &[u8]) -> u64 {
    bytes.len() as u64
}

fn json(value: &Json) -> u64 {
    len(value.as_str().as_bytes())
}

fn row_bytes(row: &Pending) -> u64 {
    ROW_BYTES + json(&row.content) + row.wire.as_ref().map_or(0, json)
}

fn message_bytes(message: &Message) -> u64 {
    ROW_BYTES + json(&message.content) + message.extra.as_ref().map_or(0, json)
}

fn room_bytes(room: &Room) -> u64 {
    let texts = [&room.name, &room.topic, &room.avatar].into_iter().flatten();
    ROW_BYTES + texts.map(|text| len(text.as_bytes())).sum::<u64>()
}

#[cfg(test)]
mod tests {
    use haos_store_api::{EventType, MediaFormat, MediaInfo, MediaUri, RoomId, TxnId};

    use super::*;

    fn row() -> Pending {
        let kind = EventType::new("m.room.message").unwrap();
        Pending::new(TxnId::new("t").unwrap(), RoomId::new("!r").unwrap(), kind, Json::empty(), 0)
    }

    fn picture() -> MediaInfo {
        let key =
            MediaKey { uri: MediaUri::new("haos-local:t").unwrap(), format: MediaFormat::new("").unwrap() };
        MediaInfo {
            key,
            size: 0,
            mime: None,
            rooms: Vec::new(),
            last_access_ms: 0,
            fetched_at_ms: 0,
            pinned: false,
        }
    }

    #[test]
    fn media_is_own_where_a_row_sends_it() {
        let mut batch = WriteBatch::relaxed();
        batch.put_media(picture(), vec![0; 1000]);
        assert_eq!(Weight::of(&batch), Weight { cache: 1256, own: 0, settles: false });
        batch.put_pending(Pending { media: vec![picture().key], ..row() });
        let weight = Weight::of(&batch);
        assert_eq!((weight.cache, weight.own, weight.settles), (0, 1256 + 256 + 2, false));
        let mut staging = WriteBatch::strict();
        staging.append_media(picture().key, 1000, vec![0; 500]);
        assert_eq!(Weight::of(&staging).own, 500);
    }

    #[test]
    fn the_headroom_is_for_what_the_user_wrote() {
        let options = PressureOptions { headroom_bytes: 2_000, ..PressureOptions::default() };
        let fits = |batch: &WriteBatch, used| admit(&Weight::of(batch), used, Some(10_000), &options);
        let mut cache = WriteBatch::relaxed();
        cache.put_media(picture(), vec![0; 744]);
        assert!(fits(&cache, 7_000) && !fits(&cache, 7_001));
        let mut own = WriteBatch::strict();
        own.put_media(picture(), vec![0; 742]).put_pending(row());
        assert!(fits(&own, 8_744) && !fits(&own, 8_745));
        let mut echo = cache.clone();
        echo.remove_pending(row().txn_id);
        assert!(fits(&echo, u64::MAX), "an echo must come in, however full it is");
        let mut update = WriteBatch::strict();
        update.put_pending(Pending { seq: 5, ..row() });
        assert!(fits(&update, 20_000), "a row that is stored can be moved on");
        let mut eviction = WriteBatch::relaxed();
        eviction.evict_media(Default::default(), 0).remove_media(picture().key);
        assert!(fits(&eviction, u64::MAX), "what makes room needs none");
        assert!(admit(&Weight::of(&cache), u64::MAX, None, &options), "no quota, no limit");
    }

    #[test]
    fn no_store_is_too_full_for_what_sending_needs() {
        for (kind, weighs) in [
            (crate::GATE, false),
            (state_kind::ENCRYPTED, false),
            ("haos.e2ee.own", false),
            ("haos.tags", true),
        ] {
            let (kind, key) = (EventType::new(kind).unwrap(), haos_store_api::StateKey::new("").unwrap());
            let mut batch = WriteBatch::relaxed();
            let scope = haos_store_api::Scope::Account;
            batch.put_state(haos_store_api::StateEntry {
                scope,
                kind,
                key,
                event_id: None,
                value: Json::empty(),
            });
            assert_eq!(Weight::of(&batch).cache > 0, weighs);
        }
    }

    /// Strangers choose what a room shows.
    #[test]
    fn a_room_weighs_what_it_shows() {
        let mut batch = WriteBatch::relaxed();
        let room = Room::new(RoomId::new("!r").unwrap(), haos_store_api::Membership::Invite);
        batch.put_room(Room { topic: Some("x".repeat(60_000)), ..room });
        assert!(Weight::of(&batch).cache > 60_000);
    }
}
