//! `haos outbox`: what was written and is not confirmed.

use std::io::Write as _;

use haos_queue::Acted;
use haos_store_api::{Pending, TxnId};
use serde::Serialize;

use super::desk::{Desk, refused};
use super::report::{Done, tell};
use super::row::{RowFields, print};
use super::subject::{by_txn, rows};
use super::write::cancelled;
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
    let desk = Desk::open(store).await?;
    match &args.command {
        None => list(desk, None, out).await,
        Some(OutboxCommand::List { room }) => list(desk, room.as_deref(), out).await,
        Some(OutboxCommand::Retry(args)) => retry(desk, args, out).await,
        Some(OutboxCommand::Cancel { row, how }) => {
            let txn_id = txn_id(&desk, row).await?;
            let acted = desk.outbox.cancel(&txn_id).await.map_err(refused)?;
            let done = cancelled(acted, &txn_id).ok_or_else(|| gone(row))?;
            tell(desk, done, how.wait, out).await
        }
    }
}

async fn list(desk: Desk, room: Option<&str>, out: &mut Out) -> Result<()> {
    let room = match room {
        Some(room) => Some(find::room(&*desk.store, room).await?),
        None => None,
    };
    let rows = rows(&*desk.store, room.as_ref()).await?;
    if out.json {
        out.json(&rows.iter().map(RowFields::from).collect::<Vec<_>>())?;
        return desk.close().await;
    }
    // A room's rows together, the room of the oldest row first; in each, the order in which they are sent.
    let mut ids: Vec<_> = Vec::new();
    for row in &rows {
        if !ids.contains(&&row.room) {
            ids.push(&row.room);
        }
    }
    for id in ids {
        let room = desk.store.room(id).await?;
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
    desk.close().await
}

async fn retry(desk: Desk, args: &RetryArgs, out: &mut Out) -> Result<()> {
    let Some(wanted) = &args.row else { return retry_all(desk, out).await };
    let txn_id = txn_id(&desk, wanted).await?;
    match desk.outbox.retry(&txn_id).await? {
        Acted::Gone => Err(gone(wanted)),
        _ => tell(desk, Done::Retried(txn_id), args.how.wait, out).await,
    }
}

async fn retry_all(desk: Desk, out: &mut Out) -> Result<()> {
    let retried = desk.outbox.retry_all().await?;
    let left = rows(&*desk.store, None).await?;
    let parked = |row: &&Pending| matches!(row.state, haos_store_api::PendingState::Parked(_));
    let done = Retried { retried, left: left.iter().filter(parked).count() };
    desk.close().await?;
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
async fn txn_id(desk: &Desk, wanted: &str) -> Result<TxnId> {
    let rows = rows(&*desk.store, None).await?;
    by_txn(&rows, wanted).map(|row| row.txn_id.clone()).ok_or_else(|| gone(wanted))
}

fn gone(wanted: &str) -> Error {
    Error::Input(format!(
        "the outbox has no row, or more than one, that begins with {}: `haos outbox` lists them",
        clean(wanted)
    ))
}
