//! Reads of the collections that are one record an entity.

use haos_store_api::backend::Codec;
use haos_store_api::backend::kv::{Cut, corrupt};
use haos_store_api::backend::law::{
    RoomPager, media_matches, pending_matches, sort_by, sort_media, sort_state,
};
use haos_store_api::*;

use super::super::keys;
use super::super::kv::{Span, Table};
use super::super::tables::{CHUNK, media_row, read_outbox_row, read_room_row, read_state_row, state_place};
use super::Reader;

impl Reader<'_, '_> {
    pub(crate) fn room(&mut self, id: &RoomId) -> Result<Option<Room>> {
        let Some(value) = self.view.get(Table::Rooms, self.codec.room_key(id).as_bytes())? else {
            return Ok(None);
        };
        let room = read_room_row(self.codec, &value)?;
        if room.id != *id {
            return Err(corrupt("room", "a room stands under another's key"));
        }
        Ok(Some(room))
    }

    /// Looks at every room's row, since no index is worth its writes; decodes only the matches.
    pub(crate) fn rooms(&mut self, query: &RoomQuery) -> Result<Vec<Room>> {
        let values = self.view.scan(Table::Rooms, Span::prefix(&[]))?;
        let mut pager = RoomPager::new(query.clone());
        let activity = |value: &[u8]| value.get(16..).map_or(Ok(0), |columns| Cut(columns).int());
        let order = values.iter().map(|(_, value)| Ok((activity(value)?, value)));
        let mut order = order.collect::<Result<Vec<_>>>()?;
        order.retain(|(activity, _)| *activity <= pager.newest_ms());
        sort_by(&mut order, |(a, _), (b, _)| b.cmp(a));
        for (_, value) in order {
            if let Some(room) = self.codec.keep(read_room_row(self.codec, value))?
                && !pager.push(room)
            {
                break;
            }
        }
        Ok(pager.finish())
    }

    #[inline(never)]
    pub(crate) fn pending(&mut self, query: &PendingQuery) -> Result<Vec<Pending>> {
        let mut found = Vec::new();
        if let Some(txn_id) = &query.txn_id {
            let row = self.pending_of(txn_id);
            let row = if query.skip_damaged { self.codec.keep(row)?.flatten() } else { row? };
            found.extend(row.filter(|row| pending_matches(query, row)));
            found.truncate(query.limit);
            return Ok(found);
        }
        for (key, value) in self.view.scan(Table::Outbox, Span::prefix(&[]))? {
            if found.len() >= query.limit {
                break;
            }
            if Cut(&key).count()? <= query.after_seq {
                continue;
            }
            let row = read_outbox_row(self.codec, &value);
            let row = if query.skip_damaged { self.codec.keep(row)? } else { Some(row?) };
            found.extend(row.filter(|row| pending_matches(query, row)));
        }
        Ok(found)
    }

    fn pending_of(&mut self, txn_id: &TxnId) -> Result<Option<Pending>> {
        let key = self.codec.txn_key(txn_id);
        let Some(value) = self.view.get(Table::OutboxIds, key.as_bytes())? else { return Ok(None) };
        let damaged = || corrupt("pending", "an outbox row's index names another row");
        let seq = value.get(Table::OutboxIds.key_bytes()..).ok_or_else(damaged)?;
        let value = self.view.get(Table::Outbox, seq)?.ok_or_else(damaged)?;
        let found = read_outbox_row(self.codec, &value)?;
        let is_it = found.txn_id == *txn_id && found.seq.to_be_bytes() == *seq;
        if is_it { Ok(Some(found)) } else { Err(damaged()) }
    }

    #[inline(never)]
    pub(crate) fn media(&mut self, key: &MediaKey, range: ByteRange) -> Result<Option<Media>> {
        let Some(value) = self.view.get(Table::Media, self.codec.media_key(key).as_bytes())? else {
            return Ok(None);
        };
        let (columns, info) = media_row(self.codec, &value)?;
        if info.key != *key {
            return Err(corrupt("media", "a media item stands under another's key"));
        }
        let bytes = self.media_bytes(columns.blob, info.size, range)?;
        Ok(Some(Media { info, bytes }))
    }

