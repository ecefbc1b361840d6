use crate::law::{MediaRows, media_matches, sort_media};
use crate::*;

use super::super::keys;
use super::super::reader::{Order, Reader};
use super::super::record;
use super::super::rows::Transaction;
use super::super::tree::Tree;

const CHUNK: u64 = CHUNK_BYTES as u64;

impl<T: Tree> Reader<'_, T> {
    /// Reads an item and the number of its bytes.
    pub(crate) fn media_info(self, key: &MediaKey) -> Result<Option<(u64, MediaInfo)>> {
        let stored = self.codec.media_key(key);
        let Some(row) = self.get(&keys::media(&stored))? else { return Ok(None) };
        let (columns, payload) = record::media_columns(&row)?;
        let info = self.codec.media_info(&stored, columns, payload)?;
        if info.key != *key {
            return Err(self.corrupt("a media item stands under another's key"));
        }
        Ok(Some((columns.blob, info)))
    }

    fn media_columns(self, key: &MediaKey) -> Result<Option<MediaColumns>> {
        let row = self.get(&keys::media(&self.codec.media_key(key)))?;
        row.map(|row| Ok(record::media_columns(&row)?.0)).transpose()
    }

    pub(crate) fn media_infos(self, query: &MediaQuery) -> Result<Vec<MediaInfo>> {
        let mut found = Vec::new();
        if let Some(key) = &query.key {
            found.extend(self.codec.keep(self.media_info(key))?.flatten().map(|(_, info)| info));
        } else {
            for pair in self.scan(keys::whole(keys::MEDIA), Order::Up) {
                let (key, row) = pair?;
                found.extend(self.codec.keep(self.read_media(&key, &row))?.map(|(_, info)| info));
            }
        }
        found.retain(|info| media_matches(query, info));
        sort_media(&mut found, query.limit);
        Ok(found)
    }

    pub(crate) fn read_media(self, key: &[u8], row: &[u8]) -> Result<(u64, MediaInfo)> {
        let key = keys::parse_last(key).ok_or_else(|| self.corrupt("a key of media is damaged"))?;
        let (columns, payload) = record::media_columns(row)?;
        Ok((columns.blob, self.codec.media_info(&key, columns, payload)?))
    }

    /// Reads a range of an item's bytes.
    pub(crate) fn media_bytes(self, blob: u64, size: u64, range: ByteRange) -> Result<Vec<u8>> {
        let span = range.within(size);
        let mut bytes = Vec::new();
        if span.is_empty() {
            return Ok(bytes);
        }
        let lacking = || self.corrupt("a media item lacks some of its bytes: remove it and fetch it again");
        for index in span.start / CHUNK..=(span.end - 1) / CHUNK {
            let row = self.get(&keys::chunk(blob, index))?.ok_or_else(lacking)?;
            let stored = self.codec.chunk(blob, index, &row)?;
            let first = index * CHUNK;
            let part = ByteRange { start: span.start.saturating_sub(first), end: span.end - first };
            let part = part.within(stored.len() as u64);
            // A part lies within a chunk, so it fits a usize.
            bytes.extend_from_slice(&stored[part.start as usize..part.end as usize]);
        }
        if bytes.len() as u64 == span.end - span.start { Ok(bytes) } else { Err(lacking()) }
    }
}

