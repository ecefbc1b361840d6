//! A chat from outside: over stores in memory and on disk, a transport within the process and a homeserver on the
//! loopback.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod account;
mod acts;
mod files;
mod leads;
mod open;
mod outbox;
mod rooms;
#[path = "../../../haos-cli/tests/common/server.rs"]
#[allow(dead_code, reason = "the tests of the command need more of it")]
mod server;
mod storage;
mod world;
