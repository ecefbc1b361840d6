//! The bytes of media: chunks, and the only chunk of a small item in its row.

use haos_store_api::backend::*;
use haos_store_api::*;
use rusqlite::Row;
use rusqlite::types::{ToSqlOutput, ValueRef};

use crate::db::{Db, NEXT, STOP, signed};

/// The bits of a chunk's place among the chunks of its item.
pub(crate) const CHUNK_BITS: u32 = 24;
const CHUNK: u64 = CHUNK_BYTES as u64;
/// The most bytes of an item that is one row: most of one more page.
const INLINE: u64 = 8 << 10;

/// Makes the rowid of a chunk.
pub(super) fn pos(nr: i64, index: u64) -> i64 {
    nr << CHUNK_BITS | signed(index)
}

impl Db<'_> {
    /// Reads the bytes of an item that is one row.
    pub(crate) fn inline(self, nr: i64, row: &Row<'_>, column: usize) -> Result<Option<Vec<u8>>> {
        match row.get_ref(column).map_err(|e| self.fault(e))? {
            ValueRef::Null => Ok(None),
            _ => self.codec.chunk(nr as u64, 0, self.bytes(row, column)?).map(Some),
        }
    }

    pub(super) fn cut(self, mut bytes: Vec<u8>, size: u64, range: ByteRange) -> Result<Vec<u8>> {
        if bytes.len() as u64 != size {
            return Err(self.lacking());
        }
        let span = range.within(size);
        // The end is within the bytes, so it fits a usize.
        bytes.truncate(span.end as usize);
        bytes.drain(..span.start as usize);
        Ok(bytes)
    }

    fn lacking(self) -> Error {
        self.corrupt("a media item lacks some of its bytes: remove it and fetch it again")
    }

    /// Reads a range of an item's bytes.
    pub(crate) fn media_bytes(self, nr: i64, size: u64, range: ByteRange) -> Result<Vec<u8>> {
        let sql = "SELECT bytes FROM media WHERE nr = ?1";
        match self.first(sql, [nr], |row| self.inline(nr, row, 0))?.flatten() {
            Some(bytes) => self.cut(bytes, size, range),
            None => self.chunks(nr, size, range),
        }
    }

    /// Reads a range of the bytes of an item that has chunks.
    pub(super) fn chunks(self, nr: i64, size: u64, range: ByteRange) -> Result<Vec<u8>> {
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
            return Err(self.lacking());
        }
        Ok(bytes)
    }

    /// Writes bytes from `at` on, which is the item's length so far: the last chunk is filled first.
    pub(crate) fn append_media(self, nr: i64, at: u64, bytes: &[u8]) -> Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        let mut index = at / CHUNK;
        let mut tail = Vec::new();
        if !at.is_multiple_of(CHUNK) {
            tail = self.media_bytes(nr, at, ByteRange { start: index * CHUNK, end: u64::MAX })?;
        }
        if at + bytes.len() as u64 <= INLINE {
            tail.extend_from_slice(bytes);
            return self.write_inline(nr, Some(&tail));
        }
        if 0 < at && at <= INLINE {
            self.write_inline(nr, None)?;
        }
        let (now, later) = bytes.split_at(bytes.len().min(CHUNK_BYTES - tail.len()));
        tail.extend_from_slice(now);
        self.write_chunk(nr, index, &tail)?;
        for chunk in later.chunks(CHUNK_BYTES) {
            index += 1;
            self.write_chunk(nr, index, chunk)?;
        }
        Ok(())
    }

    /// Puts the only chunk of an item into its row, or takes it out of there.
    fn write_inline(self, nr: i64, bytes: Option<&[u8]>) -> Result<()> {
        let row = bytes.map(|bytes| self.codec.chunk_row(nr as u64, 0, bytes)).transpose()?;
        let bytes = row.as_ref().map(|row| row.payload.as_bytes());
        self.run("UPDATE media SET bytes = ?2 WHERE nr = ?1", (nr, bytes)).map(drop)
    }

    pub(crate) fn write_chunk(self, nr: i64, index: u64, bytes: &[u8]) -> Result<()> {
        let row = self.codec.chunk_row(nr as u64, index, bytes)?;
        let sql = "INSERT INTO media_chunk (pos, payload) VALUES (?1, ?2)
                   ON CONFLICT (pos) DO UPDATE SET payload = excluded.payload";
        let payload = ToSqlOutput::Borrowed(ValueRef::Blob(row.payload.as_bytes()));
        self.run(sql, (pos(nr, index), payload))?;
        Ok(())
    }
}
