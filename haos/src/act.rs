//! What a person does to a message that is named by its id.

use haos_matrix::compose;
use haos_queue::{About, Acted, Enqueued};
use haos_store_api::{Json, MessageQuery, PendingState, RoomId, TxnId};
use serde_json::Value;

use crate::base::Base;
use crate::content::Text;
use crate::send::row;
use crate::{Error, Result};

const NO_MESSAGE: &str = "this is about another message: choose that one";

impl Base {
    /// Gives a message another text: in place while it is unsent, else by an edit.
    pub(crate) async fn edit(&self, room: &RoomId, about: About, text: Text) -> Result<Acted> {
        let content = text.content()?;
        let about = match about {
            About::Unsent(txn_id) => {
                let acted = self.outbox.edit(&txn_id, self.in_place(&txn_id, &content).await?).await?;
                if acted != Acted::Gone {
                    return Ok(acted);
                }
                self.sent(room, &txn_id).await?
            }
            about => about,
        };
        let value: Value = content.parse()?;
        Ok(Acted::Followed(self.outbox.enqueue(compose::edit(room, &about, &value)?).await?))
    }

    /// Reacts to a message.
    pub(crate) async fn react(&self, room: &RoomId, about: &About, key: &str) -> Result<Enqueued> {
        Ok(self.outbox.enqueue(compose::reaction(room, about, key)?).await?)
    }

    /// Takes a message back: one that was not sent goes without a trace.
    pub(crate) async fn redact(&self, room: &RoomId, about: About, reason: Option<&str>) -> Result<Acted> {
        let about = match about {
            About::Unsent(txn_id) => match self.known(&txn_id, reason).await? {
                Some(about) => about,
                None => match self.outbox.cancel(&txn_id).await? {
                    Acted::Gone => self.sent(room, &txn_id).await?,
                    acted => return Ok(acted),
                },
            },
            about => about,
        };
        Ok(Acted::Followed(self.outbox.enqueue(compose::redaction(room, &about, reason)?).await?))
    }

    /// Returns the new content of a message that is unsent. An answer stays one.
    async fn in_place(&self, txn_id: &TxnId, content: &Json) -> Result<Json> {
        let Some(held) = row(&self.outbox, txn_id).await? else { return Ok(content.clone()) };
        if self.protocol.row_relation(&held).is_some_and(|relation| relation.kind.is_hidden()) {
            return Err(Error::NotPossible(NO_MESSAGE));
        }
        let Some(relation) = held.content.member("m.relates_to") else { return Ok(content.clone()) };
        let mut value: Value = content.parse()?;
        if value.get("m.relates_to").is_none() {
            value["m.relates_to"] = relation.parse()?;
        }
        Ok(Json::of(&value)?)
    }

    /// Returns the event of a message that the server has before its echo came: a reason is for those who have it.
    async fn known(&self, txn_id: &TxnId, reason: Option<&str>) -> Result<Option<About>> {
        if reason.is_none() {
            return Ok(None);
        }
        let sent = row(&self.outbox, txn_id).await?.filter(|row| row.state == PendingState::Sent);
        Ok(sent.and_then(|row| row.event_id).map(About::Event))
    }

    /// Returns the event that a transaction became.
    async fn sent(&self, room: &RoomId, txn_id: &TxnId) -> Result<About> {
        let found = self.store.messages(MessageQuery::Txn(txn_id.clone())).await?;
        let found = found.into_iter().find(|message| message.room == *room);
        found.map(|message| About::Event(message.id)).ok_or(Error::Gone)
    }
}
