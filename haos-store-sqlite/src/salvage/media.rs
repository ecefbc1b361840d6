//! Media items with their bytes, chunk by chunk.

use haos_store_api::backend::CHUNK_BYTES;
use haos_store_api::{Collection, Result};

use super::carry::Carry;
use super::row;
use crate::pages::{Index, Shape, Step, Told, Value, decode};
use crate::table::CHUNK_BITS;

impl Carry<'_> {
    /// Carries over the items all of whose bytes are readable: half an item is none.
    pub(super) fn media(&mut self) -> Result<()> {
        self.damaged.visit(Shape::Media, &mut |step| {
            let (nr, record) = match step {
                Step::Row(nr, record) => (nr, record),
                Step::Unreadable(_) => return self.lose(Collection::Media),
                Step::Torn => return Ok(()),
            };
            let db = self.db();
            let Some(((info, bytes), written)) = row::media(db.codec, nr, record) else {
                return self.lose(Collection::Media);
            };
            if db.media_nr(&info.key)?.is_some() {
                return self.lose(Collection::Media);
            }
            let chunk = bytes.map(|bytes| db.codec.chunk_row(nr as u64, 0, &bytes)).transpose()?;
            let inline = chunk.as_ref().map(|chunk| chunk.payload.as_bytes());
            db.insert_media(nr, &info, written, inline)?;
            self.salvage.see(written);
            self.salvage.carried(Collection::Media);
            self.pen.step(record.len())
        })?;
        let told = self.damaged.told([Index::MediaKey, Index::MediaAccess]);
        self.salvage.named(Collection::Media, Told::most(&told));
        self.chunks()?;
        self.drop_parts()
    }

    fn chunks(&mut self) -> Result<()> {
        let mut item = (0, None);
        self.damaged.visit(Shape::Chunk, &mut |step| {
            let Step::Row(pos, record) = step else { return Ok(()) };
            let (nr, index) = (pos >> CHUNK_BITS, (pos & ((1 << CHUNK_BITS) - 1)) as u64);
            let db = self.db();
            if item.0 != nr {
                let sql = "SELECT size FROM media WHERE nr = ?1 AND bytes IS NULL";
                item = (nr, db.first(sql, [nr], |row| db.count(row, 0))?);
            }
            let start = index * CHUNK_BYTES as u64;
            let Some(left) = item.1.and_then(|size| size.checked_sub(start)) else { return Ok(()) };
            let values = decode(record).unwrap_or_default();
            let payload = values.get(1).and_then(|value: &Value<'_>| value.bytes()).unwrap_or_default();
            let Ok(bytes) = db.codec.chunk(nr as u64, index, payload) else { return Ok(()) };
            if bytes.len() as u64 == left.min(CHUNK_BYTES as u64) {
                db.write_chunk(nr, index, &bytes)?;
            }
            self.pen.step(bytes.len())
        })
    }

    fn drop_parts(&mut self) -> Result<()> {
        let db = self.db();
        let sql = format!(
            "DELETE FROM media WHERE bytes IS NULL AND size > 0 AND (size + {CHUNK_BYTES} - 1) / {CHUNK_BYTES}
             <> (SELECT count(*) FROM media_chunk
                 WHERE pos BETWEEN media.nr << {CHUNK_BITS} AND ((media.nr + 1) << {CHUNK_BITS}) - 1)"
        );
        let parts = db.run(&sql, ())?;
        self.salvage.retract(Collection::Media, parts as u64);
        let sql = format!("DELETE FROM media_chunk WHERE pos >> {CHUNK_BITS} NOT IN (SELECT nr FROM media)");
        db.run(&sql, ()).map(drop)
    }
}
