//! What a program keeps beside the chat, in the same store: texts under a kind and a name, and what it sends by itself.

use haos_store_api::{
    EventId, EventType, Json, ParkReason, Pending, PendingQuery, PendingState, RoomId, Scope, StateEntry,
    StateKey, StateQuery, StorageAdapter, TxnId, WriteBatch,
};
use serde::{Deserialize, Serialize};

use crate::error::Result;

/// What the kinds of a program begin with, so that they are no protocol's.
const PREFIX: &str = "haos.kept.";

/// Read what a program keeps: for each that is wanted, the texts by their names.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "ts", derive(Serialize, ts_rs::TS), ts(optional_fields))]
pub struct KeptCall {
    /// Which.
    pub of: Vec<KeptWanted>,
}

/// Which texts.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "ts", derive(Serialize, ts_rs::TS), ts(optional_fields))]
pub struct KeptWanted {
    /// Their kind.
    pub kind: String,
    /// This one alone, instead of all.
    pub name: Option<String>,
}

/// A text that is kept.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Kept {
    /// Its name within its kind.
    pub name: StateKey,
    /// The text.
    pub text: String,
}

/// Keep texts, remove others, and say what the program sends by itself: one commit.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "ts", derive(Serialize, ts_rs::TS), ts(optional_fields))]
#[serde(rename_all = "camelCase")]
pub struct KeepCall {
    /// Keep these, in the place of those of the same names.
    pub put: Option<Vec<ToKeep>>,
    /// Remove these.
    pub remove: Option<Vec<KeptName>>,
    /// Hold these in the outbox, which sends none of them by itself.
    pub hold: Option<Vec<HeldBack>>,
    /// Let these rows of the outbox go.
    pub release: Option<Vec<TxnId>>,
}

/// A text to keep.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "ts", derive(Serialize, ts_rs::TS))]
pub struct ToKeep {
    /// Its kind.
    pub kind: String,
    /// Its name within the kind, up to 255 bytes.
    pub name: StateKey,
    /// The text.
    pub text: String,
}

/// The name of a text that is kept.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "ts", derive(Serialize, ts_rs::TS))]
pub struct KeptName {
    /// Its kind.
    pub kind: String,
    /// Its name within the kind.
    pub name: StateKey,
}

/// A row of the outbox that waits for the user, since somebody else may send it still.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(optional_fields))]
#[serde(rename_all = "camelCase")]
pub struct HeldBack {
    /// Its transaction.
    pub txn_id: TxnId,
    /// The room.
    pub room: RoomId,
    /// The type of the event.
    pub kind: EventType,
    /// The content.
    pub content: Json,
    /// The event that it takes back, for a redaction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<EventId>,
    /// When it was written, in milliseconds since 1970.
    pub created_ms: i64,
}

impl HeldBack {
    fn into_row(self) -> Pending {
        let row = Pending::new(self.txn_id, self.room, self.kind, self.content, self.created_ms);
        Pending { target: self.target, state: PendingState::Parked(ParkReason::Restored), ..row }
    }

    fn of_row(row: Pending) -> Option<Self> {
        (row.state == PendingState::Parked(ParkReason::Restored)).then_some(Self {
            txn_id: row.txn_id,
            room: row.room,
            kind: row.kind,
            content: row.content,
            target: row.target,
            created_ms: row.created_ms,
        })
    }
}

fn kind_of(kind: &str) -> Result<EventType> {
    Ok(EventType::new(format!("{PREFIX}{kind}"))?)
}

/// Reads what is kept, a list for each that is wanted.
pub(crate) async fn read(store: &dyn StorageAdapter, of: Vec<KeptWanted>) -> Result<Vec<Vec<Kept>>> {
    let mut queries = Vec::with_capacity(of.len());
    for wanted in of {
        let kind = kind_of(&wanted.kind)?;
        queries.push(match wanted.name {
            Some(name) => StateQuery::one(Scope::Account, kind, StateKey::new(name)?),
            None => StateQuery::kind(Scope::Account, kind),
        });
    }
    let mut lists = Vec::with_capacity(queries.len());
    for entries in store.states(queries).await? {
        let kept = |entry: StateEntry| Ok(Kept { text: entry.value.parse()?, name: entry.key });
        lists.push(entries.into_iter().map(kept).collect::<Result<_>>()?);
    }
    Ok(lists)
}

/// Writes what is to be kept.
pub(crate) async fn write(store: &dyn StorageAdapter, call: KeepCall) -> Result<()> {
    // What another one will send is not to be lost with the power; texts can be had again.
    let is_sent = call.hold.is_some() || call.release.is_some();
    let mut batch = if is_sent { WriteBatch::strict() } else { WriteBatch::relaxed() };
    for ToKeep { kind, name, text } in call.put.into_iter().flatten() {
        let (kind, value) = (kind_of(&kind)?, Json::of(&text)?);
        batch.put_state(StateEntry { scope: Scope::Account, kind, key: name, event_id: None, value });
    }
    for KeptName { kind, name } in call.remove.into_iter().flatten() {
        batch.remove_state(Scope::Account, kind_of(&kind)?, name);
    }
    for row in call.hold.into_iter().flatten() {
        batch.put_pending(row.into_row());
    }
    for txn_id in call.release.into_iter().flatten() {
        batch.remove_pending(txn_id);
    }
    store.apply(batch).await?;
    Ok(())
}

/// Reads the rows of a room that are held back, in order.
pub(crate) async fn held_back(store: &dyn StorageAdapter, room: RoomId) -> Result<Vec<HeldBack>> {
    let query = PendingQuery { room: Some(room), ..PendingQuery::default() };
    Ok(store.pending(query).await?.into_iter().filter_map(HeldBack::of_row).collect())
}
