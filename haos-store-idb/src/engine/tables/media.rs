use haos_store_api::backend::kv::{self, Columns, Cut, corrupt};
use haos_store_api::backend::law::MediaRows;
use haos_store_api::backend::*;
use haos_store_api::*;

use super::super::keys;
use super::super::kv::{Span, Table};
use super::super::rows::EngineRows;

/// The bytes of a chunk here: less than [`haos_store_api::backend::CHUNK_BYTES`], for a record has to stay below 64
/// KiB. Chromium keeps a larger one in a file of its own beside the database; killed at the wrong moment, it has been
/// seen to find the two apart and to erase all data of the origin.
pub(crate) const CHUNK: u64 = 48 << 10;
const CHUNK_BYTES: usize = CHUNK as usize;

/// Reads a value's own key, its columns and its payload.
pub(crate) fn media_columns(value: &[u8]) -> Result<(Key, MediaColumns, &[u8])> {
    let mut cut = Cut(value);
    let key = cut.key()?;
    let (columns, payload) = kv::media_columns(cut.0)?;
    Ok((key, columns, payload))
}

/// Reads the item of a value, with its columns.
pub(crate) fn media_row(codec: &Codec, value: &[u8]) -> Result<(MediaColumns, MediaInfo)> {
    let (key, columns, payload) = media_columns(value)?;
    Ok((columns, codec.media_info(&key, columns, payload)?))
}

fn lacking() -> haos_store_api::Error {
    corrupt("apply", "a media item lacks some of its bytes, remove it and fetch it again")
}

