//! Simulation: the real outbox, driver and reconciliation under virtual time, with everything around them
//! failing as a seed says.
//!
//! A run has a model homeserver ([`ModelServer`]), one or two contexts that share a store, a network that
//! loses, delays, repeats and lies, storage that fails between any two writes, users who write, edit and
//! cancel at the worst moments, clocks that jump. The laws I1 to I11 of `docs/semantics.md` are checked
//! whenever a row is written, an event arrives, a sync is applied; when the faults have stopped, everything
//! must be delivered and the stored timelines must be the server's.
//!
//! ```
//! use haos_sim::{Plan, run};
//! let report = run(&Plan::of(7), false);
//! assert_eq!(report.violation, None);
//! ```
//!
//! A frontend can run its own [`Transport`](haos_queue::Transport) or [`Protocol`](haos_queue::Protocol) against the
//! parts: [`World`] is the executor, [`ModelServer`] the server, [`LoopbackServer`] the same on a socket; [`Brittle`]
//! and [`Tight`] are stores that fail without a simulation; [`ModelSeal`] encrypts for those who look at the places.
#![cfg(not(target_arch = "wasm32"))]

mod act;
mod actor;
mod loopback;
mod network;
mod plan;
mod protocol;
mod run;
mod seal;
mod server;
mod shrink;
mod state;
mod store;
mod timeline;
mod truth;
mod world;

pub use loopback::{Fate, Fates, LoopbackClient, LoopbackFaults, LoopbackFired, LoopbackServer};
pub use network::Network;
pub use plan::{Action, Plan};
pub use protocol::SimProtocol;
pub use run::{Report, run};
pub use seal::{Ciphertext, ModelFile, ModelSeal, SessionPlace};
pub use server::{ENCRYPTED, ENCRYPTION, Kept, ModelServer, REDACTION, ServerRoom};
pub use shrink::shrink;
pub use state::Faults;
pub use store::{Blow, Blows, Brittle, FaultyStore, Tight};
pub use timeline::compare_timeline;
pub use truth::{Truth, Violation, Written};
pub use world::{Chance, Clock, Group, SimHost, World};
