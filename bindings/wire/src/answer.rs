//! What each call does.
//!
//! Every arm is a future of its own behind a pointer, and reads its own arguments: nothing of a call is compiled into
//! another one, so that the functions of those that a first screen does not make come with the rest of the engine.

use std::pin::Pin;

use haos::SavedDraft;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::call::{
    AroundCall, ClearCall, CreateRoomCall, EditCall, EditMessageCall, InviteCall, JoinCall, LoginCall,
    MarkReadCall, OfItem, OfRoom, OfRow, OfWatch, OnlineCall, Page, ReactToCall, Reacting, RedactCall,
    RedactMessageCall, RemoveMemberCall, SendCall, SetDraftCall, TypingCall, WatchCall,
};
use crate::desk::{Desk, Done, Following, Watching};
use crate::error::{Failure, Result};
use crate::kept::{self, KeepCall, KeptCall};
use crate::watch::{Source, Watch, raw};

type Answer = Result<Box<RawValue>>;
#[cfg(not(target_arch = "wasm32"))]
type Answering<'a> = Pin<Box<dyn Future<Output = Answer> + Send + 'a>>;
#[cfg(target_arch = "wasm32")]
type Answering<'a> = Pin<Box<dyn Future<Output = Answer> + 'a>>;

/// The name of a call.
#[derive(Deserialize)]
struct Named<'a> {
    call: &'a str,
}

