//! The outbox of a chat frontend, and reconciliation of what its server sends, over any store and any protocol.
//!
//! A user's messages go into an [`Outbox`], one durable commit each, and a [`Driver`] sends them over a
//! [`Transport`]: nothing is lost, nothing arrives twice, and a room's messages arrive in order. The laws are in
//! `docs/semantics.md`; [`machine`] has them as a table.
//!
//! ```
//! # #[cfg(feature = "tokio")]
//! # mod shown {
//! use std::sync::Arc;
//!
//! use haos_queue::{Draft, EnqueueError, Outbox, OutboxOptions, Protocol, TokioHost};
//! use haos_store_api::{EventType, Json, RoomId, StorageAdapter};
//!
//! async fn write(store: Arc<dyn StorageAdapter>, protocol: Arc<dyn Protocol>) -> Result<(), EnqueueError> {
//!     let outbox = Outbox::new(store, Arc::new(TokioHost), protocol, OutboxOptions::default())?;
//!     let content = Json::new(r#"{"msgtype":"m.text","body":"hello"}"#)?;
//!     let draft = Draft::new(RoomId::new("!lobby")?, EventType::new("m.room.message")?, content);
//!     outbox.enqueue(draft).await?; // on the disk from here on, power loss or not
//!     Ok(())
//! }
//! # }
//! ```
//!
//! A transport turns its server's answers into a [`SyncDelta`] or a [`BackfillPage`]; [`apply_sync`] and
//! [`apply_page`] bring the store to where the server is, one commit each, the sync token with its
//! events. What the server left out becomes a gap, and a gap closes only when a page meets what is
//! stored.
//!
//! ```
//! use haos_queue::{BackfillPage, PlainProtocol, Event, RoomDelta, SyncDelta, apply_page, apply_sync};
//! use haos_store_api::{EventId, EventType, Json, Membership, MemoryStore, Page, RoomId, StorageAdapter, UserId};
//!
//! # fn event(id: &str) -> Event {
//! #     Event {
//! #         id: EventId::new(id).unwrap(),
//! #         sender: UserId::new("@ada:example.org").unwrap(),
//! #         timestamp_ms: 0,
//! #         kind: EventType::new("m.room.message").unwrap(),
//! #         state_key: None,
//! #         content: Json::empty(),
//! #         relation: None,
//! #         txn_id: None,
//! #         redacted_by: None,
//! #         extra: None,
//! #     }
//! # }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> haos_store_api::Result<()> {
//! let store = MemoryStore::new();
//! let lobby = RoomId::new("!lobby")?;
//!
//! // The server shows the newest event and says that older ones were left out.
//! let mut room = RoomDelta::new(lobby.clone(), Membership::Join);
//! room.timeline = vec![event("$three")];
//! (room.limited, room.prev) = (true, Some("token-before-three".to_owned()));
//! let delta = SyncDelta { next: Some("s1".to_owned()), rooms: vec![room], ..SyncDelta::default() };
//! apply_sync(&store, &delta, None, &PlainProtocol).await?;
//!
//! // Later, a page from the gap's token reaches the beginning of history.
//! let gap = store.gaps(&lobby).await?.remove(0);
//! assert_eq!(gap.token.as_deref(), Some("token-before-three"));
//! let page = BackfillPage { room: lobby.clone(), events: vec![event("$one"), event("$two")], end: None, state: vec![] };
//! apply_page(&store, &gap, &page, None, &PlainProtocol).await?;
//!
//! let slice = store.timeline(&lobby, Page::newest(50)).await?;
//! let ids: Vec<_> = slice.messages().map(|message| message.id.as_str()).collect();
//! assert_eq!(ids, ["$one", "$two", "$three"]);
//! assert_eq!(slice.gaps().count(), 0);
//! # Ok(()) }
//! ```
//!
//! It is not a transport: it opens no connection, and clock, timer and chance are passed in ([`Host`]).

mod account;
mod answer;
mod backoff;
mod clock;
mod conflict;
mod connection;
mod delta;
mod draft;
mod driver;
mod handover;
mod host;
mod leader;
mod local;
pub mod machine;
mod options;
mod outbox;
pub mod pressure;
mod protocol;
pub mod reconcile;
mod room_state;
mod said;
mod schedule;
mod seal;
mod transport;
#[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
pub mod web;

pub use account::{GATE, Gate, PauseReason};
pub use answer::{Answer, Refusal, Verdict};
pub use backoff::{Jitter, RetryPolicy};
pub use conflict::{Retries, unless_conflict};
pub use connection::{ConnectionState, SyncProgress, SyncState};
pub use delta::{BackfillPage, Event, RoomDelta, Since, SyncDelta};
pub use draft::{About, Draft, Staged};
pub use driver::{Driver, Running, UploadProgress};
pub use handover::{Clocks, hold_back, let_go, take_over};
#[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
pub use host::BrowserHost;
#[cfg(all(feature = "tokio", not(target_arch = "wasm32")))]
pub use host::TokioHost;
pub use host::{Host, SharedHost, Sleep};
#[cfg(not(target_arch = "wasm32"))]
pub use leader::FileLeader;
pub use leader::Lead;
pub use local::{STAGED, local_event_id, local_media_uri, rewrite};
pub use options::{Order, OutboxOptions};
pub use outbox::{Acted, CLOCK, EnqueueError, Enqueued, Observer, Outbox, RowStatus, Update};
pub use protocol::{PlainProtocol, Protocol, RoomPatch, SpaceLink};
pub use reconcile::{Before, Filled, HistoryRun, MergedRun, Synced, apply_page, apply_sync, merge_run};
pub use room_state::{NotRead, RoomState, StateAt, StateRead};
pub use said::{MAX_CODE_BYTES, MAX_SAID_BYTES, said};
pub use seal::{Seal, SealFile, Sealed, Unready};
pub use transport::{Body, Created, Lookup, RECEIPT, Session, TYPING, Transport, UPLOAD};
