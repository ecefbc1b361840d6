//! Counting and checking.

use super::tables::Tables;
use crate::*;

impl Tables {
    pub(super) fn usage(&self) -> Usage {
        let size = |rows: usize, bytes: usize| Size { rows: rows as u64, bytes: bytes as u64 };
        let bytes = |payload: &Payload| payload.as_bytes().len();
        let media: usize =
            self.media.values().map(|r| bytes(&r.payload)).chain(self.chunks.values().map(bytes)).sum();
        let collections = vec![
            (Collection::Rooms, size(self.rooms.len(), self.rooms.values().map(|r| bytes(&r.payload)).sum())),
            (
                Collection::Messages,
                size(self.messages.len(), self.messages.values().map(|r| bytes(&r.payload)).sum()),
            ),
            (Collection::Gaps, size(self.gaps.len(), self.gaps.values().map(|r| bytes(&r.payload)).sum())),
            (
                Collection::Pending,
                size(self.pending.len(), self.pending.values().map(|r| bytes(&r.payload)).sum()),
            ),
            (Collection::Media, size(self.media.len(), media)),
            (Collection::State, size(self.state.len(), self.state.values().map(|r| bytes(&r.payload)).sum())),
        ];
        let total_bytes = collections.iter().map(|(_, size)| size.bytes).sum();
        Usage { collections, total_bytes, free_bytes: 0, quota_bytes: None }
    }

    pub(super) fn row_count(&self) -> u64 {
        self.usage().collections.iter().map(|(_, size)| size.rows).sum()
    }

    /// Decodes every row and follows every index entry.
    pub(super) fn check(&self, codec: &Codec, progress: &Progress) -> Report {
        let total = self.row_count();
        let mut report = Report::default();
        let mut look = |what: &str, fault: Option<String>| {
            report.rows += 1;
            if let Some(fault) = fault {
                report.find(format_args!("{what}: {fault}"));
            }
            progress.step(report.rows, total);
        };
        let fault = |error: Error| Some(error.to_string());
        for key in self.rooms.keys() {
            look("rooms", self.room_at(codec, key).map_or_else(fault, |_| None));
        }
        for (place, record) in &self.messages {
            let room = self.room_at(codec, &place.0).ok().flatten();
            look(
                "messages",
                match room {
                    None => Some("a message without its room".to_owned()),
                    Some(_) if self.by_event.get(&record.event) != Some(&place.1) => {
                        Some("a message that its index does not find".to_owned())
                    }
                    Some(room) => self.message_at(codec, &room.id, *place).map_or_else(fault, |_| None),
                },
            );
        }
        for place in self.gaps.keys() {
            let room = self.room_at(codec, &place.0).ok().flatten();
            look(
                "gaps",
                match room {
                    None => Some("a gap without its room".to_owned()),
                    Some(_) if self.messages.contains_key(place) => {
                        Some("a gap and a message at one position".to_owned())
                    }
                    Some(room) => self.gap_at(codec, &room.id, *place).map_or_else(fault, |_| None),
                },
            );
        }
        for seq in self.pending.keys() {
            look("pending", self.pending_at(codec, *seq).map_or_else(fault, |_| None));
        }
        for key in self.media.keys() {
            look(
                "media",
                match self.media_bytes(codec, key, ByteRange::ALL) {
                    Ok(bytes) if self.media.get(key).is_some_and(|r| r.size != bytes.len() as u64) => {
                        Some("an item of another size than it says".to_owned())
                    }
                    Ok(_) => self.media_info(codec, key).map_or_else(fault, |_| None),
                    Err(error) => fault(error),
                },
            );
        }
        for place in self.state.keys() {
            look("state", self.state_at(codec, *place).map_or_else(fault, |_| None));
        }
        report
    }
}
