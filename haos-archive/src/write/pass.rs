//! One reading of a store, or of the parts of it that changed.

use std::collections::BTreeSet;
use std::io::Write;

use futures_util::future::join;
use haos_store_api::{
    ByteRange, Collection, Item, MediaInfo, MediaQuery, Page, Result, RoomId, Scope, Slice, StateQuery,
    StorageAdapter,
};

use super::cut::Cutter;
use super::meter::Meter;
use super::section::{Dirty, Section, Sections, room_key};
use super::writer::Writer;
use crate::format::{Hash, Row, Tag, bytes_chunk, encode_row, is_session};
use crate::pages::{OutboxPages, PORTION, PageSize, RoomPages, unless_damaged};

/// A reading under way.
pub(super) struct Pass<'a, W: Write> {
    pub(super) store: &'a dyn StorageAdapter,
    pub(super) writer: &'a mut Writer<W>,
    pub(super) session: bool,
    pub(super) meter: &'a mut Meter,
}

impl<W: Write> Pass<'_, W> {
    /// Reads what is dirty, and what `sections` lack.
    pub(super) async fn read(&mut self, dirty: &Dirty, sections: &mut Sections) -> Result<()> {
        if dirty.everything || !dirty.rooms.is_empty() {
            let (section, rooms) = self.rooms().await?;
            sections.rooms = section;
            sections.keep_rooms(rooms);
        }
        let rooms: Vec<RoomId> = sections.room_ids.iter().cloned().collect();
        let scopes = std::iter::once(Scope::Account).chain(rooms.iter().cloned().map(Scope::Room));
        for scope in scopes {
            if dirty.everything || dirty.scopes.contains(&scope) || !sections.state.contains_key(&scope) {
                let section = self.state(&scope).await?;
                sections.state.insert(scope, section);
            }
        }
        for room in rooms {
            if dirty.everything || dirty.rooms.contains(&room) || !sections.timelines.contains_key(&room) {
                let section = self.timeline(&room).await?;
                sections.timelines.insert(room, section);
            }
        }
        if dirty.everything || dirty.media_index {
            self.all_media(dirty, sections).await?;
        }
        if dirty.everything || dirty.pending {
            sections.pending = self.pending().await?;
        }
        Ok(())
    }

    fn damaged(&self) -> u64 {
        self.store.info().damaged
    }

    fn put(&mut self, section: &mut Section, tag: Tag, raw: &[u8]) -> Result<()> {
        section.entries.push(self.writer.chunk(tag, raw)?);
        self.meter.add(raw.len() as u64);
        Ok(())
    }

    /// Adds a row; one that no reader would take is left out. Returns its bytes.
    fn row<T: Row>(
        &mut self,
        section: &mut Section,
        cutter: &mut Cutter,
        (tag, of): (Tag, Collection),
        id: &[u8],
        row: &T,
    ) -> Result<usize> {
        let Some(json) = encode_row(row) else {
            section.leave_out(of, 1);
            return Ok(0);
        };
        for chunk in cutter.push(id, &json) {
            self.put(section, tag, &chunk)?;
        }
        section.count(of);
        Ok(json.len())
    }

    fn end(&mut self, section: &mut Section, mut cutter: Cutter, tag: Tag) -> Result<()> {
        cutter.end().map_or(Ok(()), |chunk| self.put(section, tag, &chunk))
    }

    async fn rooms(&mut self) -> Result<(Section, BTreeSet<RoomId>)> {
        const KIND: (Tag, Collection) = (Tag::Rooms, Collection::Rooms);
        let (mut section, mut cutter, mut rooms) =
            (Section::default(), Cutter::new(KIND.0), RoomPages::default());
        let before = self.damaged();
        while let Some(page) = rooms.next(self.store).await?.filter(|page| !page.is_empty()) {
            for room in &page {
                self.row(&mut section, &mut cutter, KIND, room_key(room), room)?;
            }
        }
        self.end(&mut section, cutter, KIND.0)?;
        section.leave_out(KIND.1, self.damaged() - before);
        Ok((section, rooms.seen))
    }

    async fn state(&mut self, scope: &Scope) -> Result<Section> {
        const KIND: (Tag, Collection) = (Tag::State, Collection::State);
        let (mut section, mut cutter) = (Section::default(), Cutter::new(KIND.0));
        let before = self.damaged();
        match unless_damaged(self.store.state(StateQuery::all(scope.clone())).await)? {
            Some(entries) => {
                let session = self.session;
                for entry in entries.iter().filter(|entry| session || !is_session(entry)) {
                    let id = [entry.kind.as_str(), entry.key.as_str()].join("\0");
                    self.row(&mut section, &mut cutter, KIND, id.as_bytes(), entry)?;
                }
            }
            None => section.leave_out(KIND.1, 1),
        }
        self.end(&mut section, cutter, KIND.0)?;
        section.leave_out(KIND.1, self.damaged() - before);
        Ok(section)
    }

    async fn timeline(&mut self, room: &RoomId) -> Result<Section> {
        let (mut section, mut cutter) = (Section::default(), Cutter::new(Tag::Timeline));
        let (before, mut size) = (self.damaged(), PageSize::default());
        let mut page = self.store.timeline(room, Page::oldest(size.0)).await;
        loop {
            let Some(slice) = unless_damaged(page)? else {
                section.leave_out(Collection::Messages, 1);
                break;
            };
            size = size.after(&slice);
            let Some(newer) = slice.newer().filter(|_| slice.more) else {
                self.items(&mut section, &mut cutter, &slice)?;
                break;
            };
            // The store reads the next page while this one is packed.
            let store = self.store;
            let next = store.timeline(room, Page::newer_than(newer, size.0));
            let packed = async { self.items(&mut section, &mut cutter, &slice) };
            let (read, packed) = join(next, packed).await;
            packed?;
            page = read;
        }
        self.end(&mut section, cutter, Tag::Timeline)?;
        section.leave_out(Collection::Messages, self.damaged() - before);
        Ok(section)
    }

    fn items(&mut self, section: &mut Section, cutter: &mut Cutter, slice: &Slice) -> Result<()> {
        for item in &slice.items {
            let position = item.position().get().to_be_bytes();
            let (of, id) = match item {
                Item::Message(message) => (Collection::Messages, message.id.as_str().as_bytes()),
                Item::Gap(_) => (Collection::Gaps, position.as_slice()),
            };
            self.row(section, cutter, (Tag::Timeline, of), id, item)?;
        }
        Ok(())
    }

    async fn all_media(&mut self, dirty: &Dirty, sections: &mut Sections) -> Result<()> {
        let before = self.damaged();
        let mut infos = self.store.media_index(MediaQuery::default()).await?;
        sections.media_index = Section::default();
        sections.media_index.leave_out(Collection::Media, self.damaged() - before);
        infos.sort_by(|a, b| a.key.cmp(&b.key));
        sections.keep_media(&infos);
        for info in infos {
            let is_dirty = dirty.media.contains(&info.key);
            if dirty.everything || is_dirty || !sections.media.contains_key(&info.key) {
                let section = self.media(&info, is_dirty).await?;
                sections.media.insert(info.key, section);
            }
        }
        Ok(())
    }

    /// Reads a media item, of which nothing is taken over if it `is_dirty`.
    async fn media(&mut self, info: &MediaInfo, is_dirty: bool) -> Result<Section> {
        let mut section = Section::default();
        let Some(json) = encode_row(info) else {
            section.leave_out(Collection::Media, 1);
            return Ok(section);
        };
        let raw = [&[Tag::Media as u8, b'['], json.as_slice(), b"]"].concat();
        self.put(&mut section, Tag::Media, &raw)?;
        let whole = match self.known_bytes(&mut section, info, is_dirty)? {
            true => true,
            false => self.bytes(&mut section, info).await?,
        };
        if !whole {
            section = Section::default();
            section.leave_out(Collection::Media, 1);
            return Ok(section);
        }
        section.count(Collection::Media);
        section.media_bytes = info.size;
        Ok(section)
    }

    /// Takes over the bytes of an item that is known with this content; tells whether all are there.
    fn known_bytes(&mut self, section: &mut Section, info: &MediaInfo, is_dirty: bool) -> Result<bool> {
        let Some(hashes) = self.writer.known.bytes_of(info).filter(|_| !is_dirty) else { return Ok(false) };
        let hashes: Vec<Hash> = hashes.to_vec();
        let described = section.entries.len();
        for hash in hashes {
            match self.writer.reuse(Tag::Bytes, &hash)? {
                Some(entry) => section.entries.push(entry),
                None => {
                    section.entries.truncate(described);
                    return Ok(false);
                }
            }
        }
        self.meter.add(info.size);
        Ok(true)
    }

    /// Reads the bytes of an item; tells whether all are there.
    async fn bytes(&mut self, section: &mut Section, info: &MediaInfo) -> Result<bool> {
        let store = self.store;
        let range = |start: u64| ByteRange { start, end: info.size.min(start + PORTION) };
        let mut at = 0;
        let mut next = match info.size {
            0 => return Ok(true),
            _ => store.media(&info.key, range(0)).await,
        };
        loop {
            let wanted = range(at).within(info.size);
            let bytes = match unless_damaged(next)?.flatten() {
                Some(media) if media.bytes.len() as u64 == wanted.end - wanted.start => media.bytes,
                // It changed meanwhile and is read again, or it is damaged.
                _ => return Ok(false),
            };
            at = wanted.end;
            let pack = async { self.put(section, Tag::Bytes, &bytes_chunk(&bytes)) };
            if at == info.size {
                return pack.await.map(|()| true);
            }
            // The store reads the next bytes while these are packed.
            let (read, packed) = join(store.media(&info.key, range(at)), pack).await;
            packed?;
            next = read;
        }
    }

    async fn pending(&mut self) -> Result<Section> {
        const KIND: (Tag, Collection) = (Tag::Pending, Collection::Pending);
        let (mut section, mut cutter) = (Section::default(), Cutter::new(KIND.0));
        let (before, mut outbox) = (self.damaged(), OutboxPages::default());
        loop {
            let rows = outbox.next(self.store).await?;
            if rows.is_empty() {
                break;
            }
            for row in &rows {
                self.row(&mut section, &mut cutter, KIND, row.txn_id.as_str().as_bytes(), row)?;
            }
        }
        self.end(&mut section, cutter, KIND.0)?;
        section.leave_out(KIND.1, self.damaged() - before);
        Ok(section)
    }
}
