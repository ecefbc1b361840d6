//! Sealed stores from outside: secrets, tampering, rotation, damage, processes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says so by panicking")]

mod change;
mod chunks;
mod columns;
#[allow(dead_code, reason = "shared with the tests of plain stores, which use the rest")]
#[path = "../store/common.rs"]
mod common;
mod cost;
mod damage;
mod disk;
mod flips;
mod nonces;
mod open;
mod processes;
mod races;
mod rotate;
mod shred;
mod swaps;
mod target;
mod vault;
