//! Refusals that the homeserver would give, as far as the store knows, before anything is written.

use haos_store_api::{Json, Membership, Room, UserId};

use super::subject::Subject;
use crate::error::{Error, Result};
use crate::find;

const MESSAGE: &str = "m.room.message";

/// Only who is in a room may write there.
pub(super) fn may_write(room: &Room, anyway: bool) -> Result<()> {
    let what = match room.membership {
        Membership::Join => return Ok(()),
        _ if anyway => return Ok(()),
        Membership::Invite => "you are invited to it, and have not joined",
        Membership::Knock => "you asked to be let in, and are not yet",
        Membership::Ban => "you are banned from it",
        _ => "you are not in it",
    };
    let (id, room) = (&room.id, find::label(room));
    Err(Error::Input(format!(
        "nothing can be sent to {room}: {what}. Join it with `haos join {id}`; with --anyway the message \
         waits in the outbox until then"
    )))
}

/// An answer or a reaction is about a message that is there, and not about an edit or a reaction.
pub(super) fn may_be_about(subject: &Subject) -> Result<()> {
    let Some((kind, content)) = shown(subject)? else { return Ok(()) };
    if let Some(original) = edit_of(content) {
        return Err(Error::Input(format!("this is an edit of {original}: name that message")));
    }
    match kind {
        "m.reaction" => Err(Error::Input("this is a reaction: name the message that it is about".to_owned())),
        "m.room.redaction" => Err(Error::Input("this takes another message back: name a message".to_owned())),
        _ => Ok(()),
    }
}

/// Gives the kind of text (`msgtype`) of a message that `own` may edit.
pub(super) fn may_edit(subject: &Subject, own: Option<&UserId>, anyway: bool) -> Result<String> {
    may_be_about(subject)?;
    if let Subject::Stored(message) = subject
        && own != Some(&message.sender)
        && !anyway
    {
        return Err(Error::Input(match own {
            Some(own) => {
                format!("the message is by {}, and you are {own}: only the author edits", message.sender)
            }
            None => format!(
                "the store does not know whose it is, and the message is by {}: log in with `haos login`, or \
                 edit it with --anyway",
                message.sender
            ),
        }));
    }
    let text = "m.text".to_owned();
    let Some((kind, content)) = shown(subject)? else { return Ok(text) };
    let found = content.text("msgtype");
    match found.as_deref() {
        _ if kind != MESSAGE => {
            Err(Error::Input(format!("this is no message but {kind}: it has no text to edit")))
        }
        Some("m.text" | "m.notice" | "m.emote") => Ok(found.unwrap_or(text)),
        _ => Err(Error::Input(
            "this is a file: only texts can be edited. Redact it and send another".to_owned(),
        )),
    }
}

/// A message can be taken back once.
pub(super) fn may_redact(subject: &Subject) -> Result<()> {
    shown(subject).map(drop)
}

/// The kind and the content of a message; none where the store does not have it.
fn shown(subject: &Subject) -> Result<Option<(&str, &Json)>> {
    match subject {
        Subject::Stored(message) if message.redacted_by.is_some() => {
            Err(Error::Input(format!("the message {} was removed", message.id)))
        }
        Subject::Stored(message) => Ok(Some((message.kind.as_str(), &message.content))),
        Subject::Unsent(row) => Ok(Some((row.kind.as_str(), &row.content))),
        Subject::Unknown(_) => Ok(None),
    }
}

/// The message that content is an edit of.
fn edit_of(content: &Json) -> Option<String> {
    let relation = content.member("m.relates_to")?;
    relation.text("event_id").filter(|_| relation.text("rel_type").as_deref() == Some("m.replace"))
}
