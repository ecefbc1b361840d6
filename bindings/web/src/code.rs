//! The code of the encryption, which is a part of its own.

use async_trait::async_trait;
use haos::KeyCode;
use js_sys::{Function, Promise};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

/// What loads it: a function that gives a promise.
#[derive(Debug)]
pub(crate) struct Loader(pub(crate) Function);

#[async_trait(?Send)]
impl KeyCode for Loader {
    async fn load(&self) -> Result<(), String> {
        let promise: Promise = self.0.call0(&JsValue::NULL).and_then(JsCast::dyn_into).map_err(words)?;
        JsFuture::from(promise).await.map(drop).map_err(words)
    }
}

fn words(error: JsValue) -> String {
    let words = error.dyn_ref::<js_sys::Error>().map(|error| String::from(error.message()));
    words.unwrap_or_else(|| "the browser does not say why".to_owned())
}
