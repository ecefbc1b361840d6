//! The store in a browser, in any context: a window, a dedicated worker, a service worker.
#![cfg(target_arch = "wasm32")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]
#![allow(dead_code, unused_imports, unreachable_pub, reason = "some modules are private to the crate")]

#[path = "../../src/durability/mod.rs"]
mod durability;
#[path = "../../src/feed/mod.rs"]
mod feed;

mod binding;
mod canary;
mod conformance;
mod contexts;
mod defects;
mod early;
mod formats;
mod window;