/// Answers the call that a text is.
pub(crate) fn answer<'a>(desk: &'a Desk, text: &'a str) -> Answering<'a> {
    let name = match serde_json::from_str::<Named<'_>>(text) {
        Ok(named) => named.call,
        Err(error) => return apart(async { Err(error.into()) }),
    };
    let chat = desk.chat();
    match name {
        "account" => apart(async { raw(&chat.account()) }),
        "login" => apart(async {
            let LoginCall { server, login } = read(text)?;
            raw(&chat.login(&server, login.into()).await?)
        }),
        "logout" => apart(async { raw(&chat.logout().await?) }),
        "forgetLogin" => apart(async { raw(&chat.forget_login().await?) }),
        "start" => apart(async { raw(&chat.start()) }),
        "stop" => apart(async { raw(&chat.stop().await) }),
        "online" => apart(async {
            let OnlineCall { is_online } = read(text)?;
            raw(&chat.set_online(is_online))
        }),
        "tryNow" => apart(async { raw(&chat.try_now()) }),
        "recovery" => apart(async { raw(&chat.recovery()) }),
        "clear" => apart(async {
            let ClearCall { what } = read(text)?;
            raw(&chat.clear(what).await?)
        }),

        "watch" => apart(async {
            let WatchCall { of } = read(text)?;
            let (watch, now) = Watch::start(chat, of).await?;
            raw(&Watching { watch: desk.take_up(watch), now })
        }),
        "next" => apart(async {
            let OfWatch { watch } = read(text)?;
            // What ended before this was asked has nothing to tell.
            let next = match desk.watch(watch) {
                Ok(watch) => watch.next().await?,
                Err(_) => None,
            };
            raw(&next.map(|next| Following { next }))
        }),
        "unwatch" => apart(async {
            let OfWatch { watch } = read(text)?;
            let held = desk.watches().held.remove(&watch);
            held.iter().for_each(|watch| watch.end());
            raw(&())
        }),
        "more" => apart(async {
            let Page { watch, want } = read(text)?;
            let watch = desk.watch(watch)?;
            let Source::Rooms(rooms) = &watch.source else {
                return Err(Failure::invalid("only a list of rooms is widened so"));
            };
            rooms.more(want).await?;
            raw(&rooms.has_more().await?)
        }),

        "older" => apart(async {
            let Page { watch, want } = read(text)?;
            raw(&desk.timeline(watch)?.older(want).await?)
        }),
        "newer" => apart(async {
            let Page { watch, want } = read(text)?;
            raw(&desk.timeline(watch)?.newer(want).await?)
        }),
        "around" => apart(async {
            let AroundCall { watch, event, want } = read(text)?;
            raw(&desk.timeline(watch)?.around(&event, want).await?)
        }),
        "toLive" => apart(async {
            let Page { watch, want } = read(text)?;
            raw(&desk.timeline(watch)?.to_live(want).await)
        }),
        "isLive" => apart(async {
            let OfWatch { watch } = read(text)?;
            raw(&desk.timeline(watch)?.is_live().await)
        }),
        "fill" => apart(async {
            let OfItem { watch, item } = read(text)?;
            let (timeline, item) = desk.item(watch, &item).await?;
            raw(&timeline.fill(&item).await?)
        }),
        "edit" => apart(async {
            let EditCall { watch, item, message } = read(text)?;
            let (timeline, item) = desk.item(watch, &item).await?;
            raw(&timeline.edit(&item, message).await?)
        }),
        "react" => apart(async {
            let Reacting { watch, item, key } = read(text)?;
            let (timeline, item) = desk.item(watch, &item).await?;
            raw(&timeline.react(&item, &key).await?)
        }),
        "unreact" => apart(async {
            let Reacting { watch, item, key } = read(text)?;
            let (timeline, item) = desk.item(watch, &item).await?;
            raw(&timeline.unreact(&item, &key).await?)
        }),
        "redact" => apart(async {
            let RedactCall { watch, item, reason } = read(text)?;
            let (timeline, item) = desk.item(watch, &item).await?;
            raw(&timeline.redact(&item, reason.as_deref()).await?)
        }),
        "retryItem" => apart(async {
            let OfItem { watch, item } = read(text)?;
            let (timeline, item) = desk.item(watch, &item).await?;
            raw(&timeline.retry(&item).await?)
        }),
        "cancelItem" => apart(async {
            let OfItem { watch, item } = read(text)?;
            let (timeline, item) = desk.item(watch, &item).await?;
            raw(&timeline.cancel(&item).await?)
        }),

        "send" => apart(async {
            let SendCall { room, message, txn_id } = read(text)?;
            let (room, message) = (chat.room(&room), haos::Text::from(message));
            let txn_id = match txn_id {
                Some(txn_id) => room.send((txn_id, message)).await?,
                None => room.send(message).await?,
            };
            raw(&Done { txn_id })
        }),
        "editMessage" => apart(async {
            let EditMessageCall { room, target, message } = read(text)?;
            chat.room(&room).edit(target, message).await?;
            raw(&())
        }),
        "reactTo" => apart(async {
            let ReactToCall { room, target, key } = read(text)?;
            raw(&Done { txn_id: chat.room(&room).react(target, &key).await? })
        }),
        "redactMessage" => apart(async {
            let RedactMessageCall { room, target, reason } = read(text)?;
            chat.room(&room).redact(target, reason.as_deref()).await?;
            raw(&())
        }),
        "retry" => apart(async {
            let OfRow { txn_id } = read(text)?;
            raw(&chat.retry(&txn_id).await?)
        }),
        "retryAll" => apart(async { raw(&chat.retry_all().await?) }),
        "cancel" => apart(async {
            let OfRow { txn_id } = read(text)?;
            raw(&chat.cancel(&txn_id).await?)
        }),
        "pauseUpload" => apart(async {
            let OfRow { txn_id } = read(text)?;
            raw(&chat.upload(&txn_id).await?.pause().await?)
        }),
        "retryUpload" => apart(async {
            let OfRow { txn_id } = read(text)?;
            raw(&chat.upload(&txn_id).await?.retry().await?)
        }),

        "room" => apart(async {
            let OfRoom { room } = read(text)?;
            raw(&chat.room(&room).info().await?)
        }),
        "members" => apart(async {
            let OfRoom { room } = read(text)?;
            raw(&chat.room(&room).members().await?)
        }),
        "markRead" => apart(async {
            let MarkReadCall { room, event, is_private } = read(text)?;
            match is_private {
                Some(true) => raw(&chat.room(&room).mark_read_privately(&event).await?),
                _ => raw(&chat.room(&room).mark_read(&event).await?),
            }
        }),
        "typing" => apart(async {
            let TypingCall { room, is_typing } = read(text)?;
            raw(&chat.room(&room).typing(is_typing).await?)
        }),
        "draft" => apart(async {
            let OfRoom { room } = read(text)?;
            raw(&chat.room(&room).draft().get().await?)
        }),
        "setDraft" => apart(async {
            let SetDraftCall { room, text: body, reply_to, edit_of } = read(text)?;
            let draft = SavedDraft { text: body, reply_to, edit_of };
            raw(&chat.room(&room).draft().put(&draft).await?)
        }),
        "clearDraft" => apart(async {
            let OfRoom { room } = read(text)?;
            raw(&chat.room(&room).draft().clear().await?)
        }),
        "join" => apart(async {
            let JoinCall { room } = read(text)?;
            raw(chat.join(&room).await?.id())
        }),
        "leave" => apart(async {
            let OfRoom { room } = read(text)?;
            raw(&chat.room(&room).leave().await?)
        }),
        "invite" => apart(async {
            let InviteCall { room, user } = read(text)?;
            raw(&chat.room(&room).invite(&user).await?)
        }),
        "removeMember" => apart(async {
            let RemoveMemberCall { room, user, reason } = read(text)?;
            raw(&chat.room(&room).remove(&user, reason.as_deref()).await?)
        }),
        "createRoom" => apart(async {
            let CreateRoomCall { name, topic, invite, is_direct, is_public } = read(text)?;
            let room = haos::NewRoom {
                name,
                topic,
                invite: invite.unwrap_or_default(),
                is_direct: is_direct == Some(true),
                is_public: is_public == Some(true),
            };
            raw(chat.create_room(&room).await?.id())
        }),

        "kept" => apart(async {
            let KeptCall { of } = read(text)?;
            raw(&kept::read(&**chat.store(), of).await?)
        }),
        "keep" => apart(async {
            let call: KeepCall = read(text)?;
            raw(&kept::write(&**chat.store(), call).await?)
        }),
        "heldBack" => apart(async {
            let OfRoom { room } = read(text)?;
            raw(&kept::held_back(&**chat.store(), room).await?)
        }),
        _ => apart(async {
            Err(Failure::invalid("this call is not one of this version: update the application"))
        }),
    }
}

#[cfg(not(target_arch = "wasm32"))]
fn apart<'a>(answer: impl Future<Output = Answer> + Send + 'a) -> Answering<'a> {
    Box::pin(answer)
}

#[cfg(target_arch = "wasm32")]
fn apart<'a>(answer: impl Future<Output = Answer> + 'a) -> Answering<'a> {
    Box::pin(answer)
}

/// Reads the arguments of a call.
fn read<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T> {
    Ok(serde_json::from_str(text)?)
}
