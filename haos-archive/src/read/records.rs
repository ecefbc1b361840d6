use std::collections::{BTreeMap, BTreeSet};

use haos_store_api::{Collection, Item, MediaKey, Position, Result, RoomId, Scope};

use super::archive::Archive;
use crate::Record;
use crate::format::{Rows, corrupt};

/// The records of an archive, in order. After an error it ends.
#[derive(Debug)]
pub struct Records<'a> {
    archive: &'a mut Archive,
    next: usize,
    order: Order,
    ended: bool,
}

impl<'a> Records<'a> {
    pub(super) fn new(archive: &'a mut Archive) -> Self {
        Self { archive, next: 0, order: Order::default(), ended: false }
    }

    fn read(&mut self) -> Result<Option<Record>> {
        let Some(entry) = self.archive.entries().get(self.next).copied() else {
            self.order.end()?;
            let summary = self.archive.summary();
            if self.order.counts != summary.counts || self.order.media_bytes != summary.media_bytes {
                return Err(corrupt("it holds another number of rows than it says"));
            }
            return Ok(None);
        };
        self.next += 1;
        let rows = self.archive.rows(&entry)?;
        self.order.admit(rows).map(Some)
    }
}

impl Iterator for Records<'_> {
    type Item = Result<Record>;

    fn next(&mut self) -> Option<Result<Record>> {
        if self.ended {
            return None;
        }
        let read = self.read().transpose();
        self.ended = !matches!(read, Some(Ok(_)));
        read
    }
}

/// The order of records, as far as it was read.
#[derive(Debug, Default)]
struct Order {
    counts: BTreeMap<Collection, u64>,
    media_bytes: u64,
    rooms: BTreeSet<RoomId>,
    scopes: BTreeSet<Scope>,
    scope: Option<Scope>,
    timelines: BTreeSet<RoomId>,
    last: Option<(RoomId, Position)>,
    media: BTreeSet<MediaKey>,
    /// The present media item, its size, and the bytes that came.
    item: Option<(MediaKey, u64, u64)>,
    last_seq: u64,
}

impl Order {
    fn count(&mut self, of: Collection, rows: usize) {
        if rows > 0 {
            *self.counts.entry(of).or_default() += rows as u64;
        }
    }

    /// Checks that rows may follow those before.
    fn admit(&mut self, rows: Rows) -> Result<Record> {
        if !matches!(rows, Rows::Bytes(_)) {
            self.end()?;
        }
        Ok(match rows {
            Rows::Rooms(rooms) => {
                for room in &rooms {
                    once(&mut self.rooms, &room.id, "a room")?;
                }
                self.count(Collection::Rooms, rooms.len());
                Record::Rooms(rooms)
            }
            Rows::State(entries) => {
                for entry in &entries {
                    if self.scope.as_ref() != Some(&entry.scope) {
                        once(&mut self.scopes, &entry.scope, "the state of a scope")?;
                        self.scope = Some(entry.scope.clone());
                    }
                }
                if entries.first().map(|entry| &entry.scope) != entries.last().map(|entry| &entry.scope) {
                    return Err(corrupt("a chunk holds the state of two scopes"));
                }
                self.count(Collection::State, entries.len());
                Record::State(entries)
            }
            Rows::Timeline(items) => self.timeline(items)?,
            Rows::Media(info) => {
                once(&mut self.media, &info.key, "a media item")?;
                self.item = Some((info.key.clone(), info.size, 0));
                self.count(Collection::Media, 1);
                Record::Media(info)
            }
            Rows::Bytes(bytes) => self.bytes(bytes)?,
            Rows::Pending(rows) => {
                for row in &rows {
                    if row.seq <= self.last_seq {
                        return Err(corrupt("outbox rows are out of order"));
                    }
                    self.last_seq = row.seq;
                }
                self.count(Collection::Pending, rows.len());
                Record::Pending(rows)
            }
        })
    }

    fn timeline(&mut self, items: Vec<Item>) -> Result<Record> {
        for item in &items {
            let room = room_of(item);
            match &self.last {
                Some((last, position)) if last == room => {
                    if item.position() <= *position {
                        return Err(corrupt("items of a room are out of order"));
                    }
                }
                _ => once(&mut self.timelines, room, "the timeline of a room")?,
            }
            self.last = Some((room.clone(), item.position()));
        }
        let Some(room) = items.first().map(room_of).cloned() else {
            return Err(corrupt("a chunk is empty"));
        };
        if items.iter().any(|item| *room_of(item) != room) {
            return Err(corrupt("a chunk holds items of two rooms"));
        }
        let gaps = items.iter().filter(|item| item.as_gap().is_some()).count();
        self.count(Collection::Gaps, gaps);
        self.count(Collection::Messages, items.len() - gaps);
        Ok(Record::Timeline(room, items))
    }

    fn bytes(&mut self, bytes: Vec<u8>) -> Result<Record> {
        let Some((key, size, at)) = &mut self.item else {
            return Err(corrupt("media bytes come without their item"));
        };
        let (before, after) = (*at, at.checked_add(bytes.len() as u64));
        match after {
            Some(after) if after <= *size => *at = after,
            _ => return Err(corrupt("a media item has more bytes than it says")),
        }
        self.media_bytes += bytes.len() as u64;
        Ok(Record::MediaBytes { key: key.clone(), at: before, bytes })
    }

    /// Checks that the present media item is whole.
    fn end(&mut self) -> Result<()> {
        match self.item.take() {
            Some((_, size, at)) if at < size => Err(corrupt("a media item has fewer bytes than it says")),
            _ => Ok(()),
        }
    }
}

fn room_of(item: &Item) -> &RoomId {
    match item {
        Item::Message(message) => &message.room,
        Item::Gap(gap) => &gap.room,
    }
}

fn once<T: Ord + Clone>(seen: &mut BTreeSet<T>, key: &T, what: &str) -> Result<()> {
    match seen.insert(key.clone()) {
        true => Ok(()),
        false => Err(corrupt(format_args!("{what} comes twice"))),
    }
}