    fn media_bytes(&mut self, blob: u64, size: u64, range: ByteRange) -> Result<Vec<u8>> {
        let span = range.within(size);
        let mut bytes = Vec::new();
        if span.is_empty() {
            return Ok(bytes);
        }
        let lacking =
            || corrupt("media", "a media item lacks some of its bytes, remove it and fetch it again");
        let (first, last) = (span.start / CHUNK, (span.end - 1) / CHUNK);
        let chunks = Span::new(keys::chunk(blob, first), keys::chunk(blob, last));
        let values = self.view.scan(Table::Chunks, chunks)?;
        if values.len() as u64 != last - first + 1 {
            return Err(lacking());
        }
        for (index, (_, value)) in (first..=last).zip(values) {
            let stored = value.get(Table::Chunks.key_bytes()..).ok_or_else(lacking)?;
            let stored = self.codec.chunk(blob, index, stored)?;
            let begin = index * CHUNK;
            let part = ByteRange { start: span.start.saturating_sub(begin), end: span.end - begin };
            let part = part.within(stored.len() as u64);
            // A part lies within a chunk, so it fits a usize.
            bytes.extend_from_slice(&stored[part.start as usize..part.end as usize]);
        }
        if bytes.len() as u64 == span.end - span.start { Ok(bytes) } else { Err(lacking()) }
    }

    #[inline(never)]
    pub(crate) fn media_index(&mut self, query: &MediaQuery) -> Result<Vec<MediaInfo>> {
        let mut found = Vec::new();
        if let Some(key) = &query.key {
            let value = self.view.get(Table::Media, self.codec.media_key(key).as_bytes())?;
            let read = value.map(|value| match media_row(self.codec, &value)? {
                (_, info) if info.key != *key => {
                    Err(corrupt("media_index", "a media item stands under another's key"))
                }
                (_, info) => Ok(info),
            });
            found.extend(read.and_then(|read| self.codec.keep(read).transpose()).transpose()?);
        } else {
            for (_, value) in self.view.scan(Table::Media, Span::prefix(&[]))? {
                found.extend(self.codec.keep(media_row(self.codec, &value))?.map(|(_, info)| info));
            }
        }
        found.retain(|info| media_matches(query, info));
        sort_media(&mut found, query.limit);
        Ok(found)
    }

    #[inline(never)]
    pub(crate) fn states(&mut self, queries: &[StateQuery]) -> Result<Vec<Vec<StateEntry>>> {
        // All first: what they lack is loaded in one turn.
        let all: Vec<_> = queries.iter().map(|query| self.state(query)).collect();
        all.into_iter().map(|found| Ok(self.codec.keep(found)?.unwrap_or_default())).collect()
    }

    pub(crate) fn state(&mut self, query: &StateQuery) -> Result<Vec<StateEntry>> {
        if let Some(kind) = query.paged()? {
            return self.state_page(kind, query);
        }
        let StateQuery { scope, kind, key, .. } = query;
        if let (Some(kind), Some(key)) = (kind, key) {
            let place = state_place(self.codec, scope, kind, key);
            let value = self.view.get(Table::State, &place)?;
            let found = value.map(|value| read_state_row(self.codec, &value)).transpose()?;
            if found
                .as_ref()
                .is_some_and(|entry| (&entry.scope, &entry.kind, &entry.key) != (scope, kind, key))
            {
                return Err(corrupt("state", "a state entry stands under another's key"));
            }
            return Ok(found.into_iter().collect());
        }
        let mut prefix = self.codec.scope_key(scope).as_bytes().to_vec();
        prefix.extend(kind.iter().flat_map(|kind| *self.codec.kind_key(scope, kind).as_bytes()));
        let mut found = Vec::new();
        for (_, value) in self.view.scan(Table::State, Span::prefix(&prefix))? {
            found.extend(self.codec.keep(read_state_row(self.codec, &value))?);
        }
        found.retain(|entry| key.as_ref().is_none_or(|key| entry.key == *key));
        sort_state(&mut found);
        Ok(found)
    }

    fn state_page(&mut self, kind: &EventType, query: &StateQuery) -> Result<Vec<StateEntry>> {
        let (codec, scope, mut found) = (self.codec, &query.scope, Vec::new());
        let mut span = kind_span(codec, scope, kind);
        let mut last = query.after.as_ref().map(|key| state_place(codec, scope, kind, key));
        while found.len() < query.limit {
            // No key goes on after its 48 bytes: the place with one more is the next.
            span.low = last.take().map_or(span.low, |last| [last, vec![0]].concat());
            let part = self.view.scan_some(Table::State, &span, query.limit - found.len())?;
            last = part.last().map(|(place, _)| place.clone());
            for (_, value) in &part {
                found.extend(codec.keep(read_state_row(codec, value))?);
            }
            if last.is_none() {
                break;
            }
        }
        Ok(found)
    }

    pub(crate) fn count_state(&mut self, scope: &Scope, kind: &EventType) -> Result<u64> {
        Ok(self.view.scan(Table::State, kind_span(self.codec, scope, kind))?.len() as u64)
    }
}

fn kind_span(codec: &Codec, scope: &Scope, kind: &EventType) -> Span {
    Span::prefix(&[codec.scope_key(scope), codec.kind_key(scope, kind)].map(|key| *key.as_bytes()).concat())
}
