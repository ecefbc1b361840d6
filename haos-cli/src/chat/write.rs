//! `haos send`, `reply`, `edit`, `react` and `redact`.

use haos_matrix::{Mentions, compose};
use haos_queue::{Acted, Draft};
use haos_store_api::{PendingState, Room, TxnId};
use serde_json::Value;

use super::desk::{Desk, refused};
use super::report::{Done, tell};
use super::subject::Subject;
use super::{check, input};
use crate::args::{EditArgs, How, ReactArgs, RedactArgs, ReplyArgs, SendArgs};
use crate::error::{Error, Result};
use crate::find;
use crate::open::Target;
use crate::out::Out;

/// How often a message is looked for again that left the outbox in the same moment.
const TRIES: usize = 3;

/// The longest reaction, in bytes: an emoji with all its joiners has 35.
const LONGEST_KEY: usize = 256;

pub(crate) async fn send(store: &Target, args: &SendArgs, out: &mut Out) -> Result<()> {
    let text = input::text(&args.text)?;
    let desk = Desk::open(store).await?;
    let room = room(&desk, &args.room, args.how).await?;
    enqueue(desk, compose::text(&room.id, &text)?, args.how, out).await
}

pub(crate) async fn reply(store: &Target, args: &ReplyArgs, out: &mut Out) -> Result<()> {
    let text = input::text(&args.text)?;
    let desk = Desk::open(store).await?;
    let room = room(&desk, &args.room, args.how).await?;
    let subject = Subject::find(&*desk.store, &room, &args.event, args.how.anyway).await?;
    check::may_be_about(&subject)?;
    let author = match &subject {
        Subject::Stored(message) => Some(&message.sender).filter(|sender| Some(*sender) != desk.own.as_ref()),
        _ => None,
    };
    let draft = compose::reply(&room.id, &subject.about(), author, &text)?;
    enqueue(desk, draft, args.how, out).await
}

pub(crate) async fn react(store: &Target, args: &ReactArgs, out: &mut Out) -> Result<()> {
    if args.key.trim().is_empty() || args.key.len() > LONGEST_KEY {
        return Err(Error::Input("a reaction is an emoji or a short text: nothing was written".to_owned()));
    }
    let desk = Desk::open(store).await?;
    let room = room(&desk, &args.room, args.how).await?;
    let subject = Subject::find(&*desk.store, &room, &args.event, args.how.anyway).await?;
    check::may_be_about(&subject)?;
    enqueue(desk, compose::reaction(&room.id, &subject.about(), &args.key)?, args.how, out).await
}

pub(crate) async fn edit(store: &Target, args: &EditArgs, out: &mut Out) -> Result<()> {
    let text = input::text(&args.text)?;
    let desk = Desk::open(store).await?;
    let room = room(&desk, &args.room, args.how).await?;
    for _ in 0..TRIES {
        let subject = Subject::find(&*desk.store, &room, &args.event, args.how.anyway).await?;
        let kind = check::may_edit(&subject, desk.own.as_ref(), args.how.anyway)?;
        // Whom the message calls, it goes on to call.
        let before = subject.content();
        let mut content = compose::text_content(&text, &before.map(Mentions::of).unwrap_or_default());
        content["msgtype"] = Value::String(kind);
        let Subject::Unsent(row) = &subject else {
            let draft = compose::edit(&room.id, &subject.about(), &content, before)?;
            return enqueue(desk, draft, args.how, out).await;
        };
        let content = compose::in_place(content, &row.content)?;
        let acted = desk.outbox.edit(&row.txn_id, content).await.map_err(refused)?;
        if let Some(done) = done(acted, &row.txn_id, Done::Changed) {
            return tell(desk, done, args.how.wait, out).await;
        }
    }
    Err(moved())
}

pub(crate) async fn redact(store: &Target, args: &RedactArgs, out: &mut Out) -> Result<()> {
    let desk = Desk::open(store).await?;
    let room = room(&desk, &args.room, args.how).await?;
    for _ in 0..TRIES {
        let subject = Subject::find(&*desk.store, &room, &args.event, args.how.anyway).await?;
        check::may_redact(&subject)?;
        match &subject {
            // A reason is for those who have the message.
            Subject::Unsent(row) if args.reason.is_none() || row.state != PendingState::Sent => {
                let acted = desk.outbox.cancel(&row.txn_id).await.map_err(refused)?;
                if let Some(done) = cancelled(acted, &row.txn_id) {
                    return tell(desk, done, args.how.wait, out).await;
                }
            }
            subject => {
                let draft = compose::redaction(&room.id, &subject.about(), args.reason.as_deref())?;
                return enqueue(desk, draft, args.how, out).await;
            }
        }
    }
    Err(moved())
}

/// The room, where something is to be written.
pub(super) async fn room(desk: &Desk, wanted: &str, how: How) -> Result<Room> {
    let room = find::room(&*desk.store, wanted).await?;
    check::may_write(&room, how.anyway)?;
    Ok(room)
}

/// Puts a draft into the outbox, and tells what became of it.
pub(super) async fn enqueue(desk: Desk, draft: Draft, how: How, out: &mut Out) -> Result<()> {
    let row = desk.outbox.enqueue(draft).await.map_err(refused)?;
    tell(desk, Done::Queued(row.txn_id), how.wait, out).await
}

/// The outcome for a row; `None` if it left the outbox.
fn done(acted: Acted, txn_id: &TxnId, changed: fn(TxnId) -> Done) -> Option<Done> {
    match acted {
        Acted::Gone => None,
        Acted::Followed(row) | Acted::Replaced(row) => Some(Done::Queued(row.txn_id)),
        _ => Some(changed(txn_id.clone())),
    }
}

/// The outcome for a row that was taken back; `None` if it left the outbox.
pub(super) fn cancelled(acted: Acted, txn_id: &TxnId) -> Option<Done> {
    match acted {
        Acted::Done { maybe_sent } => Some(Done::Cancelled { txn_id: txn_id.clone(), maybe_sent }),
        acted => done(acted, txn_id, |txn_id| Done::Cancelled { txn_id, maybe_sent: false }),
    }
}

fn moved() -> Error {
    Error::Failed("the message left the outbox in this moment: run the same command again".to_owned())
}
