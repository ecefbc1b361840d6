//! One row of each table, and a twin of it elsewhere: the targets of tampering, and their reads.

use haos_store_api::*;
use haos_store_sqlite::SqliteStore;
use rusqlite::Connection;

use crate::common::*;

/// A table with payloads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    Room,
    Message,
    Gap,
    Pending,
    Media,
    Chunk,
    /// The bytes of a small item, in its row.
    Inline,
    State,
}

/// One of a pair of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Row {
    /// The one of room a, or the first.
    One,
    /// The one of room b, or the second.
    Twin,
}

use Row::{One, Twin};

impl Target {
    pub(crate) const ALL: [Self; 7] =
        [Self::Room, Self::Message, Self::Gap, Self::Pending, Self::Media, Self::Chunk, Self::State];

    /// Where items of media have few bytes.
    pub(crate) const SMALL: [Self; 7] =
        [Self::Room, Self::Message, Self::Gap, Self::Pending, Self::Media, Self::Inline, Self::State];

    pub(crate) fn column(self) -> &'static str {
        if self == Self::Inline { "bytes" } else { "payload" }
    }

    pub(crate) fn table(self) -> &'static str {
        match self {
            Self::Room => "room",
            Self::Message => "message",
            Self::Gap => "gap",
            Self::Pending => "pending",
            Self::Media | Self::Inline => "media",
            Self::Chunk => "media_chunk",
            Self::State => "state",
        }
    }

    /// Returns its name in errors and findings.
    pub(crate) fn collection(self) -> &'static str {
        match self {
            Self::Room => "rooms",
            Self::Message => "messages",
            Self::Gap => "gaps",
            Self::Pending => "pending",
            Self::Media | Self::Chunk | Self::Inline => "media",
            Self::State => "state",
        }
    }

    /// Returns the rowid in the sample with twins, by the order of writing.
    pub(crate) fn rowid(self, row: Row) -> i64 {
        let position = |offset| at(offset).get() as i64;
        match (self, row) {
            (Self::Room | Self::Pending | Self::Media | Self::Inline, One) => 1,
            (Self::Room | Self::Media | Self::Inline, Twin) => 2,
            (Self::Pending, Twin) => 3,
            (Self::Message, One) => 1 << 40 | position(0),
            (Self::Message, Twin) => 2 << 40 | position(0),
            (Self::Gap, One) => 1 << 40 | position(20),
            (Self::Gap, Twin) => 2 << 40 | position(20),
            (Self::Chunk, One) => 1 << 24,
            (Self::Chunk, Twin) => 2 << 24,
            (Self::State, One) => 2,
            (Self::State, Twin) => 4,
        }
    }

    pub(crate) fn payload(self, conn: &Connection, row: Row) -> Vec<u8> {
        let sql = format!("SELECT {} FROM {} WHERE rowid = ?1", self.column(), self.table());
        conn.query_row(&sql, [self.rowid(row)], |row| row.get(0)).unwrap()
    }

    pub(crate) fn set_payload(self, conn: &Connection, row: Row, payload: &[u8]) {
        let sql = format!("UPDATE {} SET {} = ?2 WHERE rowid = ?1", self.table(), self.column());
        assert_eq!(conn.prepare_cached(&sql).unwrap().execute((self.rowid(row), payload)).unwrap(), 1);
    }

    /// Reads the row alone. A gap is only read in lists, which keep it without its token where it is damaged.
    pub(crate) async fn read(self, store: &SqliteStore, row: Row) -> Result<()> {
        let name = name(row);
        let room = room_id(name);
        let found = match self {
            Self::Room => store.room(&room).await?.is_some(),
            Self::Message => store.message(&room, &event_id(&format!("{name}0"))).await?.is_some(),
            Self::Gap => {
                let before = store.info().damaged;
                let gaps = store.gaps(&room).await?;
                let slice = store.timeline(&room, Page::newest(50)).await?;
                assert_eq!((gaps.len(), slice.gaps().count()), (1, 1), "a hole stays a hole");
                assert_eq!(gaps[0], *slice.gaps().next().unwrap());
                if store.info().damaged > before && gaps[0].token.is_none() {
                    return Err(Error::new(ErrorKind::Corrupt, "test", "gaps: a token is gone"));
                }
                gaps[0].token.is_some()
            }
            Self::Pending => {
                let query = PendingQuery { txn_id: Some(txn(unsent(row))), ..PendingQuery::default() };
                store.pending(query).await?.len() == 1
            }
            Self::Media => {
                store.media(&media_key(item(row)), ByteRange { start: 0, end: 0 }).await?.is_some()
            }
            Self::Chunk | Self::Inline => store.media(&media_key(item(row)), ByteRange::ALL).await?.is_some(),
            Self::State => store.state(member(&room)).await?.len() == 1,
        };
        assert!(found, "{self:?} {row:?}: the row is not there");
        Ok(())
    }

    /// Tells whether a list shows the row.
    async fn is_listed(self, store: &SqliteStore, row: Row) -> Result<bool> {
        let name = name(row);
        let room = room_id(name);
        Ok(match self {
            Self::Room => store.rooms(RoomQuery::latest(50)).await?.iter().any(|found| found.id == room),
            Self::Message => {
                let event = event_id(&format!("{name}0"));
                store.timeline(&room, Page::newest(50)).await?.messages().any(|found| found.id == event)
            }
            Self::Gap => store.gaps(&room).await?.len() == 1,
            Self::Pending => {
                let rows = store.pending(PendingQuery::default()).await?;
                rows.iter().any(|found| found.txn_id == txn(unsent(row)))
            }
            Self::Media | Self::Chunk | Self::Inline => {
                let items = store.media_index(MediaQuery::default()).await?;
                items.iter().any(|found| found.key == media_key(item(row)))
            }
            Self::State => !store.state(StateQuery { key: None, ..member(&room) }).await?.is_empty(),
        })
    }

    /// Checks that tampering with the row is noticed: alone it is refused; a list leaves it out and counts it, except
    /// the outbox, which is refused as a whole.
    pub(crate) async fn assert_corrupt(self, store: &SqliteStore, row: Row, what: &str) {
        let error = self.read(store, row).await.expect_err(&format!("{self:?}: {what} goes unnoticed"));
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{self:?}: {what}: {error}");
        assert!(error.to_string().contains(self.collection()), "{self:?}: {what}: {error}");

        let before = store.info().damaged;
        let listed = self.is_listed(store, row).await;
        match self {
            Self::Pending => assert_eq!(listed.unwrap_err().kind(), ErrorKind::Corrupt, "{what}"),
            // A gap stays a gap, and the index does not look at the bytes.
            Self::Gap | Self::Chunk | Self::Inline => assert!(listed.unwrap(), "{self:?}: {what}"),
            _ => {
                assert!(!listed.unwrap(), "{self:?}: {what}: a list shows it");
                assert!(store.info().damaged > before, "{self:?}: {what}: nothing is counted");
            }
        }
    }
}

