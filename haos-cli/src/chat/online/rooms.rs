//! `haos join`, `leave` and `read`.

use std::io::Write as _;

use haos::{EventId, RoomId};
use haos_matrix::compose;
use haos_store_api::{Page, Room, StorageAdapter};
use serde::Serialize;

use crate::args::{JoinArgs, ReadArgs, RoomArgs};
use crate::chat::desk::logged_in;
use crate::chat::report::{Done, tell};
use crate::chat::subject::Subject;
use crate::error::{Error, Result};
use crate::find;
use crate::open::Target;
use crate::out::Out;
use crate::text::clean;

/// How far back the newest message that can be marked as read is looked for.
const NEWEST: usize = 50;

#[derive(Serialize)]
struct Moved<'a> {
    room_id: &'a str,
    membership: &'static str,
}

pub(crate) async fn join(store: &Target, args: &JoinArgs, out: &mut Out) -> Result<()> {
    let chat = store.chat().await?;
    logged_in(&chat)?;
    let wanted = args.room.as_str();
    let known = match wanted.starts_with('#') {
        true => None,
        false => match find::room(&**chat.store(), wanted).await {
            Ok(room) => Some(room.id),
            Err(_) if wanted.starts_with('!') => None,
            Err(error) => return Err(error),
        },
    };
    let wanted = known.as_ref().map_or(wanted, RoomId::as_str);
    let joined = chat.join(wanted).await;
    let room = joined.map_err(|e| Error::from(e).on(&format!("{} was not joined", clean(wanted))))?;
    chat.close().await?;
    moved(room.id(), "join", "joined", out)
}

pub(crate) async fn leave(store: &Target, args: &RoomArgs, out: &mut Out) -> Result<()> {
    let chat = store.chat().await?;
    logged_in(&chat)?;
    let room = find::room(&**chat.store(), &args.room).await?;
    let left = chat.room(&room.id).leave().await;
    left.map_err(|e| Error::from(e).on(&format!("{} was not left", room.id)))?;
    chat.close().await?;
    moved(&room.id, "leave", "left", out)
}

fn moved(room: &RoomId, membership: &'static str, done: &str, out: &mut Out) -> Result<()> {
    let words = format!("{done}: {}; the next `haos sync` shows it", clean(room.as_str()));
    out.tell(&Moved { room_id: room.as_str(), membership }, |out| Ok(writeln!(out, "{words}")?))
}

pub(crate) async fn read(store: &Target, args: &ReadArgs, out: &mut Out) -> Result<()> {
    let chat = store.chat().await?;
    let room = find::room(&**chat.store(), &args.room).await?;
    let upto = match &args.event {
        Some(wanted) => match Subject::find(&**chat.store(), &room, wanted, false).await? {
            Subject::Stored(message) => message.id,
            _ => return Err(Error::Input("the homeserver does not have this message yet".to_owned())),
        },
        None => newest(&**chat.store(), &room).await?,
    };
    let draft = compose::read(&room.id, &upto, args.private)?;
    let row = chat.outbox_handle().enqueue(draft).await.map_err(haos::Error::from)?;
    tell(chat, Done::Queued(row.txn_id), args.how.wait, out).await
}

/// The newest message that the server has for sure.
async fn newest(store: &dyn StorageAdapter, room: &Room) -> Result<EventId> {
    let slice = store.timeline(&room.id, Page::newest(NEWEST)).await?;
    let newest = slice.messages().rev().find(|message| !message.provisional);
    newest.map(|message| message.id.clone()).ok_or_else(|| {
        Error::Input(format!("nothing is stored of {}, so nothing was read", find::label(room)))
    })
}
