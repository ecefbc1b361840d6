//! The rows of rooms that a list needs, kept as they were read.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use haos_store_api::{Membership, Room, RoomCursor, RoomId, RoomQuery};

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

    /// Tells whether nothing was read yet.
    pub(super) fn is_unread(&self) -> bool {
        self.end.is_none() && !self.is_complete
    }

    /// Returns what to ask a store for: a page of about `wanted` rooms that meet the store's conditions.
    pub(super) fn query(
        &self,
        (membership, space): (Option<Membership>, Option<RoomId>),
        wanted: usize,
    ) -> RoomQuery {
        let after =
            self.end.clone().map(|(Reverse(last_activity_ms), id)| RoomCursor { last_activity_ms, id });
        RoomQuery { space, membership, after, limit: wanted.clamp(1, PAGE) }
    }

    /// Takes the chosen rooms of the page that was asked for by [`query`](Self::query) with this limit.
    pub(super) fn take(&mut self, page: Vec<Room>, limit: usize, chooses: impl Fn(&Room) -> bool) {
        self.is_complete = page.len() < limit;
        if let Some(last) = page.last() {
            self.end = Some((Reverse(last.last_activity_ms), last.id.clone()));
        }
        for room in page {
            let id = room.id.clone();
            self.update(&id, Some(room).filter(&chooses));
        }
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

#[cfg(test)]
mod tests {
    use haos_store_api::{MemoryStore, StorageAdapter as _, WriteBatch};

    use super::*;

    fn room(n: i64) -> Room {
        let id = RoomId::new(format!("!{n}")).unwrap();
        Room { last_activity_ms: n, ..Room::new(id, Membership::Join) }
    }

    async fn store(rooms: i64) -> MemoryStore {
        let (store, mut batch) = (MemoryStore::new(), WriteBatch::relaxed());
        (0..rooms).for_each(|n| {
            batch.put_room(room(n));
        });
        store.apply(batch).await.unwrap();
        store
    }

    async fn read_on(scan: &mut Scan, store: &MemoryStore, wanted: usize) {
        let query = scan.query((None, None), wanted);
        let limit = query.limit;
        let page = store.rooms(query).await.unwrap();
        scan.take(page, limit, |room| room.last_activity_ms % 2 == 0);
    }

    fn times(scan: &Scan) -> Vec<i64> {
        scan.rooms().map(|room| room.last_activity_ms).collect()
    }

    #[tokio::test]
    async fn a_room_beyond_what_was_read_is_not_taken() {
        let (store, mut scan) = (store(20).await, Scan::default());
        assert!(scan.is_unread());
        scan.update(&room(4).id, Some(room(4)));
        assert_eq!(times(&scan).len(), 0, "nothing was read");
        read_on(&mut scan, &store, 6).await;
        assert!(!scan.is_unread());
        assert_eq!(times(&scan), [18, 16, 14]);
        scan.update(&room(12).id, Some(room(12)));
        assert_eq!(times(&scan), [18, 16, 14], "others lie between");
        scan.update(&room(16).id, Some(Room { last_activity_ms: 3, ..room(16) }));
        scan.update(&room(18).id, None);
        scan.update(&room(2).id, Some(Room { last_activity_ms: 30, ..room(2) }));
        assert_eq!((times(&scan), scan.is_complete()), (vec![30, 14], false));
        read_on(&mut scan, &store, 99).await;
        assert!(scan.is_complete());
        scan.update(&room(5).id, Some(Room { last_activity_ms: -5, ..room(5) }));
        assert_eq!(times(&scan).last(), Some(&-5), "all was read");
    }

    #[tokio::test]
    async fn what_was_forgotten_is_read_again() {
        let (store, mut scan) = (store(40).await, Scan::default());
        read_on(&mut scan, &store, 99).await;
        scan.trim(5);
        assert_eq!(times(&scan).len(), 20, "not many");
        scan.trim(3);
        assert_eq!((times(&scan), scan.is_complete()), (vec![38, 36, 34, 32, 30, 28], false));
        scan.update(&room(26).id, Some(room(26)));
        assert_eq!(times(&scan).len(), 6);
        scan.update(&room(29).id, Some(room(29)));
        assert_eq!(times(&scan), [38, 36, 34, 32, 30, 29, 28], "down to the last that is kept");
        scan.update(&room(29).id, None);
        read_on(&mut scan, &store, 99).await;
        assert_eq!((times(&scan).len(), scan.is_complete()), (20, true));
    }
}
