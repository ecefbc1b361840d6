//! Reads of the collections that are one record an entity.

use futures_util::future::try_join_all;
use haos_store_api::backend::kv::{Cut, corrupt};
use haos_store_api::backend::law::{
    RoomPager, media_matches, pending_matches, sort_by, sort_media, sort_state,
};
use haos_store_api::backend::*;
use haos_store_api::*;

use super::super::head::Head;
use super::super::keys;
use super::super::kv::{HEAD, Kv, Span, Table};
use super::super::tables::{CHUNK, media_row, read_outbox_row, read_room_row, read_state_row, state_place};

/// Outbox rows that are read together.
const STRIDE: u32 = 256;

/// One read.
pub(crate) struct Reader<'a, K> {
    pub(crate) kv: &'a K,
    pub(crate) codec: &'a Codec,
}

impl<K: Kv> Reader<'_, K> {
    pub(crate) async fn head(&self) -> Result<Head> {
        let head = self.kv.named(HEAD).await?;
        head.map_or(Ok(Head::default()), |head| Head::decode("usage", &head))
    }

    pub(crate) async fn room(&self, id: &RoomId) -> Result<Option<Room>> {
        let Some(value) = self.kv.get(Table::Rooms, self.codec.room_key(id).as_bytes()).await? else {
            return Ok(None);
        };
        let room = read_room_row(self.codec, &value)?;
        if room.id != *id {
            return Err(corrupt("room", "a room stands under another's key"));
        }
        Ok(Some(room))
    }

    /// Reads every room's row, since no index is worth its writes; decodes only the matches.
    pub(crate) async fn rooms(&self, query: RoomQuery) -> Result<Vec<Room>> {
        let values = self.kv.range(Table::Rooms, &Span::prefix(&[]), None).await?;
        let mut pager = RoomPager::new(query);
        let activity = |value: &Vec<u8>| value.get(16..).map_or(Ok(0), |columns| Cut(columns).int());
        let mut order =
            values.iter().map(|value| Ok((activity(value)?, value))).collect::<Result<Vec<_>>>()?;
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

    pub(crate) async fn pending(&self, query: &PendingQuery) -> Result<Vec<Pending>> {
        let mut found = Vec::new();
        if let Some(txn_id) = &query.txn_id {
            let row = self.pending_of(txn_id).await;
            let row = if query.skip_damaged { self.codec.keep(row)?.flatten() } else { row? };
            found.extend(row.filter(|row| pending_matches(query, row)));
            found.truncate(query.limit);
            return Ok(found);
        }
        let mut after = query.after_seq;
        while let Some(first) = after.checked_add(1) {
            let span = Span::new(first.to_be_bytes(), u64::MAX.to_be_bytes());
            let values = self.kv.range(Table::Outbox, &span, Some(STRIDE)).await?;
            for value in &values {
                if found.len() >= query.limit {
                    return Ok(found);
                }
                // Records come in the order of their keys, and each holds its own.
                let seq = Cut(value).count()?;
                if seq <= after {
                    return Err(corrupt("pending", "an outbox row stands under another's number"));
                }
                after = seq;
                let row = read_outbox_row(self.codec, value);
                let row = if query.skip_damaged { self.codec.keep(row)? } else { Some(row?) };
                found.extend(row.filter(|row| pending_matches(query, row)));
            }
            if values.len() < STRIDE as usize {
                break;
            }
        }
        Ok(found)
    }

    async fn pending_of(&self, txn_id: &TxnId) -> Result<Option<Pending>> {
        let key = self.codec.txn_key(txn_id);
        let Some(value) = self.kv.get(Table::OutboxIds, key.as_bytes()).await? else { return Ok(None) };
        let damaged = || corrupt("pending", "an outbox row's index names another row");
        let seq = value.get(Table::OutboxIds.key_bytes()..).ok_or_else(damaged)?;
        let value = self.kv.get(Table::Outbox, seq).await?.ok_or_else(damaged)?;
        let found = read_outbox_row(self.codec, &value)?;
        let is_it = found.txn_id == *txn_id && found.seq.to_be_bytes() == *seq;
        if is_it { Ok(Some(found)) } else { Err(damaged()) }
    }

    pub(crate) async fn media(&self, key: &MediaKey, range: ByteRange) -> Result<Option<Media>> {
        let Some(value) = self.kv.get(Table::Media, self.codec.media_key(key).as_bytes()).await? else {
            return Ok(None);
        };
        let (columns, info) = media_row(self.codec, &value)?;
        if info.key != *key {
            return Err(corrupt("media", "a media item stands under another's key"));
        }
        let bytes = self.media_bytes(columns.blob, info.size, range).await?;
        Ok(Some(Media { info, bytes }))
    }

    async fn media_bytes(&self, blob: u64, size: u64, range: ByteRange) -> Result<Vec<u8>> {
        let span = range.within(size);
        let mut bytes = Vec::new();
        if span.is_empty() {
            return Ok(bytes);
        }
        let lacking =
            || corrupt("media", "a media item lacks some of its bytes, remove it and fetch it again");
        let (first, last) = (span.start / CHUNK, (span.end - 1) / CHUNK);
        let chunks = Span::new(keys::chunk(blob, first), keys::chunk(blob, last));
        let values = self.kv.range(Table::Chunks, &chunks, None).await?;
        if values.len() as u64 != last - first + 1 {
            return Err(lacking());
        }
        for (index, value) in (first..=last).zip(values) {
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

    pub(crate) async fn media_index(&self, query: &MediaQuery) -> Result<Vec<MediaInfo>> {
        let values = match &query.key {
            Some(key) => {
                let value = self.kv.get(Table::Media, self.codec.media_key(key).as_bytes()).await?;
                let found = value.map(|value| match media_row(self.codec, &value)? {
                    (_, info) if info.key != *key => {
                        Err(corrupt("media_index", "a media item stands under another's key"))
                    }
                    found => Ok(found),
                });
                let found = found.and_then(|found| self.codec.keep(found).transpose()).transpose()?;
                return Ok(found
                    .map(|(_, info)| info)
                    .filter(|info| media_matches(query, info))
                    .into_iter()
                    .take(query.limit)
                    .collect());
            }
            None => self.kv.range(Table::Media, &Span::prefix(&[]), None).await?,
        };
        let mut found = Vec::new();
        for value in &values {
            found.extend(self.codec.keep(media_row(self.codec, value))?.map(|(_, info)| info));
        }
        found.retain(|info| media_matches(query, info));
        sort_media(&mut found, query.limit);
        Ok(found)
    }

    pub(crate) async fn states(&self, queries: &[StateQuery]) -> Result<Vec<Vec<StateEntry>>> {
        // Requests that wait side by side: the transaction answers all of them in one turn.
        try_join_all(
            queries
                .iter()
                .map(async |query| Ok(self.codec.keep(self.state(query).await)?.unwrap_or_default())),
        )
        .await
    }

    pub(crate) async fn state(&self, query: &StateQuery) -> Result<Vec<StateEntry>> {
        let StateQuery { scope, kind, key } = query;
        if let (Some(kind), Some(key)) = (kind, key) {
            let place = state_place(self.codec, scope, kind, key);
            let value = self.kv.get(Table::State, &place).await?;
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
        for value in self.kv.range(Table::State, &Span::prefix(&prefix), None).await? {
            let read = if value.starts_with(&prefix) {
                read_state_row(self.codec, &value)
            } else {
                Err(corrupt("state", "a state entry stands under another's scope or kind"))
            };
            found.extend(self.codec.keep(read)?);
        }
        found.retain(|entry| key.as_ref().is_none_or(|key| entry.key == *key));
        sort_state(&mut found);
        Ok(found)
    }
}
