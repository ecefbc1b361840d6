use haos_store_api::backend::law::{MediaRows, media_matches, sort_media};
use haos_store_api::backend::*;
use haos_store_api::*;
use rusqlite::Row;

use crate::db::{Db, NEXT, STOP, signed};
use crate::rows::SqlRows;
use crate::table::bytes::pos;

/// Reads the columns of a row that begins with `nr, key, size, last_access_ms, pinned, written`.
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
    /// Reads an item and its number.
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
        let sql =
            "SELECT nr, key, size, last_access_ms, pinned, written, payload, bytes FROM media WHERE key = ?1";
        let found = self.first(sql, [self.codec.media_key(key).as_bytes()], |row| {
            let (nr, info) = self.read_media_info(row)?;
            // Nothing is asked of the bytes where none are wanted.
            let inline = if range.within(info.size).is_empty() { None } else { self.inline(nr, row, 7)? };
            Ok((nr, inline, info))
        })?;
        let Some((nr, inline, info)) = found else { return Ok(None) };
        if info.key != *key {
            return Err(self.corrupt("a media item stands under another's key"));
        }
        let bytes = match inline {
            Some(bytes) => self.cut(bytes, info.size, range)?,
            None => self.chunks(nr, info.size, range)?,
        };
        Ok(Some(Media { info, bytes }))
    }

    pub(crate) fn media_index(self, query: &MediaQuery) -> Result<Vec<MediaInfo>> {
        let mut found = Vec::new();
        if let Some(key) = &query.key {
            let info = self.codec.keep(self.media_info(key))?.flatten().map(|(_, info)| info);
            found.extend(info.filter(|info| media_matches(query, info)));
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

    /// Inserts or replaces an item's row; returns its number.
    pub(crate) fn write_media_info(self, info: &MediaInfo, written: Revision) -> Result<i64> {
        if let Some(nr) = self.update_media(&info.key, info, written)? {
            return Ok(nr);
        }
        // The payload is bound to the number that the row gets.
        let last =
            self.first("SELECT seq FROM sqlite_sequence WHERE name = 'media'", (), |row| self.int(row, 0));
        let nr = last?.unwrap_or(0) + 1;
        self.insert_media(nr, info, written, None)?;
        Ok(nr)
    }

    /// Inserts an item's row under a number of its own.
    pub(crate) fn insert_media(
        self,
        nr: i64,
        info: &MediaInfo,
        written: Revision,
        bytes: Option<&[u8]>,
    ) -> Result<usize> {
        let row = self.codec.media_row(info, nr as u64, written)?;
        let sql = "INSERT INTO media (nr, key, size, last_access_ms, pinned, written, payload, bytes)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
        let (key, size, payload) = (row.key.as_bytes(), signed(info.size), self.bind(&row.payload));
        let (accessed, written) = (info.last_access_ms, signed(written.0));
        self.run(sql, (nr, key, size, accessed, info.pinned, written, payload, bytes))
    }

    /// Replaces the row of an item, its key included; returns its number.
    pub(crate) fn update_media(
        self,
        from: &MediaKey,
        to: &MediaInfo,
        written: Revision,
    ) -> Result<Option<i64>> {
        let Some(nr) = self.media_nr(from)? else { return Ok(None) };
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
        Ok(Some(nr))
    }

    pub(crate) fn media_nr(self, key: &MediaKey) -> Result<Option<i64>> {
        let sql = "SELECT nr FROM media WHERE key = ?1";
        self.first(sql, [self.codec.media_key(key).as_bytes()], |row| self.int(row, 0))
    }

    pub(crate) fn delete_media(self, key: &MediaKey) -> Result<bool> {
        let sql = "DELETE FROM media WHERE key = ?1 RETURNING nr";
        let nr = self.first(sql, [self.codec.media_key(key).as_bytes()], |row| self.int(row, 0))?;
        if let Some(nr) = nr {
            let sql = "DELETE FROM media_chunk WHERE pos BETWEEN ?1 AND ?2";
            self.run(sql, (pos(nr, 0), pos(nr + 1, 0) - 1))?;
        }
        Ok(nr.is_some())
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
        let nr = self.db.write_media_info(info, self.revision)?;
        self.media = Some((info.key.clone(), nr));
        Ok(())
    }

    fn append_media(&mut self, key: &MediaKey, at: u64, bytes: &[u8]) -> Result<()> {
        let nr = match &self.media {
            // Bytes come right after their row.
            Some((latest, nr)) if latest == key => Some(*nr),
            _ => self.db.media_nr(key)?,
        };
        let nr = nr.ok_or_else(|| self.db.corrupt("bytes came without a media row"))?;
        self.db.append_media(nr, at, bytes)
    }

    fn rename_media(&mut self, from: &MediaKey, to: &MediaInfo) -> Result<()> {
        self.media = None;
        self.db.update_media(from, to, self.revision).map(drop)
    }

    fn delete_media(&mut self, key: &MediaKey) -> Result<bool> {
        self.media = None;
        self.db.delete_media(key)
    }
}
