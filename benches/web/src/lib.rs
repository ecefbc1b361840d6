//! The contender of the bench `web`: the store with the fewest bindings that a page needs.
//!
//! It is not an API for frontends. Pages and messages come as JSON text, which a page parses at once: one
//! crossing of the border, and then the plain objects that the peers give.
#![cfg(target_arch = "wasm32")]

mod batch;
mod page;
mod store;

pub use batch::Batch;
pub use store::Store;

use wasm_bindgen::JsValue;

/// Any error, as the text of a JavaScript one.
fn js(error: impl std::fmt::Display) -> JsValue {
    JsValue::from_str(&error.to_string())
}
