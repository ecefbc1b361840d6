use haos_queue::{About, Acted};
use haos_store_api::TxnId;

use super::Room;
use crate::content::Text;
use crate::error::Result;

/// Acts on messages that are named by their ids: an event's, or the transaction's of one that is unsent. Where a
/// [timeline](Room::timeline) shows them, its own acts take its items.
impl Room {
    /// Gives a message of the user's own another text: in place where it was not sent, and by an edit that follows it
    /// else. An unsent answer stays one.
    ///
    /// # Errors
    /// `NotPossible` for an unsent edit or reaction; `Gone` if it was taken back meanwhile; `Unsendable`; those of the
    /// store.
    pub async fn edit(&self, message: impl Into<About>, text: impl Into<Text>) -> Result<Acted> {
        self.chat.base().edit(&self.id, message.into(), text.into()).await
    }

    /// Reacts to a message with an emoji, also where the user did so before. Returns its transaction.
    ///
    /// # Errors
    /// `Unsendable`; those of the store.
    pub async fn react(&self, message: impl Into<About>, key: &str) -> Result<TxnId> {
        Ok(self.chat.base().react(&self.id, &message.into(), key).await?.txn_id)
    }

    /// Takes a message back: one that was not sent goes without a trace, for what is on its way a redaction follows.
    ///
    /// # Errors
    /// `Gone` if it was taken back meanwhile; those of the store.
    pub async fn redact(&self, message: impl Into<About>, reason: Option<&str>) -> Result<Acted> {
        self.chat.base().redact(&self.id, message.into(), reason).await
    }
}
