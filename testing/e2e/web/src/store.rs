use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use haos_store_api::{
    Change, Changes, Maintenance, Membership, Message, Progress, Room, RoomId, StorageAdapter as _,
    StorageAdapterExt as _, WriteBatch,
};
use haos_store_idb::{IdbOptions, IdbStore};
use serde_json::{Value, json};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_futures::spawn_local;

use crate::audit::Audit;
use crate::{js, workload};

/// A store, and what was heard of its changes.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Store {
    pub(crate) store: Arc<IdbStore>,
    heard: Rc<RefCell<Vec<Value>>>,
}

#[wasm_bindgen]
impl Store {
    /// Opens it, and makes it if it is missing.
    ///
    /// # Errors
    /// As [`IdbStore::open`].
    pub async fn open(name: String) -> Result<Store, JsValue> {
        #[allow(clippy::arc_with_non_send_sync, reason = "there is one thread")]
        let store = Arc::new(IdbStore::open(IdbOptions::new(name)).await.map_err(js)?);
        let heard = Rc::default();
        spawn_local(listen(store.changes(), Rc::clone(&heard)));
        Ok(Self { store, heard })
    }

    /// Removes it.
    ///
    /// # Errors
    /// As [`IdbStore::delete`].
    pub async fn delete(name: String) -> Result<(), JsValue> {
        IdbStore::delete(&name).await.map_err(js)
    }

    /// The store's information about itself.
    pub fn info(&self) -> String {
        let info = self.store.info();
        let recovery = info
            .recovery
            .map(|recovery| json!({ "cause": recovery.cause, "unreadable": recovery.unreadable }));
        json!({ "revision": info.opened_at.0, "recovery": recovery, "shared": info.shared }).to_string()
    }

    /// Commits the batch of a number; its revision.
    ///
    /// # Errors
    /// As the store's.
    pub async fn commit(&self, n: u32) -> Result<u32, JsValue> {
        self.apply(workload::batch(n.into()).map_err(js)?).await
    }

    /// Checks that everything up to the latest number is there, whole.
    ///
    /// # Errors
    /// As the store's.
    pub async fn audit(&self) -> Result<String, JsValue> {
        let audit = Audit::of(&*self.store).await.map_err(js)?;
        Ok(json!({ "n": audit.n, "wrong": audit.wrong, "revision": self.store.info().opened_at.0 })
            .to_string())
    }

    /// Compacts at once what would be compacted in an idle moment.
    ///
    /// # Errors
    /// As the store's.
    pub async fn compact(&self) -> Result<(), JsValue> {
        self.store.maintain(Maintenance::Compact, Progress::none()).await.map(drop).map_err(js)
    }

    /// Commits messages of this size to a room, behind those that it has; returns the revision.
    ///
    /// # Errors
    /// As the store's.
    pub async fn messages(&self, room: String, first: u32, count: u32, bytes: u32) -> Result<u32, JsValue> {
        let batch = messages(&room, first, count, bytes).map_err(js)?;
        self.apply(batch).await
    }

    /// How many messages a room has.
    ///
    /// # Errors
    /// As the store's.
    pub async fn count(&self, room: String) -> Result<u32, JsValue> {
        let room = RoomId::new(room).map_err(js)?;
        Ok(self.store.count(&room, None).await.map_err(js)? as u32)
    }

    /// Keeps the newest messages of a room.
    ///
    /// # Errors
    /// As the store's.
    pub async fn prune(&self, room: String, keep: u32) -> Result<(), JsValue> {
        let room = RoomId::new(room).map_err(js)?;
        self.store.prune_room(&room, keep.into(), &[]).await.map(drop).map_err(js)
    }

    /// Stores a media item of bytes that nothing makes smaller.
    ///
    /// # Errors
    /// As the store's.
    pub async fn media(&self, name: String, bytes: u32) -> Result<u32, JsValue> {
        let key = workload::media(&format!("mxc://x/{name}")).map_err(js)?;
        let mut batch = WriteBatch::relaxed();
        batch.put_media(workload::info(key), noise(bytes));
        self.apply(batch).await
    }

    /// Removes a media item.
    ///
    /// # Errors
    /// As the store's.
    pub async fn remove_media(&self, name: String) -> Result<u32, JsValue> {
        let mut batch = WriteBatch::relaxed();
        batch.remove_media(workload::media(&format!("mxc://x/{name}")).map_err(js)?);
        self.apply(batch).await
    }

    /// How many rows of the outbox, media items and rooms there are.
    ///
    /// # Errors
    /// As the store's.
    pub async fn holds(&self) -> Result<String, JsValue> {
        let rows = self.store.outbox().await.map_err(js)?.len();
        let media = self.store.media_index(Default::default()).await.map_err(js)?.len();
        let rooms = self.store.rooms(Default::default()).await.map_err(js)?.len();
        Ok(json!({ "rows": rows, "media": media, "rooms": rooms }).to_string())
    }

    /// The revisions told by the change feed since the last question; those of a resync are negative.
    pub fn heard(&self) -> String {
        Value::Array(self.heard.take()).to_string()
    }

    /// Closes it.
    ///
    /// # Errors
    /// As the store's.
    pub async fn close(&self) -> Result<(), JsValue> {
        self.store.close().await.map_err(js)
    }

    async fn apply(&self, batch: WriteBatch) -> Result<u32, JsValue> {
        Ok(self.store.apply(batch).await.map_err(js)?.revision.0 as u32)
    }
}

async fn listen(mut changes: Changes, heard: Rc<RefCell<Vec<Value>>>) {
    while let Some(change) = changes.next().await {
        // A test makes some thousands.
        let revision = change.revision().0 as i64;
        let told = if matches!(change, Change::Resync { .. }) { -revision } else { revision };
        heard.borrow_mut().push(told.into());
    }
    heard.borrow_mut().push("over".into());
}

fn messages(room: &str, first: u32, count: u32, bytes: u32) -> haos_store_api::Result<WriteBatch> {
    let room = RoomId::new(room)?;
    let mut batch = WriteBatch::relaxed();
    batch.put_room(Room { topic: Some(first.to_string()), ..Room::new(room.clone(), Membership::Join) });
    let noise: String = noise(bytes).iter().map(|byte| char::from(b'a' + byte % 26)).collect();
    for n in first..first + count {
        let content = haos_store_api::Json::new(format!(r#"{{"body":"{n} {noise}"}}"#))?;
        // Of the numbers of one room, as many as there are messages.
        let number = u64::from(n) * workload::ROOMS + 1;
        let position = workload::message(number, 0)?.position;
        let id = haos_store_api::EventId::new(format!("${}-{n}", room.as_str()))?;
        let message = workload::message(number, 0)?;
        batch.put_message(Message { room: room.clone(), id, position, content, ..message });
    }
    Ok(batch)
}

/// Bytes without a pattern, the same each time.
fn noise(bytes: u32) -> Vec<u8> {
    let mut state = 0x2545_f491_u32;
    let step = |_| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        (state >> 8) as u8
    };
    (0..bytes).map(step).collect()
}
