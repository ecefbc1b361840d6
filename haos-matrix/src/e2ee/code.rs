//! Code for encryption that comes apart from the rest, as in browsers.

use std::fmt;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use haos_queue::Answer;
use haos_store_api::{MaybeSend, Result};

use super::Encryption;
use super::trouble::Trouble;

/// Loads the code that encryption needs, where it comes apart from the rest.
///
/// A client that has one uses no keys until the account has had an encrypted room, or an invite to one. Until then this
/// device has uploaded none, and nobody can send it any.
#[cfg_attr(not(target_arch = "wasm32"), async_trait)]
#[cfg_attr(target_arch = "wasm32", async_trait(?Send))]
pub trait KeyCode: fmt::Debug + MaybeSend {
    /// Loads it, unless it is there. It is asked again and again, and answers at once where there is nothing to do. What it
    /// cannot load is tried again, as what a server does not answer.
    ///
    /// # Errors
    /// The reason in words.
    async fn load(&self) -> std::result::Result<(), String>;
}

impl Encryption {
    /// Tells if keys are used: always, unless their code comes apart and the account has had no encrypted room.
    pub(super) async fn is_wanted(&self) -> Result<bool> {
        let inner = &*self.inner;
        if inner.code.is_none() || inner.wanted.load(Ordering::Relaxed) {
            return Ok(true);
        }
        let is_wanted = inner.outbox.has_encrypted_rooms().await?;
        inner.wanted.store(is_wanted, Ordering::Relaxed);
        Ok(is_wanted)
    }

    /// Has the code loaded, where it comes apart.
    pub(super) async fn load_code(&self) -> Result<(), Trouble> {
        let Some(code) = &self.inner.code else { return Ok(()) };
        code.load().await.map_err(|why| {
            tracing::warn!(why, "the code for encryption was not loaded: it is tried again");
            Answer::NoAnswer.into()
        })
    }
}
