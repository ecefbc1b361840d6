//! All of a store, to be compared.

use haos_archive::{RESTORING, TAKEN};
use haos_store_api::*;

/// A store's rows, without what belongs to one store: revisions, sequence numbers, notes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Dump {
    pub(crate) rooms: Vec<Room>,
    pub(crate) state: Vec<StateEntry>,
    pub(crate) timelines: Vec<Vec<Item>>,
    pub(crate) media: Vec<(MediaInfo, Vec<u8>)>,
    pub(crate) pending: Vec<Pending>,
}

impl Dump {
    pub(crate) async fn of(store: &dyn StorageAdapter) -> Self {
        let mut rooms = store.rooms(RoomQuery::default()).await.unwrap();
        rooms.sort_by(|a, b| a.id.cmp(&b.id));
        let scopes = rooms.iter().map(|room| Scope::Room(room.id.clone()));
        let (mut state, mut timelines) = (Vec::new(), Vec::new());
        for scope in [Scope::Account].into_iter().chain(scopes) {
            state.extend(store.state(StateQuery::all(scope)).await.unwrap());
        }
        state.retain(|entry| ![TAKEN, RESTORING].contains(&entry.kind.as_str()));
        for room in &mut rooms {
            room.revision = Revision::ZERO;
            timelines.push(timeline(store, &room.id).await);
        }
        let mut media = Vec::new();
        for info in store.media_index(MediaQuery::default()).await.unwrap() {
            let item = store.media(&info.key, ByteRange::ALL).await.unwrap().unwrap();
            media.push((info, item.bytes));
        }
        media.sort_by(|(a, _), (b, _)| a.key.cmp(&b.key));
        let mut pending = store.outbox().await.unwrap();
        pending.iter_mut().for_each(|row| (row.seq, row.revision) = (0, Revision::ZERO));
        Self { rooms, state, timelines, media, pending }
    }
}

/// A room's timeline, without the revisions of gaps.
pub(crate) async fn timeline(store: &dyn StorageAdapter, room: &RoomId) -> Vec<Item> {
    let mut items = store.timeline(room, Page::oldest(usize::MAX)).await.unwrap().items;
    for item in &mut items {
        if let Item::Gap(gap) = item {
            gap.revision = Revision::ZERO;
        }
    }
    items
}

/// The latest commit of a store.
pub(crate) async fn revision(store: &dyn StorageAdapter) -> Revision {
    let commit = store.apply(WriteBatch::relaxed()).await.unwrap();
    assert!(!commit.changed);
    commit.revision
}
