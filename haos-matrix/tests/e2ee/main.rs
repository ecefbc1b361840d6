//! Encrypted rooms: clients over a homeserver on the loopback, which reads nothing of what it is given.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod code;
mod crash;
mod files;
mod heal;
mod rooms;
mod talk;
mod world;