impl EngineRows<'_> {
    pub(crate) fn read_media(&mut self, key: &MediaKey) -> Result<Option<(MediaColumns, MediaInfo)>> {
        let place = self.codec.media_key(key);
        let Some(value) = self.view.get(Table::Media, place.as_bytes())? else { return Ok(None) };
        let (columns, info) = media_row(self.codec, &value)?;
        if info.key != *key {
            return Err(corrupt("apply", "a media item stands under another's key"));
        }
        Ok(Some((columns, info)))
    }

    fn columns(&mut self, place: &Key) -> Result<Option<(MediaColumns, usize)>> {
        let value = self.view.get(Table::Media, place.as_bytes())?;
        value
            .map(|value| media_columns(&value).map(|(_, columns, payload)| (columns, payload.len())))
            .transpose()
    }

    pub(crate) fn read_all_media(&mut self) -> Result<Vec<MediaInfo>> {
        let mut all = Vec::new();
        for (_, value) in self.view.scan(Table::Media, Span::prefix(&[]))? {
            all.extend(self.codec.keep(media_row(self.codec, &value))?.map(|(_, info)| info));
        }
        Ok(all)
    }

    pub(crate) fn read_media_bytes(&mut self, key: &MediaKey) -> Result<Vec<u8>> {
        let Some((columns, _)) = self.read_media(key)? else { return Ok(Vec::new()) };
        let mut bytes = Vec::new();
        for index in 0..columns.size.div_ceil(CHUNK) {
            bytes.extend(self.chunk(columns.blob, index)?);
        }
        Ok(bytes)
    }

    fn chunk(&mut self, blob: u64, index: u64) -> Result<Vec<u8>> {
        let key = keys::chunk(blob, index);
        let value = self.view.get(Table::Chunks, &key)?.ok_or_else(lacking)?;
        self.codec.chunk(blob, index, value.get(key.len()..).ok_or_else(lacking)?)
    }

    /// Inserts or replaces an item's row, not its bytes.
    pub(crate) fn put_media(&mut self, info: &MediaInfo) -> Result<()> {
        let place = self.codec.media_key(&info.key);
        let blob = match self.columns(&place)? {
            Some((columns, _)) => columns.blob,
            None => {
                self.view.draft.head.last_blob += 1;
                self.view.draft.head.last_blob
            }
        };
        self.drop_media_row(&place)?;
        self.write_media(info, blob)
    }

    fn write_media(&mut self, info: &MediaInfo, blob: u64) -> Result<()> {
        let row = self.codec.media_row(info, blob, self.revision)?;
        let key = row.key.as_bytes();
        let columns = Columns::of(key).count(blob).count(info.size).int(info.last_access_ms);
        let columns = columns.byte(info.pinned.into()).count(self.revision.0);
        let payload = row.payload.as_bytes();
        // An item's bytes count unpadded, so that deleting them need not read them.
        self.view.draft.head.sums.grow(Collection::Media, payload.len() as u64 + info.size);
        self.view.set(Table::Media, key, Some(columns.end(payload)));
        Ok(())
    }

    fn drop_media_row(&mut self, place: &Key) -> Result<()> {
        if let Some((columns, payload)) = self.columns(place)? {
            self.view.draft.head.sums.shrink(Collection::Media, payload as u64 + columns.size);
            self.view.set(Table::Media, place.as_bytes(), None);
        }
        Ok(())
    }

    /// Writes bytes from `at` on, which is the item's length so far: the last chunk is filled first.
    pub(crate) fn append(&mut self, key: &MediaKey, at: u64, bytes: &[u8]) -> Result<()> {
        let place = self.codec.media_key(key);
        let columns = self.columns(&place)?;
        let (columns, _) = columns.ok_or_else(|| corrupt("apply", "bytes came without a media row"))?;
        let mut index = at / CHUNK;
        let mut rest = bytes;
        if !at.is_multiple_of(CHUNK) && !rest.is_empty() {
            let mut chunk = self.chunk(columns.blob, index)?;
            let kept = ByteRange { start: 0, end: at % CHUNK }.within(chunk.len() as u64);
            chunk.truncate(kept.end as usize);
            let (now, later) = rest.split_at(rest.len().min(CHUNK_BYTES - chunk.len()));
            chunk.extend_from_slice(now);
            self.write_chunk(columns.blob, index, &chunk)?;
            index += 1;
            rest = later;
        }
        for chunk in rest.chunks(CHUNK_BYTES) {
            self.write_chunk(columns.blob, index, chunk)?;
            index += 1;
        }
        Ok(())
    }

    fn write_chunk(&mut self, blob: u64, index: u64, bytes: &[u8]) -> Result<()> {
        let key = keys::chunk(blob, index);
        let row = self.codec.chunk_row(blob, index, bytes)?;
        self.view.set(Table::Chunks, &key, Some(Columns::of(&key).end(row.payload.as_bytes())));
        Ok(())
    }

    /// Gives an item another row; its bytes stay where they are.
    pub(crate) fn move_media(&mut self, from: &MediaKey, to: &MediaInfo) -> Result<()> {
        let place = self.codec.media_key(from);
        if let Some((columns, _)) = self.columns(&place)? {
            self.drop_media_row(&place)?;
            self.write_media(to, columns.blob)?;
        }
        Ok(())
    }

    pub(crate) fn drop_media(&mut self, key: &MediaKey) -> Result<bool> {
        let place = self.codec.media_key(key);
        let Some((columns, _)) = self.columns(&place)? else { return Ok(false) };
        for index in 0..columns.size.div_ceil(CHUNK) {
            self.view.set(Table::Chunks, &keys::chunk(columns.blob, index), None);
        }
        self.drop_media_row(&place).map(|()| true)
    }
}

impl MediaRows for EngineRows<'_> {
    fn media_info(&mut self, key: &MediaKey) -> Result<Option<MediaInfo>> {
        let found = self.read_media(key);
        Ok(self.codec.keep(found)?.flatten().map(|(_, info)| info))
    }

    fn all_media(&mut self) -> Result<Vec<MediaInfo>> {
        self.read_all_media()
    }

    fn media_bytes(&mut self, key: &MediaKey) -> Result<Vec<u8>> {
        self.read_media_bytes(key)
    }

    fn write_media_info(&mut self, info: &MediaInfo) -> Result<()> {
        self.put_media(info)
    }

    fn append_media(&mut self, key: &MediaKey, at: u64, bytes: &[u8]) -> Result<()> {
        self.append(key, at, bytes)
    }

    fn rename_media(&mut self, from: &MediaKey, to: &MediaInfo) -> Result<()> {
        self.move_media(from, to)
    }

    fn delete_media(&mut self, key: &MediaKey) -> Result<bool> {
        self.drop_media(key)
    }
}
