//! The line over which a part sends and syncs.

use std::sync::Arc;
use std::time::Duration;

use haos::{Chat, ClientOptions, Connection};
use haos_cli::parts::{Error, Result};
use haos_matrix::{FillOptions, MatrixProtocol, SyncOptions, parse_event};
use haos_queue::{Event, OutboxOptions, RetryPolicy, Transport as _, apply_page, apply_sync};
use haos_sim::LoopbackClient;
use haos_store_api::{Gap, Page, RoomId, StorageAdapter, StorageAdapterExt as _};
use serde_json::{Value, json};

use super::super::script::session;
use super::url;
use crate::args::PartArgs;

/// Events of a page of history.
const PAGE: usize = 20;
/// How often a chat that syncs by itself is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// A chat as applications have it, which sends by itself.
pub(super) struct Line {
    pub(super) chat: Chat,
    /// The model's, whose syncs are made here; a real homeserver's are the chat's.
    model: Option<LoopbackClient>,
}

impl Line {
    pub(super) async fn open(args: &PartArgs) -> Result<Self> {
        // As a chat would have it, but in a hurry.
        let retry = RetryPolicy { base_ms: 20, cap_ms: 200, old_cap_ms: 200, ..RetryPolicy::default() };
        let mut outbox = OutboxOptions { retry, ..OutboxOptions::default() };
        if args.address.is_some() {
            // On a real homeserver a message is done when a sync brings it.
            outbox.echo_ms = 500;
        }
        let options = ClientOptions {
            outbox,
            sync: SyncOptions { retry, poll_ms: 1000, fill: FillOptions::off(), ..SyncOptions::default() },
            ..ClientOptions::default()
        };
        let mut opening = Chat::open(&url(&args.folder)).options(options);
        let model = args.address.map(|address| LoopbackClient::new(address).reading(with_relation));
        if let Some(client) = &model {
            opening = opening.transport(Arc::new(client.clone()), Arc::new(MatrixProtocol), session()?);
        }
        let chat = opening.await?;
        match chat.account() {
            Some(account) if account.is_logged_in => Ok(Self { chat, model }),
            _ => Err(Error::Failed("nobody is logged in on the demo's store".to_owned())),
        }
    }

    /// Takes a step; whether all that is new is there.
    pub(super) async fn sync(&self, rooms: &[RoomId]) -> Result<bool> {
        let store = &**self.chat.store();
        let Some(client) = &self.model else {
            tokio::time::sleep(LOOK).await;
            if let Connection::Paused { reason, .. } = self.chat.connection().now().await?.connection {
                return Err(Error::Failed(format!("the homeserver ended the session: {reason}")));
            }
            // The state `live` says nothing: a send that failed last shows there for a while, also if a sync brought
            // its message.
            return is_settled(store, rooms).await;
        };
        let token = store.sync_token().await?;
        let Ok(delta) = client.sync(token.as_deref()).await else {
            tokio::time::sleep(LOOK).await;
            return Ok(false);
        };
        apply_sync(store, &delta, Some(&session()?.user), &MatrixProtocol).await?;
        Ok(token.is_some() && delta.rooms.is_empty())
    }

    /// Fills a gap, or a part of it; what goes wrong is tried again.
    pub(super) async fn fill(&self, room: &RoomId, gap: &Gap) -> Result<()> {
        if let Some(client) = self.chat.client_handle() {
            // A fault of the store shows at the next step.
            drop(client.engine().fill(room, gap).await);
        } else if let Some(client) = &self.model
            && let Ok(page) = client.history(room, gap.token.as_deref(), PAGE).await
        {
            let store = &**self.chat.store();
            apply_page(store, gap, &page, Some(&session()?.user), &MatrixProtocol).await?;
        }
        Ok(())
    }
}

/// Tells if every message of the rooms has its place from a sync.
async fn is_settled(store: &dyn StorageAdapter, rooms: &[RoomId]) -> Result<bool> {
    for room in rooms {
        let slice = store.timeline(room, Page::newest(1000)).await?;
        if slice.messages().next().is_none() || slice.messages().any(|message| message.provisional) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Reads an event's relation from its content, as a transport of Matrix does.
fn with_relation(event: Event) -> Event {
    let json = json!({
        "event_id": event.id.as_str(),
        "sender": event.sender.as_str(),
        "type": event.kind.as_str(),
        "content": event.content.parse::<Value>().unwrap_or_default(),
    });
    let read = parse_event(json.to_string().as_bytes()).ok();
    Event { relation: event.relation.clone().or(read.and_then(|read| read.relation)), ..event }
}
