//! In a window.
#![cfg(target_arch = "wasm32")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);

mod bodies;
#[path = "bodies/window/mod.rs"]
mod window_only;
