use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use haos::{Chat, FileSource, Room, RoomId, Timeline, TimelineItem, TxnId};
use haos_matrix::{MediaRequest, Variant};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::call::{Call, FileFacts, MediaWanted};
use crate::error::{ErrorCode, Failure, Result};
use crate::watch::{Source, Watch, raw};

/// A chat behind a port.
///
/// Calls may be made beside each other: one that waits holds up none.
pub struct Desk {
    chat: Chat,
    watches: Mutex<Watches>,
}

#[derive(Default)]
struct Watches {
    last: u32,
    held: BTreeMap<u32, Arc<Watch>>,
}

/// The answer to [`Call::Watch`].
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Watching {
    /// Its number, for the calls that follow.
    pub watch: u32,
    /// The value as it is.
    #[cfg_attr(feature = "ts", ts(type = "unknown"))]
    pub now: Box<RawValue>,
}

/// The answer to [`Call::Next`], which is null at the end.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Following {
    /// Steps of a list, or another value.
    #[cfg_attr(feature = "ts", ts(type = "unknown"))]
    pub next: Box<RawValue>,
}

/// The answer where a message was sent.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Done {
    /// Its transaction.
    pub txn_id: TxnId,
}

/// A media item.
#[derive(Debug)]
pub struct Media {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Its media type, if it is known.
    pub mime: Option<String>,
}

impl Desk {
    /// Takes calls for a chat.
    pub fn new(chat: Chat) -> Self {
        Self { chat, watches: Mutex::default() }
    }

    /// The chat.
    pub fn chat(&self) -> &Chat {
        &self.chat
    }

    /// Answers a call: JSON of what it asks for, or of a [`Failure`].
    ///
    /// # Errors
    /// A [`Failure`] as JSON.
    pub async fn call(&self, call: &str) -> Result<String, String> {
        let answer = async {
            let call = serde_json::from_str(call)?;
            self.answer(call).await
        };
        answer.await.map(|answer| answer.get().to_owned()).map_err(|failure: Failure| failure.to_json())
    }

    /// Sends a file: the transaction of its message.
    ///
    /// # Errors
    /// [`ErrorCode::File`], and those of the store.
    pub async fn send_file(&self, room: &RoomId, source: FileSource, facts: FileFacts) -> Result<Done> {
        let upload = self.chat.room(room).send_file(source, facts.into()).await?;
        Ok(Done { txn_id: upload.txn_id().clone() })
    }

    /// Reads a media item, from the store or the homeserver.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`], [`ErrorCode::Unreachable`] and what the homeserver answers; those of the store.
    pub async fn media(&self, wanted: MediaWanted) -> Result<Media> {
        let client = self.chat.client_handle().ok_or(haos::Error::NotLoggedIn)?;
        let variant = match (wanted.width, wanted.height) {
            (Some(width), Some(height)) => {
                Variant::Thumbnail { width, height, crop: wanted.crop == Some(true) }
            }
            _ => Variant::Original,
        };
        let request = MediaRequest {
            variant,
            room: wanted.room,
            fallback_to_original: true,
            ..MediaRequest::new(wanted.uri)
        };
        let media = client.media().get(&request).await?;
        Ok(Media { bytes: media.bytes.to_vec(), mime: media.info.mime })
    }

