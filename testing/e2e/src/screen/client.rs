use std::collections::BTreeMap;
use std::sync::Arc;

use haos::{Chat, Credentials, RoomFilter, RoomId, RoomItem, RoomList, Timeline, TimelineItem};
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::command::ScreenCommand;
use super::flicker::Flicker;
use super::mirror::Mirror;
use crate::worker::{Obedient, WorkerPlan, id, odd};
use crate::{Error, Result};

/// A chat with its lists, and mirrors of them.
pub(super) struct Watcher {
    pub(super) plan: WorkerPlan,
    pub(super) chat: Chat,
    /// It was not logged in by this process.
    resumed: bool,
    pub(super) rooms: Followed<RoomList, Arc<RoomItem>>,
    pub(super) timelines: Mutex<BTreeMap<RoomId, Arc<FollowedTimeline>>>,
}

/// A list and its mirror.
pub(super) struct Followed<L, T> {
    pub(super) list: L,
    pub(super) mirror: Mirror<T>,
}

type FollowedTimeline = Followed<Timeline, Arc<TimelineItem>>;

impl Watcher {
    /// The timeline of a room that is watched.
    pub(super) async fn timeline(&self, room: &str) -> Result<Arc<FollowedTimeline>> {
        let found = self.timelines.lock().await.get(&id(room)?).cloned();
        found.ok_or_else(|| Error::new(room, "watch it first"))
    }

    pub(super) async fn watch(&self, room: &str, want: usize) -> Result<Value> {
        let timeline = self.chat.room(&id(room)?).timeline(want).await.map_err(odd)?;
        let (items, diffs) = timeline.subscribe().await.map_err(odd)?;
        let mut flicker = Flicker::default();
        let mirror = Mirror::new(items, diffs, move |items| flicker.look(items));
        let followed = Followed { list: timeline, mirror };
        self.timelines.lock().await.insert(id(room)?, Arc::new(followed));
        Ok(json!({}))
    }
}

impl Obedient for Watcher {
    type Command = ScreenCommand;

    /// Opens the chat, and logs in if nobody is.
    async fn start(plan: WorkerPlan) -> Result<Self> {
        let mut opening = Chat::open(&plan.store).options(plan.options()).name(&plan.device_name);
        if let Some(secret) = plan.secret()? {
            opening = opening.secret(secret);
        }
        let chat = opening.await.map_err(|e| Error::new("opening the chat", e))?;
        let resumed = chat.account().is_some_and(|account| account.is_logged_in);
        if !resumed {
            let credentials = Credentials::password(&*plan.user, &*plan.password);
            chat.login(&plan.homeserver, credentials).await.map_err(|e| Error::new("login", e))?;
        }
        let list = chat.rooms(RoomFilter::joined());
        let (items, diffs) = list.subscribe().await.map_err(odd)?;
        let rooms = Followed { list, mirror: Mirror::new(items, diffs, |_| None) };
        Ok(Self { plan, chat, resumed, rooms, timelines: Mutex::default() })
    }

    fn ready(&self) -> Value {
        let account = self.chat.account();
        let user = account.as_ref().map(|account| account.user.to_string());
        let device = account.and_then(|account| account.device);
        json!({ "user": user, "device": device, "resumed": self.resumed })
    }

    fn waits(command: &ScreenCommand) -> bool {
        command.waits()
    }

    fn ends(command: &ScreenCommand) -> bool {
        matches!(command, ScreenCommand::Stop)
    }

    async fn act(&self, command: ScreenCommand) -> Result<Value> {
        self.obey(command).await
    }

    async fn stop(&self) -> Result<()> {
        self.chat.close().await.map_err(|e| Error::new("closing the chat", e))
    }
}
