use async_trait::async_trait;
use haos_queue::Outbox;
use haos_store_api::{Change, Scope, Touched};

use super::Chat;
use super::live::{Live, Source};
use crate::error::Result;

impl Chat {
    /// Tells if the account has, or had, an encrypted room: whether the feature `e2ee` is needed for what it shows and
    /// sends.
    pub fn has_encrypted_rooms(&self) -> Live<bool> {
        self.live(Encrypted(self.core.outbox.clone()))
    }
}

struct Encrypted(Outbox);

#[cfg_attr(not(target_arch = "wasm32"), async_trait)]
#[cfg_attr(target_arch = "wasm32", async_trait(?Send))]
impl Source<bool> for Encrypted {
    async fn read(&mut self) -> Result<bool> {
        Ok(self.0.has_encrypted_rooms().await?)
    }

    fn note(&mut self, change: &Change) -> bool {
        match change {
            Change::Commit { touched, .. } => touched.contains(&Touched::State(Scope::Account)),
            _ => true,
        }
    }
}
