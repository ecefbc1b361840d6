use std::cell::OnceCell;
use std::fmt::Write as _;
use std::sync::Arc;

use haos_queue::web::{DriveOptions, Driving, drive};
use haos_queue::{
    BrowserHost, Draft, Driver, Event, Outbox, OutboxOptions, PlainProtocol, RoomDelta, Session, SyncDelta,
    apply_sync,
};
use haos_store_api::{
    Cursor, EventId, EventType, Json, Membership, Message, Page, RoomId, RoomQuery, Secret, StateKey,
    StorageAdapter, UserId,
};
use haos_store_idb::{IdbOptions, IdbStore};
use js_sys::Function;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_futures::spawn_local;

use crate::failure::{Failure, failure};
use crate::server::Server;

/// A store and its outbox.
#[wasm_bindgen]
pub struct Chat {
    store: Arc<dyn StorageAdapter>,
    outbox: OnceCell<Outbox>,
    me: UserId,
    driving: Option<Driving>,
}

#[wasm_bindgen]
impl Chat {
    /// Opens the store `name` of `me`; sealed with a passphrase where one is given.
    ///
    /// # Errors
    /// The store's.
    pub async fn open(name: String, me: String, passphrase: Option<String>) -> Result<Chat, Failure> {
        let mut options = IdbOptions::new(name);
        if let Some(passphrase) = passphrase {
            options = options.secret(Secret::passphrase(passphrase));
        }
        let store: Arc<dyn StorageAdapter> = Arc::new(IdbStore::open(options).await.map_err(failure)?);
        let me = UserId::new(me).map_err(failure)?;
        Ok(Self { store, outbox: OnceCell::new(), me, driving: None })
    }

    /// The one outbox, made when it is first used: a first page needs none.
    fn outbox(&self) -> Result<&Outbox, Failure> {
        if let Some(outbox) = self.outbox.get() {
            return Ok(outbox);
        }
        let (store, host) = (self.store.clone(), Arc::new(BrowserHost));
        let outbox = Outbox::new(store, host, Arc::new(PlainProtocol), OutboxOptions::default());
        let outbox = outbox.map_err(failure)?;
        Ok(self.outbox.get_or_init(|| outbox))
    }

    /// Applies one event of a sync; with `limited`, what came before it was left out.
    ///
    /// # Errors
    /// The store's.
    pub async fn apply(
        &self,
        room: String,
        id: String,
        sender: String,
        kind: String,
        content: String,
        limited: bool,
    ) -> Result<(), Failure> {
        let event = Event {
            id: EventId::new(id).map_err(failure)?,
            sender: UserId::new(sender).map_err(failure)?,
            timestamp_ms: 0,
            kind: EventType::new(kind).map_err(failure)?,
            state_key: None::<StateKey>,
            content: Json::new(content).map_err(failure)?,
            relation: None,
            txn_id: None,
            redacted_by: None,
            extra: None,
        };
        let mut delta = RoomDelta::new(RoomId::new(room).map_err(failure)?, Membership::Join);
        (delta.timeline, delta.limited) = (vec![event], limited);
        let delta = SyncDelta { rooms: vec![delta], ..SyncDelta::default() };
        apply_sync(&*self.store, &delta, Some(&self.me), &PlainProtocol).await.map_err(failure)?;
        Ok(())
    }

    /// The rooms, a line each.
    ///
    /// # Errors
    /// The store's.
    pub async fn rooms(&self) -> Result<String, Failure> {
        let rooms = self.store.rooms(RoomQuery::default()).await.map_err(failure)?;
        let mut text = String::new();
        for room in rooms {
            // Writing to a String does not fail.
            let _ = writeln!(text, "{} {}", room.id.as_str(), room.name.as_deref().unwrap_or_default());
        }
        Ok(text)
    }

    /// Messages of a room, a line each, which begins with a cursor: the newest, or those before a cursor.
    ///
    /// # Errors
    /// The store's, and for what is no cursor.
    pub async fn page(&self, room: String, before: Option<String>, limit: usize) -> Result<String, Failure> {
        let room = RoomId::new(room).map_err(failure)?;
        let page = match before {
            None => Page::newest(limit),
            Some(cursor) => Page::older_than(cursor.parse::<Cursor>().map_err(failure)?, limit),
        };
        let slice = self.store.timeline(&room, page).await.map_err(failure)?;
        let mut text = String::new();
        slice.messages().for_each(|message| line(&mut text, message));
        Ok(text)
    }

    /// A message, as a line of a page.
    ///
    /// # Errors
    /// The store's.
    pub async fn message(&self, room: String, id: String) -> Result<String, Failure> {
        let (room, id) = (RoomId::new(room).map_err(failure)?, EventId::new(id).map_err(failure)?);
        let mut text = String::new();
        let found = self.store.message(&room, &id).await.map_err(failure)?;
        found.iter().for_each(|message| line(&mut text, message));
        Ok(text)
    }

    /// Calls a function with the revision of every commit, of this context or another.
    pub fn live(&self, changed: Function) {
        let mut changes = self.store.changes();
        spawn_local(async move {
            while let Some(change) = changes.next().await {
                let revision = change.revision().0 as f64;
                // What the function throws is its own.
                let _ = changed.call1(&JsValue::NULL, &revision.into());
            }
        });
    }

    /// Writes a message into the outbox.
    ///
    /// # Errors
    /// The store's.
    pub async fn enqueue(&self, room: String, kind: String, content: String) -> Result<String, Failure> {
        let (room, kind) = (RoomId::new(room).map_err(failure)?, EventType::new(kind).map_err(failure)?);
        let draft = Draft::new(room, kind, Json::new(content).map_err(failure)?);
        Ok(self.outbox()?.enqueue(draft).await.map_err(failure)?.txn_id.to_string())
    }

    /// Sends what is in the outbox, in this context or another: `send` gets room, transaction id, kind and
    /// content, and returns a promise of the event's id.
    ///
    /// # Errors
    /// The outbox's.
    pub fn run(&mut self, send: Function) -> Result<(), Failure> {
        let session = Session { user: self.me.clone(), device: "web".to_owned() };
        let driver = Driver::new(self.outbox()?.clone(), Arc::new(Server(send)), session);
        self.driving = Some(drive(driver, DriveOptions::new("chat")));
        Ok(())
    }
}

fn line(text: &mut String, message: &Message) {
    let (cursor, id, sender) = (Cursor::of(message), message.id.as_str(), message.sender.as_str());
    // Writing to a String does not fail.
    let _ = writeln!(text, "{cursor} {id} {sender} {}", message.content.as_str());
}
