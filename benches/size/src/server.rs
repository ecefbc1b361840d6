use async_trait::async_trait;
use haos_queue::{Answer, Transport};
use haos_store_api::{EventId, Pending};
use js_sys::{Array, Function, Promise};
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;

/// A server as JavaScript reaches it.
pub(crate) struct Server(pub(crate) Function);

impl Server {
    async fn ask(&self, row: &Pending) -> std::result::Result<String, JsValue> {
        let args = [row.room.as_str(), row.txn_id.as_str(), row.kind.as_str(), row.content.as_str()];
        let args: Array = args.into_iter().map(JsValue::from_str).collect();
        let promise: Promise = self.0.apply(&JsValue::NULL, &args)?.dyn_into()?;
        Ok(JsFuture::from(promise).await?.as_string().unwrap_or_default())
    }
}

#[async_trait(?Send)]
impl Transport for Server {
    async fn send(&self, row: &Pending) -> Answer {
        match self.ask(row).await {
            Ok(id) => EventId::new(id).map_or(Answer::Unreadable, Answer::Accepted),
            Err(_) => Answer::NoAnswer,
        }
    }
}
