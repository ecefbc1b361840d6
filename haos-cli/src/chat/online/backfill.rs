//! `haos backfill`: older messages of a room.

use std::io::Write as _;

use haos_matrix::Client;
use haos_store_api::{Cursor, Room, StorageAdapter};
use serde::Serialize;

use super::args::BackfillArgs;
use super::fault::fetch_fault;
use crate::chat::desk::Desk;
use crate::error::{Error, Result};
use crate::find;
use crate::open::Target;
use crate::out::Out;
use crate::progress;
use crate::text::plural;

/// So many messages are asked for at once.
const PORTION: usize = 100;

/// What came, for programs.
#[derive(Serialize)]
struct Fetched {
    room_id: String,
    /// Messages that the store did not have.
    fetched: u64,
    /// Messages that it has now.
    messages: u64,
    /// Whether the beginning of the room is stored, with nothing missing.
    complete: bool,
}

pub(crate) async fn backfill(store: &Target, args: &BackfillArgs, out: &mut Out) -> Result<()> {
    let desk = Desk::open(store).await?;
    let client = desk.logged_in()?;
    let room = find::room(&*desk.store, &args.room).await?;
    let limit = if args.all { u64::MAX } else { args.limit };
    let before = desk.store.count(&room.id, None).await?;
    let bar = progress::counter("fetching", out.json);
    let interrupted = super::sync::interrupted()?;
    let walked = tokio::select! {
        walked = walk(client, &*desk.store, &room, before, limit, |fetched| bar.set_position(fetched)) => walked,
        () = interrupted => Ok(Ended::Stopped(Error::Failed("interrupted: the same command goes on".to_owned()))),
    };
    bar.finish_and_clear();
    let messages = desk.store.count(&room.id, None).await?;
    let walked = walked?;
    let complete = matches!(walked, Ended::Beginning);
    let done = Fetched {
        room_id: room.id.to_string(),
        fetched: messages.saturating_sub(before),
        messages,
        complete,
    };
    desk.close().await?;
    if out.json {
        out.json(&done)?;
    } else {
        let rest = if complete { ", back to the beginning of the room" } else { "" };
        writeln!(
            out,
            "{} fetched; {} stored{rest}",
            plural(done.fetched, "message"),
            plural(messages, "message")
        )?;
    }
    match walked {
        Ended::Stopped(error) => Err(error),
        _ => Ok(()),
    }
}

/// How a walk into the past ended.
enum Ended {
    Beginning,
    Enough,
    Stopped(Error),
}

/// Goes back in time until so many messages are new, or there are none.
async fn walk(
    client: &Client,
    store: &dyn StorageAdapter,
    room: &Room,
    stored: u64,
    limit: u64,
    tell: impl Fn(u64),
) -> Result<Ended> {
    let mut before: Option<Cursor> = None;
    loop {
        let page = client.engine().backfill(&room.id, before.clone(), PORTION).await?;
        let fetched = store.count(&room.id, None).await?.saturating_sub(stored);
        tell(fetched);
        if let Some(error) = page.stopped {
            return Ok(Ended::Stopped(fetch_fault("the other messages", error)));
        }
        match page.slice.older() {
            _ if !page.slice.more => return Ok(Ended::Beginning),
            _ if fetched >= limit => return Ok(Ended::Enough),
            // A page without an item is no step into the past.
            older if older.is_none() || older == before => return Ok(Ended::Enough),
            older => before = older,
        }
    }
}
