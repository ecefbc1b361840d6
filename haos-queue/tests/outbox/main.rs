//! The outbox over every backend, plain and sealed: what users suffer elsewhere, played through.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may panic")]

mod about;
mod answers;
mod cancel;
mod client;
mod clock;
mod damage;
mod full;
mod handover;
mod media;
mod observe;
mod odd;
mod order;
mod read;
mod refuse;
mod seal;
mod wire;
