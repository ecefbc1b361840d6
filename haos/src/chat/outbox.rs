use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use async_trait::async_trait;
use haos_queue::Outbox;
use haos_queue::machine::Class;
use haos_store_api::{
    Change, EventType, Json, Pending, PendingQuery, PendingState, Result, RoomId, Touched, TxnId,
};
use serde::Serialize;

use super::Chat;
use crate::content::Content;
use crate::live::list::{LiveList, Reader};
use crate::live::{Diffs, timeline::SendStatus};

/// The longest text of a row, in characters.
const LONGEST: usize = 200;

/// Something the user wrote that the server has not confirmed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct OutboxRow {
    /// Its transaction, by which it is retried and cancelled.
    pub txn_id: TxnId,
    /// The room that it goes to.
    pub room: RoomId,
    /// Its type, such as `m.room.message`.
    pub kind: EventType,
    /// Its text, shortened.
    pub text: String,
    /// How its sending goes; of a file, also how its upload does.
    #[serde(flatten)]
    pub status: SendStatus,
    /// The latest error, for the user.
    pub error: Option<String>,
    /// The time at which it was written, in milliseconds since 1970.
    pub created_ms: i64,
}

/// What waits to be sent, and what could not be: oldest first, and live.
#[derive(Clone)]
pub struct OutboxList(LiveList<Rows>);

impl Chat {
    /// What the user wrote and the server has not confirmed, in the order in which it was written. Receipts and signs
    /// of typing are not listed; a file is one row with its uploads.
    pub fn outbox(&self) -> OutboxList {
        let store = self.core.store.clone();
        OutboxList(LiveList::new(Rows::new(&self.core.outbox), move || store.changes()))
    }

    /// Tries a row again, at once. One that may have been sent already is sent once more: the user has looked.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn retry(&self, txn_id: &TxnId) -> crate::Result<()> {
        self.core.outbox.retry(txn_id).await?;
        Ok(())
    }

    /// Tries all rows again, but for those that may have been sent already. Returns the number of rows that were taken
    /// up.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn retry_all(&self) -> crate::Result<usize> {
        Ok(self.core.outbox.retry_all().await?)
    }

    /// Takes a row back: it is removed, or redacted once it is on the server.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn cancel(&self, txn_id: &TxnId) -> crate::Result<()> {
        self.core.outbox.cancel(txn_id).await?;
        Ok(())
    }
}

impl OutboxList {
    /// Returns the rows as they are now.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn now(&self) -> Result<Arc<[OutboxRow]>> {
        self.0.now().await
    }

    /// Returns the rows as they are now, and the steps that follow.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn subscribe(&self) -> Result<(Vec<OutboxRow>, Diffs<OutboxRow>)> {
        self.0.subscribe().await
    }
}

impl std::fmt::Debug for OutboxList {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OutboxList").finish_non_exhaustive()
    }
}

/// The outbox as it was read; what changes is read again alone.
pub(super) struct Rows {
    outbox: Outbox,
    rows: BTreeMap<u64, Row>,
    places: HashMap<TxnId, u64>,
    touched: HashSet<TxnId>,
    /// True if all of it has to be read.
    is_stale: bool,
}

struct Row {
    /// The row, without its content.
    pending: Pending,
    text: String,
    /// True for neither an upload nor a signal.
    is_event: bool,
}

impl Rows {
    pub(super) fn new(outbox: &Outbox) -> Self {
        Self {
            outbox: outbox.clone(),
            rows: BTreeMap::new(),
            places: HashMap::new(),
            touched: HashSet::new(),
            is_stale: true,
        }
    }

    /// Notes a change. Returns true if it is one of the outbox.
    pub(super) fn heed(&mut self, change: &Change) -> bool {
        let Change::Commit { touched, .. } = change else {
            self.is_stale = true;
            return true;
        };
        let before = self.touched.len();
        let rows = touched.iter().filter_map(|touched| match touched {
            Touched::Pending(txn_id) => Some(txn_id.clone()),
            _ => None,
        });
        self.touched.extend(rows);
        self.touched.len() > before
    }

    /// Reads what changed.
    pub(super) async fn refresh(&mut self) -> Result<()> {
        if self.is_stale {
            let rows = self.outbox.rows(None).await?;
            (self.rows, self.places) = (BTreeMap::new(), HashMap::new());
            rows.into_iter().for_each(|row| self.put(row));
            self.is_stale = false;
            self.touched.clear();
        }
        while let Some(txn_id) = self.touched.iter().next().cloned() {
            let query =
                PendingQuery { txn_id: Some(txn_id.clone()), skip_damaged: true, ..PendingQuery::default() };
            let found = self.outbox.store().pending(query).await?.into_iter().next();
            self.touched.remove(&txn_id);
            match found {
                Some(row) => self.put(row),
                None => drop(self.places.remove(&txn_id).and_then(|place| self.rows.remove(&place))),
            }
        }
        Ok(())
    }

    fn put(&mut self, row: Pending) {
        self.places.insert(row.txn_id.clone(), row.seq);
        self.rows.insert(row.seq, Row::of(row));
    }

    /// The number of messages that the server does not have.
    pub(super) fn unsent(&self) -> u64 {
        let unsent = |row: &&Row| row.is_event && row.pending.state != PendingState::Sent;
        self.rows.values().filter(unsent).count() as u64
    }

    /// Tells if no row goes on by itself. In a room, nothing goes on behind what is parked.
    pub(super) fn is_settled(&self) -> bool {
        let mut stuck = HashSet::new();
        self.rows.values().all(|Row { pending, .. }| match SendStatus::of(pending) {
            SendStatus::Parked(_) => {
                stuck.insert(&pending.room);
                true
            }
            SendStatus::Sent => false,
            _ => stuck.contains(&pending.room),
        })
    }

    /// The messages, each with how its uploads go.
    fn shown(&self) -> Vec<OutboxRow> {
        let shown = |Row { pending, text, .. }: &Row| {
            let find = |txn_id: &TxnId| Some(&self.rows.get(self.places.get(txn_id)?)?.pending);
            let (status, error) = SendStatus::of_message(pending, find);
            OutboxRow {
                txn_id: pending.txn_id.clone(),
                room: pending.room.clone(),
                kind: pending.kind.clone(),
                text: text.clone(),
                status,
                error: error.map(str::to_owned),
                created_ms: pending.created_ms,
            }
        };
        self.rows.values().filter(|row| row.is_event).map(shown).collect()
    }
}

impl Row {
    fn of(pending: Pending) -> Self {
        let is_event = Class::of(&pending) == Class::Event;
        let text = match is_event {
            true => Content::of_message(&pending.kind, &pending.content).plain(),
            false => String::new(),
        };
        let text = text.chars().take(LONGEST).collect();
        Self { pending: Pending { content: Json::empty(), ..pending }, text, is_event }
    }
}

#[cfg_attr(not(target_arch = "wasm32"), async_trait)]
#[cfg_attr(target_arch = "wasm32", async_trait(?Send))]
impl Reader for Rows {
    type Item = OutboxRow;

    fn key(item: &OutboxRow) -> &str {
        item.txn_id.as_ref()
    }

    fn note(&mut self, change: &Change) -> bool {
        self.heed(change)
    }

    async fn read(&mut self) -> Result<Vec<OutboxRow>> {
        self.refresh().await?;
        Ok(self.shown())
    }
}
