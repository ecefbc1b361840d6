use std::fmt::Write as _;
use std::sync::Arc;

use haos_queue::web::{DriveOptions, Driving, drive};
use haos_queue::{
    BrowserHost, Draft, Driver, Event, Outbox, OutboxOptions, PlainProtocol, RoomDelta, Session, SyncDelta,
    apply_sync,
};
use haos_store_api::{
    EventId, EventType, Json, Membership, Page, RoomId, Secret, StateKey, StorageAdapter, UserId,
};
use haos_store_idb::{IdbOptions, IdbStore};
use js_sys::Function;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::failure::{Failure, failure};
use crate::server::Server;

/// A store and its outbox.
#[wasm_bindgen]
pub struct Chat {
    store: Arc<dyn StorageAdapter>,
    outbox: Outbox,
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
        let outbox = Outbox::new(
            store.clone(),
            Arc::new(BrowserHost),
            Arc::new(PlainProtocol),
            OutboxOptions::default(),
        );
        let me = UserId::new(me).map_err(failure)?;
        Ok(Self { store, outbox: outbox.map_err(failure)?, me, driving: None })
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

    /// The newest messages of a room, a line each.
    ///
    /// # Errors
    /// The store's.
    pub async fn page(&self, room: String, limit: usize) -> Result<String, Failure> {
        let room = RoomId::new(room).map_err(failure)?;
        let slice = self.store.timeline(&room, Page::newest(limit)).await.map_err(failure)?;
        let mut text = String::new();
        for message in slice.messages() {
            // Writing to a String does not fail.
            let _ = writeln!(
                text,
                "{} {} {}",
                message.id.as_str(),
                message.sender.as_str(),
                message.content.as_str()
            );
        }
        Ok(text)
    }

    /// Writes a message into the outbox.
    ///
    /// # Errors
    /// The store's.
    pub async fn enqueue(&self, room: String, kind: String, content: String) -> Result<String, Failure> {
        let (room, kind) = (RoomId::new(room).map_err(failure)?, EventType::new(kind).map_err(failure)?);
        let draft = Draft::new(room, kind, Json::new(content).map_err(failure)?);
        Ok(self.outbox.enqueue(draft).await.map_err(failure)?.txn_id.to_string())
    }

    /// Sends what is in the outbox, in this context or another: `send` gets room, transaction id, kind and
    /// content, and returns a promise of the event's id.
    pub fn run(&mut self, send: Function) {
        let session = Session { user: self.me.clone(), device: "web".to_owned() };
        let driver = Driver::new(self.outbox.clone(), Arc::new(Server(send)), session);
        self.driving = Some(drive(driver, DriveOptions::new("chat")));
    }
}
