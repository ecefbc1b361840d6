//! A small text beside IndexedDB.

use wasm_bindgen::JsValue;

use crate::{WebError, js};

const CACHES: &str = "caches";
const LOCAL: &str = "localStorage";

/// The cache that holds all beacons of an origin.
const CACHE: &str = "haos-beacon";

/// A small text under a name, kept outside IndexedDB, in up to two places.
///
/// Windows have `localStorage`, workers have the Cache API, and a window writes to both, so that a service worker
/// can read what a window wrote. Where there is neither, everything is empty. A place can be erased without the
/// other: each copy may be old, and which one counts is for the caller to say.
#[derive(Debug, Clone)]
pub struct Beacon {
    name: String,
}

impl Beacon {
    /// The beacon `name` of this origin.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into() }
    }

    /// Tells if this context has a place for it.
    pub fn is_available(&self) -> bool {
        js::global(LOCAL).is_some() || js::global(CACHES).is_some()
    }

    /// Tells if it has the place that is written at once, which only windows have. A window's writes there are
    /// out of reach of workers.
    pub fn can_write_now(&self) -> bool {
        js::global(LOCAL).is_some()
    }

    /// All copies that this context can read: none, one or two.
    pub async fn read(&self) -> Vec<String> {
        let mut copies: Vec<String> = self.read_now().into_iter().collect();
        copies.extend(self.read_cache().await);
        copies
    }

    /// The copy that can be read without waiting, which only windows have.
    pub fn read_now(&self) -> Option<String> {
        self.local("getItem", &[]).ok()?.as_string()
    }

    /// Writes `text` to every place that this context has, and returns whether one took it. What
    /// [`Beacon::write_now`] does is done before the first wait.
    pub async fn write(&self, text: &str) -> bool {
        let local = self.write_now(text);
        let cache = self.write_cache(text).await;
        local || cache.is_ok()
    }

    /// Writes `text` at once, for a page that is about to go; false where this cannot be done, as in workers.
    pub fn write_now(&self, text: &str) -> bool {
        self.local("setItem", &[&text.into()]).is_ok()
    }

    /// Removes all copies that this context can reach.
    pub async fn remove(&self) {
        let _ = self.local("removeItem", &[]);
        if let (Some(url), Ok(cache)) = (self.url(), open_cache().await) {
            let _ = js::settle(CACHES, &cache, "delete", &[&url]).await;
        }
    }

    fn local(&self, method: &str, more: &[&JsValue]) -> Result<JsValue, WebError> {
        let storage = js::global(LOCAL).ok_or(WebError::Missing { api: LOCAL })?;
        let key = JsValue::from(format!("{CACHE}/{}", self.name));
        js::call(LOCAL, &storage, method, &[&[&key], more].concat())
    }

    async fn read_cache(&self) -> Option<String> {
        let response = js::settle(CACHES, &open_cache().await.ok()?, "match", &[&self.url()?]).await.ok()?;
        js::settle(CACHES, &response, "text", &[]).await.ok()?.as_string()
    }

    async fn write_cache(&self, text: &str) -> Result<(), WebError> {
        let url = self.url().ok_or(WebError::Missing { api: CACHES })?;
        let cache = open_cache().await?;
        let response = js::construct("Response", &[&text.into()])?;
        js::settle(CACHES, &cache, "put", &[&url, &response]).await.map(drop)
    }

    /// The key in the cache: an address that nothing is ever fetched from. It is absolute, since a worker made
    /// from a blob has no base that a relative one could be resolved against.
    fn url(&self) -> Option<JsValue> {
        let origin = js::get(&js::global("location")?, "origin")?.as_string()?;
        let name = String::from(js_sys::encode_uri_component(&self.name));
        Some(JsValue::from(format!("{origin}/.{CACHE}/{name}")))
    }
}

async fn open_cache() -> Result<JsValue, WebError> {
    let caches = js::global(CACHES).ok_or(WebError::Missing { api: CACHES })?;
    js::settle(CACHES, &caches, "open", &[&CACHE.into()]).await
}
