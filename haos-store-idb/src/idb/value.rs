//! Bytes as JavaScript values and back.

use js_sys::{ArrayBuffer, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};

/// Makes a `Uint8Array` with a buffer of its own, fit for a key and for a value.
pub(crate) fn to_js(bytes: &[u8]) -> JsValue {
    Uint8Array::from(bytes).into()
}

/// Reads the bytes of a `Uint8Array`, or of an `ArrayBuffer`, as which a binary key comes back.
pub(crate) fn bytes(value: &JsValue) -> Option<Vec<u8>> {
    if let Some(array) = value.dyn_ref::<Uint8Array>() {
        return Some(array.to_vec());
    }
    value.dyn_ref::<ArrayBuffer>().map(|buffer| Uint8Array::new(buffer).to_vec())
}
