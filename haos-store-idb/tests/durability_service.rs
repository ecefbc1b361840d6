//! In a service worker.
#![cfg(target_arch = "wasm32")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]
#![allow(dead_code, unused_imports, unreachable_pub, reason = "the modules are private to the crate")]

wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_service_worker);

#[path = "../src/durability/mod.rs"]
mod durability;
#[path = "../src/feed/mod.rs"]
mod feed;

#[path = "bodies/durability.rs"]
mod durability_body;
#[path = "bodies/feed.rs"]
mod feed_body;
