//! What is watched: a source, and how far its watcher is.

use std::sync::Arc;

use haos::{Chat, Diffs, Live, OutboxRow, RoomItem, RoomList, Timeline, TimelineItem};
use serde::Serialize;
use serde_json::value::RawValue;
use tokio::sync::{Mutex, watch};

use crate::error::{ErrorCode, Failure, Result};
use crate::wanted::Watched;

/// Something that is watched.
pub(crate) struct Watch {
    pub(crate) source: Source,
    steps: Mutex<Steps>,
    ended: watch::Sender<bool>,
}

/// What can be asked of it besides what follows.
pub(crate) enum Source {
    Rooms(RoomList),
    Timeline(Timeline),
    Other,
}

enum Steps {
    Rooms(Diffs<Arc<RoomItem>>),
    Timeline(Diffs<Arc<TimelineItem>>),
    Outbox(Diffs<OutboxRow>),
    Value(Box<dyn Values>),
}

/// A value whose type is not looked at.
#[cfg_attr(not(target_arch = "wasm32"), async_trait::async_trait)]
#[cfg_attr(target_arch = "wasm32", async_trait::async_trait(?Send))]
trait Values: haos_store_api::MaybeSend {
    async fn next(&mut self) -> Result<Option<Box<RawValue>>>;
}

#[cfg_attr(not(target_arch = "wasm32"), async_trait::async_trait)]
#[cfg_attr(target_arch = "wasm32", async_trait::async_trait(?Send))]
impl<T: Clone + PartialEq + Serialize + haos_store_api::MaybeSend> Values for Live<T> {
    async fn next(&mut self) -> Result<Option<Box<RawValue>>> {
        Self::next(self).await?.map(|value| raw(&value)).transpose()
    }
}

/// A value as JSON text.
pub(crate) fn raw(value: &impl Serialize) -> Result<Box<RawValue>> {
    Ok(serde_json::value::to_raw_value(value)?)
}

impl Watch {
    /// Begins to watch, and gives the value as it is.
    pub(crate) async fn start(chat: &Chat, of: Watched) -> Result<(Self, Box<RawValue>)> {
        let (source, steps, now) = match of {
            Watched::Rooms { query, limit } => {
                let list = chat.rooms(query.unwrap_or_default().into()).window(limit);
                let (now, diffs) = list.subscribe().await?;
                (Source::Rooms(list), Steps::Rooms(diffs), raw(&now)?)
            }
            Watched::Timeline { room, limit, around, utc_offset } => {
                let timeline = chat.room(&room).timeline(limit).await?;
                if let Some(minutes) = utc_offset {
                    timeline.set_utc_offset(minutes).await;
                }
                if let Some(event) = around {
                    timeline.around(&event, limit).await?;
                }
                let (now, diffs) = timeline.subscribe().await?;
                (Source::Timeline(timeline), Steps::Timeline(diffs), raw(&now)?)
            }
            Watched::Outbox => {
                let (now, diffs) = chat.outbox().subscribe().await?;
                (Source::Other, Steps::Outbox(diffs), raw(&now)?)
            }
            Watched::Connection => value(chat.connection()).await?,
            Watched::SyncProgress => value(chat.sync_progress()).await?,
            Watched::Storage => value(chat.storage()).await?,
            Watched::Typing { room } => value(chat.room(&room).typing_users()).await?,
            Watched::Upload { txn_id } => value(chat.upload(&txn_id).await?.progress()).await?,
        };
        Ok((Self { source, steps: Mutex::new(steps), ended: watch::Sender::new(false) }, now))
    }

    /// Waits for what follows; none at the end.
    pub(crate) async fn next(&self) -> Result<Option<Box<RawValue>>> {
        let mut ended = self.ended.subscribe();
        tokio::select! {
            // What ended has nothing to tell.
            biased;
            _ = ended.wait_for(|ended| *ended) => Ok(None),
            next = async { self.steps.lock().await.next().await } => next,
        }
    }

    /// Ends the call that waits.
    pub(crate) fn end(&self) {
        self.ended.send_replace(true);
    }
}

impl Steps {
    async fn next(&mut self) -> Result<Option<Box<RawValue>>> {
        Ok(match self {
            Self::Rooms(diffs) => diffs.next().await?.map(|steps| raw(&steps)).transpose()?,
            Self::Timeline(diffs) => diffs.next().await?.map(|steps| raw(&steps)).transpose()?,
            Self::Outbox(diffs) => diffs.next().await?.map(|steps| raw(&steps)).transpose()?,
            Self::Value(values) => values.next().await?,
        })
    }
}

async fn value<T: Clone + PartialEq + Serialize + haos_store_api::MaybeSend + 'static>(
    mut live: Live<T>,
) -> Result<(Source, Steps, Box<RawValue>)> {
    let now = Values::next(&mut live).await?;
    let now = now.ok_or_else(|| Failure::new(ErrorCode::Closed, "the chat is closed: open it again"))?;
    Ok((Source::Other, Steps::Value(Box::new(live)), now))
}