impl<T: Tree> Transaction<'_, T> {
    /// Inserts or replaces an item's row, not its bytes.
    pub(crate) fn put_media(&mut self, info: &MediaInfo) -> Result<()> {
        let blob = match self.reader().media_columns(&info.key)? {
            Some(columns) => columns.blob,
            None => {
                self.layer.head.last_blob += 1;
                self.layer.head.last_blob
            }
        };
        self.drop_media_row(&info.key)?;
        self.write_media(info, blob)
    }

    fn write_media(&mut self, info: &MediaInfo, blob: u64) -> Result<()> {
        let row = self.codec.media_row(info, blob, self.revision)?;
        let payload = row.payload.as_bytes();
        let value = record::media(info, blob, self.revision).end(payload);
        self.set(keys::media(&row.key), value);
        self.grow(Collection::Media, payload.len());
        Ok(())
    }

    fn drop_media_row(&mut self, key: &MediaKey) -> Result<()> {
        let key = keys::media(&self.codec.media_key(key));
        if let Some(old) = self.reader().get(&key)? {
            self.shrink(Collection::Media, record::media_columns(&old)?.1.len());
            self.remove(key);
        }
        Ok(())
    }

    /// Writes bytes from `at` on, which is the item's length so far: the last chunk is filled first.
    pub(crate) fn append(&mut self, key: &MediaKey, at: u64, bytes: &[u8]) -> Result<()> {
        let columns = self.reader().media_columns(key)?;
        let blob = columns.ok_or_else(|| self.reader().corrupt("bytes came without a media row"))?.blob;
        let mut index = at / CHUNK;
        let mut rest = bytes;
        if !at.is_multiple_of(CHUNK) && !rest.is_empty() {
            let tail = ByteRange { start: index * CHUNK, end: u64::MAX };
            let mut chunk = self.reader().media_bytes(blob, at, tail)?;
            let (now, later) = rest.split_at(rest.len().min(CHUNK_BYTES - chunk.len()));
            chunk.extend_from_slice(now);
            self.write_chunk(blob, index, &chunk)?;
            index += 1;
            rest = later;
        }
        for chunk in rest.chunks(CHUNK_BYTES) {
            self.write_chunk(blob, index, chunk)?;
            index += 1;
        }
        Ok(())
    }

    fn write_chunk(&mut self, blob: u64, index: u64, bytes: &[u8]) -> Result<()> {
        let key = keys::chunk(blob, index);
        let row = self.codec.chunk_row(blob, index, bytes)?;
        let payload = row.payload.as_bytes();
        let old = self.reader().get(&key)?.map_or(0, |old| old.len());
        let sum = self.layer.head.sums.of_mut(Collection::Media);
        sum.bytes = sum.bytes.saturating_sub(old as u64) + payload.len() as u64;
        self.set(key, payload.to_vec());
        Ok(())
    }

    /// Gives an item another row; its bytes stay where they are.
    pub(crate) fn move_media(&mut self, from: &MediaKey, to: &MediaInfo) -> Result<()> {
        if let Some(columns) = self.reader().media_columns(from)? {
            self.drop_media_row(from)?;
            self.write_media(to, columns.blob)?;
        }
        Ok(())
    }

    pub(crate) fn drop_media(&mut self, key: &MediaKey) -> Result<bool> {
        let Some(columns) = self.reader().media_columns(key)? else { return Ok(false) };
        let span = (keys::chunk(columns.blob, 0), keys::chunk(columns.blob, u64::MAX));
        let chunks: Vec<_> = self.reader().scan(span, Order::Up).collect::<Result<_>>()?;
        for (key, row) in chunks {
            let sum = self.layer.head.sums.of_mut(Collection::Media);
            sum.bytes = sum.bytes.saturating_sub(row.len() as u64);
            self.remove(key.to_vec());
        }
        self.drop_media_row(key).map(|()| true)
    }
}

impl<T: Tree> MediaRows for Transaction<'_, T> {
    fn media_info(&mut self, key: &MediaKey) -> Result<Option<MediaInfo>> {
        Ok(self.codec.keep(self.reader().media_info(key))?.flatten().map(|(_, info)| info))
    }

    fn all_media(&mut self) -> Result<Vec<MediaInfo>> {
        self.reader().media_infos(&MediaQuery::default())
    }

    fn media_bytes(&mut self, key: &MediaKey) -> Result<Vec<u8>> {
        Ok(Reads::media(&self.reader(), key, ByteRange::ALL)?.map_or_else(Vec::new, |media| media.bytes))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kv::{Head, Layer, Map, check};

    /// A row that cannot be read is removed with its bytes, and what comes in its place is stored.
    #[test]
    fn a_damaged_row_is_removed_and_replaced() {
        let (codec, key) = (Codec::plain(), |name: &str| MediaKey {
            uri: MediaUri::new(format!("mxc://a/{name}")).unwrap(),
            format: MediaFormat::new("").unwrap(),
        });
        let (cat, dog) = (key("cat"), key("dog"));
        let info = |key: &MediaKey| MediaInfo {
            key: key.clone(),
            size: 0,
            mime: None,
            rooms: Vec::new(),
            last_access_ms: 0,
            fetched_at_ms: 0,
            pinned: false,
        };
        let apply = |tree: &mut Map, head: &mut Head, batch: &WriteBatch| {
            let mut layer = Layer::new(*head);
            let commit = crate::kv::apply(tree, &codec, &mut layer, batch).unwrap();
            *head = layer.head;
            for (key, value) in layer.into_changes() {
                match value {
                    Some(value) => drop(tree.insert(key.into(), value)),
                    None => drop(tree.remove(key.as_slice())),
                }
            }
            commit.changed
        };
        type Change<'a> = &'a dyn Fn(&mut WriteBatch);
        let changes: [(Change<'_>, usize); 3] = [
            (&|batch| _ = batch.put_media(info(&cat), vec![2; 70_000]), 2),
            (&|batch| _ = batch.remove_media(cat.clone()), 1),
            (&|batch| _ = batch.rename_media(dog.clone(), cat.clone()), 1),
        ];
        for (change, left) in changes {
            let (mut tree, mut head) = (Map::new(), Head::default());
            let mut batch = WriteBatch::relaxed();
            batch.put_media(info(&cat), vec![1; 100]).put_media(info(&dog), vec![1; 100]);
            apply(&mut tree, &mut head, &batch);
            let row = tree.get_mut(keys::media(&codec.media_key(&cat)).as_slice()).unwrap();
            let mut spoilt = row.to_vec();
            *spoilt.last_mut().unwrap() ^= 1;
            *row = spoilt.into();
            let mut batch = WriteBatch::relaxed();
            change(&mut batch);
            assert!(apply(&mut tree, &mut head, &batch));
            let reader = Reader::new(&tree, &codec, "test");
            assert_eq!(reader.media_index(&MediaQuery::default()).unwrap().len(), left);
            let report = check(&|look| look(Reader::new(&tree, &codec, "test")), &Progress::none()).unwrap();
            assert_eq!(report.findings, [""; 0]);
        }
    }
}
