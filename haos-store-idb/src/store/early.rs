//! What a page shows before the store is open: kept, read, and its key.

use std::rc::Rc;

use haos_store_api::*;
use js_sys::{Array, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{CryptoKey, SubtleCrypto};

use super::{IdbStore, IdbTx, Inner, closed, work};
use crate::engine::early::{self, Early};
use crate::engine::kv::{EARLY, Kv as _};
use crate::idb::Mode;
use crate::schema::{LOG, META};

impl IdbStore {
    /// Keeps what a page is to show at its next start before the store is open, in place of what was kept before; tells
    /// whether it did. `js/early.js` hands it out while the module loads.
    ///
    /// The content is JSON of up to 48 KiB, as of the commit `at`: the [start](Changes::start) of a subscription that was
    /// made before the content was read. If there is a later commit already, in whatever context, nothing is kept: it may
    /// have taken away what the content still has. For the same reason a commit that redacts a message, or removes a
    /// message or a room, deletes what is kept, and so does a change of keys.
    ///
    /// # Errors
    /// `Invalid` for content that is larger; those of a write.
    pub async fn keep_early(&self, at: Revision, content: &Json) -> Result<bool> {
        self.0.check("keep")?;
        let record = early::encode(&self.0.codec, self.0.id.to_bytes(), at, content)?;
        let Ok(accepted) = self.0.accepted.clone().try_read_owned() else {
            return Err(closed("keep", "the store is being closed: open it again"));
        };
        let inner = Rc::clone(&self.0);
        let work = async move {
            let kept = inner.keep_early(at, &record).await;
            drop(accepted);
            kept
        };
        work::alone("keep", Box::pin(work)).await
    }

    /// Returns what is kept for an early page, if it may be shown: it is this store's, whole, and no newer than it.
    ///
    /// # Errors
    /// Those of a read.
    pub async fn early(&self) -> Result<Option<Early>> {
        self.0.check("early")?;
        let inner = Rc::clone(&self.0);
        work::alone("early", Box::pin(async move { inner.early().await })).await
    }

    /// Returns the key with which `js/early.js` opens what a sealed store keeps, as one that no script can read; `None`
    /// for a plain store. It opens nothing else. A rotation of keys changes it, and what was kept before goes.
    ///
    /// Whoever keeps this key in the browser, as IndexedDB can, lets everybody with the browser's files read what is
    /// kept, without the store's secret.
    ///
    /// # Errors
    /// `Unavailable` where the browser has no WebCrypto, as on pages that are not served securely.
    pub async fn early_key(&self) -> Result<Option<CryptoKey>> {
        let Some(keyring) = self.0.codec.keyring() else { return Ok(None) };
        let bytes = Uint8Array::from(keyring.key_beside(early::PURPOSE).as_slice());
        let imported = import(&bytes).await;
        bytes.fill(0, 0, bytes.length());
        let unavailable = |_| {
            let message = "the browser gives no WebCrypto: serve the page over https";
            Error::new(ErrorKind::Unavailable, "early", message)
        };
        imported.map(Some).map_err(unavailable)
    }
}

async fn import(bytes: &Uint8Array) -> std::result::Result<CryptoKey, JsValue> {
    let crypto = Reflect::get(&js_sys::global(), &"crypto".into())?;
    let subtle: SubtleCrypto = Reflect::get(&crypto, &"subtle".into())?.dyn_into()?;
    let usages = Array::of1(&"decrypt".into());
    let imported = subtle.import_key_with_str("raw", bytes, "AES-GCM", false, &usages)?;
    JsFuture::from(imported).await?.dyn_into()
}

impl Inner {
    async fn keep_early(self: &Rc<Self>, at: Revision, record: &[u8]) -> Result<bool> {
        let _turn = self.turn.lock().await;
        self.load(Vec::new()).await?;
        let (head, number) = {
            let memory = self.memory.borrow();
            (memory.head, memory.number.unwrap_or_default())
        };
        if head.revision != at {
            return Ok(false);
        }
        let tx = self.begin(&[META, LOG], Mode::Write(Durability::Relaxed), "keep").await?;
        let kv = IdbTx::new(&tx);
        let is_latest = kv.log(number).await?.is_empty();
        if is_latest {
            kv.put_named(EARLY, record)?;
        }
        tx.done().await?;
        Ok(is_latest)
    }

    async fn early(self: &Rc<Self>) -> Result<Option<Early>> {
        let tx = self.begin(&[META], Mode::Read, "early").await?;
        let record = IdbTx::new(&tx).named(EARLY).await?;
        // After it: what was kept then is no newer than what is read now.
        self.load(Vec::new()).await?;
        let latest = self.memory.borrow().head.revision;
        Ok(record.and_then(|record| early::decode(&self.codec, self.id.to_bytes(), latest, &record)))
    }
}
