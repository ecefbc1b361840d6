use async_trait::async_trait;
use haos_store_api::{RoomId, UserId};
use tokio::sync::watch;

use super::Room;
use crate::base::{Typing, changed};
use crate::chat::{Live, Source};
use crate::error::Result;

impl Room {
    /// Who else is typing in it, while this process or page syncs. It is not stored.
    pub fn typing_users(&self) -> Live<Vec<UserId>> {
        let source = Typists { room: self.id.clone(), typing: self.chat.base().typing };
        self.chat.live(source)
    }
}

struct Typists {
    room: RoomId,
    typing: watch::Receiver<Typing>,
}

#[cfg_attr(not(target_arch = "wasm32"), async_trait)]
#[cfg_attr(target_arch = "wasm32", async_trait(?Send))]
impl Source<Vec<UserId>> for Typists {
    async fn read(&mut self) -> Result<Vec<UserId>> {
        Ok(self.typing.borrow_and_update().get(&self.room).cloned().unwrap_or_default())
    }

    async fn stirred(&mut self) {
        changed(&mut self.typing).await
    }
}
