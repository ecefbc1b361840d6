//! The model homeserver behind a socket on the loopback, for tests and demos with processes that are killed.

mod client;
mod fault;
mod server;
mod wire;

pub use client::LoopbackClient;
pub use fault::{Fate, Fates, LoopbackFaults, LoopbackFired};
pub use server::LoopbackServer;
