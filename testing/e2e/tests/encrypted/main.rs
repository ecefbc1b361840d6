//! Encrypted rooms before a real Synapse, with a peer that shares no code with ours: matrix-js-sdk and its own
//! cryptography, in node. `cargo xtask e2e`
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failure is a panic")]

mod files;
mod killed;
mod members;
mod own;
mod peer;
mod talk;
mod wire;
mod world;
