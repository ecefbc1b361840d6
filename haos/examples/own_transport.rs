//! A chat over a backend that is not Matrix: here an echo within the process, which says everything again.
//!
//! ```sh
//! cargo run -p haos --example own_transport
//! ```

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use haos::{Chat, EventId, Membership, Protocol, RoomId, Session, Transport, UserId};
use haos_queue::{Answer, Event, PlainProtocol, RoomDelta, Since, SyncDelta, apply_sync};
use haos_store_api::{Page, Pending, StorageAdapterExt as _};
use tokio::sync::mpsc;

/// What a backend does at least: it takes a message, once a transaction.
struct Echo {
    events: AtomicU64,
    heard: mpsc::UnboundedSender<(EventId, Pending)>,
}

#[async_trait]
impl Transport for Echo {
    async fn send(&self, row: &Pending) -> Answer {
        let number = self.events.fetch_add(2, Ordering::Relaxed);
        let Ok(event) = EventId::new(format!("${number}")) else { return Answer::Unreadable };
        // The server has it, and tells it to everybody: also to whoever sent it.
        match self.heard.send((event.clone(), row.clone())) {
            Ok(()) => Answer::Accepted(event),
            Err(_) => Answer::Unsent,
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (me, echo, lobby) = (UserId::new("@me")?, UserId::new("@echo")?, RoomId::new("!lobby")?);
    let (heard, mut hear) = mpsc::unbounded_channel();
    let transport = Arc::new(Echo { events: AtomicU64::new(0), heard });
    let protocol: Arc<dyn Protocol> = Arc::new(PlainProtocol);
    let session = Session { user: me.clone(), device: "desk".to_owned() };
    let chat = Chat::open("memory:").transport(transport, protocol.clone(), session).await?;

    // What comes from the backend goes into the store: it is merged with what was sent from here.
    let (store, room) = (chat.store().clone(), lobby.clone());
    let receiving = tokio::spawn(async move {
        while let Some((id, row)) = hear.recv().await {
            let event = |id, sender, txn_id| Event {
                id,
                sender,
                timestamp_ms: row.created_ms,
                kind: row.kind.clone(),
                state_key: None,
                content: row.content.clone(),
                relation: None,
                txn_id,
                redacted_by: None,
                extra: None,
            };
            let answer = EventId::new(format!("{id}.echo"))?;
            let own = event(id, me.clone(), Some(row.txn_id.clone()));
            let mut delta = RoomDelta::new(room.clone(), Membership::Join);
            delta.timeline = vec![own, event(answer, echo.clone(), None)];
            // The token is where the backend would go on from; what was answered on another one is not applied.
            let since = Since::Stored(store.sync_token().await?);
            let news = SyncDelta {
                since,
                next: Some(row.seq.to_string()),
                rooms: vec![delta],
                ..SyncDelta::default()
            };
            apply_sync(&*store, &news, Some(&me), &*protocol).await?;
        }
        Ok::<_, haos_store_api::Error>(())
    });

    for text in ["hello", "is anybody there?"] {
        chat.room(&lobby).send(text).await?;
    }
    // Both come back, and the outbox is empty.
    for _ in 0..100 {
        if chat.outbox().now().await?.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for message in chat.store().timeline(&lobby, Page::newest(10)).await?.messages() {
        println!("{}: {}", message.sender, message.content.text("body").unwrap_or_default());
    }
    chat.close().await?;
    receiving.abort();
    Ok(())
}
