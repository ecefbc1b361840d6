use std::path::Path;
use std::sync::Arc;

use haos::content::{Content, Text};
use haos::live::timeline::Post;
use haos::{Error as ChatError, FileInfo, Timeline, TimelineItem, TimelineItemKind};
use haos_queue::About;
use haos_store_api::UserId;
use serde_json::{Value, json};

use super::client::Watcher;
use super::command::{Deed, ScreenCommand};
use crate::Result;
use crate::worker::{Obedient as _, id, odd};

/// The newest fitting items from which one is picked.
const NEWEST: usize = 12;

impl Watcher {
    /// Does what a command says.
    pub(super) async fn obey(&self, command: ScreenCommand) -> Result<Value> {
        use ScreenCommand as C;
        let done = |()| json!({});
        let room = |name: &str| Ok::<_, crate::Error>(self.chat.room(&id(name)?));
        match command {
            C::Watch { room, want } => self.watch(&room, want).await,
            C::Act { room, deed, pick, text } => self.perform(&room, deed, pick, &text).await,
            C::Enter { room: name } => room(&name)?.join().await.map(done).map_err(odd),
            C::Remove { room: name, user } => {
                room(&name)?.remove(&person(&user)?, None).await.map(done).map_err(odd)
            }
            C::Invite { room: name, user } => {
                room(&name)?.invite(&person(&user)?).await.map(done).map_err(odd)
            }
            C::Older { room, want } => {
                let reach = self.timeline(&room).await?.list.older(want).await.map_err(odd)?;
                Ok(json!({ "is_end": reach.is_end, "stopped": reach.stopped }))
            }
            C::Read { room: name } => {
                let items = self.timeline(&name).await?.mirror.items();
                let latest = items.iter().rev().find_map(|item| match &item.kind {
                    TimelineItemKind::Event(event) => Some(event.event_id.clone()),
                    _ => None,
                });
                let Some(latest) = latest else { return Ok(json!({})) };
                room(&name)?.mark_read(&latest).await.map_err(odd)?;
                Ok(json!({ "item": latest.as_str() }))
            }
            C::Typing { room: name, is_typing } => {
                room(&name)?.typing(is_typing).await.map(done).map_err(odd)
            }
            C::Sent => self.sent().await,
            C::Sees { room, event } => self.sees(&room, &event).await,
            C::Reads { room, user } => self.reads(&room, &user).await,
            C::Types { room, users } => self.types(&room, users).await,
            C::Screen { path } => {
                let text = serde_json::to_string(&self.screen().await?).map_err(odd)?;
                std::fs::write(path, text).map(done).map_err(odd)
            }
            C::Stop => self.stop().await.map(done),
        }
    }

    async fn perform(&self, name: &str, deed: Deed, pick: u64, text: &str) -> Result<Value> {
        let room = self.chat.room(&id(name)?);
        let followed = self.timeline(name).await?;
        let sent = |txn: haos::TxnId| json!({ "item": format!("txn-{txn}") });
        match deed {
            Deed::Text => return room.send(text).await.map(sent).map_err(odd),
            Deed::File => {
                let upload = room.send_file(Path::new(text), FileInfo::guess()).await.map_err(odd)?;
                return Ok(sent(upload.txn_id().clone()));
            }
            _ => {}
        }
        let items = followed.mirror.items();
        let fitting: Vec<_> = items.iter().rev().filter(|item| fits(deed, item)).take(NEWEST).collect();
        let Some(item) = usize::try_from(pick).ok().and_then(|pick| fitting.get(pick % fitting.len().max(1)))
        else {
            return Ok(json!({}));
        };
        if deed == Deed::Reply {
            return room.send(Text::new(text).reply_to(about(item)?)).await.map(sent).map_err(odd);
        }
        match done_to(&followed.list, item, deed, text).await {
            Ok(()) => Ok(json!({ "item": &*item.id })),
            // It became another one between the look and the deed.
            Err(e @ (ChatError::Gone | ChatError::NotPossible(_))) => Ok(json!({ "late": e.to_string() })),
            Err(e) => Err(odd(e)),
        }
    }
}

fn person(user: &str) -> Result<UserId> {
    UserId::new(user).map_err(odd)
}

fn about(item: &TimelineItem) -> Result<About> {
    match &item.kind {
        TimelineItemKind::Event(event) => Ok(About::from(&event.event_id)),
        TimelineItemKind::Local(local) => Ok(About::from(&local.txn_id)),
        _ => Err(odd("this item is no message")),
    }
}

fn fits(deed: Deed, item: &TimelineItem) -> bool {
    let Some(post) = item.post() else { return false };
    let is_message = post.kind.as_str() == "m.room.message" && !post.is_redacted;
    match deed {
        Deed::Edit => is_message && post.is_own && matches!(post.content, Content::Text { .. }),
        Deed::Unreact => own_key(post).is_some(),
        Deed::Redact => is_message && post.is_own,
        _ => is_message,
    }
}

fn own_key(post: &Post) -> Option<&str> {
    post.reactions.iter().find(|reaction| reaction.is_own).map(|reaction| &*reaction.key)
}

async fn done_to(timeline: &Timeline, item: &Arc<TimelineItem>, deed: Deed, text: &str) -> haos::Result<()> {
    match deed {
        Deed::Edit => timeline.edit(item, text).await,
        Deed::React => timeline.react(item, text).await,
        Deed::Unreact => match item.post().and_then(own_key) {
            Some(key) => timeline.unreact(item, key).await,
            None => Ok(()),
        },
        _ => timeline.redact(item, None).await,
    }
}
