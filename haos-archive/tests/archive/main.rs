//! Backups of every native store, and what hostile bytes can do to their reader.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may panic")]

mod assemble;
mod busy;
mod chain;
mod content;
mod damage;
mod file;
mod fixture;
mod hostile;
mod kill;
mod make;
mod portions;
mod resume;
mod whole;
mod without;
