//! A process that is killed while it sends to a server on the loopback: what it was told is taken arrives
//! exactly once, in order.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may panic")]

mod check;
mod child;
mod rounds;
