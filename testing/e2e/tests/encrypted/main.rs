//! Encrypted rooms before a real Synapse, with a client of another project as the peer: matrix-js-sdk in node, or the
//! program that `HAOS_PEER` names. `cargo xtask e2e` has both, `cargo xtask test` the first.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failure is a panic")]

mod files;
mod killed;
mod members;
mod own;
mod peer;
mod talk;
mod wire;
mod world;
