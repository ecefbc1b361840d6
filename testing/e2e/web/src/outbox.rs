use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use haos_queue::pressure::{Kept, PressureOptions};
use haos_queue::web::{DriveOptions, Remaining, Role, drive, on_sync};
use haos_queue::{
    BrowserHost, Draft, Driver, EnqueueError, Outbox, OutboxOptions, PlainProtocol, RetryPolicy, apply_sync,
};
use haos_store_api::{
    EventType, Json, Page, Result, RoomId, RoomQuery, StorageAdapter, StorageAdapterExt as _,
};
use haos_store_idb::{IdbOptions, IdbStore};
use serde_json::{Value, json};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_futures::spawn_local;

use crate::server::{Site, session, sync};
use crate::{ask, js, text, workload};

/// The first pause after a failure, and the longest: a test waits for many.
const RETRY_MS: (u64, u64) = (40, 400);

/// A context with an outbox: a page or a service worker.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Context {
    name: String,
    who: String,
    patience_ms: u32,
    outbox: Outbox,
    role: Rc<RefCell<Role>>,
}

#[wasm_bindgen]
impl Context {
    /// Opens the store `name`. The context is called `who` where it tells the site about itself; it waits for a
    /// leader's sign of life for `patience_ms`.
    ///
    /// # Errors
    /// As the store's.
    pub async fn open(name: String, who: String, patience_ms: u32) -> std::result::Result<Context, JsValue> {
        let store: Arc<dyn StorageAdapter> =
            shared(IdbStore::open(IdbOptions::new(&name)).await.map_err(js)?);
        let outbox = outbox(store).map_err(js)?;
        let role = Rc::new(RefCell::new(Role::Ended));
        Ok(Self { name, who, patience_ms, outbox, role })
    }

    /// The same over a store that is open, which is kept within this number of bytes.
    ///
    /// # Errors
    /// As the store's.
    pub fn kept(
        store: &crate::Store,
        quota_bytes: u32,
        headroom_bytes: u32,
    ) -> std::result::Result<Context, JsValue> {
        let store: Arc<dyn StorageAdapter> = store.store.clone();
        let options = PressureOptions {
            quota_bytes: Some(quota_bytes.into()),
            headroom_bytes: headroom_bytes.into(),
            ..PressureOptions::default()
        };
        let outbox = outbox(shared(Kept::new(store, Arc::new(BrowserHost), options))).map_err(js)?;
        let role = Rc::new(RefCell::new(Role::Ended));
        let (name, who) = (String::new(), String::new());
        Ok(Self { name, who, patience_ms: 0, outbox, role })
    }

    /// Sends as long as this page or worker lives, and tells the site of every change of its role.
    ///
    /// # Errors
    /// As the store's.
    pub fn drive(&self) -> std::result::Result<(), JsValue> {
        let options = DriveOptions::new(&self.name).patience_ms(self.patience_ms.into());
        let mut driving = drive(self.driver().map_err(js)?, options);
        let (mut roles, shown) = (driving.role(), Rc::clone(&self.role));
        let who = self.who.clone();
        spawn_local(async move {
            loop {
                let role = *roles.borrow_and_update();
                *shown.borrow_mut() = role;
                let body = json!({ "who": who, "role": format!("{role:?}") });
                ask("POST", "/role", &body.to_string()).await;
                if roles.changed().await.is_err() {
                    return;
                }
            }
        });
        let who = self.who.clone();
        spawn_local(async move {
            // Nobody stops it.
            let ended = driving.ended().await.map_err(|error| text(&error));
            let body = json!(format!("{who} does not send any more: {ended:?}"));
            ask("POST", "/failed", &body.to_string()).await;
        });
        Ok(())
    }

    /// As a service worker does when the browser wakes it up; whether nothing is left.
    ///
    /// # Errors
    /// As the store's.
    pub async fn on_sync(&self, deadline_ms: u32) -> std::result::Result<bool, JsValue> {
        let options = DriveOptions::new(&self.name).patience_ms(self.patience_ms.into());
        let left = on_sync(self.driver().map_err(js)?, options, deadline_ms.into()).await;
        Ok(left.map_err(js)? == Remaining::Nothing)
    }

    /// The part of the context in sending.
    pub fn role(&self) -> String {
        format!("{:?}", self.role.borrow())
    }

