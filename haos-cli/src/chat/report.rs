//! The outcome of a command that writes.

use std::io::Write as _;

use haos::{Chat, EventId, TxnId};
use haos_store_api::{MessageQuery, Pending, PendingQuery, PendingState, StorageAdapter};
use serde::Serialize;

use super::deliver::deliver;
use super::row::{RowFields, status, what_next};
use crate::error::{Error, Result};
use crate::out::Out;
use crate::text::clean;

/// The act of a command on the outbox.
#[derive(Debug, Clone)]
pub(super) enum Done {
    /// A row is new.
    Queued(TxnId),
    /// A row that was not sent has other content.
    Changed(TxnId),
    /// A row is to be tried again.
    Retried(TxnId),
    /// A row was taken back.
    Cancelled {
        txn_id: TxnId,
        /// The server may have it nevertheless.
        maybe_sent: bool,
    },
}

/// The outcome, for programs.
#[derive(Serialize)]
struct Fields<'a> {
    /// `queued`, `changed`, `retried`, `cancelled`, `sent` or `parked`.
    outcome: &'static str,
    txn_id: &'a str,
    event_id: Option<&'a str>,
    maybe_sent: bool,
    /// The row, as long as the outbox has it.
    row: Option<RowFields<'a>>,
}

/// The present state of a row.
struct Stands {
    row: Option<Pending>,
    event_id: Option<EventId>,
}

/// Waits until it is sent, where it can be, and tells what became of it.
pub(super) async fn tell(chat: Chat, done: Done, wait: u32, out: &mut Out) -> Result<()> {
    let (txn_id, outcome, maybe_sent) = match &done {
        Done::Queued(txn_id) => (txn_id, "queued", false),
        Done::Changed(txn_id) => (txn_id, "changed", false),
        Done::Retried(txn_id) => (txn_id, "retried", false),
        Done::Cancelled { txn_id, maybe_sent } => (txn_id, "cancelled", *maybe_sent),
    };
    let why = match outcome {
        "cancelled" => None,
        _ => deliver(&chat, txn_id, wait).await?,
    };
    chat.stop().await;
    let stands = stands(&**chat.store(), txn_id).await?;
    chat.close().await?;
    let outcome = match stands.row.as_ref().map(|row| row.state) {
        _ if outcome == "cancelled" => outcome,
        Some(PendingState::Parked(_)) => "parked",
        // A receipt is sent, and leaves no event.
        None => "sent",
        _ if stands.event_id.is_some() => "sent",
        _ => outcome,
    };
    let event_id = stands.event_id.as_ref().map(|id| id.as_str());
    if out.json {
        let row = stands.row.as_ref().map(RowFields::from);
        out.json(&Fields { outcome, txn_id: txn_id.as_str(), event_id, maybe_sent, row })?;
    } else {
        let shown = clean(txn_id.as_str());
        match outcome {
            "parked" => {}
            "sent" => writeln!(out, "sent: {}", clean(event_id.unwrap_or(txn_id.as_str())))?,
            "cancelled" if maybe_sent => writeln!(
                out,
                "cancelled: {shown}. An attempt to send it had no answer: others may have seen it"
            )?,
            "cancelled" => writeln!(out, "cancelled: {shown}. Nobody saw it")?,
            _ => writeln!(out, "{outcome}: {shown}; {}", clean(&why.unwrap_or_default()))?,
        }
    }
    match stands.row {
        Some(row) if outcome == "parked" => {
            Err(Error::Input(format!("not sent; {}. {}", clean(&status(&row)), what_next(&row))))
        }
        _ => Ok(()),
    }
}

/// Reads the present state of a row.
async fn stands(store: &dyn StorageAdapter, txn_id: &TxnId) -> Result<Stands> {
    let query = PendingQuery { txn_id: Some(txn_id.clone()), ..PendingQuery::default() };
    if let Some(row) = store.pending(query).await?.into_iter().next() {
        let event_id = row.event_id.clone();
        return Ok(Stands { row: Some(row), event_id });
    }
    let sent = store.messages(MessageQuery::Txn(txn_id.clone())).await?;
    Ok(Stands { row: None, event_id: sent.into_iter().next().map(|message| message.id) })
}
