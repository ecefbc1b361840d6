//! The ground of the end-to-end tests: a real Synapse, a network that fails on purpose, and a plain client
//! that knows what is true.
//!
//! ```no_run
//! use haos_e2e::{Fault, FaultKind, Plain, Proxy, Rule, Synapse, SynapseOptions};
//!
//! # async fn run() -> haos_e2e::Result<()> {
//! let synapse = Synapse::start(SynapseOptions::default()).await?;
//! let proxy = Proxy::start(synapse.address()).await?;
//! proxy.set_rules([Rule::new(Fault::DropResponse).method("PUT").path("*/send/*").every(3)]);
//!
//! let ada = Plain::register(synapse.address(), "ada", "secret").await?;
//! let room = ada.create_room("Lobby", &[]).await?;
//! // What is under test talks to `proxy.url()`; what the server really holds is asked at the server.
//! for event in ada.history(&room).await? {
//!     println!("{} {} {:?}", event.event_id, event.sender, event.body());
//! }
//! println!("{} answers lost", proxy.fired(FaultKind::DropResponse));
//! # Ok(())
//! # }
//! ```
//!
//! [`Device`] is what is under test, in this process, and a [`Worker`] the same in a process that can be killed; a
//! [`screen`] is a chat of the front door in such a process. Nothing else here knows them. A Synapse needs `HAOS_SYNAPSE`, the folder of a Python environment with Synapse
//! in it, which `cargo xtask e2e` makes; the proxy needs nothing. With `HAOS_E2E_KEEP` set, a server's folder
//! stays, log and database included, and is named at its end.
#![doc(test(attr(deny(unused_imports))))]

/// The examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
pub struct Readme;

pub mod browser;
mod device;
mod error;
mod folder;
mod host;
mod http;
mod plain;
mod port;
mod proxy;
pub mod screen;
mod synapse;
pub mod worker;

pub use device::{Device, StoreKind, hurried, until};
pub use error::{Error, Result};
pub use plain::{Happening, Plain};
pub use proxy::{Fault, FaultKind, Proxy, Recorded, Rule};
pub use synapse::{Rate, Synapse, SynapseOptions};
pub use worker::{Worker, WorkerPlan};
