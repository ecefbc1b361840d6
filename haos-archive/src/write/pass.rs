//! One reading of a store, or of the parts of it that changed.

use std::collections::BTreeSet;
use std::io::Write;

use futures_util::future::join;
use haos_store_api::{
    Collection, Item, MediaInfo, MediaQuery, Page, Result, RoomId, Scope, Slice, StateQuery, StorageAdapter,
};

use super::ahead::Ahead;
use super::cut::Cutter;
use super::meter::Meter;
use super::section::{Dirty, Section, Sections, room_key};
use super::writer::Writer;
use crate::format::{Hash, Row, Tag, bytes_chunk, encode_row, is_session};
use crate::pages::{OutboxPages, PORTION, PageSize, RoomPages, unless_damaged};

/// A page, and the number of rows that it lacks.
type Paged = (Result<Slice>, u64);

/// A reading under way.
pub(super) struct Pass<'a, W: Write> {
    pub(super) store: &'a dyn StorageAdapter,
    pub(super) writer: &'a mut Writer<W>,
    pub(super) session: bool,
    pub(super) meter: &'a mut Meter,
    /// The JSON of the present row.
    pub(super) json: Vec<u8>,
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
        let mut due = rooms;
        due.retain(|room| {
            dirty.everything || dirty.rooms.contains(room) || !sections.timelines.contains_key(room)
        });
        self.timelines(&due, sections).await?;
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

    fn put(&mut self, section: &mut Section, tag: Tag, raw: Vec<u8>) -> Result<()> {
        let bytes = raw.len() as u64;
        section.chunks.push(self.writer.chunk(tag, raw)?);
        self.meter.add(bytes);
        Ok(())
    }

    /// Adds a row; one that no reader would take is left out.
    fn row<T: Row>(
        &mut self,
        section: &mut Section,
        cutter: &mut Cutter,
        (tag, of): (Tag, Collection),
        id: &[u8],
        row: &T,
    ) -> Result<()> {
        if !encode_row(row, &mut self.json) {
            section.leave_out(of, 1);
            return Ok(());
        }
        for chunk in cutter.push(id, &self.json) {
            self.put(section, tag, chunk)?;
        }
        section.count(of);
        Ok(())
    }

    fn end(&mut self, section: &mut Section, mut cutter: Cutter, tag: Tag) -> Result<()> {
        cutter.end().map_or(Ok(()), |chunk| self.put(section, tag, chunk))
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

    /// Reads the timelines of these rooms: the first page of each while the last of the one before is packed.
    async fn timelines(&mut self, rooms: &[RoomId], sections: &mut Sections) -> Result<()> {
        let store = self.store;
        let first = async |nr: usize| match rooms.get(nr) {
            Some(room) => store.timeline(room, Page::oldest(PageSize::default().0)).await,
            None => Ok(Slice::default()),
        };
        let mut page = self.read_beside(first(0), |_| Ok(())).await?;
        for (room, next) in rooms.iter().zip(1..) {
            let (section, following) = self.timeline(room, page, first(next)).await?;
            sections.timelines.insert(room.clone(), section);
            page = following;
        }
        Ok(())
    }

    /// Reads a timeline whose first page is there, and what is `following` it.
    async fn timeline(
        &mut self,
        room: &RoomId,
        (mut page, mut damaged): Paged,
        following: impl Future<Output = Result<Slice>>,
    ) -> Result<(Section, Paged)> {
        let (mut section, mut cutter) = (Section::default(), Cutter::new(Tag::Timeline));
        let (store, mut size) = (self.store, PageSize::default());
        loop {
            section.leave_out(Collection::Messages, damaged);
            let slice = unless_damaged(page)?.unwrap_or_else(|| {
                section.leave_out(Collection::Messages, 1);
                Slice::default()
            });
            size = size.after(&slice);
            let Some(newer) = slice.newer().filter(|_| slice.more) else {
                let pack = |pass: &mut Self| {
                    pass.items(&mut section, &mut cutter, &slice)?;
                    pass.end(&mut section, cutter, Tag::Timeline)
                };
                let following = self.read_beside(following, pack).await?;
                return Ok((section, following));
            };
            let next = store.timeline(room, Page::newer_than(newer, size.0));
            let pack = |pass: &mut Self| pass.items(&mut section, &mut cutter, &slice);
            (page, damaged) = self.read_beside(next, pack).await?;
        }
    }

    /// Has the store read a page while the one before is packed.
    async fn read_beside(
        &mut self,
        read: impl Future<Output = Result<Slice>>,
        pack: impl FnOnce(&mut Self) -> Result<()>,
    ) -> Result<Paged> {
        let before = self.damaged();
        let (page, packed) = join(read, async { pack(self) }).await;
        packed.map(|()| (page, self.damaged() - before))
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
        let is_due = |info: &&MediaInfo| {
            dirty.everything || dirty.media.contains(&info.key) || !sections.media.contains_key(&info.key)
        };
        let due = infos.iter().filter(is_due);
        // Nothing is taken over of what changed meanwhile.
        let is_known =
            |info: &MediaInfo| !dirty.media.contains(&info.key) && self.writer.known.bytes_of(info).is_some();
        let due: Vec<(&MediaInfo, bool)> = due.map(|info| (info, is_known(info))).collect();
        let unknown = due.iter().filter(|(_, is_known)| !is_known).map(|(info, _)| *info).collect();
        let mut ahead = Ahead::of(self.store, unknown);
        for (info, is_known) in due {
            let section = self.media(info, is_known, &mut ahead).await?;
            sections.media.insert(info.key.clone(), section);
        }
        Ok(())
    }

    /// Reads a media item. The bytes of one that is not known are the next of those that are read ahead.
    async fn media(&mut self, info: &MediaInfo, is_known: bool, ahead: &mut Ahead<'_>) -> Result<Section> {
        let mut section = Section::default();
        if !is_known {
            ahead.begin();
        }
        if !encode_row(info, &mut self.json) {
            section.leave_out(Collection::Media, 1);
            return Ok(section);
        }
        let raw = [&[Tag::Media as u8, b'['], self.json.as_slice(), b"]"].concat();
        self.put(&mut section, Tag::Media, raw)?;
        let whole = match is_known {
            true if self.known_bytes(&mut section, info)? => true,
            // The interrupted file has lost them.
            true => {
                let mut ahead = Ahead::of(self.store, vec![info]);
                ahead.begin();
                self.bytes(&mut section, info, &mut ahead).await?
            }
            false => self.bytes(&mut section, info, ahead).await?,
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
    fn known_bytes(&mut self, section: &mut Section, info: &MediaInfo) -> Result<bool> {
        let Some(hashes) = self.writer.known.bytes_of(info) else { return Ok(false) };
        let hashes: Vec<Hash> = hashes.to_vec();
        let described = section.chunks.len();
        for hash in hashes {
            match self.writer.reuse(Tag::Bytes, &hash)? {
                Some(nr) => section.chunks.push(nr),
                None => {
                    section.chunks.truncate(described);
                    return Ok(false);
                }
            }
        }
        self.meter.add(info.size);
        Ok(true)
    }

    /// Reads the bytes of the item that was begun; tells whether all are there.
    async fn bytes(
        &mut self,
        section: &mut Section,
        info: &MediaInfo,
        ahead: &mut Ahead<'_>,
    ) -> Result<bool> {
        let mut left = info.size;
        while left > 0 {
            let wanted = left.min(PORTION);
            let bytes = match unless_damaged(ahead.portion().await)?.flatten() {
                Some(media) if media.bytes.len() as u64 == wanted => media.bytes,
                // It changed meanwhile and is read again, or it is damaged.
                _ => return Ok(false),
            };
            left -= wanted;
            self.put(section, Tag::Bytes, bytes_chunk(bytes))?;
        }
        Ok(true)
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
