//! A Matrix client over any HAOS store: what was read is there without a network, and what is written without one is
//! sent later, once and in order.
//!
//! ```no_run
//! # #[cfg(feature = "http")]
//! # mod shown {
//! use std::sync::Arc;
//!
//! use haos_matrix::{Client, ClientError, ClientOptions, Credentials, compose};
//! use haos_queue::{Lead, TokioHost};
//! use haos_store_api::{RoomId, StorageAdapter};
//!
//! async fn chat(store: Arc<dyn StorageAdapter>, password: String) -> Result<(), ClientError> {
//!     let (host, options) = (Arc::new(TokioHost), ClientOptions::default());
//!     let client = match Client::resume(store.clone(), host.clone(), &options).await? {
//!         Some(client) => client, // no request was made: rooms and messages are there
//!         None => {
//!             let ada = Credentials::Password { user: "ada".to_owned(), password };
//!             Client::login(store, host, "https://matrix.example.org", ada, Some("phone"), &options).await?
//!         }
//!     };
//!     tokio::spawn(client.run(Lead::Alone)); // sends and syncs, whenever there is a network
//!     let draft = compose::text(&RoomId::new("!lobby:example.org")?, "hello")?;
//!     println!("{:?}", client.outbox().enqueue(draft).await.map(|row| row.txn_id));
//!     Ok(())
//! }
//! # }
//! # fn main() {}
//! ```
//!
//! Frontends with a transport of their own read a homeserver's answers with the functions `parse_*`:
//!
//! ```
//! use haos_matrix::{Account, parse_sync};
//! use haos_store_api::{Membership, UserId};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let account = Account::of(UserId::new("@ada:example.org")?);
//! let delta = parse_sync(
//!     br#"{"next_batch":"s2","rooms":{"join":{"!lobby":{"timeline":{"events":[
//!         {"event_id":"$hello","sender":"@bob:example.org","type":"m.room.message",
//!          "origin_server_ts":1795362779000,"content":{"body":"hello"}}]}}}}}"#,
//!     &account,
//! )?;
//! assert_eq!(delta.next.as_deref(), Some("s2"));
//! assert_eq!(delta.rooms[0].membership, Membership::Join);
//! assert_eq!(delta.rooms[0].timeline[0].content.as_str(), r#"{"body":"hello"}"#);
//! # Ok(()) }
//! ```
//!
//! Three layers, each of use without the next:
//!
//! - what a homeserver answers, read into deltas (`parse_*`): pure functions, without requests, storage or clock;
//! - [`Server`], what is asked of a homeserver, with the sync engine and the media cache over it;
//! - `Homeserver` (feature `http`), the same over HTTP, and `Client`, all of it put together.
//!
//! Encrypted rooms need the feature `e2ee`: a `Client` then reads their events as they come, and encrypts what goes there.
//! Without it encrypted events are stored as they are, and rows of the outbox for encrypted rooms park.

mod account;
#[cfg(feature = "http")]
mod client;
pub mod compose;
mod display_name;
#[cfg(feature = "e2ee")]
mod e2ee;
mod engine;
#[cfg(feature = "http")]
mod http;
mod keep;
mod media;
mod mentions;
pub mod mime;
mod parse;
mod protocol;
mod redaction;
mod server;
mod session;
mod shown;
mod space;

pub use account::Account;
#[cfg(feature = "http")]
pub use client::{Client, ClientError, ClientOptions, Ground};
#[cfg(feature = "e2ee")]
pub use e2ee::{Device, DeviceList, Encryption, KeyCode, ORIGINAL, UNREAD};
pub use engine::{
    Backfill, Engine, FetchError, Fill, FillOptions, FirstSync, Left, MemberList, SyncFilter, SyncOptions,
    Typing,
};
#[cfg(feature = "http")]
pub use http::{ConnectError, Credentials, Homeserver, HttpOptions, Login, WhoAmI, is_cleartext_url};
pub use keep::{KeepLimits, LeftOut, ToDeviceLimits};
pub use media::{MediaCache, MediaError, MediaRequest, MediaStream};
pub use mentions::Mentions;
pub use parse::{
    AnswerLimits, ParseError, Sliding, parse_event, parse_messages, parse_messages_within, parse_sliding,
    parse_sync,
};
pub use protocol::MatrixProtocol;
pub use server::{Chunks, Download, PageRequest, Reply, Server, SyncRequest, Variant};
#[cfg(feature = "e2ee")]
pub use server::{KeyRequest, KeyVerb};
pub use session::{MatrixSession, SESSION, Tokens};
