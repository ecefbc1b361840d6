//! Storage under pressure, over every backend.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod clear;
mod common;
mod disk;
mod kept;
mod tight;
