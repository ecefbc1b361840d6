use haos_store_api::{
    Cursor, EventId, Json, Maintenance, Page, Progress, RoomId, Secret, StorageAdapter as _,
    StorageAdapterExt as _,
};
use haos_store_idb::{IdbOptions, IdbStore};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::batch::Batch;
use crate::{js, page};

/// The store.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Store(IdbStore);

#[wasm_bindgen]
impl Store {
    /// Opens the database, and makes it if it is missing. A sealed one has a key that is given: no
    /// passphrase is stretched.
    ///
    /// # Errors
    /// As [`IdbStore::open`].
    pub async fn open(name: String, sealed: bool) -> Result<Store, JsValue> {
        let options = IdbOptions::new(name);
        let options = if sealed { options.secret(Secret::key([7; 32])) } else { options };
        IdbStore::open(options).await.map(Self).map_err(js)
    }

    /// Removes the database, whether it is there or not.
    ///
    /// # Errors
    /// As [`IdbStore::delete`].
    pub async fn delete(name: String) -> Result<(), JsValue> {
        IdbStore::delete(&name).await.map_err(js)
    }

    /// Commits a batch.
    ///
    /// # Errors
    /// As the store's.
    pub async fn apply(&self, batch: Batch) -> Result<(), JsValue> {
        self.0.apply(batch.0).await.map(drop).map_err(js)
    }

    /// Brings all that was committed into the form that it stays in.
    ///
    /// # Errors
    /// As the store's.
    pub async fn fold(&self) -> Result<(), JsValue> {
        self.0.maintain(Maintenance::Compact, Progress::none()).await.map(drop).map_err(js)
    }

    /// The newest messages of a room, oldest first.
    ///
    /// # Errors
    /// As the store's.
    pub async fn newest(&self, room: String, limit: usize) -> Result<String, JsValue> {
        self.timeline(&room, Page::newest(limit)).await
    }

    /// The messages before a cursor, oldest first.
    ///
    /// # Errors
    /// As the store's, and for what is no cursor.
    pub async fn older(&self, room: String, cursor: String, limit: usize) -> Result<String, JsValue> {
        self.timeline(&room, older_than(&cursor, limit)?).await
    }

    /// The newest messages of a room, or those before a cursor, as they are shown: with their edits.
    ///
    /// # Errors
    /// As the store's, and for what is no cursor.
    pub async fn shown(&self, room: String, cursor: Option<String>, limit: usize) -> Result<String, JsValue> {
        let page = match cursor {
            Some(cursor) => older_than(&cursor, limit)?,
            None => Page::newest(limit),
        };
        let room = RoomId::new(room).map_err(js)?;
        let view = self.0.timeline_view(&room, page).await.map_err(js)?;
        Ok(page::view(&view))
    }

    /// One message.
    ///
    /// # Errors
    /// As the store's.
    pub async fn message(&self, room: String, id: String) -> Result<String, JsValue> {
        let (room, id) = (RoomId::new(room).map_err(js)?, EventId::new(id).map_err(js)?);
        let found = self.0.message(&room, &id).await.map_err(js)?;
        Ok(page::message(found.as_ref()))
    }

    /// Keeps the newest messages of a room for the next start.
    ///
    /// # Errors
    /// As the store's.
    pub async fn keep(&self, room: String, limit: usize) -> Result<bool, JsValue> {
        let at = self.0.changes().start();
        let page = Json::new(self.newest(room, limit).await?).map_err(js)?;
        self.0.keep_early(at, &page).await.map_err(js)
    }

    /// Closes the database.
    ///
    /// # Errors
    /// As the store's.
    pub async fn close(&self) -> Result<(), JsValue> {
        self.0.close().await.map_err(js)
    }

    async fn timeline(&self, room: &str, page: Page) -> Result<String, JsValue> {
        let room = RoomId::new(room).map_err(js)?;
        let slice = self.0.timeline(&room, page).await.map_err(js)?;
        Ok(page::slice(&slice))
    }
}

fn older_than(cursor: &str, limit: usize) -> Result<Page, JsValue> {
    let cursor: Cursor = cursor.parse().map_err(js)?;
    Ok(Page::older_than(cursor, limit))
}
