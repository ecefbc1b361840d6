//! The browser's figures of this origin's storage.

use wasm_bindgen::JsValue;

use crate::js;

/// The used and the granted bytes of an origin: advice, since browsers round and pad both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Estimate {
    /// Used by all of the origin's storage.
    pub usage: u64,
    /// Granted, as far as the disk allows.
    pub quota: u64,
}

/// Reads the used and the granted bytes of the origin; `None` where the engine does not say.
pub async fn estimate() -> Option<Estimate> {
    let answer = ask("estimate").await?;
    let bytes = |name| js::get(&answer, name).and_then(|value| value.as_f64()).map(|bytes| bytes as u64);
    Some(Estimate { usage: bytes("usage")?, quota: bytes("quota")? })
}

/// Tells if the browser promised not to evict this origin's storage; `None` where the engine does not say.
pub async fn persisted() -> Option<bool> {
    ask("persisted").await?.as_bool()
}

/// Asks the browser not to evict this origin's storage, and returns whether it agreed; `None` where it cannot be
/// asked, as in workers.
///
/// Some browsers ask the user, who may never answer: nothing should wait for it.
pub async fn persist() -> Option<bool> {
    ask("persist").await?.as_bool()
}

async fn ask(question: &str) -> Option<JsValue> {
    let storage = js::navigator("storage")?;
    js::settle("navigator.storage", &storage, question, &[]).await.ok()
}
