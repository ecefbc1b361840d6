//! What a store and an archive hold, to be compared.

use std::collections::BTreeMap;
use std::io::Cursor;

use haos_archive::{Archive, Backup, Identity, Record, Source};
use haos_store_api::*;

/// Everything of a store.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Content {
    pub(crate) rooms: BTreeMap<RoomId, Room>,
    pub(crate) state: BTreeMap<Scope, Vec<StateEntry>>,
    pub(crate) timelines: BTreeMap<RoomId, Vec<Item>>,
    pub(crate) media: BTreeMap<MediaKey, (MediaInfo, Vec<u8>)>,
    pub(crate) pending: Vec<Pending>,
}

impl Content {
    /// Reads a store.
    pub(crate) async fn of_store(store: &dyn StorageAdapter) -> Self {
        let mut content = Self::default();
        let rooms = store.rooms(RoomQuery::default()).await.unwrap();
        for id in rooms.iter().map(|room| room.id.clone()) {
            let slice = store.timeline(&id, Page::oldest(usize::MAX)).await.unwrap();
            content.timelines.extend((!slice.items.is_empty()).then_some((id.clone(), slice.items)));
        }
        for scope in
            std::iter::once(Scope::Account).chain(rooms.iter().map(|room| Scope::Room(room.id.clone())))
        {
            let entries = store.state(StateQuery::all(scope.clone())).await.unwrap();
            content.state.extend((!entries.is_empty()).then_some((scope, entries)));
        }
        content.rooms = rooms.into_iter().map(|room| (room.id.clone(), room)).collect();
        for info in store.media_index(MediaQuery::default()).await.unwrap() {
            let bytes = store.media(&info.key, ByteRange::ALL).await.unwrap().unwrap().bytes;
            content.media.insert(info.key.clone(), (info, bytes));
        }
        content.pending = store.pending(PendingQuery::default()).await.unwrap();
        content
    }

    /// Reads an archive.
    pub(crate) fn of_archive(archive: &mut Archive) -> Result<Self> {
        let mut content = Self::default();
        for record in archive.records() {
            content.add(record?);
        }
        Ok(content)
    }

    fn add(&mut self, record: Record) {
        match record {
            Record::Rooms(rooms) => self.rooms.extend(rooms.into_iter().map(|room| (room.id.clone(), room))),
            Record::State(entries) => {
                self.state.entry(entries[0].scope.clone()).or_default().extend(entries);
            }
            Record::Timeline(room, items) => self.timelines.entry(room).or_default().extend(items),
            Record::Media(info) => drop(self.media.insert(info.key.clone(), (info, Vec::new()))),
            Record::MediaBytes { key, at, bytes } => {
                let (_, before) = self.media.get_mut(&key).unwrap();
                assert_eq!(before.len() as u64, at);
                before.extend(bytes);
            }
            Record::Pending(rows) => self.pending.extend(rows),
        }
    }
}

/// Opens a chain of archives.
pub(crate) fn open(files: &[&[u8]], identity: Option<&Identity>) -> Result<Archive> {
    let source = |file: &&[u8]| Box::new(Cursor::new(file.to_vec())) as Box<dyn Source>;
    Archive::open(files.iter().map(source).collect(), identity)
}

/// Reads all that a chain of archives holds.
pub(crate) fn read(files: &[&[u8]], identity: Option<&Identity>) -> Result<Content> {
    Content::of_archive(&mut open(files, identity)?)
}

/// Runs a backup into memory.
pub(crate) async fn bytes_of(backup: Backup, store: &dyn StorageAdapter) -> Vec<u8> {
    let mut bytes = Vec::new();
    backup.run(store, &mut bytes).await.unwrap();
    bytes
}
