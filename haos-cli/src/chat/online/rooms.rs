//! `haos join`, `leave` and `read`.

use std::io::Write as _;

use haos_matrix::compose;
use haos_store_api::{EventId, Page, Room, RoomId, StorageAdapter};
use serde::Serialize;

use super::answer_fault;
use crate::args::{JoinArgs, ReadArgs, RoomArgs};
use crate::chat::desk::{Desk, refused};
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
    let desk = Desk::open(store).await?;
    let client = desk.logged_in()?;
    let wanted = args.room.as_str();
    let known = match wanted.starts_with('#') {
        true => None,
        false => match find::room(&*desk.store, wanted).await {
            Ok(room) => Some(room.id),
            Err(_) if wanted.starts_with('!') => None,
            Err(error) => return Err(error),
        },
    };
    let wanted = known.as_ref().map_or(wanted, RoomId::as_str);
    // The server in the name knows the room; ids of new room versions have none.
    let via: Vec<&str> = wanted.split_once(':').map(|(_, server)| server).into_iter().collect();
    let joined = client.homeserver().join(wanted, &via).await;
    let room =
        joined.map_err(|answer| answer_fault(&format!("{} was not joined", clean(wanted)), &answer))?;
    desk.close().await?;
    moved(&room, "join", "joined", out)
}

pub(crate) async fn leave(store: &Target, args: &RoomArgs, out: &mut Out) -> Result<()> {
    let desk = Desk::open(store).await?;
    let client = desk.logged_in()?;
    let room = find::room(&*desk.store, &args.room).await?;
    let left = client.homeserver().leave(&room.id).await;
    left.map_err(|answer| answer_fault(&format!("{} was not left", room.id), &answer))?;
    desk.close().await?;
    moved(&room.id, "leave", "left", out)
}

fn moved(room: &RoomId, membership: &'static str, done: &str, out: &mut Out) -> Result<()> {
    let words = format!("{done}: {}; the next `haos sync` shows it", clean(room.as_str()));
    out.tell(&Moved { room_id: room.as_str(), membership }, |out| Ok(writeln!(out, "{words}")?))
}

pub(crate) async fn read(store: &Target, args: &ReadArgs, out: &mut Out) -> Result<()> {
    let desk = Desk::open(store).await?;
    let room = find::room(&*desk.store, &args.room).await?;
    let upto = match &args.event {
        Some(wanted) => match Subject::find(&*desk.store, &room, wanted, false).await? {
            Subject::Stored(message) => message.id,
            _ => return Err(Error::Input("the homeserver does not have this message yet".to_owned())),
        },
        None => newest(&*desk.store, &room).await?,
    };
    let row = desk.outbox.enqueue(compose::read(&room.id, &upto, args.private)?).await.map_err(refused)?;
    tell(desk, Done::Queued(row.txn_id), args.how.wait, out).await
}

/// The newest message that the server has for sure.
async fn newest(store: &dyn StorageAdapter, room: &Room) -> Result<EventId> {
    let slice = store.timeline(&room.id, Page::newest(NEWEST)).await?;
    let newest = slice.messages().rev().find(|message| !message.provisional);
    newest.map(|message| message.id.clone()).ok_or_else(|| {
        Error::Input(format!("nothing is stored of {}, so nothing was read", find::label(room)))
    })
}
