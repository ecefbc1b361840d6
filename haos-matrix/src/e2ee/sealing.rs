//! Seals the outbox's rows.

use async_trait::async_trait;
use haos_queue::{Seal, Sealed, Unready};
use haos_store_api::{Error, ErrorKind, EventType, Json, Pending, RoomId};
use matrix_sdk_common::ruma::RoomId as RumaRoomId;
use matrix_sdk_common::ruma::events::AnyMessageLikeEventContent;
use matrix_sdk_common::ruma::serde::Raw;
use matrix_sdk_crypto::store::CryptoStore as _;

use super::Encryption;
use super::trouble::Trouble;
use super::words::ENCRYPTED;
use crate::Engine;

/// Seals rows for the members that an engine knows.
pub(crate) struct Sealer {
    pub(crate) encryption: Encryption,
    pub(crate) engine: Engine,
}

#[cfg_attr(not(target_arch = "wasm32"), async_trait)]
#[cfg_attr(target_arch = "wasm32", async_trait(?Send))]
impl Seal for Sealer {
    async fn prepare(&self, room: &RoomId) -> Result<(), Unready> {
        Ok(self.encryption.share(&self.engine, room).await?)
    }

    async fn seal(&self, row: &Pending) -> Result<Sealed, Unready> {
        Ok(self.encryption.sealed(row).await?)
    }
}

impl Encryption {
    /// Encrypts a row under the room's key, which was shared.
    async fn sealed(&self, row: &Pending) -> Result<Sealed, Trouble> {
        let Ok(room) = RumaRoomId::parse(row.room.as_str()) else {
            return Err(Trouble::Machine(format!("{} is no id of a room", row.room)));
        };
        let content: Raw<AnyMessageLikeEventContent> = Raw::from_json_string(row.content.as_str().to_owned())
            .map_err(|e| Trouble::Machine(e.to_string()))?;
        let turn = self.turn().await?;
        let session = turn.keys.get_outbound_group_session(&room).await?;
        let is_live =
            session.is_some_and(|session| session.shared() && !session.expired() && !session.invalidated());
        if !is_live {
            turn.done();
            // It expired since it was shared, or another machine was made: prepared again, it is there.
            let again = "the room's key is not shared any more: prepare it again";
            return Err(Error::new(ErrorKind::Conflict, "seal", again).into());
        }
        let sealed = turn.machine.encrypt_room_event_raw(&room, row.kind.as_str(), &content).await;
        turn.done();
        let content = Json::new(sealed?.content.json().get().to_owned())?;
        Ok(Sealed { kind: EventType::new(ENCRYPTED)?, content })
    }
}
