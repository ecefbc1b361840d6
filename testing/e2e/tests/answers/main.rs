//! The server's answers and their consequences, on a real Synapse: `cargo xtask e2e`.
#![allow(clippy::unwrap_used, reason = "a failure is a panic")]

mod kick;
mod list;
mod logout;
mod members;
mod outage;
mod rates;
mod refused;
mod rooms;
mod signals;
mod sizes;
mod token;
mod tokens;
mod world;