    /// Ends every watch and closes the chat.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn close(&self) -> Result<()> {
        let held = std::mem::take(&mut self.watches().held);
        held.values().for_each(|watch| watch.end());
        Ok(self.chat.close().await?)
    }

    async fn answer(&self, call: Call) -> Result<Box<RawValue>> {
        let chat = &self.chat;
        match call {
            Call::Account => raw(&chat.account()),
            Call::Login { server, login } => raw(&chat.login(&server, login.into()).await?),
            Call::Logout => raw(&chat.logout().await?),
            Call::ForgetLogin => raw(&chat.forget_login().await?),
            Call::Start => raw(&chat.start()),
            Call::Stop => raw(&chat.stop().await),
            Call::Online { is_online } => raw(&chat.set_online(is_online)),
            Call::TryNow => raw(&chat.try_now()),
            Call::Recovery => raw(&chat.recovery()),
            Call::Clear { what } => raw(&chat.clear(what).await?),

            Call::Watch { of } => {
                let (watch, now) = Watch::start(chat, of).await?;
                let mut watches = self.watches();
                watches.last += 1;
                let number = watches.last;
                watches.held.insert(number, Arc::new(watch));
                raw(&Watching { watch: number, now })
            }
            Call::Next { watch } => match self.watch(watch) {
                Ok(watch) => raw(&watch.next().await?.map(|next| Following { next })),
                // It ended before this was asked.
                Err(_) => raw(&None::<Following>),
            },
            Call::Unwatch { watch } => {
                let held = self.watches().held.remove(&watch);
                held.iter().for_each(|watch| watch.end());
                raw(&())
            }
            Call::More { watch, want } => match &self.watch(watch)?.source {
                Source::Rooms(rooms) => {
                    rooms.more(want).await?;
                    raw(&rooms.has_more().await?)
                }
                _ => Err(Failure::invalid("only a list of rooms is widened so")),
            },

            Call::Older { watch, want } => raw(&self.timeline(watch)?.older(want).await?),
            Call::Newer { watch, want } => raw(&self.timeline(watch)?.newer(want).await?),
            Call::Around { watch, event, want } => raw(&self.timeline(watch)?.around(&event, want).await?),
            Call::ToLive { watch, want } => raw(&self.timeline(watch)?.to_live(want).await),
            Call::IsLive { watch } => raw(&self.timeline(watch)?.is_live().await),
            Call::Fill { watch, item } => {
                let (timeline, item) = self.item(watch, &item).await?;
                raw(&timeline.fill(&item).await?)
            }
            Call::Edit { watch, item, message } => {
                let (timeline, item) = self.item(watch, &item).await?;
                raw(&timeline.edit(&item, message).await?)
            }
            Call::React { watch, item, key } => {
                let (timeline, item) = self.item(watch, &item).await?;
                raw(&timeline.react(&item, &key).await?)
            }
            Call::Unreact { watch, item, key } => {
                let (timeline, item) = self.item(watch, &item).await?;
                raw(&timeline.unreact(&item, &key).await?)
            }
            Call::Redact { watch, item, reason } => {
                let (timeline, item) = self.item(watch, &item).await?;
                raw(&timeline.redact(&item, reason.as_deref()).await?)
            }
            Call::RetryItem { watch, item } => {
                let (timeline, item) = self.item(watch, &item).await?;
                raw(&timeline.retry(&item).await?)
            }
            Call::CancelItem { watch, item } => {
                let (timeline, item) = self.item(watch, &item).await?;
                raw(&timeline.cancel(&item).await?)
            }

            Call::Retry { txn_id } => raw(&chat.retry(&txn_id).await?),
            Call::RetryAll => raw(&chat.retry_all().await?),
            Call::Cancel { txn_id } => raw(&chat.cancel(&txn_id).await?),
            Call::PauseUpload { txn_id } => raw(&chat.upload(&txn_id).await?.pause().await?),
            Call::RetryUpload { txn_id } => raw(&chat.upload(&txn_id).await?.retry().await?),

            Call::Join { room } => raw(chat.join(&room).await?.id()),
            Call::CreateRoom { name, topic, invite, is_direct, is_public } => {
                let room = haos::NewRoom {
                    name,
                    topic,
                    invite: invite.unwrap_or_default(),
                    is_direct: is_direct == Some(true),
                    is_public: is_public == Some(true),
                };
                raw(chat.create_room(&room).await?.id())
            }
            other => self.in_room(other).await,
        }
    }

    /// The calls about one room.
    async fn in_room(&self, call: Call) -> Result<Box<RawValue>> {
        let room = |id: &RoomId| -> Room { self.chat.room(id) };
        match call {
            Call::Send { room: id, message, txn_id } => {
                let text = haos::Text::from(message);
                let sent = match txn_id {
                    Some(txn_id) => room(&id).send((txn_id, text)).await?,
                    None => room(&id).send(text).await?,
                };
                raw(&Done { txn_id: sent })
            }
            Call::EditMessage { room: id, target, message } => {
                room(&id).edit(target, message).await?;
                raw(&())
            }
            Call::ReactTo { room: id, target, key } => {
                raw(&Done { txn_id: room(&id).react(target, &key).await? })
            }
            Call::RedactMessage { room: id, target, reason } => {
                room(&id).redact(target, reason.as_deref()).await?;
                raw(&())
            }
            Call::Room { room: id } => raw(&room(&id).info().await?),
            Call::Members { room: id } => raw(&room(&id).members().await?),
            Call::MarkRead { room: id, event, is_private } => match is_private {
                Some(true) => raw(&room(&id).mark_read_privately(&event).await?),
                _ => raw(&room(&id).mark_read(&event).await?),
            },
            Call::Typing { room: id, is_typing } => raw(&room(&id).typing(is_typing).await?),
            Call::Draft { room: id } => raw(&room(&id).draft().get().await?),
            Call::SetDraft { room: id, text, reply_to, edit_of } => {
                let draft = room(&id).draft();
                draft.set(&text).await?;
                draft.reply_to(reply_to.as_ref()).await?;
                raw(&draft.edit_of(edit_of.as_ref()).await?)
            }
            Call::ClearDraft { room: id } => raw(&room(&id).draft().clear().await?),
            Call::Leave { room: id } => raw(&room(&id).leave().await?),
            Call::Invite { room: id, user } => raw(&room(&id).invite(&user).await?),
            Call::RemoveMember { room: id, user, reason } => {
                raw(&room(&id).remove(&user, reason.as_deref()).await?)
            }
            _ => Err(Failure::new(ErrorCode::Unsupported, "this call is not answered here")),
        }
    }

    fn watches(&self) -> MutexGuard<'_, Watches> {
        self.watches.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn watch(&self, number: u32) -> Result<Arc<Watch>> {
        let gone = || Failure::new(ErrorCode::Closed, "this is watched no longer: watch it again");
        self.watches().held.get(&number).cloned().ok_or_else(gone)
    }

    fn timeline(&self, number: u32) -> Result<Timeline> {
        match &self.watch(number)?.source {
            Source::Timeline(timeline) => Ok(timeline.clone()),
            _ => Err(Failure::invalid("this is no timeline")),
        }
    }

    async fn item(&self, number: u32, id: &str) -> Result<(Timeline, Arc<TimelineItem>)> {
        let timeline = self.timeline(number)?;
        let found = timeline.items().await?.iter().find(|item| *item.id == *id).cloned();
        let gone = || Failure::new(ErrorCode::NotFound, "the timeline shows it no longer: scroll to it first");
        Ok((timeline, found.ok_or_else(gone)?))
    }
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Desk").field("chat", &self.chat).finish_non_exhaustive()
    }
}
