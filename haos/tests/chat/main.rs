//! A chat from outside: over stores in memory and on disk, a transport within the process and a homeserver on the
//! loopback.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod account;
mod acts;
mod encrypted;
mod files;
mod leads;
mod open;
mod outbox;
mod rooms;
mod storage;
mod timeline;
mod world;
