//! The canary's memory of a store: counts, no ids of rooms and no content.

use haos_store_api::Revision;

use super::id::StoreId;

const VERSION: &str = "haos-canary/1";

/// The counts of a store at a revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Census {
    /// Rooms.
    pub(crate) rooms: u64,
    /// Outbox rows.
    pub(crate) unsent: u64,
    /// The revision of these counts.
    pub(crate) revision: Revision,
}

impl Census {
    /// Tells whether nothing would be lost with the store.
    pub(crate) fn is_empty(self) -> bool {
        self.rooms == 0 && self.unsent == 0
    }

    /// Tells whether the counts are those of `other`.
    #[cfg(target_arch = "wasm32")]
    pub(crate) fn same_counts(self, other: Self) -> bool {
        (self.rooms, self.unsent) == (other.rooms, other.unsent)
    }
}

/// The record beside IndexedDB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    /// The store's id.
    pub(crate) id: StoreId,
    /// Its counts.
    pub(crate) census: Census,
    /// The time of writing, by the device's clock.
    pub(crate) written_ms: i64,
}

impl Mark {
    pub(crate) fn encode(&self) -> String {
        let Census { rooms, unsent, revision } = self.census;
        format!("{VERSION} {} {rooms} {unsent} {} {}", self.id, revision.0, self.written_ms)
    }

    /// Decodes a mark; `None` for the text of another version, or of somebody else.
    pub(crate) fn decode(text: &str) -> Option<Self> {
        let mut parts = text.split(' ');
        if parts.next()? != VERSION {
            return None;
        }
        let id = StoreId::parse(parts.next()?)?;
        let mut number = || parts.next()?.parse::<u64>().ok();
        let census = Census { rooms: number()?, unsent: number()?, revision: Revision(number()?) };
        let written_ms = parts.next()?.parse().ok()?;
        parts.next().is_none().then_some(Self { id, census, written_ms })
    }

    /// Chooses among several copies of the store `id`: the one of the latest revision counts, since each place may have
    /// been written last by another context.
    pub(crate) fn latest(marks: &[Self], id: StoreId) -> Option<Self> {
        marks.iter().filter(|mark| mark.id == id).max_by_key(|mark| mark.census.revision).copied()
    }

    /// Makes the mark of a store that was deleted on purpose: nothing is missing, and no later revision contradicts.
    pub(crate) fn tombstone(self) -> Self {
        Self { census: Census { rooms: 0, unsent: 0, revision: Revision(u64::MAX) }, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(id: u8, revision: u64, written_ms: i64) -> Mark {
        let census = Census { rooms: 3, unsent: 1, revision: Revision(revision) };
        Mark { id: StoreId::from_bytes([id; 16]), census, written_ms }
    }

    #[test]
    fn round_trip() {
        for mark in [mark(0, 0, -1), mark(255, u64::MAX, i64::MAX)] {
            assert_eq!(Mark::decode(&mark.encode()), Some(mark));
        }
    }

    #[test]
    fn damaged_is_none() {
        let text = mark(1, 2, 3).encode();
        for bad in ["", "x", &text[1..], &text.replace("/1", "/2"), &format!("{text} 4"), &text[..40]] {
            assert_eq!(Mark::decode(bad), None, "{bad}");
        }
    }

    #[test]
    fn latest_revision_counts() {
        let (old, new, other) = (mark(1, 5, 200), mark(1, 6, 100), mark(2, 9, 300));
        for marks in [[old, new, other], [other, new, old]] {
            assert_eq!(Mark::latest(&marks, old.id), Some(new));
            assert_eq!(Mark::latest(&marks, other.id), Some(other));
        }
        let tombstone = new.tombstone();
        assert_eq!(Mark::latest(&[new, tombstone, old], old.id), Some(tombstone));
        assert!(Mark::decode(&tombstone.encode()).is_some_and(|mark| mark.census.is_empty()));
        assert_eq!(Mark::latest(&[], old.id), None);
    }
}
