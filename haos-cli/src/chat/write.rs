//! `haos send`, `reply`, `edit`, `react` and `redact`.

use haos::content::Mentions;
use haos::{About, Acted, Chat, Text, TxnId, UserId};
use haos_store_api::Room;

use super::report::{Done, tell};
use super::subject::Subject;
use super::{check, input};
use crate::args::{EditArgs, How, ReactArgs, RedactArgs, ReplyArgs, SendArgs};
use crate::error::{Error, Result};
use crate::find;
use crate::open::Target;
use crate::out::Out;

/// The longest reaction, in bytes: an emoji with all its joiners has 35.
const LONGEST_KEY: usize = 256;

pub(crate) async fn send(store: &Target, args: &SendArgs, out: &mut Out) -> Result<()> {
    let text = input::text(&args.text)?;
    let chat = store.chat().await?;
    let room = room(&chat, &args.room, args.how).await?;
    let txn_id = chat.room(&room.id).send(text).await?;
    tell(chat, Done::Queued(txn_id), args.how.wait, out).await
}

pub(crate) async fn reply(store: &Target, args: &ReplyArgs, out: &mut Out) -> Result<()> {
    let text = input::text(&args.text)?;
    let chat = store.chat().await?;
    let (room, subject) = subject(&chat, &args.room, &args.event, args.how).await?;
    check::may_be_about(&subject)?;
    let txn_id = chat.room(&room.id).send(Text::new(text).reply_to(subject.about())).await?;
    tell(chat, Done::Queued(txn_id), args.how.wait, out).await
}

pub(crate) async fn react(store: &Target, args: &ReactArgs, out: &mut Out) -> Result<()> {
    if args.key.trim().is_empty() || args.key.len() > LONGEST_KEY {
        return Err(Error::Input("a reaction is an emoji or a short text: nothing was written".to_owned()));
    }
    let chat = store.chat().await?;
    let (room, subject) = subject(&chat, &args.room, &args.event, args.how).await?;
    check::may_be_about(&subject)?;
    let txn_id = chat.room(&room.id).react(subject.about(), &args.key).await?;
    tell(chat, Done::Queued(txn_id), args.how.wait, out).await
}

pub(crate) async fn edit(store: &Target, args: &EditArgs, out: &mut Out) -> Result<()> {
    let text = Text::new(input::text(&args.text)?);
    let chat = store.chat().await?;
    let (room, subject) = subject(&chat, &args.room, &args.event, args.how).await?;
    // Whom the message calls, it goes on to call.
    let calls = subject.content().map(Mentions::of).unwrap_or_default();
    let mut text = calls.users.iter().fold(text, Text::mention);
    if calls.room {
        text = text.mention_room();
    }
    let text = match &*check::may_edit(&subject, own(&chat).as_ref(), args.how.anyway)? {
        "m.notice" => text.notice(),
        "m.emote" => text.emote(),
        _ => text,
    };
    let about = subject.about();
    let acted = chat.room(&room.id).edit(about.clone(), text).await?;
    let done = outcome(acted, about, |txn_id, _| Done::Changed(txn_id))?;
    tell(chat, done, args.how.wait, out).await
}

pub(crate) async fn redact(store: &Target, args: &RedactArgs, out: &mut Out) -> Result<()> {
    let chat = store.chat().await?;
    let (room, subject) = subject(&chat, &args.room, &args.event, args.how).await?;
    check::may_redact(&subject)?;
    let about = subject.about();
    let acted = chat.room(&room.id).redact(about.clone(), args.reason.as_deref()).await?;
    let done = outcome(acted, about, |txn_id, maybe_sent| Done::Cancelled { txn_id, maybe_sent })?;
    tell(chat, done, args.how.wait, out).await
}

fn own(chat: &Chat) -> Option<UserId> {
    chat.account().map(|account| account.user)
}

/// The room, where something is to be written.
pub(super) async fn room(chat: &Chat, wanted: &str, how: How) -> Result<Room> {
    let room = find::room(&**chat.store(), wanted).await?;
    check::may_write(&room, how.anyway)?;
    Ok(room)
}

/// The outcome for a message: what is not followed was unsent.
pub(super) fn outcome(acted: Acted, about: About, done: fn(TxnId, bool) -> Done) -> Result<Done> {
    match (acted, about) {
        (Acted::Followed(row) | Acted::Replaced(row), _) => Ok(Done::Queued(row.txn_id)),
        (Acted::Done { maybe_sent }, About::Unsent(txn_id)) => Ok(done(txn_id, maybe_sent)),
        (Acted::Nothing, About::Unsent(txn_id)) => Ok(done(txn_id, false)),
        _ => Err(haos::Error::Gone.into()),
    }
}

/// The message that something is to be done to, and its room.
async fn subject(chat: &Chat, room: &str, wanted: &str, how: How) -> Result<(Room, Subject)> {
    let room = self::room(chat, room, how).await?;
    let subject = Subject::find(&**chat.store(), &room, wanted, how.anyway).await?;
    Ok((room, subject))
}
