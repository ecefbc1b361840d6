//! The records of a store that is in use.

use std::collections::{HashSet, VecDeque};

use haos_store_api::{
    ByteRange, Cursor, MediaInfo, MediaQuery, Page, PendingQuery, Result, Room, RoomCursor, RoomId,
    RoomQuery, Scope, StateQuery, StorageAdapter,
};

use crate::Record;

/// The most rows of a record.
const ROWS: usize = 256;
/// The most bytes of a media record.
pub(crate) const PORTION: u64 = 256 << 10;

/// Reads a store record by record, in the order that [`Record`] documents.
///
/// The store may be in use: each record is right by itself, and what comes meanwhile may be missing. Ids of rooms are
/// kept in memory, and so is a scope's state.
pub(crate) struct Walk<'a, S: ?Sized> {
    store: &'a S,
    at: At,
    seen: HashSet<RoomId>,
    rooms: Vec<RoomId>,
    ready: VecDeque<Record>,
}

/// What is read next.
enum At {
    Rooms { after: Option<RoomCursor>, news: bool },
    State(usize),
    Timeline { room: usize, after: Option<Cursor> },
    Media,
    Bytes { info: MediaInfo, at: u64, rest: VecDeque<MediaInfo> },
    Pending(u64),
    End,
}

impl<'a, S: StorageAdapter + ?Sized> Walk<'a, S> {
    pub(crate) fn of(store: &'a S) -> Self {
        let at = At::Rooms { after: None, news: false };
        Self { store, at, seen: HashSet::new(), rooms: Vec::new(), ready: VecDeque::new() }
    }

    /// Reads the next record; absent at the end.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) async fn next(&mut self) -> Result<Option<Record>> {
        loop {
            if let Some(record) = self.ready.pop_front() {
                return Ok(Some(record));
            }
            self.at = match std::mem::replace(&mut self.at, At::End) {
                At::Rooms { after, news } => self.rooms(after, news).await?,
                At::State(scope) => self.state(scope).await?,
                At::Timeline { room, after } => self.timeline(room, after).await?,
                At::Media => {
                    let items = self.store.media_index(MediaQuery::default()).await?;
                    self.item(items.into())
                }
                At::Bytes { info, at, rest } => self.bytes(info, at, rest).await?,
                At::Pending(after_seq) => self.pending(after_seq).await?,
                At::End => return Ok(None),
            };
        }
    }

    /// Rooms come by their activity, which changes meanwhile: they are listed until no list has a new one.
    async fn rooms(&mut self, after: Option<RoomCursor>, news: bool) -> Result<At> {
        let rooms = self.store.rooms(RoomQuery { after, ..RoomQuery::latest(ROWS) }).await?;
        let next = rooms.last().map(RoomCursor::from);
        let fresh: Vec<Room> = rooms.into_iter().filter(|room| self.seen.insert(room.id.clone())).collect();
        let news = news || !fresh.is_empty();
        self.rooms.extend(fresh.iter().map(|room| room.id.clone()));
        if !fresh.is_empty() {
            self.ready.push_back(Record::Rooms(fresh));
        }
        Ok(match next {
            Some(_) => At::Rooms { after: next, news },
            None if news => At::Rooms { after: None, news: false },
            None => At::State(0),
        })
    }

    /// The account's state, then that of each room.
    async fn state(&mut self, scope: usize) -> Result<At> {
        let of = match scope.checked_sub(1) {
            None => Scope::Account,
            Some(room) => match self.rooms.get(room) {
                Some(room) => Scope::Room(room.clone()),
                None => return Ok(At::Timeline { room: 0, after: None }),
            },
        };
        let mut entries = self.store.state(StateQuery::all(of)).await?;
        while !entries.is_empty() {
            let rest = entries.split_off(entries.len().min(ROWS));
            self.ready.push_back(Record::State(std::mem::replace(&mut entries, rest)));
        }
        Ok(At::State(scope + 1))
    }

    async fn timeline(&mut self, room: usize, after: Option<Cursor>) -> Result<At> {
        let Some(id) = self.rooms.get(room) else { return Ok(At::Media) };
        let page = after.map_or(Page::oldest(ROWS), |after| Page::newer_than(after, ROWS));
        let slice = self.store.timeline(id, page).await?;
        let next = slice.newer().filter(|_| slice.more);
        if !slice.items.is_empty() {
            self.ready.push_back(Record::Timeline(id.clone(), slice.items));
        }
        Ok(match next {
            Some(_) => At::Timeline { room, after: next },
            None => At::Timeline { room: room + 1, after: None },
        })
    }

    fn item(&mut self, mut items: VecDeque<MediaInfo>) -> At {
        let Some(info) = items.pop_front() else { return At::Pending(0) };
        self.ready.push_back(Record::Media(info.clone()));
        At::Bytes { info, at: 0, rest: items }
    }

    async fn bytes(&mut self, info: MediaInfo, at: u64, rest: VecDeque<MediaInfo>) -> Result<At> {
        if at >= info.size {
            return Ok(self.item(rest));
        }
        let range = ByteRange { start: at, end: info.size.min(at + PORTION) };
        let bytes = self.store.media(&info.key, range).await?.map_or_else(Vec::new, |media| media.bytes);
        if bytes.is_empty() {
            // It was removed meanwhile.
            return Ok(self.item(rest));
        }
        let next = at + bytes.len() as u64;
        self.ready.push_back(Record::MediaBytes { key: info.key.clone(), at, bytes });
        Ok(At::Bytes { info, at: next, rest })
    }

    async fn pending(&mut self, after_seq: u64) -> Result<At> {
        let query = PendingQuery { after_seq, limit: ROWS, ..PendingQuery::default() };
        let rows = self.store.pending(query).await?;
        let Some(last) = rows.last().map(|row| row.seq) else { return Ok(At::End) };
        self.ready.push_back(Record::Pending(rows));
        Ok(At::Pending(last))
    }
}
