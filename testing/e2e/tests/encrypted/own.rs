use std::sync::Arc;

use haos::content::Content;
use haos::live::timeline::{EventItem, Post};
use haos::{Chat, Credentials, Membership, Room, RoomId, TimelineItem, TimelineItemKind};
use haos_e2e::{Proxy, StoreKind, WorkerPlan, until};
use tempfile::TempDir;

use crate::world::{PASSWORD, shared};

/// The items of a timeline that are looked at.
const WANT: usize = 200;

/// Somebody with a chat, behind a proxy that keeps what the chat sends.
pub(crate) struct Own {
    pub(crate) chat: Chat,
    pub(crate) proxy: Proxy,
    user: String,
    device: String,
    // Last, so that the store is closed before its folder goes.
    _folder: TempDir,
}

impl Own {
    /// A new device of a user.
    pub(crate) async fn login(user: &str, kind: StoreKind) -> Self {
        let proxy = Proxy::start(shared().await.address()).await.unwrap();
        proxy.record();
        let folder = tempfile::tempdir().unwrap();
        let mut opening = Chat::open(&kind.url(folder.path())).options(WorkerPlan::default().options());
        if let Some(secret) = kind.open_options().secret {
            opening = opening.secret(secret);
        }
        let chat = opening.await.unwrap();
        let account = chat.login(&proxy.url(), Credentials::password(user, PASSWORD)).await.unwrap();
        let (user, device) = (account.user.to_string(), account.device.unwrap().to_string());
        Self { chat, proxy, user, device, _folder: folder }
    }

    pub(crate) fn user(&self) -> &str {
        &self.user
    }

    pub(crate) fn device(&self) -> &str {
        &self.device
    }

    pub(crate) fn room(&self, room: &str) -> Room {
        self.chat.room(&RoomId::new(room).unwrap())
    }

    /// Joins a room that it is invited to, and waits until it knows that it is encrypted.
    pub(crate) async fn enters(&self, room: &str) {
        self.room(room).join().await.unwrap();
        let id = RoomId::new(room).unwrap();
        let what = format!("{} is in {room}, which is encrypted", self.user);
        until(&what, async || {
            let is_in = self.room(room).info().await.is_ok_and(|info| info.membership == Membership::Join);
            is_in && self.chat.outbox_handle().is_encrypted(&id).await.unwrap()
        })
        .await
        .unwrap();
    }

    /// Waits until it knows of somebody's membership.
    pub(crate) async fn sees_member(&self, room: &str, user: &str, membership: Membership) {
        until(&format!("{} sees that {user} is {membership:?}", self.user), async || {
            let members = self.room(room).members().await.unwrap().members;
            members.iter().any(|member| member.profile.id.as_str() == user && member.membership == membership)
        })
        .await
        .unwrap();
    }

    /// What the timeline shows that the server has, oldest first.
    pub(crate) async fn events(&self, room: &str) -> Vec<EventItem> {
        let timeline = self.room(room).timeline(WANT).await.unwrap();
        timeline.items().await.unwrap().iter().filter_map(event).collect()
    }

    /// The texts that are shown, of messages alone.
    pub(crate) async fn bodies(&self, room: &str) -> Vec<String> {
        let events = self.events(room).await;
        events.iter().filter_map(|event| text(&event.post)).map(str::to_owned).collect()
    }

    /// Waits until an event shows that is so.
    pub(crate) async fn until_has(
        &self,
        room: &str,
        what: &str,
        is: impl Fn(&EventItem) -> bool,
    ) -> EventItem {
        let mut found = None;
        let what = format!("{} has {what}", self.user);
        let looked = until(&what, async || {
            found = self.events(room).await.into_iter().find(&is);
            found.is_some()
        });
        if let Err(e) = looked.await {
            let outbox = self.chat.outbox().now().await;
            panic!("{e}: {:#?}, {outbox:#?}", self.events(room).await);
        }
        found.unwrap()
    }

    /// Waits until a message with this text shows.
    pub(crate) async fn until_reads(&self, room: &str, body: &str) -> EventItem {
        self.until_has(room, body, |event| text(&event.post) == Some(body)).await
    }

    /// Sends a text, and waits until the server has it; its event.
    pub(crate) async fn says(&self, room: &str, body: &str) -> String {
        self.room(room).send(body).await.unwrap();
        self.until_reads(room, body).await.event_id.to_string()
    }

    /// Waits until everything that was written is delivered.
    pub(crate) async fn until_delivered(&self) {
        let done =
            until("everything is delivered", async || self.chat.outbox().now().await.unwrap().is_empty());
        if let Err(e) = done.await {
            panic!("{}: {e}: {:#?}", self.user, self.chat.outbox().now().await);
        }
    }
}

pub(crate) fn text(post: &Post) -> Option<&str> {
    match &post.content {
        Content::Text { body, .. } => Some(body),
        _ => None,
    }
}

fn event(item: &Arc<TimelineItem>) -> Option<EventItem> {
    match &item.kind {
        TimelineItemKind::Event(event) => Some((**event).clone()),
        _ => None,
    }
}
