//! The media cache, on every store, plain and sealed, over a server that does as it is told.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says so by panicking")]

mod answers;
mod flights;
mod full;
mod killed;
mod limits;
mod policy;
mod read;
mod server;
mod stores;
