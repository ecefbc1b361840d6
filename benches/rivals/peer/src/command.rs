use std::path::PathBuf;

use matrix_sdk::ruma::events::room::EncryptedFile;
use matrix_sdk::ruma::{OwnedDeviceId, OwnedEventId, OwnedRoomId, OwnedUserId};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::Result;
use crate::client::Peer;

/// An order to the peer.
#[derive(Debug, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub(crate) enum Command {
    /// Makes an encrypted room: `room`.
    Create {
        name: String,
        invite: Vec<OwnedUserId>,
    },
    Invite {
        room: OwnedRoomId,
        user: OwnedUserId,
    },
    Join {
        room: OwnedRoomId,
    },
    Leave {
        room: OwnedRoomId,
    },
    Kick {
        room: OwnedRoomId,
        user: OwnedUserId,
    },
    /// Waits until somebody is `join`, `invite`, or `leave` in a room for this client.
    Member {
        room: OwnedRoomId,
        user: OwnedUserId,
        membership: String,
    },
    /// Waits until the server has the keys of a device.
    Device {
        user: OwnedUserId,
        device: OwnedDeviceId,
    },
    /// Sends a text: `event`, as by those that follow.
    Text {
        room: OwnedRoomId,
        body: String,
    },
    Edit {
        room: OwnedRoomId,
        event: OwnedEventId,
        body: String,
    },
    Reply {
        room: OwnedRoomId,
        event: OwnedEventId,
        body: String,
    },
    React {
        room: OwnedRoomId,
        event: OwnedEventId,
        key: String,
    },
    Redact {
        room: OwnedRoomId,
        event: OwnedEventId,
    },
    File {
        room: OwnedRoomId,
        path: PathBuf,
        name: String,
        mime: String,
        thumbnail: Option<PathBuf>,
    },
    /// What it reads in a room, oldest first: `events`.
    Read {
        room: OwnedRoomId,
    },
    /// Decrypts an attachment into a file, and its thumbnail into another one: `content`.
    Fetch {
        room: OwnedRoomId,
        event: OwnedEventId,
        into: PathBuf,
        into_thumbnail: Option<PathBuf>,
    },
    /// Decrypts a file with what an event says of it.
    Decrypt {
        file: EncryptedFile,
        into: PathBuf,
    },
    /// Ends it.
    Stop,
}

impl Peer {
    /// Does what a command says.
    pub(crate) async fn obey(&self, command: Command) -> Result<Value> {
        use Command as C;
        match command {
            C::Create { name, invite } => self.create(name, invite).await.map(|room| json!({ "room": room })),
            C::Invite { room, user } => self.invite(&room, &user).await.map(nothing),
            C::Join { room } => self.join(&room).await.map(nothing),
            C::Leave { room } => self.leave(&room).await.map(nothing),
            C::Kick { room, user } => self.kick(&room, &user).await.map(nothing),
            C::Member { room, user, membership } => self.member(&room, &user, &membership).await.map(nothing),
            C::Device { user, device } => self.knows(&user, &device).await.map(nothing),
            C::Text { room, body } => self.text(&room, &body).await.map(sent),
            C::Edit { room, event, body } => self.edit(&room, event, &body).await.map(sent),
            C::Reply { room, event, body } => self.reply(&room, event, &body).await.map(sent),
            C::React { room, event, key } => self.react(&room, event, key).await.map(sent),
            C::Redact { room, event } => self.redact(&room, &event).await.map(sent),
            C::File { room, path, name, mime, thumbnail } => {
                self.file(&room, &path, name, &mime, thumbnail.as_deref()).await.map(sent)
            }
            C::Read { room } => self.read(&room).await.map(|events| json!({ "events": events })),
            C::Fetch { room, event, into, into_thumbnail } => {
                let content = self.fetch(&room, &event, &into, into_thumbnail.as_deref()).await;
                content.map(|content| json!({ "content": content }))
            }
            C::Decrypt { file, into } => self.decrypt(file, &into).await.map(nothing),
            C::Stop => Ok(json!({})),
        }
    }
}

fn nothing((): ()) -> Value {
    json!({})
}

fn sent(event: OwnedEventId) -> Value {
    json!({ "event": event })
}
