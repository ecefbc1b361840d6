use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use haos::{Chat, FileSource, RoomId, Timeline, TimelineItem, TxnId};
use haos_matrix::{MediaRequest, Variant};
use haos_store_api::ByteRange;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::answer::answer;
use crate::error::{ErrorCode, Failure, Result};
use crate::wanted::{FileFacts, MediaWanted};
use crate::watch::{Source, Watch};

/// A chat behind a port.
///
/// Calls may be made beside each other: one that waits holds up none.
pub struct Desk {
    chat: Chat,
    watches: Mutex<Watches>,
}

#[derive(Default)]
pub(crate) struct Watches {
    last: u32,
    pub(crate) held: BTreeMap<u32, Arc<Watch>>,
}

/// The answer to `watch`.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Watching {
    /// Its number, for the calls that follow.
    pub watch: u32,
    /// The value as it is.
    #[cfg_attr(feature = "ts", ts(type = "unknown"))]
    pub now: Box<RawValue>,
}

/// The answer to `next`, which is null at the end.
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
    /// The number of all its bytes, where a part is wanted too.
    pub size: u64,
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

    /// Answers a call, as JSON.
    ///
    /// # Errors
    /// A [`Failure`] as JSON.
    pub async fn call(&self, call: &str) -> Result<String, String> {
        let answer = answer(self, call).await;
        answer.map(|answer| answer.get().to_owned()).map_err(|failure| failure.to_json())
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
        let range =
            ByteRange { start: wanted.start.unwrap_or(0), end: wanted.end.unwrap_or(ByteRange::ALL.end) };
        let request = MediaRequest {
            variant,
            range,
            room: wanted.room,
            fallback_to_original: true,
            ..MediaRequest::new(wanted.uri)
        };
        let media = client.media().get(&request).await?;
        Ok(Media { bytes: media.bytes.to_vec(), mime: media.info.mime, size: media.info.size })
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

    pub(crate) fn watches(&self) -> MutexGuard<'_, Watches> {
        self.watches.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes up something that is watched, and gives it a number.
    pub(crate) fn take_up(&self, watch: Watch) -> u32 {
        let mut watches = self.watches();
        watches.last += 1;
        let number = watches.last;
        watches.held.insert(number, Arc::new(watch));
        number
    }

    pub(crate) fn watch(&self, number: u32) -> Result<Arc<Watch>> {
        let gone = || Failure::new(ErrorCode::Closed, "this is watched no longer: watch it again");
        self.watches().held.get(&number).cloned().ok_or_else(gone)
    }

    pub(crate) fn timeline(&self, number: u32) -> Result<Timeline> {
        match &self.watch(number)?.source {
            Source::Timeline(timeline) => Ok(timeline.clone()),
            _ => Err(Failure::invalid("this is no timeline")),
        }
    }

    pub(crate) async fn item(&self, number: u32, id: &str) -> Result<(Timeline, Arc<TimelineItem>)> {
        let timeline = self.timeline(number)?;
        let found = timeline.items().await?.iter().find(|item| *item.id == *id).cloned();
        let gone =
            || Failure::new(ErrorCode::NotFound, "the timeline shows it no longer: scroll to it first");
        Ok((timeline, found.ok_or_else(gone)?))
    }
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Desk").field("chat", &self.chat).finish_non_exhaustive()
    }
}
