use std::sync::Arc;

use haos::{
    Clear, Diffs, EventId, FileInfo, Room, RoomFilter, RoomId, RoomItem, RoomList, Secret, Session, Text,
    Timeline, TimelineItem, UserId,
};
use haos_queue::PlainProtocol;
use js_sys::Function;
use serde::Serialize;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::failure::{Failure, failure};
use crate::server::Server;

/// A chat by the front door.
#[wasm_bindgen]
pub struct Front(haos::Chat);

/// A live list of rooms.
#[wasm_bindgen]
pub struct Rooms(RoomList, Diffs<Arc<RoomItem>>);

/// A live timeline.
#[wasm_bindgen]
pub struct Items(Room, Timeline, Diffs<Arc<TimelineItem>>);

fn text(value: &impl Serialize) -> Result<String, Failure> {
    serde_json::to_string(value).map_err(failure)
}

#[wasm_bindgen]
impl Front {
    /// Opens the store `name` of `me`, which `send` sends for; sealed with a passphrase where one is given.
    ///
    /// # Errors
    /// The store's.
    pub async fn open(
        name: String,
        me: String,
        passphrase: Option<String>,
        send: Function,
    ) -> Result<Front, Failure> {
        let session = Session { user: UserId::new(me).map_err(failure)?, device: "web".to_owned() };
        let mut opening = haos::Chat::open(&format!("idb:{name}")).transport(
            Arc::new(Server(send)),
            Arc::new(PlainProtocol),
            session,
        );
        if let Some(passphrase) = passphrase {
            opening = opening.secret(Secret::passphrase(passphrase));
        }
        opening.await.map(Self).map_err(failure)
    }

    /// Follows the joined rooms; gives them as JSON with [`Rooms::now`].
    ///
    /// # Errors
    /// The store's.
    pub async fn rooms(&self) -> Result<Rooms, Failure> {
        let list = self.0.rooms(RoomFilter::joined());
        let (_, diffs) = list.subscribe().await.map_err(failure)?;
        Ok(Rooms(list, diffs))
    }

    /// Follows the timeline of a room.
    ///
    /// # Errors
    /// The store's.
    pub async fn timeline(&self, room: String) -> Result<Items, Failure> {
        let room = self.0.room(&RoomId::new(room).map_err(failure)?);
        let timeline = room.timeline(50).await.map_err(failure)?;
        let (_, diffs) = timeline.subscribe().await.map_err(failure)?;
        Ok(Items(room, timeline, diffs))
    }

    /// Tells how the connection, the outbox and the storage are, as JSON.
    ///
    /// # Errors
    /// The store's.
    pub async fn state(&self) -> Result<String, Failure> {
        let outbox = self.0.outbox().now().await.map_err(failure)?;
        let storage = self.0.storage().now().await.map_err(failure)?;
        let connection = self.0.connection().now().await.map_err(failure)?;
        text(&(connection, outbox, storage))
    }

    /// Forgets the media.
    ///
    /// # Errors
    /// The store's.
    pub async fn clear(&self) -> Result<(), Failure> {
        self.0.clear(Clear::Media).await.map(drop).map_err(failure)
    }
}

#[wasm_bindgen]
impl Rooms {
    /// Reads the rooms, as JSON.
    ///
    /// # Errors
    /// The store's.
    pub async fn now(&self) -> Result<String, Failure> {
        text(&self.0.now().await.map_err(failure)?)
    }

    /// Waits for the next steps, as JSON.
    ///
    /// # Errors
    /// The store's.
    pub async fn next(&mut self) -> Result<String, Failure> {
        text(&self.1.next().await.map_err(failure)?)
    }
}

#[wasm_bindgen]
impl Items {
    /// Reads the items, as JSON.
    ///
    /// # Errors
    /// The store's.
    pub async fn now(&self) -> Result<String, Failure> {
        text(&self.1.items().await.map_err(failure)?)
    }

    /// Waits for the next steps, as JSON.
    ///
    /// # Errors
    /// The store's.
    pub async fn next(&mut self) -> Result<String, Failure> {
        text(&self.2.next().await.map_err(failure)?)
    }

    /// Shows older items, or those around an event.
    ///
    /// # Errors
    /// The store's.
    pub async fn go(&self, around: Option<String>) -> Result<(), Failure> {
        match around {
            Some(event) => {
                let event = EventId::new(event).map_err(failure)?;
                self.1.around(&event, 50).await.map(drop).map_err(failure)
            }
            None => self.1.older(50).await.map(drop).map_err(failure),
        }
    }

    /// Sends a text, as an answer where an event is named.
    ///
    /// # Errors
    /// The store's.
    pub async fn send(&self, body: String, reply_to: Option<String>) -> Result<(), Failure> {
        let mut message = Text::new(body);
        if let Some(event) = reply_to {
            message = message.reply_to(&EventId::new(event).map_err(failure)?);
        }
        self.0.send(message).await.map(drop).map_err(failure)
    }

    /// Sends a file.
    ///
    /// # Errors
    /// The store's.
    pub async fn send_file(&self, bytes: Vec<u8>, name: String) -> Result<(), Failure> {
        self.0.send_file(bytes, FileInfo::guess().name(name)).await.map(drop).map_err(failure)
    }

    /// Edits, reacts to, takes back, tries again or gives up item `at`.
    ///
    /// # Errors
    /// The store's.
    pub async fn act(&self, at: usize, verb: String, with: String) -> Result<(), Failure> {
        let items = self.1.items().await.map_err(failure)?;
        let item = items.get(at).ok_or_else(|| failure("no such item"))?;
        match verb.as_str() {
            "edit" => self.1.edit(item, with).await.map(drop).map_err(failure),
            "react" => self.1.react(item, &with).await.map(drop).map_err(failure),
            "redact" => self.1.redact(item, None).await.map(drop).map_err(failure),
            "retry" => self.1.retry(item).await.map(drop).map_err(failure),
            _ => self.1.cancel(item).await.map(drop).map_err(failure),
        }
    }

    /// Marks as read up to an event, and keeps a draft.
    ///
    /// # Errors
    /// The store's.
    pub async fn mark(&self, read: String, draft: String) -> Result<(), Failure> {
        self.0.mark_read(&EventId::new(read).map_err(failure)?).await.map_err(failure)?;
        self.0.draft().set(&draft).await.map_err(failure)
    }
}
