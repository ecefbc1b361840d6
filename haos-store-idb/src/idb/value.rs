//! Bytes as JavaScript values and back.

use js_sys::{ArrayBuffer, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};

/// Makes a `Uint8Array` with a buffer of its own, fit for a key and for a value.
pub(crate) fn to_js(bytes: &[u8]) -> JsValue {
    Uint8Array::from(bytes).into()
}

/// Makes a number: one of the log, which counts commits and stays far below 2^53.
#[allow(clippy::cast_precision_loss, reason = "it stays far below 2^53")]
pub(crate) fn number_to_js(number: u64) -> JsValue {
    JsValue::from_f64(number as f64)
}

/// Reads a number of the log.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is a small integer")]
pub(crate) fn number(value: &JsValue) -> Option<u64> {
    value.as_f64().map(|number| number as u64)
}

/// Reads the bytes of a `Uint8Array`, or of an `ArrayBuffer`, as which a binary key comes back.
pub(crate) fn bytes(value: &JsValue) -> Option<Vec<u8>> {
    if let Some(array) = value.dyn_ref::<Uint8Array>() {
        return Some(array.to_vec());
    }
    value.dyn_ref::<ArrayBuffer>().map(|buffer| Uint8Array::new(buffer).to_vec())
}
