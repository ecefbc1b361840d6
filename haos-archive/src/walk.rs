//! The records of a store that is in use.

use std::collections::{BTreeMap, VecDeque};

use haos_store_api::{
    ByteRange, Collection, Cursor, MediaInfo, MediaQuery, Page, Result, RoomId, Scope, StateQuery,
    StorageAdapter,
};

use crate::Record;
use crate::pages::{OutboxPages, PORTION, PageSize, RoomPages, unless_damaged};

/// The most rows of a record of state.
const ROWS: usize = 256;

/// Reads a store record by record, in the order that [`Record`] documents.
///
/// The store may be in use: each record is right by itself, and what comes meanwhile may be missing. Ids of rooms and of
/// outbox rows are kept in memory, and so is a scope's state.
pub(crate) struct Walk<'a, S: ?Sized> {
    store: &'a S,
    /// With the outbox, at the end.
    outbox: bool,
    at: At,
    listed: RoomPages,
    rooms: Vec<RoomId>,
    ready: VecDeque<Record>,
    /// Rows that the store could not read; those of a damaged room are not counted one by one.
    pub(crate) unreadable: BTreeMap<Collection, u64>,
}

/// What is read next.
enum At {
    /// News: rooms were found since the list was begun.
    Rooms {
        news: bool,
    },
    State(usize),
    Timeline {
        room: usize,
        after: Option<Cursor>,
        size: PageSize,
    },
    Media,
    Bytes {
        info: MediaInfo,
        at: u64,
        rest: VecDeque<MediaInfo>,
    },
    Pending(OutboxPages),
    End,
}

impl At {
    fn timeline(room: usize) -> Self {
        Self::Timeline { room, after: None, size: PageSize::default() }
    }

    fn collection(&self) -> Collection {
        match self {
            Self::Rooms { .. } => Collection::Rooms,
            Self::State(_) => Collection::State,
            Self::Timeline { .. } => Collection::Messages,
            Self::Media | Self::Bytes { .. } => Collection::Media,
            Self::Pending(_) | Self::End => Collection::Pending,
        }
    }
}

impl<'a, S: StorageAdapter + ?Sized> Walk<'a, S> {
    pub(crate) fn of(store: &'a S, outbox: bool) -> Self {
        let (at, listed) = (At::Rooms { news: false }, RoomPages::default());
        let (rooms, ready, unreadable) = Default::default();
        Self { store, outbox, at, listed, rooms, ready, unreadable }
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
            let (of, before) = (self.at.collection(), self.store.info().damaged);
            self.at = match std::mem::replace(&mut self.at, At::End) {
                At::Rooms { news } => self.rooms(news).await?,
                At::State(scope) => self.state(scope).await?,
                At::Timeline { room, after, size } => self.timeline(room, after, size).await?,
                At::Media => {
                    let items = self.store.media_index(MediaQuery::default()).await?;
                    self.item(items.into())
                }
                At::Bytes { info, at, rest } => self.bytes(info, at, rest).await?,
                At::Pending(outbox) => self.pending(outbox).await?,
                At::End => return Ok(None),
            };
            self.leave_out(of, self.store.info().damaged - before);
        }
    }

    fn leave_out(&mut self, of: Collection, rows: u64) {
        if rows > 0 {
            *self.unreadable.entry(of).or_default() += rows;
        }
    }

    /// Rooms come by their activity, which changes meanwhile: they are listed until no list has a new one.
    async fn rooms(&mut self, news: bool) -> Result<At> {
        Ok(match self.listed.next(self.store).await? {
            Some(rooms) => {
                let news = news || !rooms.is_empty();
                self.rooms.extend(rooms.iter().map(|room| room.id.clone()));
                if !rooms.is_empty() {
                    self.ready.push_back(Record::Rooms(rooms));
                }
                At::Rooms { news }
            }
            None if news => At::Rooms { news: false },
            None => At::State(0),
        })
    }

    /// The account's state, then that of each room.
    async fn state(&mut self, scope: usize) -> Result<At> {
        let of = match scope.checked_sub(1) {
            None => Scope::Account,
            Some(room) => match self.rooms.get(room) {
                Some(room) => Scope::Room(room.clone()),
                None => return Ok(At::timeline(0)),
            },
        };
        let mut entries = match unless_damaged(self.store.state(StateQuery::all(of)).await)? {
            Some(entries) => entries,
            None => {
                self.leave_out(Collection::State, 1);
                Vec::new()
            }
        };
        while !entries.is_empty() {
            let rest = entries.split_off(entries.len().min(ROWS));
            self.ready.push_back(Record::State(std::mem::replace(&mut entries, rest)));
        }
        Ok(At::State(scope + 1))
    }

    async fn timeline(&mut self, room: usize, after: Option<Cursor>, size: PageSize) -> Result<At> {
        let Some(id) = self.rooms.get(room) else { return Ok(At::Media) };
        let page = after.map_or(Page::oldest(size.0), |after| Page::newer_than(after, size.0));
        let Some(slice) = unless_damaged(self.store.timeline(id, page).await)? else {
            self.leave_out(Collection::Messages, 1);
            return Ok(At::timeline(room + 1));
        };
        let (after, size) = (slice.newer().filter(|_| slice.more), size.after(&slice));
        if !slice.items.is_empty() {
            self.ready.push_back(Record::Timeline(id.clone(), slice.items));
        }
        Ok(match after {
            Some(_) => At::Timeline { room, after, size },
            None => At::timeline(room + 1),
        })
    }

    fn item(&mut self, mut items: VecDeque<MediaInfo>) -> At {
        let Some(info) = items.pop_front() else {
            return if self.outbox { At::Pending(OutboxPages::default()) } else { At::End };
        };
        self.ready.push_back(Record::Media(info.clone()));
        At::Bytes { info, at: 0, rest: items }
    }

    async fn bytes(&mut self, info: MediaInfo, at: u64, rest: VecDeque<MediaInfo>) -> Result<At> {
        if at >= info.size {
            return Ok(self.item(rest));
        }
        let range = ByteRange { start: at, end: info.size.min(at + PORTION) };
        let media = unless_damaged(self.store.media(&info.key, range).await)?.flatten();
        let bytes = media.map_or_else(Vec::new, |media| media.bytes);
        if bytes.is_empty() {
            // It was removed meanwhile, or is damaged: whoever takes the records finds it incomplete.
            return Ok(self.item(rest));
        }
        let next = at + bytes.len() as u64;
        self.ready.push_back(Record::MediaBytes { key: info.key.clone(), at, bytes });
        Ok(At::Bytes { info, at: next, rest })
    }

    async fn pending(&mut self, mut outbox: OutboxPages) -> Result<At> {
        let rows = outbox.next(self.store).await?;
        if rows.is_empty() {
            return Ok(At::End);
        }
        self.ready.push_back(Record::Pending(rows));
        Ok(At::Pending(outbox))
    }
}
