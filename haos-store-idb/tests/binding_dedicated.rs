//! The binding and the life cycle of its connections, in a dedicated worker.
#![cfg(target_arch = "wasm32")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_dedicated_worker);

#[path = "bodies/defects.rs"]
mod defects;
#[path = "bodies/listed.rs"]
mod listed;
