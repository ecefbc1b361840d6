//! The sync engine against a model homeserver under virtual time: requests fail, stores fail, processes die.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod background;
mod catch_up;
mod client;
mod faults;
mod full;
mod gaps;
mod limits;
mod list;
mod members;
mod model;
mod odd;
mod pause;
mod rooms;
mod sender;
mod together;
mod tokens;
mod typing;
mod wire;
