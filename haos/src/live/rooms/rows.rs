//! The rows of rooms that a list needs, kept as they were read.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use haos_store_api::{Membership, Result, Room, RoomCursor, RoomId, RoomQuery, StorageAdapter};

/// A place in the order of activity, the latest first; ties by id.
type Place = (Reverse<i64>, RoomId);

/// The most rooms of a page.
const PAGE: usize = 1_000;

/// The chosen rooms by activity, the latest first, down to the place up to which they were read.
#[derive(Debug, Default)]
pub(super) struct Scan {
    rooms: BTreeMap<Place, Room>,
    places: HashMap<RoomId, Reverse<i64>>,
    /// All chosen rooms up to here are there.
    end: Option<Place>,
    /// There is none beyond.
    is_complete: bool,
}

impl Scan {
    /// Returns the rooms, the latest activity first.
    pub(super) fn rooms(&self) -> impl Iterator<Item = &Room> {
        self.rooms.values()
    }

    pub(super) fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// Takes a room as it is now; absent if it is gone or is not chosen.
    pub(super) fn update(&mut self, id: &RoomId, room: Option<Room>) {
        if let Some(activity) = self.places.remove(id) {
            self.rooms.remove(&(activity, id.clone()));
        }
        let Some(room) = room else { return };
        let place = (Reverse(room.last_activity_ms), id.clone());
        if self.is_complete || self.end.as_ref().is_some_and(|end| place <= *end) {
            self.places.insert(id.clone(), place.0);
            self.rooms.insert(place, room);
        }
    }

    /// Reads on: about `wanted` rooms. The first page is read without the store's conditions, which most of the latest
    /// rooms meet: a store need not look far for it.
    pub(super) async fn read_on(
        &mut self,
        store: &dyn StorageAdapter,
        (membership, space): (Option<Membership>, Option<RoomId>),
        wanted: usize,
        chooses: impl Fn(&Room) -> bool,
    ) -> Result<()> {
        let limit = wanted.clamp(1, PAGE);
        let after =
            self.end.clone().map(|(Reverse(last_activity_ms), id)| RoomCursor { last_activity_ms, id });
        let page = store.rooms(RoomQuery { space, membership, after, limit }).await?;
        self.is_complete = page.len() < limit;
        if let Some(last) = page.last() {
            self.end = Some((Reverse(last.last_activity_ms), last.id.clone()));
        }
        for room in page {
            let id = room.id.clone();
            self.update(&id, Some(room).filter(&chooses));
        }
        Ok(())
    }

    /// Forgets the rooms behind the first `keep`, if there are very many.
    pub(super) fn trim(&mut self, keep: usize) {
        if self.rooms.len() <= keep.saturating_mul(4) {
            return;
        }
        let Some(end) = self.rooms.keys().nth(keep.saturating_mul(2)).cloned() else { return };
        for (_, id) in self.rooms.split_off(&end).into_keys() {
            self.places.remove(&id);
        }
        // The kept ones end before it.
        self.end = self.rooms.last_key_value().map(|(place, _)| place.clone());
        self.is_complete = false;
    }
}

/// Rooms that are read one by one.
#[derive(Debug, Default)]
pub(super) struct Picked {
    rooms: BTreeMap<RoomId, Option<Room>>,
}

impl Picked {
    /// Returns the rooms that are stored, by id.
    pub(super) fn rooms(&self) -> impl Iterator<Item = &Room> {
        self.rooms.values().flatten()
    }

    /// Forgets a room as it was read. Tells whether it was there.
    pub(super) fn forget(&mut self, id: &RoomId) -> bool {
        self.rooms.remove(id).is_some()
    }

    /// Takes exactly these rooms. Returns the ones to be read.
    pub(super) fn choose(&mut self, ids: &BTreeSet<&RoomId>) -> Vec<RoomId> {
        self.rooms.retain(|id, _| ids.contains(id));
        ids.iter().filter(|id| !self.rooms.contains_key(**id)).map(|id| (*id).clone()).collect()
    }

    /// Takes a room as it was read.
    pub(super) fn put(&mut self, id: RoomId, room: Option<Room>) {
        self.rooms.insert(id, room);
    }
}