    /// Takes a message; its place in the outbox.
    ///
    /// # Errors
    /// As [`Outbox::enqueue`].
    pub async fn enqueue(&self, room: String, body: String) -> std::result::Result<u32, JsValue> {
        let draft = draft(&room, &body).map_err(js)?;
        match self.outbox.enqueue(draft).await {
            Ok(enqueued) => Ok(enqueued.seq as u32),
            Err(EnqueueError::Store(error)) => Err(js(error)),
            Err(error) => Err(JsValue::from_str(&error.to_string())),
        }
    }

    /// Stores a media item that can be fetched again, as far as there is room.
    ///
    /// # Errors
    /// `Full` without room; those of the store.
    pub async fn cache(&self, name: String, bytes: u32) -> std::result::Result<(), JsValue> {
        let key = workload::media(&format!("mxc://x/{name}")).map_err(js)?;
        let mut batch = haos_store_api::WriteBatch::relaxed();
        batch.put_media(workload::info(key), vec![7; bytes as usize]);
        self.outbox.store().apply(batch).await.map(drop).map_err(js)
    }

    /// The outbox: for each row its body and its state.
    ///
    /// # Errors
    /// As the store's.
    pub async fn rows(&self) -> std::result::Result<String, JsValue> {
        let rows = self.outbox.store().outbox().await.map_err(js)?;
        let shown = rows.iter().map(|row| {
            json!({ "seq": row.seq, "state": format!("{:?}", row.state), "content": row.content.as_str(),
                "attempts": row.attempts, "error": row.error })
        });
        Ok(Value::Array(shown.collect()).to_string())
    }

    /// Fetches what the server has, once, and applies it; what became of that.
    ///
    /// # Errors
    /// As the store's.
    pub async fn sync(&self) -> std::result::Result<String, JsValue> {
        self.synced().await.map_err(js)
    }

    /// The event ids of every room, oldest first.
    ///
    /// # Errors
    /// As the store's.
    pub async fn timelines(&self) -> std::result::Result<String, JsValue> {
        let mut all = serde_json::Map::new();
        let store = self.outbox.store();
        for room in store.rooms(RoomQuery::default()).await.map_err(js)? {
            let slice = store.timeline(&room.id, Page::newest(usize::MAX)).await.map_err(js)?;
            let gaps = slice.gaps().count();
            let events: Vec<_> = slice.messages().map(|message| message.id.as_str()).collect();
            all.insert(room.id.to_string(), json!({ "events": events, "gaps": gaps }));
        }
        Ok(Value::Object(all).to_string())
    }

    async fn synced(&self) -> Result<String> {
        let store = self.outbox.store();
        let since = store.sync_token().await?;
        let Some(delta) = sync(since).await? else { return Ok("no answer".to_owned()) };
        let user = session()?.user;
        let synced = apply_sync(&**store, &delta, Some(&user), &PlainProtocol).await;
        synced.map(|synced| format!("{synced:?}"))
    }

    fn driver(&self) -> Result<Driver> {
        #[allow(clippy::arc_with_non_send_sync, reason = "there is one thread")]
        Ok(Driver::new(self.outbox.clone(), Arc::new(Site), session()?))
    }
}

#[allow(clippy::arc_with_non_send_sync, reason = "there is one thread")]
fn shared(store: impl StorageAdapter + 'static) -> Arc<dyn StorageAdapter> {
    Arc::new(store)
}

fn outbox(store: Arc<dyn StorageAdapter>) -> Result<Outbox> {
    Outbox::new(store, Arc::new(BrowserHost), Arc::new(PlainProtocol), outbox_options())
}

fn outbox_options() -> OutboxOptions {
    let (base_ms, cap_ms) = RETRY_MS;
    let retry = RetryPolicy { base_ms, cap_ms, old_cap_ms: cap_ms, ..RetryPolicy::default() };
    OutboxOptions { retry, lease_ms: 5000, renew_ms: 1500, ..OutboxOptions::default() }
}

fn draft(room: &str, body: &str) -> Result<Draft> {
    let content = Json::of(&json!({ "body": body }))?;
    Ok(Draft::new(RoomId::new(room)?, EventType::new("m.room.message")?, content))
}
