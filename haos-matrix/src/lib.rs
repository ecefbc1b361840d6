//! Matrix client-server JSON, read into the transport-neutral deltas of `haos-queue`.
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
//! It is not a client: no requests, no storage, no clock, no encryption. Pure functions that also run in
//! a browser; `haos_queue::apply_sync` puts what they return into a store.
//!
//! Why not the types of ruma: they validate and drop what they do not know, where an offline store keeps
//! what came byte for byte, and they weigh much in WebAssembly.

mod account;
mod account_data;
mod device;
mod error;
mod event;
mod members;
mod messages;
mod patch;
mod protocol;
mod receipt;
mod relation;
mod rest;
mod room;
mod rules;
mod space;
mod sync;
mod unreadable;

pub use account::Account;
pub use error::ParseError;
pub use event::parse_event;
pub use messages::parse_messages;
pub use rules::MatrixRules;
pub use sync::parse_sync;
