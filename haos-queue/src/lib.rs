//! Reconciliation of what a server sends with what a store holds, over any adapter and any protocol.
//!
//! A transport turns its server's answers into a [`SyncDelta`] or a [`BackfillPage`]; [`apply_sync`] and
//! [`apply_page`] bring the store to where the server is, one commit each, the sync token with its
//! events. What the server left out becomes a gap, and a gap closes only when a page meets what is
//! stored.
//!
//! ```
//! use haos_queue::{BackfillPage, EmptyOnRedaction, Event, RoomDelta, SyncDelta, apply_page, apply_sync};
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
//! apply_sync(&store, &delta, None, &EmptyOnRedaction).await?;
//!
//! // Later, a page from the gap's token reaches the beginning of history.
//! let gap = store.gaps(&lobby).await?.remove(0);
//! assert_eq!(gap.token.as_deref(), Some("token-before-three"));
//! let page = BackfillPage { room: lobby.clone(), events: vec![event("$one"), event("$two")], end: None, state: vec![] };
//! apply_page(&store, &gap, &page, None, &EmptyOnRedaction).await?;
//!
//! let slice = store.timeline(&lobby, Page::newest(50)).await?;
//! let ids: Vec<_> = slice.messages().map(|message| message.id.as_str()).collect();
//! assert_eq!(ids, ["$one", "$two", "$three"]);
//! assert_eq!(slice.gaps().count(), 0);
//! # Ok(()) }
//! ```
//!
//! It is not a transport: it opens no connection and reads no clock. The outbox that shares these laws
//! comes with its next part.

mod delta;
pub mod reconcile;

pub use delta::{
    BackfillPage, EmptyOnRedaction, Event, RoomDelta, RoomPatch, Rules, Since, SpaceLink, SyncDelta,
};
pub use reconcile::{Filled, Synced, apply_page, apply_sync};
