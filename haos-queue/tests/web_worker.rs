//! The queue in a dedicated worker.
#![cfg(all(target_arch = "wasm32", target_os = "unknown"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod web;

wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_dedicated_worker);
