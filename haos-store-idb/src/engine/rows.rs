//! The rows of one batch, as the laws see them: messages and gaps. The other collections are in `tables`.

use haos_store_api::backend::kv::corrupt;
use haos_store_api::backend::law::{Inserted, TimelineRows};
use haos_store_api::backend::*;
use haos_store_api::*;

use super::keys;
use super::known::{Fault, View};
use super::kv::Table;
use super::segment::Row;

/// One batch under way.
#[derive(Debug)]
pub(crate) struct EngineRows<'a> {
    pub(crate) view: View<'a>,
    pub(crate) codec: &'a Codec,
    /// The revision that the batch makes.
    pub(crate) revision: Revision,
    /// Messages come in runs of one room.
    latest: Option<(RoomId, Key)>,
}

impl<'a> EngineRows<'a> {
    pub(crate) fn new(view: View<'a>, codec: &'a Codec, revision: Revision) -> Self {
        Self { view, codec, revision, latest: None }
    }

    pub(crate) fn room_key(&mut self, room: &RoomId) -> Key {
        match &self.latest {
            Some((id, key)) if id == room => *key,
            _ => {
                let key = self.codec.room_key(room);
                self.latest = Some((room.clone(), key));
                key
            }
        }
    }

    fn message_in(&mut self, room: &RoomId, event: &EventId, key: &Key) -> Result<Option<Message>> {
        let room_key = self.room_key(room);
        let Some(at) = self.view.place_of(&room_key, key)? else { return Ok(None) };
        let Some(row) = self.view.row(&room_key, at)? else {
            return Err(corrupt("apply", "a message's index names another place"));
        };
        let found = row.message(self.codec, RoomRef { id: room, key: room_key })?;
        if found.id != *event {
            return Err(corrupt("apply", "a message stands under another's key"));
        }
        Ok(Some(found))
    }

    /// Returns the stored positions of a room's messages.
    fn stored_positions(&mut self, room: &Key) -> Result<Vec<Position>> {
        let Some(places) = self.view.places(room).filter(|places| places.indexed) else {
            return self.view.lacks(Fault::Index(*room));
        };
        let mut all = Vec::new();
        for key in places.segments.values() {
            if key.is_dense() {
                all.extend((key.oldest.get()..=key.newest.get()).filter_map(|at| Position::new(at).ok()));
            } else if places.spans(key.oldest, key.newest) {
                all.extend(places.rows.range(key.oldest..=key.newest).map(|(at, _)| *at));
            } else {
                return self.view.lacks(Fault::Place(*room, key.oldest, key.newest));
            }
        }
        let gone = |at: &Position| places.overlays.get(at).is_some_and(|over| over.bytes.is_none());
        all.retain(|at| !gone(at));
        all.extend(places.overlays.iter().filter(|(_, over)| over.bytes.is_some()).map(|(at, _)| *at));
        all.sort_unstable();
        all.dedup();
        Ok(all)
    }

    /// Removes the messages between two positions: whole segments without reading them.
    pub(crate) fn drop_messages(&mut self, room: &Key, oldest: Position, newest: Position) -> Result<()> {
        let Some(places) = self.view.places(room).filter(|places| places.indexed) else {
            return self.view.lacks(Fault::Index(*room));
        };
        let inside = |key: &keys::SegmentKey| oldest <= key.oldest && key.newest <= newest;
        let mut singly = Vec::new();
        for key in places.segments.values() {
            if key.newest < oldest
                || newest < key.oldest
                || self.view.draft.gone.contains(&(*room, key.newest))
            {
                continue;
            }
            if inside(key) {
                self.view.draft.gone.insert((*room, key.newest));
                let sum = self.view.draft.head.sums.of_mut(Collection::Messages);
                sum.rows = sum.rows.saturating_sub(key.count.into());
                sum.bytes = sum.bytes.saturating_sub(key.bytes.into());
            } else if places.spans(key.oldest, key.newest) {
                let span = key.oldest.max(oldest)..=key.newest.min(newest);
                singly.extend(places.rows.range(span).map(|(at, _)| *at));
            } else {
                return self.view.lacks(Fault::Place(*room, key.oldest, key.newest));
            }
        }
        let span = (*room, oldest)..=(*room, newest);
        singly.extend(
            self.view.draft.rows.range(span).filter(|(_, row)| row.is_some()).map(|((_, at), _)| *at),
        );
        for at in singly {
            self.view.take_row(room, at)?;
        }
        for (at, over) in places.overlays.range(oldest..=newest) {
            // Those over a remaining segment were handled just now.
            let stays = places.segment_at(*at).is_some_and(|key| !inside(key));
            let key = keys::overlay(room, *at);
            if stays || self.view.draft.records.contains_key(&(Table::Timeline, key.clone())) {
                continue;
            }
            self.view.set(Table::Timeline, &key, None);
            let head = &mut self.view.draft.head;
            head.overlays = head.overlays.saturating_sub(1);
            head.stale = head.stale.saturating_sub(over.stale());
            let sum = head.sums.of_mut(Collection::Messages);
            sum.bytes = (sum.bytes + over.stale()).saturating_sub(over.bytes.unwrap_or(0));
            match (over.beneath, over.bytes) {
                // Counted with its segment, though it was already removed.
                (Some(_), None) => sum.rows += 1,
                (None, Some(_)) => sum.rows = sum.rows.saturating_sub(1),
                _ => {}
            }
        }
        self.view.draft.dropped.push((*room, oldest, newest));
        Ok(())
    }
}

