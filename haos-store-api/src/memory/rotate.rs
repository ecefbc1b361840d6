//! Every row under a new data key.

use super::store::not_sealed;
use super::tables::Tables;
use crate::*;

impl Tables {
    pub(super) fn rotate(&mut self, codec: &Codec, progress: &Progress) -> Result<Report> {
        let keyring = codec.keyring().ok_or_else(|| not_sealed("maintain"))?;
        if let Some(record) = keyring.rotation_begun()? {
            keyring.adopt(&record)?;
        }
        let mut rows = 0;
        let mut reseal = |row: RowRef<'_>, payload: &mut Payload| -> Result<()> {
            rows += 1;
            if let Some(sealed) = codec.resealed(&row, payload.as_bytes())? {
                *payload = sealed;
            }
            Ok(())
        };
        for (key, r) in &mut self.rooms {
            let (last_activity_ms, revision) = (r.last_activity_ms, r.revision);
            reseal(RowRef::Room { key, last_activity_ms, revision }, &mut r.payload)?;
        }
        for ((room, position), r) in &mut self.messages {
            let columns = r.columns(*position);
            reseal(RowRef::Message { room, key: &r.event, columns }, &mut r.payload)?;
        }
        for ((room, position), r) in &mut self.gaps {
            let row = RowRef::Gap { room, position: *position, revision: r.revision };
            reseal(row, &mut r.payload)?;
        }
        for (seq, r) in &mut self.pending {
            let (seq, not_before_ms, revision) = (*seq, r.not_before_ms, r.revision);
            reseal(RowRef::Pending { key: &r.txn, seq, not_before_ms, revision }, &mut r.payload)?;
        }
        for (key, r) in &mut self.media {
            let columns = r.columns();
            reseal(RowRef::Media { key, columns }, &mut r.payload)?;
        }
        for ((blob, index), payload) in &mut self.chunks {
            reseal(RowRef::Chunk { blob: *blob, index: *index }, payload)?;
        }
        for (place, r) in &mut self.state {
            let columns = r.columns(*place);
            reseal(RowRef::State { columns }, &mut r.payload)?;
        }
        if let Some(record) = keyring.rotation_ended(keyring.sealing_key())? {
            keyring.adopt(&record)?;
        }
        progress.step(rows, rows);
        Ok(Report { rows, ..Report::default() })
    }
}
