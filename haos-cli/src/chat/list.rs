//! `haos outbox`: what was written and is not confirmed.

use std::io::Write as _;

use haos::{About, Acted, Chat, TxnId};
use haos_store_api::Pending;
use serde::Serialize;

use super::report::{Done, tell};
use super::row::{RowFields, print};
use super::subject::{by_txn, rows};
use super::write::outcome;
use crate::args::{OutboxArgs, OutboxCommand, RetryArgs};
use crate::error::{Error, Result};
use crate::find;
use crate::open::Target;
use crate::out::Out;
use crate::text::{clean, plural};

/// The rows that `retry` took up, for programs.
#[derive(Serialize)]
struct Retried {
    retried: usize,
    /// Rows that are still parked, for the user to decide: they may have arrived, or what they are about
    /// was not sent.
    left: usize,
}

pub(crate) async fn outbox(store: &Target, args: &OutboxArgs, out: &mut Out) -> Result<()> {
    let chat = store.chat().await?;
    match &args.command {
        None => list(chat, None, out).await,
        Some(OutboxCommand::List { room }) => list(chat, room.as_deref(), out).await,
        Some(OutboxCommand::Retry(args)) => retry(chat, args, out).await,
        Some(OutboxCommand::Cancel { row, how }) => {
            let txn_id = txn_id(&chat, row).await?;
            let acted = chat.outbox_handle().cancel(&txn_id).await.map_err(haos::Error::from)?;
            let cancelled = |txn_id, maybe_sent| Done::Cancelled { txn_id, maybe_sent };
            tell(chat, outcome(acted, About::Unsent(txn_id), cancelled)?, how.wait, out).await
        }
    }
}

async fn list(chat: Chat, room: Option<&str>, out: &mut Out) -> Result<()> {
    let room = match room {
        Some(room) => Some(find::room(&**chat.store(), room).await?),
        None => None,
    };
    let rows = rows(&**chat.store(), room.as_ref()).await?;
    if out.json {
        out.json(&rows.iter().map(RowFields::from).collect::<Vec<_>>())?;
        return Ok(chat.close().await?);
    }
    // A room's rows together, the room of the oldest row first; in each, the order in which they are sent.
    let mut ids: Vec<_> = Vec::new();
    for row in &rows {
        if !ids.contains(&&row.room) {
            ids.push(&row.room);
        }
    }
    for id in ids {
        let room = chat.store().room(id).await?;
        writeln!(out, "{}", room.as_ref().map_or_else(|| clean(id.as_str()), find::label))?;
        for row in rows.iter().filter(|row| row.room == *id) {
            write!(out, "  ")?;
            print(row, out)?;
        }
    }
    match rows.len() {
        0 => writeln!(out, "the outbox is empty")?,
        n => writeln!(out, "{}; `haos sync` sends what waits", plural(n as u64, "row"))?,
    }
    Ok(chat.close().await?)
}

async fn retry(chat: Chat, args: &RetryArgs, out: &mut Out) -> Result<()> {
    let Some(wanted) = &args.row else { return retry_all(chat, out).await };
    let txn_id = txn_id(&chat, wanted).await?;
    match chat.outbox_handle().retry(&txn_id).await? {
        Acted::Gone => Err(gone(wanted)),
        _ => tell(chat, Done::Retried(txn_id), args.how.wait, out).await,
    }
}

async fn retry_all(chat: Chat, out: &mut Out) -> Result<()> {
    let retried = chat.retry_all().await?;
    let left = rows(&**chat.store(), None).await?;
    let parked = |row: &&Pending| matches!(row.state, haos_store_api::PendingState::Parked(_));
    let done = Retried { retried, left: left.iter().filter(parked).count() };
    chat.close().await?;
    if out.json {
        return Ok(out.json(&done)?);
    }
    writeln!(out, "{} taken up again; `haos sync` sends them", plural(done.retried as u64, "row"))?;
    if done.left > 0 {
        writeln!(
            out,
            "{} left for you to decide: `haos outbox` says why, then `haos outbox retry TXN` or \
             `haos outbox cancel TXN`",
            plural(done.left as u64, "row")
        )?;
    }
    Ok(())
}

/// The row that is meant.
async fn txn_id(chat: &Chat, wanted: &str) -> Result<TxnId> {
    let rows = rows(&**chat.store(), None).await?;
    by_txn(&rows, wanted).map(|row| row.txn_id.clone()).ok_or_else(|| gone(wanted))
}

fn gone(wanted: &str) -> Error {
    Error::Input(format!(
        "the outbox has no row, or more than one, that begins with {}: `haos outbox` lists them",
        clean(wanted)
    ))
}
