//! The store on every native backend, plain and sealed; and two contexts over one.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "a test may panic")]
#![allow(unexpected_cfgs, reason = "the suite of matrix-sdk-crypto asks for features of its own")]

mod beside;
mod contexts;
mod kills;
mod leaks;
mod people;
mod rules;
mod scale;
mod upstream;
