//! Records of one store, merged into another: by the laws, anywhere, and wherever it is cut off.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may panic")]

mod cost;
mod cut_off;
mod dump;
mod fresh;
mod history;
mod kill;

mod media;
mod moves;
mod outbox;
mod sample;
mod state;
