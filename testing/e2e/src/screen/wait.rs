use std::collections::HashMap;
use std::time::Duration;

use haos::TimelineItemKind;
use haos::live::timeline::SendStatus;
use serde_json::{Value, json};

use super::client::Watcher;
use crate::worker::{id, odd};
use crate::{Error, Result};

/// Between two looks.
const LOOK: Duration = Duration::from_millis(50);
/// How often something that was refused is tried again.
const TRIES: u32 = 2;
/// The items that a timeline begins with at its live end.
const LIVE: usize = 30;

impl Watcher {
    async fn within<T>(&self, what: &str, wait: impl Future<Output = Result<T>>) -> Result<T> {
        let limit = Duration::from_millis(self.plan.limit_ms);
        tokio::time::timeout(limit, wait).await.map_err(|e| Error::new(what, e))?
    }

    /// Waits until nothing is unsent.
    pub(super) async fn sent(&self) -> Result<Value> {
        let outbox = self.chat.outbox();
        let mut tries: HashMap<haos::TxnId, u32> = HashMap::new();
        let mut refused = Vec::new();
        let sent = async {
            loop {
                let rows = outbox.now().await.map_err(odd)?;
                if rows.iter().all(|row| row.status == SendStatus::Sent) {
                    return Ok(());
                }
                for row in &*rows {
                    if !matches!(row.status, SendStatus::Parked(_)) {
                        continue;
                    }
                    let tries = tries.entry(row.txn_id.clone()).or_default();
                    *tries += 1;
                    if *tries > TRIES {
                        refused.push(json!({ "item": format!("txn-{}", row.txn_id), "row": row }));
                        self.chat.cancel(&row.txn_id).await.map_err(odd)?;
                    } else {
                        self.chat.retry(&row.txn_id).await.map_err(odd)?;
                    }
                }
                tokio::time::sleep(LOOK).await;
            }
        };
        let outcome = self.within("sent", sent).await;
        if let Err(e) = outcome {
            let rows = outbox.now().await.map_err(odd)?;
            let connection = self.chat.connection().now().await.map_err(odd)?;
            return Err(Error::new("sent", format!("{e}: {connection:?}, {rows:?}")));
        }
        Ok(json!({ "refused": refused }))
    }

    /// Waits until an event shows at the live end.
    pub(super) async fn sees(&self, room: &str, event: &str) -> Result<Value> {
        let followed = self.timeline(room).await?;
        if !followed.list.is_live().await {
            followed.list.to_live(LIVE).await;
        }
        let mut changes = followed.mirror.changes();
        let seen = changes.until(|items| {
            items.iter().any(
                |item| matches!(&item.kind, TimelineItemKind::Event(shown) if shown.event_id.as_str() == event),
            )
        });
        let what = format!("{} sees {event} in {room}", self.plan.user);
        self.within(&what, async {
            seen.await;
            Ok(json!({}))
        })
        .await
    }

    /// Waits until it shows that a user has read the latest event.
    pub(super) async fn reads(&self, room: &str, user: &str) -> Result<Value> {
        let followed = self.timeline(room).await?;
        let mut changes = followed.mirror.changes();
        let read = changes.until(|items| {
            let latest = items.iter().rev().find_map(|item| match &item.kind {
                TimelineItemKind::Event(event) => Some(event),
                _ => None,
            });
            latest.is_some_and(|event| event.receipts.iter().any(|receipt| receipt.user.id.as_str() == user))
        });
        let what = format!("{} sees that {user} has read all of {room}", self.plan.user);
        self.within(&what, async {
            read.await;
            Ok(json!({}))
        })
        .await
    }

    /// Waits until these are typing in a room, by the room itself and by the list.
    pub(super) async fn types(&self, room: &str, users: Vec<String>) -> Result<Value> {
        let mut live = self.chat.room(&id(room)?).typing_users();
        let in_room = async {
            while let Some(typing) = live.next().await.map_err(odd)? {
                if typing.iter().map(|user| user.as_str()).eq(users.iter().map(|user| &**user)) {
                    return Ok(());
                }
            }
            Err(odd("the chat ended"))
        };
        let what = format!("{} sees that {users:?} type in {room}", self.plan.user);
        self.within(&what, in_room).await?;
        let mut changes = self.rooms.mirror.changes();
        let listed = changes.until(|rooms| {
            rooms.iter().any(|item| {
                item.id.as_str() == room
                    && item.typing.iter().map(|who| who.id.as_str()).eq(users.iter().map(|user| &**user))
            })
        });
        self.within(&format!("{what}, in the list"), async {
            listed.await;
            Ok(json!({}))
        })
        .await
    }
}
