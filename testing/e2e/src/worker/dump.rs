use std::collections::BTreeMap;

use haos_store_api::{
    Cursor, Item, Page, Pending, PendingQuery, Result, RoomId, RoomQuery, StorageAdapter,
    StorageAdapterExt as _,
};
use serde::{Deserialize, Serialize};

/// Items of a timeline that are read at once.
const PAGE: usize = 500;

/// A store's part of the server's side, and the rows that it still has to send.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Dump {
    /// The sync token.
    pub token: Option<String>,
    /// The timelines, oldest item first, by room id.
    pub rooms: BTreeMap<String, Vec<Entry>>,
    /// The outbox.
    pub rows: Vec<OutboxRow>,
}

/// An item of a timeline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Entry {
    /// An event.
    Event {
        /// Its id.
        id: String,
        /// Its sender.
        sender: String,
        /// Its type.
        kind: String,
        /// Its text, if it has one.
        body: Option<String>,
        /// The transaction id, if it is of this device.
        txn_id: Option<String>,
        /// It comes from a send's answer, and no sync has confirmed it.
        provisional: bool,
    },
    /// Something is missing here.
    Gap {
        /// The token that a page of it is asked with.
        token: Option<String>,
    },
}

/// A row of the outbox.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OutboxRow {
    /// Its transaction id.
    pub txn_id: String,
    /// Its place.
    pub seq: u64,
    /// The room.
    pub room: String,
    /// The event type.
    pub kind: String,
    /// As Rust shows it: `Queued`, `Parked(Ambiguous)`.
    pub state: String,
    /// Attempts that count.
    pub attempts: u32,
    /// An attempt had no answer.
    pub ambiguous: bool,
    /// The server's id, once there is one.
    pub event_id: Option<String>,
    /// The latest error.
    pub error: Option<String>,
}

impl Dump {
    /// Reads a store.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn of(store: &dyn StorageAdapter) -> Result<Self> {
        let mut rooms = BTreeMap::new();
        for room in store.rooms(RoomQuery::default()).await? {
            rooms.insert(room.id.to_string(), timeline(store, &room.id).await?);
        }
        Ok(Self { token: store.sync_token().await?, rooms, rows: outbox(store).await? })
    }

    /// A room's events without its gaps.
    pub fn ids<'a>(&'a self, room: &str) -> impl Iterator<Item = &'a str> {
        self.rooms.get(room).into_iter().flatten().filter_map(|entry| match entry {
            Entry::Event { id, .. } => Some(&**id),
            Entry::Gap { .. } => None,
        })
    }

    /// How many gaps a room has.
    pub fn gaps(&self, room: &str) -> usize {
        let entries = self.rooms.get(room).into_iter().flatten();
        entries.filter(|entry| matches!(entry, Entry::Gap { .. })).count()
    }
}

/// The outbox of a store.
pub(super) async fn outbox(store: &dyn StorageAdapter) -> Result<Vec<OutboxRow>> {
    Ok(store.pending(PendingQuery::default()).await?.iter().map(OutboxRow::of).collect())
}

async fn timeline(store: &dyn StorageAdapter, room: &RoomId) -> Result<Vec<Entry>> {
    let (mut entries, mut page) = (Vec::new(), Page::oldest(PAGE));
    loop {
        let slice = store.timeline(room, page).await?;
        entries.extend(slice.items.iter().filter_map(Entry::of));
        let newer: Option<Cursor> = slice.newer().filter(|_| slice.more);
        match newer {
            Some(cursor) => page = Page::newer_than(cursor, PAGE),
            None => return Ok(entries),
        }
    }
}

impl Entry {
    fn of(item: &Item) -> Option<Self> {
        match item {
            Item::Message(message) => Some(Self::Event {
                id: message.id.to_string(),
                sender: message.sender.to_string(),
                kind: message.kind.to_string(),
                body: message.content.text("body"),
                txn_id: message.txn_id.as_ref().map(ToString::to_string),
                provisional: message.provisional,
            }),
            Item::Gap(gap) => Some(Self::Gap { token: gap.token.clone() }),
        }
    }
}

impl OutboxRow {
    fn of(row: &Pending) -> Self {
        Self {
            txn_id: row.txn_id.to_string(),
            seq: row.seq,
            room: row.room.to_string(),
            kind: row.kind.to_string(),
            state: format!("{:?}", row.state),
            attempts: row.attempts,
            ambiguous: row.ambiguous,
            event_id: row.event_id.as_ref().map(ToString::to_string),
            error: row.error.clone(),
        }
    }
}
