use std::sync::Arc;

use haos::{RoomId, Secret};
use haos_wire::{Desk, Failure, FileFacts, MediaWanted};
use js_sys::{Function, JsString};
use serde::Deserialize;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::blob::{Blob, source};
use crate::code::Loader;

/// How a chat is opened.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Options {
    /// Such as `idb:chat`.
    url: String,
    /// The passphrase of a sealed store.
    passphrase: Option<String>,
    /// The name of the device, for the user's others.
    device_name: Option<String>,
    /// True to sync and send nothing until it is started.
    #[serde(default)]
    held: bool,
}

/// An open chat.
#[wasm_bindgen]
pub struct Port(Desk);

/// A media item.
#[wasm_bindgen]
pub struct Item {
    bytes: Vec<u8>,
    mime: Option<String>,
    size: u64,
}

fn refused(failure: impl Into<Failure>) -> JsString {
    failure.into().to_json().into()
}

#[wasm_bindgen]
impl Port {
    /// Opens a chat by its options as JSON, with the 32 bytes of a key where one is given. `load_keys` loads the code of
    /// the encryption, where it is a part of its own.
    ///
    /// # Errors
    /// A failure as JSON, as of every call.
    pub async fn open(
        options: String,
        key: Option<Vec<u8>>,
        load_keys: Option<Function>,
    ) -> Result<Port, JsString> {
        let options: Options = serde_json::from_str(&options).map_err(refused)?;
        let mut opening = haos::Chat::open(&options.url);
        if let Some(passphrase) = options.passphrase {
            opening = opening.secret(Secret::passphrase(passphrase));
        }
        if let Some(key) = key {
            opening = opening.secret(Secret::key(key.try_into().map_err(|_| refused(no_key()))?));
        }
        if let Some(name) = options.device_name {
            opening = opening.name(name);
        }
        if let Some(load) = load_keys {
            opening = opening.key_code(Arc::new(Loader(load)));
        }
        if options.held {
            opening = opening.held();
        }
        Ok(Self(Desk::new(opening.await.map_err(refused)?)))
    }

    /// Answers a call.
    ///
    /// # Errors
    /// A failure as JSON.
    pub async fn call(&self, call: String) -> Result<String, JsString> {
        self.0.call(&call).await.map_err(Into::into)
    }

    /// Sends a file, by what is known of it as JSON.
    ///
    /// # Errors
    /// A failure as JSON.
    #[wasm_bindgen(js_name = sendFile)]
    pub async fn send_file(&self, room: String, facts: String, file: Blob) -> Result<String, JsString> {
        let room = RoomId::new(room).map_err(refused)?;
        let facts: FileFacts = serde_json::from_str(&facts).map_err(refused)?;
        let done = self.0.send_file(&room, source(file), facts).await.map_err(refused)?;
        serde_json::to_string(&done).map_err(refused)
    }

    /// Reads a media item, by what is wanted as JSON.
    ///
    /// # Errors
    /// A failure as JSON.
    pub async fn media(&self, wanted: String) -> Result<Item, JsString> {
        let wanted: MediaWanted = serde_json::from_str(&wanted).map_err(refused)?;
        let media = self.0.media(wanted).await.map_err(refused)?;
        Ok(Item { bytes: media.bytes, mime: media.mime, size: media.size })
    }

    /// Closes it: what is under way has two seconds.
    ///
    /// # Errors
    /// A failure as JSON.
    pub async fn close(&self) -> Result<(), JsString> {
        self.0.close().await.map_err(refused)
    }
}

#[wasm_bindgen]
impl Item {
    /// Its bytes, once.
    #[wasm_bindgen(js_name = takeBytes)]
    pub fn take_bytes(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes)
    }

    /// Its media type, if it is known.
    #[wasm_bindgen(getter)]
    pub fn mime(&self) -> Option<String> {
        self.mime.clone()
    }

    /// The number of all its bytes, where these are a part.
    #[wasm_bindgen(getter)]
    #[allow(clippy::cast_precision_loss, reason = "no item has 2^53 bytes")]
    pub fn size(&self) -> f64 {
        self.size as f64
    }
}

fn no_key() -> Failure {
    Failure::invalid("a key has 32 bytes: derive one, or give a passphrase")
}
