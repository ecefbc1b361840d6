//! One response into the store, and what it brought.

use std::collections::HashSet;

use haos_matrix::{Account, KeepLimits, MatrixProtocol, ParseError, parse_messages_within, parse_sync};
use haos_queue::{Event, Filled, Host as _, Since, Synced, TokioHost, apply_page, apply_sync};
use haos_store_api::{
    Direction, ErrorKind, EventId, MessageQuery, RoomId, StateEntry, StorageAdapter, StorageAdapterExt as _,
    WriteBatch,
};
use serde::Serialize;

use super::response::Response;
use super::resume::Bookmark;
use crate::error::{Error, Result};
use crate::text::number;

/// The number of tries for a page whose gap another process changes meanwhile.
const TRIES: usize = 16;

/// A response that cannot be read, in this command's words.
fn unread(error: ParseError) -> Error {
    Error::Input(match error {
        ParseError::TooMuch { limit } => format!(
            "it has more than {} entries: if that is right, raise the limit with --max-entries",
            number(limit as u64)
        ),
        error => error.to_string(),
    })
}

/// The counts of an import.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Tally {
    /// Responses applied.
    pub(crate) responses: u64,
    /// Lines that an earlier import did.
    pub(crate) skipped: u64,
    /// Events that the store did not hold.
    pub(crate) events: u64,
    pub(crate) gaps_opened: u64,
    pub(crate) gaps_closed: u64,
    /// Pages without a gap whose events the store holds already.
    pub(crate) held: u64,
    /// Pages without a gap, with events that the store does not hold: left out.
    pub(crate) unplaced: u64,
    /// Entries that were unreadable, or too many of their kind, and are not kept.
    pub(crate) left_out: u64,
    /// Bytes of the responses.
    pub(crate) bytes: u64,
}

impl Tally {
    pub(crate) fn add(&mut self, other: &Self) {
        self.responses += other.responses;
        self.skipped += other.skipped;
        self.events += other.events;
        self.gaps_opened += other.gaps_opened;
        self.gaps_closed += other.gaps_closed;
        self.held += other.held;
        self.unplaced += other.unplaced;
        self.left_out += other.left_out;
        self.bytes += other.bytes;
    }

    fn gaps(&mut self, before: usize, after: usize) {
        self.gaps_opened += after.saturating_sub(before) as u64;
        self.gaps_closed += before.saturating_sub(after) as u64;
    }
}

/// Applies responses to a store.
pub(super) struct Importer<'s> {
    pub(super) store: &'s dyn StorageAdapter,
    pub(super) account: Account,
    pub(super) keep: KeepLimits,
}

impl Importer<'_> {
    /// Applies a response, and stores with it that it is done.
    pub(super) async fn apply(&self, response: Response<'_>, bookmark: &mut Bookmark) -> Result<Tally> {
        match response {
            Response::Sync { since, body } => self.sync(since, body, bookmark.entry(false)?).await,
            Response::Page { room, from, body } => self.page(&room, &from, body, bookmark).await,
        }
    }

    async fn sync(&self, since: Since, body: &[u8], record: StateEntry) -> Result<Tally> {
        let mut delta = parse_sync(body, &self.account).map_err(unread)?;
        (delta.since, delta.arrived_ms) = (since, Some(TokioHost.now_ms()));
        self.keep.admit(self.store, &mut delta).await?;
        delta.account.push(record.clone());
        let mut tally = Tally::default();
        let (mut fresh, mut gaps) = (0, Vec::new());
        for room in &delta.rooms {
            fresh += self.fresh(&room.id, &room.timeline).await?;
            gaps.push(self.store.gaps(&room.id).await?.len());
        }
        match apply_sync(self.store, &delta, self.account.user.as_ref(), &MatrixProtocol).await? {
            Synced::Applied => {
                tally.events = fresh;
                for (room, before) in delta.rooms.iter().zip(gaps) {
                    tally.gaps(before, self.store.gaps(&room.id).await?.len());
                }
                Ok(tally)
            }
            Synced::Stale => Err(self.stale(&delta.since).await?),
            // The store held it, so the record was not looked at.
            _ => {
                self.put(record).await?;
                Ok(tally)
            }
        }
    }

    async fn stale(&self, since: &Since) -> Result<Error> {
        let token = |token: Option<&str>| token.map_or("none".to_owned(), |token| format!("{token:?}"));
        let stored = self.store.sync_token().await?;
        let asked = match since {
            Since::Stored(asked) => token(asked.as_deref()),
            Since::Unknown => token(None),
        };
        Ok(Error::Input(format!(
            "this sync goes on from the token {asked}, the store is at {}: nothing was written. Import the \
             sync that goes on from the store's token first",
            token(stored.as_deref()),
        )))
    }

    async fn page(&self, room: &RoomId, from: &str, body: &[u8], bookmark: &mut Bookmark) -> Result<Tally> {
        let limits = self.account.limits;
        let mut page = parse_messages_within(body, room, Direction::Older, limits).map_err(unread)?;
        self.keep.admit_page(self.store, &mut page).await?;
        let mut tally = Tally::default();
        for _ in 0..TRIES {
            let fresh = self.fresh(room, &page.events).await?;
            let gaps = self.store.gaps(room).await?;
            if let Some(gap) = gaps.iter().find(|gap| gap.token.as_deref() == Some(from)) {
                let own = self.account.user.as_ref();
                if apply_page(self.store, gap, &page, own, &MatrixProtocol).await? != Filled::Applied {
                    continue;
                }
                tally.events = fresh;
                tally.gaps(gaps.len(), self.store.gaps(room).await?.len());
            } else if fresh > 0 || self.store.room(room).await?.is_none() {
                tally.unplaced = 1;
            } else {
                tally.held = 1;
            }
            self.put(bookmark.entry(tally.unplaced > 0)?).await?;
            return Ok(tally);
        }
        let message = "another process keeps changing this gap: run the same import again";
        Err(haos_store_api::Error::new(ErrorKind::Conflict, "import", message).into())
    }

    /// How many of the events the store does not hold.
    async fn fresh(&self, room: &RoomId, events: &[Event]) -> Result<u64> {
        let ids: HashSet<&EventId> = events.iter().map(|event| &event.id).collect();
        let wanted = ids.iter().map(|id| (*id).clone()).collect();
        let held = self.store.messages(MessageQuery::Ids { room: room.clone(), events: wanted }).await?;
        Ok((ids.len() - held.len()) as u64)
    }

    async fn put(&self, entry: StateEntry) -> Result<()> {
        let mut batch = WriteBatch::relaxed();
        batch.put_state(entry);
        self.store.apply(batch).await?;
        Ok(())
    }
}
