//! A frontend as WebAssembly, for the end-to-end tests that drive browsers from outside.
//!
//! It is not an API for frontends: a page, or a service worker, does here what a test tells it, and answers with
//! JSON text.
#![cfg(target_arch = "wasm32")]

mod audit;
mod outbox;
mod server;
mod store;
mod workload;

pub use outbox::Context;
pub use store::Store;

use haos_store_api::Error;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

/// An error as a JavaScript one; its name is the kind.
fn js(error: Error) -> JsValue {
    let thrown = js_sys::Error::new(&text(&error));
    thrown.set_name(&format!("{:?}", error.kind()));
    thrown.into()
}

/// An error with its causes.
fn text(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text = format!("{text} ({error})");
        cause = error.source();
    }
    text
}

#[wasm_bindgen]
extern "C" {
    /// Of the page: makes a request of the site; `[status, text]`.
    #[wasm_bindgen(catch)]
    async fn request(method: &str, path: &str, body: &str) -> Result<JsValue, JsValue>;
}

/// Makes a request: the status and the body of the answer, none if there is no answer.
async fn ask(method: &str, path: &str, body: &str) -> Option<(u16, String)> {
    let answer = js_sys::Array::from(&request(method, path, body).await.ok()?);
    // A status has no fraction and fits.
    Some((answer.get(0).as_f64()? as u16, answer.get(1).as_string()?))
}
