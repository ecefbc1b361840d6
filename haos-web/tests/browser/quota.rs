use haos_web::{estimate, persisted};
use js_sys::Reflect;
use wasm_bindgen::JsValue;
use wasm_bindgen_test::{console_log, wasm_bindgen_test};

/// Whether `navigator.storage` has the method `name`.
fn offers(name: &str) -> bool {
    let get = |object: &JsValue, name: &str| Reflect::get(object, &name.into()).unwrap_or_default();
    let storage = get(&get(&js_sys::global(), "navigator"), "storage");
    get(&storage, name).is_function()
}

#[wasm_bindgen_test]
async fn answers_where_the_engine_does() {
    let (estimate, persisted) = (estimate().await, persisted().await);
    console_log!("estimate {estimate:?}, persisted {persisted:?}");
    assert_eq!(estimate.is_some(), offers("estimate"));
    assert_eq!(persisted.is_some(), offers("persisted"));
    if let Some(estimate) = estimate {
        assert!(estimate.quota > estimate.usage);
    }
}
