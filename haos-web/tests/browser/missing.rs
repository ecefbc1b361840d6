//! Interfaces are taken away, or made to refuse, and given back when the test is over.

use haos_web::{Beacon, Channel, Lock, WebError, estimate, locks_available, persist, persisted};
use js_sys::{Function, Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::wasm_bindgen_test;

/// A property of `object` that is replaced while this lives.
struct Replaced {
    object: Object,
    name: JsValue,
    before: JsValue,
}

impl Replaced {
    fn new(object: &JsValue, name: &str, descriptor: &str) -> Self {
        let object: Object = object.clone().unchecked_into();
        let name = JsValue::from(name);
        let before = Reflect::get_own_property_descriptor(&object, &name).unwrap();
        let after: Object = Function::new_no_args(&format!("return {descriptor}"))
            .call0(&JsValue::UNDEFINED)
            .unwrap()
            .unchecked_into();
        assert!(Reflect::define_property(&object, &name, &after).unwrap());
        Self { object, name, before }
    }
}

impl Drop for Replaced {
    fn drop(&mut self) {
        let _ = Reflect::delete_property(&self.object, &self.name);
        if !self.before.is_undefined() {
            let _ = Reflect::define_property(&self.object, &self.name, self.before.unchecked_ref());
        }
    }
}

const UNDEFINED: &str = "{ value: undefined, configurable: true }";
const THROWS: &str = "{ get() { throw new DOMException('no', 'SecurityError') }, configurable: true }";

fn replace(descriptor: &str) -> Vec<Replaced> {
    let global: JsValue = js_sys::global().into();
    let navigator = Reflect::get(&global, &"navigator".into()).unwrap();
    let mut replaced: Vec<_> = ["caches", "localStorage", "BroadcastChannel"]
        .into_iter()
        .map(|name| Replaced::new(&global, name, descriptor))
        .collect();
    replaced.extend(["locks", "storage"].map(|name| Replaced::new(&navigator, name, descriptor)));
    replaced
}

#[wasm_bindgen_test]
async fn works_without() {
    for descriptor in [UNDEFINED, THROWS] {
        let replaced = replace(descriptor);
        assert!(!locks_available());
        assert_eq!(Lock::try_acquire("x").await.unwrap_err(), WebError::Missing { api: "navigator.locks" });
        assert!(matches!(Lock::acquire("x").await, Err(WebError::Missing { .. })));
        assert!(Channel::open("x", |_| ()).is_none());
        assert_eq!((estimate().await, persisted().await, persist().await), (None, None, None));
        let beacon = Beacon::new("x");
        assert!(!beacon.is_available() && !beacon.write("y").await && !beacon.write_now("y"));
        assert!(beacon.read().await.is_empty());
        beacon.remove().await;
        drop(replaced);
    }
    assert!(locks_available(), "given back");
}

#[wasm_bindgen_test]
async fn calls_that_throw_are_errors() {
    let global: JsValue = js_sys::global().into();
    let navigator = Reflect::get(&global, &"navigator".into()).unwrap();
    let throws = "throw new DOMException('not here', 'SecurityError')";
    let value = |object: String| format!("{{ value: {object}, configurable: true }}");
    let _replaced = [
        Replaced::new(&navigator, "locks", &value(format!("{{ request() {{ {throws} }} }}"))),
        Replaced::new(&navigator, "storage", &value("{ async estimate() { throw 1 } }".to_owned())),
        Replaced::new(
            &global,
            "BroadcastChannel",
            &value(format!("class {{ constructor() {{ {throws} }} }}")),
        ),
        Replaced::new(&global, "caches", &value(format!("{{ async open() {{ {throws} }} }}"))),
        Replaced::new(&global, "localStorage", &value(format!("{{ setItem() {{ {throws} }} }}"))),
    ];
    let error = Lock::try_acquire("x").await.unwrap_err();
    assert_eq!(error.name(), "SecurityError");
    assert!(error.to_string().ends_with("not here"), "{error}");
    assert!(Channel::open("x", |_| ()).is_none());
    assert_eq!(estimate().await, None);
    assert!(!Beacon::new("x").write("y").await);
    assert!(Beacon::new("x").read().await.is_empty());
}
