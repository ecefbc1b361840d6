//! `haos backfill`: older messages of a room.

use std::io::Write as _;

use haos_matrix::{Client, Left};
use haos_store_api::{Cursor, Room, StorageAdapter};
use serde::Serialize;

use crate::args::BackfillArgs;
use crate::chat::desk::logged_in;
use crate::error::{Error, Result};
use crate::find;
use crate::open::Target;
use crate::out::Out;
use crate::progress;
use crate::text::plural;

/// The number of messages in a request.
const PORTION: usize = 100;
/// The number of portions without a message after which it ends: a server without any goes on for ever otherwise.
const BARREN: u32 = 10;

/// The result, for programs.
#[derive(Serialize)]
struct Fetched {
    room_id: String,
    /// Messages that the store did not have.
    fetched: u64,
    /// Messages that it has now.
    messages: u64,
    /// The beginning of the room is stored, with nothing missing.
    complete: bool,
}

pub(crate) async fn backfill(store: &Target, args: &BackfillArgs, out: &mut Out) -> Result<()> {
    let chat = store.chat().await?;
    let client = logged_in(&chat)?;
    let room = find::room(&**chat.store(), &args.room).await?;
    let limit = if args.all { u64::MAX } else { args.limit };
    let before = chat.store().count(&room.id, None).await?;
    let bar = progress::counter("fetching", out.json);
    let interrupted = super::sync::interrupted()?;
    let walked = tokio::select! {
        walked = walk(&client, &**chat.store(), &room, before, limit, |fetched| bar.set_position(fetched)) => walked,
        () = interrupted => Ok(Ended::Stopped(Error::Failed("interrupted: the same command goes on".to_owned()))),
    };
    bar.finish_and_clear();
    let messages = chat.store().count(&room.id, None).await?;
    let walked = walked?;
    let complete = matches!(walked, Ended::Beginning);
    let done = Fetched {
        room_id: room.id.to_string(),
        fetched: messages.saturating_sub(before),
        messages,
        complete,
    };
    chat.close().await?;
    let rest = if complete { ", back to the beginning of the room" } else { "" };
    let [fetched, stored] = [done.fetched, messages].map(|n| plural(n, "message"));
    out.tell(&done, |out| Ok(writeln!(out, "{fetched} fetched; {stored} stored{rest}")?))?;
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

/// Goes back in time until `limit` messages are new, or the server says that there are no more. The rest of a gap
/// is no beginning, however many pages were empty.
async fn walk(
    client: &Client,
    store: &dyn StorageAdapter,
    room: &Room,
    stored: u64,
    limit: u64,
    tell: impl Fn(u64),
) -> Result<Ended> {
    let mut before: Option<Cursor> = None;
    let (mut fetched, mut barren) = (0, 0);
    loop {
        let page = client.engine().backfill(&room.id, before.clone(), PORTION).await?;
        let count = store.count(&room.id, None).await?.saturating_sub(stored);
        barren = if count > std::mem::replace(&mut fetched, count) { 0 } else { barren + 1 };
        tell(fetched);
        let is_beginning = page.is_beginning();
        match page.left {
            Some(Left::Stopped(error)) => {
                let error = Error::from(haos::Error::from(error)).on("the other messages");
                return Ok(Ended::Stopped(error));
            }
            Some(_) if fetched >= limit => return Ok(Ended::Enough),
            Some(Left::Unfinished) if barren < BARREN => continue,
            Some(_) => {
                let message = "not finished: the server brings no more messages, and does not say that there are \
                               none; the same command goes on";
                return Ok(Ended::Stopped(Error::Failed(message.to_owned())));
            }
            None => barren = 0,
        }
        match page.slice.older() {
            _ if is_beginning && store.gaps(&room.id).await?.is_empty() => return Ok(Ended::Beginning),
            _ if fetched >= limit => return Ok(Ended::Enough),
            // A page without an item is no step into the past.
            older if older.is_none() || older == before || !page.slice.more => return Ok(Ended::Enough),
            older => before = older,
        }
    }
}
