//! The line over which a part sends and syncs.

use std::sync::Arc;
use std::time::Duration;

use haos_cli::parts::{Error, Result};
use haos_matrix::{Client, ClientOptions, FillOptions, MatrixProtocol, SyncOptions, parse_event};
use haos_queue::{
    ConnectionState, Driver, Event, Lead, Outbox, OutboxOptions, RetryPolicy, Running, TokioHost,
    Transport as _, apply_page, apply_sync,
};
use haos_sim::LoopbackClient;
use haos_store_api::{Gap, Page, RoomId, StorageAdapter, StorageAdapterExt as _};
use serde_json::{Value, json};

use super::super::script::session;
use crate::args::PartArgs;

/// Events of a page of history.
const PAGE: usize = 20;
/// How often a client that syncs by itself is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// The line to a homeserver.
pub(super) enum Line {
    /// The model's: its syncs are made here.
    Model { outbox: Outbox, client: LoopbackClient },
    /// A client as applications have it, which syncs by itself.
    Real(Box<Client>),
}

impl Line {
    pub(super) async fn open(store: &Arc<dyn StorageAdapter>, args: &PartArgs) -> Result<Self> {
        // As a chat client would have it, but in a hurry.
        let retry = RetryPolicy { base_ms: 20, cap_ms: 200, old_cap_ms: 200, ..RetryPolicy::default() };
        let outbox = OutboxOptions { retry, echo_ms: 500, ..OutboxOptions::default() };
        if let Some(address) = args.address {
            let outbox = Outbox::new(store.clone(), Arc::new(TokioHost), Arc::new(MatrixProtocol), outbox)?;
            let client = LoopbackClient::new(address).reading(with_relation);
            return Ok(Self::Model { outbox, client });
        }
        let options = ClientOptions {
            // A message is done when a sync brings it.
            outbox: OutboxOptions { echo_ms: OutboxOptions::default().echo_ms, ..outbox },
            sync: SyncOptions { retry, poll_ms: 1000, fill: FillOptions::off(), ..SyncOptions::default() },
            ..ClientOptions::default()
        };
        let client = Client::resume(store.clone(), Arc::new(TokioHost), &options).await;
        let client = client.map_err(|e| Error::Failed(format!("the session cannot go on: {e}")))?;
        client
            .map(|client| Self::Real(Box::new(client)))
            .ok_or_else(|| Error::Failed("nobody is logged in on the demo's store".to_owned()))
    }

    pub(super) fn outbox(&self) -> &Outbox {
        match self {
            Self::Model { outbox, .. } => outbox,
            Self::Real(client) => client.outbox(),
        }
    }

    /// The sender, ready to be spawned.
    pub(super) fn run(&self) -> Result<Running> {
        Ok(match self {
            Self::Model { outbox, client } => {
                Driver::new(outbox.clone(), Arc::new(client.clone()), session()?).run(Lead::Alone)
            }
            Self::Real(client) => client.run(Lead::Alone),
        })
    }

    /// Takes a step; whether all that is new is there.
    pub(super) async fn sync(&self, rooms: &[RoomId]) -> Result<bool> {
        match self {
            Self::Model { outbox, client } => {
                let store = &**outbox.store();
                let token = store.sync_token().await?;
                let Ok(delta) = client.sync(token.as_deref()).await else {
                    tokio::time::sleep(LOOK).await;
                    return Ok(false);
                };
                apply_sync(store, &delta, Some(&session()?.user), &MatrixProtocol).await?;
                Ok(token.is_some() && delta.rooms.is_empty())
            }
            Self::Real(client) => {
                tokio::time::sleep(LOOK).await;
                let state = client.connection().borrow().clone();
                if let ConnectionState::Paused(reason) = state {
                    return Err(Error::Failed(format!("the homeserver ended the session: {reason:?}")));
                }
                // The state `live` says nothing: a send that failed last shows there for a while,
                // also if a sync brought its message.
                is_settled(&**client.store(), rooms).await
            }
        }
    }

    /// Fills a gap, or a part of it; what goes wrong is tried again.
    pub(super) async fn fill(&self, room: &RoomId, gap: &Gap) -> Result<()> {
        match self {
            Self::Model { outbox, client } => {
                if let Ok(page) = client.history(room, gap.token.as_deref(), PAGE).await {
                    apply_page(&**outbox.store(), gap, &page, Some(&session()?.user), &MatrixProtocol)
                        .await?;
                }
            }
            // A fault of the store shows at the next step.
            Self::Real(client) => drop(client.engine().fill(room, gap).await),
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
