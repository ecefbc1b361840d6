//! Calls by name, for interfaces that may be missing. A getter that throws, as `caches` does in a sandboxed
//! frame, counts as missing.

use js_sys::{Array, Function, Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use crate::WebError;

/// The property `name`, unless it is undefined, null or refused.
pub(crate) fn get(object: &JsValue, name: &str) -> Option<JsValue> {
    let value = Reflect::get(object, &JsValue::from_str(name)).ok()?;
    (!value.is_undefined() && !value.is_null()).then_some(value)
}

/// The property `name` of the global object.
pub(crate) fn global(name: &str) -> Option<JsValue> {
    get(&js_sys::global(), name)
}

/// The property `name` of `navigator`.
pub(crate) fn navigator(name: &str) -> Option<JsValue> {
    get(&global("navigator")?, name)
}

/// Calls `object.method(...arguments)`.
pub(crate) fn call(
    api: &'static str,
    object: &JsValue,
    method: &str,
    arguments: &[&JsValue],
) -> Result<JsValue, WebError> {
    let function: Function =
        get(object, method).and_then(|value| value.dyn_into().ok()).ok_or(WebError::Missing { api })?;
    function.apply(object, &array(arguments)).map_err(|exception| WebError::refused(api, &exception))
}

/// Calls `object.method(...arguments)` and waits for the promise it returns.
pub(crate) async fn settle(
    api: &'static str,
    object: &JsValue,
    method: &str,
    arguments: &[&JsValue],
) -> Result<JsValue, WebError> {
    let promise = call(api, object, method, arguments)?;
    JsFuture::from(Promise::resolve(&promise)).await.map_err(|exception| WebError::refused(api, &exception))
}

/// `new class(...arguments)`, for a class of the global object.
pub(crate) fn construct(class: &'static str, arguments: &[&JsValue]) -> Result<JsValue, WebError> {
    let function: Function =
        global(class).and_then(|value| value.dyn_into().ok()).ok_or(WebError::Missing { api: class })?;
    Reflect::construct(&function, &array(arguments)).map_err(|exception| WebError::refused(class, &exception))
}

/// A plain object with one property.
pub(crate) fn options(name: &str, value: &JsValue) -> JsValue {
    let object = js_sys::Object::new();
    // Setting a property of a new plain object does not fail.
    let _ = Reflect::set(&object, &JsValue::from_str(name), value);
    object.into()
}

fn array(values: &[&JsValue]) -> Array {
    values.iter().copied().collect()
}
