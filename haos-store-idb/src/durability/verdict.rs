//! The canary's verdict at the opening of a store.

use haos_store_api::Recovery;

use super::id::StoreId;
use super::mark::Mark;

/// The fate of a store since its mark was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing is missing, as far as known.
    Whole,
    /// The store is gone, and was not deleted by this library.
    Erased(Erased),
}

/// The loss, by the latest counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Erased {
    /// Rooms.
    pub(crate) rooms: u64,
    /// Outbox rows: messages that were not sent.
    pub(crate) unsent: u64,
}

impl Erased {
    /// Makes the report for the caller of `open`.
    pub(crate) fn recovery(self) -> Recovery {
        let Self { rooms, unsent } = self;
        Recovery {
            set_aside: None,
            salvaged: 0,
            unreadable: unsent,
            collections: Vec::new(),
            is_whole: false,
            cause: format!(
                "the browser erased this store: {rooms} {} and {unsent} unsent {}; rooms are synced again, unsent \
                 messages must be written again; to keep storage, install the application or allow it persistent \
                 storage",
                if rooms == 1 { "room" } else { "rooms" },
                if unsent == 1 { "message" } else { "messages" },
            ),
        }
    }
}

/// Judges a store by its id, absent if it is new, and the marks beside it, which may be of several stores.
///
/// A mark of another id is of a store that was erased and, if this one has an id, made again since: perhaps by a
/// worker, which could not see a window's mark. Of several, the last one written is reported.
pub(crate) fn judge(stored: Option<StoreId>, marks: &[Mark]) -> Verdict {
    let gone = marks.iter().filter(|mark| stored != Some(mark.id));
    let missing = gone
        .filter_map(|mark| Mark::latest(marks, mark.id))
        .filter(|mark| !mark.census.is_empty())
        .max_by_key(|mark| mark.written_ms);
    missing.map_or(Verdict::Whole, |mark| {
        Verdict::Erased(Erased { rooms: mark.census.rooms, unsent: mark.census.unsent })
    })
}

#[cfg(test)]
mod tests {
    use haos_store_api::Revision;

    use super::super::mark::Census;
    use super::*;

    const OLD: StoreId = StoreId::from_bytes([1; 16]);
    const NEW: StoreId = StoreId::from_bytes([2; 16]);

    fn mark(id: StoreId, rooms: u64, unsent: u64, revision: u64) -> Mark {
        let census = Census { rooms, unsent, revision: Revision(revision) };
        Mark { id, census, written_ms: 0 }
    }

    #[test]
    fn whole() {
        let (full, empty) = (mark(OLD, 3, 2, 9), mark(OLD, 0, 0, 10));
        for (stored, marks) in [
            (None, vec![]),
            (Some(OLD), vec![]),
            (Some(OLD), vec![full]),
            (None, vec![empty]),
            (Some(NEW), vec![empty, full]),
            (None, vec![full, full.tombstone()]),
        ] {
            assert_eq!(judge(stored, &marks), Verdict::Whole, "{stored:?} {marks:?}");
        }
    }

    #[test]
    fn erased() {
        for (rooms, unsent) in [(3, 2), (3, 0), (0, 1)] {
            let old = mark(OLD, rooms, unsent, 9);
            let erased = Verdict::Erased(Erased { rooms, unsent });
            assert_eq!(judge(None, &[old]), erased);
            assert_eq!(judge(Some(NEW), &[old]), erased, "made again by another context");
            assert_eq!(judge(Some(NEW), &[mark(NEW, 7, 7, 1), old]), erased, "which left its mark");
            assert_eq!(judge(None, &[mark(OLD, 7, 7, 8), old]), erased, "an older copy");
        }
        let (before, after) = (mark(OLD, 1, 1, 9), Mark { written_ms: 5, ..mark(NEW, 2, 2, 1) });
        assert_eq!(judge(None, &[before, after]), Verdict::Erased(Erased { rooms: 2, unsent: 2 }));
    }

    #[test]
    fn report() {
        let recovery = Erased { rooms: 1, unsent: 2 }.recovery();
        assert_eq!((recovery.set_aside, recovery.salvaged, recovery.unreadable), (None, 0, 2));
        assert!(recovery.cause.contains("1 room and 2 unsent messages"), "{}", recovery.cause);
    }
}
