use haos_store_api::law::{MediaRows, media_matches, sort_media};
use haos_store_api::*;
use rusqlite::Row;
use rusqlite::types::{ToSqlOutput, ValueRef};

use crate::db::{Db, NEXT, STOP, signed};
use crate::rows::SqlRows;

/// The bits of a chunk's place among the chunks of its item.
pub(crate) const CHUNK_BITS: u32 = 24;
const CHUNK: u64 = CHUNK_BYTES as u64;

/// The rowid of a chunk.
fn pos(nr: i64, index: u64) -> i64 {
    nr << CHUNK_BITS | signed(index)
}

/// Of a row that begins with `nr, key, size, last_access_ms, pinned, written`.
pub(crate) fn media_columns(db: Db<'_>, row: &Row<'_>) -> Result<MediaColumns> {
    Ok(MediaColumns {
        blob: db.count(row, 0)?,
        size: db.count(row, 2)?,
        last_access_ms: db.int(row, 3)?,
        pinned: db.int(row, 4)? != 0,
        written: db.revision(row, 5)?,
    })
}

impl Db<'_> {
    /// An item and its number.
    pub(crate) fn media_info(self, key: &MediaKey) -> Result<Option<(i64, MediaInfo)>> {
        let sql = "SELECT nr, key, size, last_access_ms, pinned, written, payload FROM media WHERE key = ?1";
        let found =
            self.first(sql, [self.codec.media_key(key).as_bytes()], |row| self.read_media_info(row))?;
        match found {
            Some((_, info)) if info.key != *key => {
                Err(self.corrupt("a media item stands under another's key"))
            }
            found => Ok(found),
        }
    }

    pub(crate) fn media(self, key: &MediaKey, range: ByteRange) -> Result<Option<Media>> {
        let Some((nr, info)) = self.media_info(key)? else { return Ok(None) };
        let bytes = self.media_bytes(nr, info.size, range)?;
        Ok(Some(Media { info, bytes }))
    }

    pub(crate) fn media_index(self, query: &MediaQuery) -> Result<Vec<MediaInfo>> {
        let mut found = Vec::new();
        if let Some(key) = &query.key {
            found.extend(self.media_info(key)?.map(|(_, info)| info).filter(|i| media_matches(query, i)));
        } else {
            let sql = "SELECT nr, key, size, last_access_ms, pinned, written, payload FROM media
                       ORDER BY last_access_ms";
            // Ties are ordered by key, so a page ends where the time moves on.
            let mut full_at = None;
            self.each(sql, (), |row| {
                if full_at.is_some_and(|ms| self.int(row, 3).is_ok_and(|now| now > ms)) {
                    return Ok(STOP);
                }
                let Some((_, info)) = self.codec.keep(self.read_media_info(row))? else { return Ok(NEXT) };
                if media_matches(query, &info) {
                    full_at = full_at.or((found.len() + 1 >= query.limit).then_some(info.last_access_ms));
                    found.push(info);
                }
                Ok(NEXT)
            })?;
        }
        sort_media(&mut found, query.limit);
        Ok(found)
    }

    pub(crate) fn read_media_info(self, row: &Row<'_>) -> Result<(i64, MediaInfo)> {
        let columns = media_columns(self, row)?;
        Ok((self.int(row, 0)?, self.codec.media_info(&self.key(row, 1)?, columns, self.bytes(row, 6)?)?))
    }

    /// A range of an item's bytes.
    pub(crate) fn media_bytes(self, nr: i64, size: u64, range: ByteRange) -> Result<Vec<u8>> {
        let span = range.within(size);
        let mut bytes = Vec::new();
        if span.is_empty() {
            return Ok(bytes);
        }
        let indexes = span.start / CHUNK..=(span.end - 1) / CHUNK;
        let mut expected = indexes.clone();
        let sql = "SELECT pos, payload FROM media_chunk WHERE pos BETWEEN ?1 AND ?2 ORDER BY pos";
        self.each(sql, (pos(nr, *indexes.start()), pos(nr, *indexes.end())), |row| {
            let Some(index) = expected.next().filter(|i| self.int(row, 0).is_ok_and(|p| p == pos(nr, *i)))
            else {
                return Ok(STOP);
            };
            let stored = self.codec.chunk(nr as u64, index, self.bytes(row, 1)?)?;
            let first = index * CHUNK;
            let part = ByteRange { start: span.start.saturating_sub(first), end: span.end - first };
            let part = part.within(stored.len() as u64);
            // A part lies within a chunk, so it fits a usize.
            bytes.extend_from_slice(&stored[part.start as usize..part.end as usize]);
            Ok(NEXT)
        })?;
        if bytes.len() as u64 != span.end - span.start {
            return Err(self.corrupt("a media item lacks some of its bytes: remove it and fetch it again"));
        }
        Ok(bytes)
    }

    /// Inserts or replaces an item's row.
    pub(crate) fn write_media_info(self, info: &MediaInfo, written: Revision) -> Result<()> {
        if self.update_media(&info.key, info, written)? {
            return Ok(());
        }
        // The payload is bound to the number that the row gets.
        let sql = "INSERT INTO media (key, size, last_access_ms, pinned, written, payload)
                   VALUES (?1, 0, 0, 0, 0, x'')";
        self.run(sql, [self.codec.media_key(&info.key).as_bytes()])?;
        self.update_media(&info.key, info, written)?;
        Ok(())
    }

    /// Replaces the row of an item, its key included; says whether there was one.
    pub(crate) fn update_media(self, from: &MediaKey, to: &MediaInfo, written: Revision) -> Result<bool> {
        let Some(nr) = self.media_nr(from)? else { return Ok(false) };
        let row = self.codec.media_row(to, nr as u64, written)?;
        let sql = "UPDATE media SET key = ?2, size = ?3, last_access_ms = ?4, pinned = ?5, written = ?6,
                   payload = ?7 WHERE nr = ?1";
        self.run(
            sql,
            (
                nr,
                row.key.as_bytes(),
                signed(to.size),
                to.last_access_ms,
                to.pinned,
                signed(written.0),
                self.bind(&row.payload),
            ),
        )?;
        Ok(true)
    }

    fn media_nr(self, key: &MediaKey) -> Result<Option<i64>> {
        let sql = "SELECT nr FROM media WHERE key = ?1";
        self.first(sql, [self.codec.media_key(key).as_bytes()], |row| self.int(row, 0))
    }

    /// Writes bytes from `at` on, which is the item's length so far: the last chunk is filled first.
    pub(crate) fn append_media(self, key: &MediaKey, at: u64, bytes: &[u8]) -> Result<()> {
        let nr = self.media_nr(key)?.ok_or_else(|| self.corrupt("bytes came without a media row"))?;
        let mut index = at / CHUNK;
        let mut rest = bytes;
        if !at.is_multiple_of(CHUNK) && !rest.is_empty() {
            let mut chunk = self.media_bytes(nr, at, ByteRange { start: index * CHUNK, end: u64::MAX })?;
            let (now, later) = rest.split_at(rest.len().min(CHUNK_BYTES - chunk.len()));
            chunk.extend_from_slice(now);
            self.write_chunk(nr, index, &chunk)?;
            index += 1;
            rest = later;
        }
        for chunk in rest.chunks(CHUNK_BYTES) {
            self.write_chunk(nr, index, chunk)?;
            index += 1;
        }
        Ok(())
    }

    pub(crate) fn write_chunk(self, nr: i64, index: u64, bytes: &[u8]) -> Result<()> {
        let row = self.codec.chunk_row(nr as u64, index, bytes)?;
        let sql = "INSERT INTO media_chunk (pos, payload) VALUES (?1, ?2)
                   ON CONFLICT (pos) DO UPDATE SET payload = excluded.payload";
        let payload = ToSqlOutput::Borrowed(ValueRef::Blob(row.payload.as_bytes()));
        self.run(sql, (pos(nr, index), payload))?;
        Ok(())
    }

    pub(crate) fn delete_media(self, key: &MediaKey) -> Result<()> {
        let sql = "DELETE FROM media WHERE key = ?1 RETURNING nr";
        let nr = self.first(sql, [self.codec.media_key(key).as_bytes()], |row| self.int(row, 0))?;
        if let Some(nr) = nr {
            let sql = "DELETE FROM media_chunk WHERE pos BETWEEN ?1 AND ?2";
            self.run(sql, (pos(nr, 0), pos(nr + 1, 0) - 1))?;
        }
        Ok(())
    }
}

impl MediaRows for SqlRows<'_> {
    fn media_info(&mut self, key: &MediaKey) -> Result<Option<MediaInfo>> {
        Ok(self.db.codec.keep(self.db.media_info(key))?.flatten().map(|(_, info)| info))
    }

    fn all_media(&mut self) -> Result<Vec<MediaInfo>> {
        self.db.media_index(&MediaQuery::default())
    }

    fn media_bytes(&mut self, key: &MediaKey) -> Result<Vec<u8>> {
        Ok(self.db.media(key, ByteRange::ALL)?.map_or_else(Vec::new, |media| media.bytes))
    }

    fn write_media_info(&mut self, info: &MediaInfo) -> Result<()> {
        self.db.write_media_info(info, self.revision)
    }

    fn append_media(&mut self, key: &MediaKey, at: u64, bytes: &[u8]) -> Result<()> {
        self.db.append_media(key, at, bytes)
    }

    fn rename_media(&mut self, from: &MediaKey, to: &MediaInfo) -> Result<()> {
        self.db.update_media(from, to, self.revision).map(drop)
    }

    fn delete_media(&mut self, key: &MediaKey) -> Result<()> {
        self.db.delete_media(key)
    }
}
