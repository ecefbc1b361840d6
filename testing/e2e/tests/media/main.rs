//! Files on a real Synapse: queued offline, killed on their way, kept by a policy. `cargo xtask e2e`
#![allow(clippy::unwrap_used, reason = "a failure is a panic")]

mod cache;
mod policy;
mod queued;
mod world;
