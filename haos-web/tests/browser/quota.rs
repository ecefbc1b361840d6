use haos_web::{estimate, persist, persisted, timeout};
use js_sys::Reflect;
use wasm_bindgen::JsValue;
use wasm_bindgen_test::{console_log, wasm_bindgen_test};

/// Tells if `navigator.storage` has the method `name`.
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

/// Workers cannot ask. One that asks the user gets no answer here, and has promised nothing then.
#[wasm_bindgen_test]
async fn what_persist_answers_is_so() {
    let answer = timeout(persist(), 500).await;
    assert_eq!(answer != Some(None), offers("persist"), "{answer:?}");
    match answer {
        Some(Some(agreed)) => assert_eq!(persisted().await, Some(agreed)),
        Some(None) => {}
        None => assert_ne!(persisted().await, Some(true)),
    }
}