fn name(row: Row) -> &'static str {
    if row == One { "a" } else { "b" }
}

fn unsent(row: Row) -> &'static str {
    if row == One { "t1" } else { "t3" }
}

fn item(row: Row) -> &'static str {
    if row == One { "cat" } else { "dog" }
}

fn member(room: &RoomId) -> StateQuery {
    let kind = EventType::new("m.room.member").unwrap();
    StateQuery::one(Scope::Room(room.clone()), kind, StateKey::new("@ada:example.org").unwrap())
}

/// Checks that all rows except these read as ever.
pub(crate) async fn assert_others_read(store: &SqliteStore, but: &[(Target, Row)]) {
    for target in Target::ALL {
        for row in [One, Twin] {
            // Bytes are found through the item.
            let is_spoilt = |spoilt: &(Target, Row)| {
                let through = matches!(spoilt.0, Target::Media | Target::Inline) && target == Target::Chunk;
                spoilt.1 == row && (spoilt.0 == target || through)
            };
            if !but.iter().any(is_spoilt) {
                target.read(store, row).await.unwrap_or_else(|e| panic!("{target:?} {row:?}: {e}"));
            }
        }
    }
}

/// Checks that a check names exactly these collections, a finding each.
pub(crate) async fn assert_check_finds(store: &SqliteStore, collections: &[&str]) {
    let mut findings = crate::vault::check(store).await;
    // A message of another length is noticed twice.
    if collections.contains(&"messages") {
        findings.retain(|text| !text.contains("the sums kept"));
    }
    let mut found: Vec<_> = findings.iter().map(|text| text.split(':').next().unwrap()).collect();
    let mut expected = collections.to_vec();
    found.sort_unstable();
    expected.sort_unstable();
    assert_eq!(found, expected, "{findings:#?}");
}