impl TimelineRows for EngineRows<'_> {
    fn insert_message(&mut self, message: &Message) -> Result<Inserted> {
        let room = self.room_key(&message.room);
        let row = Row::of(self.codec, message, self.revision)?;
        let stored = self.message_in(&message.room, &message.id, &row.event);
        match self.codec.keep(stored)? {
            Some(Some(stored)) => return Ok(Inserted::Exists(Box::new(stored))),
            Some(None) => {}
            None => {
                tracing::warn!("a damaged message is replaced");
                if let Some(at) = self.view.place_of(&room, &row.event)? {
                    self.view.take_row(&room, at)?;
                }
            }
        }
        if let Some(other) = self.view.row(&room, message.position)? {
            let other = other.message(self.codec, RoomRef { id: &message.room, key: room });
            if self.codec.keep(other)?.is_some() {
                return Ok(Inserted::Taken);
            }
            self.view.take_row(&room, message.position)?;
        }
        self.view.put_row(&room, row);
        Ok(Inserted::Done)
    }

    fn message(&mut self, room: &RoomId, event: &EventId) -> Result<Option<Message>> {
        let key = self.codec.event_key(room, event);
        let found = self.message_in(room, event, &key);
        Ok(self.codec.keep(found)?.flatten())
    }

    fn is_taken(&mut self, room: &RoomId, position: Position) -> Result<bool> {
        let room = self.room_key(room);
        Ok(self.view.row(&room, position)?.is_some())
    }

    fn update_message(&mut self, at: Position, message: &Message) -> Result<()> {
        let room = self.room_key(&message.room);
        self.view.take_row(&room, at)?;
        self.view.put_row(&room, Row::of(self.codec, message, self.revision)?);
        Ok(())
    }

    fn delete_message(&mut self, room: &RoomId, at: Position) -> Result<()> {
        let room = self.room_key(room);
        self.view.take_row(&room, at).map(drop)
    }

    fn positions(&mut self, room: &RoomId) -> Result<Vec<Position>> {
        let room = self.room_key(room);
        let mut all = self.stored_positions(&room)?;
        let (dropped, rows) = (&self.view.draft.dropped, &self.view.draft.rows);
        all.retain(|at| {
            !rows.contains_key(&(room, *at))
                && !dropped.iter().any(|(of, oldest, newest)| *of == room && oldest <= at && at <= newest)
        });
        let span = (room, Position::MIN)..=(room, Position::MAX);
        all.extend(rows.range(span).filter(|(_, row)| row.is_some()).map(|((_, at), _)| *at));
        all.sort_unstable();
        Ok(all)
    }

    fn delete_span(&mut self, room: &RoomId, oldest: Position, newest: Position) -> Result<()> {
        let room = self.room_key(room);
        self.drop_messages(&room, oldest, newest)?;
        self.drop_gaps(&room, oldest, newest)
    }

    fn renumber(&mut self, room: &RoomId, moves: &[(Position, Position)], revision: Revision) -> Result<()> {
        let key = self.room_key(room);
        let (mut messages, mut gaps) = (Vec::new(), Vec::new());
        // All are lifted before the first is set down: a target may be a source.
        for (from, to) in moves {
            if let Some(row) = self.view.take_row(&key, *from)? {
                messages.push(row.moved(self.codec, &key, *to)?);
            } else if let Some(gap) = self.gap_at(RoomRef { id: room, key }, *from)? {
                self.drop_gap(&key, *from)?;
                gaps.push(Gap { position: *to, revision, ..gap });
            }
        }
        for row in messages {
            self.view.put_row(&key, row);
        }
        gaps.iter().try_for_each(|gap| self.put_gap(gap))
    }

    fn gaps(&mut self, room: &RoomId) -> Result<Vec<Gap>> {
        self.read_gaps(room)
    }

    fn write_gap(&mut self, gap: &Gap) -> Result<()> {
        self.put_gap(gap)
    }

    fn delete_gap(&mut self, room: &RoomId, position: Position) -> Result<()> {
        let room = self.room_key(room);
        self.drop_gap(&room, position)
    }
}
