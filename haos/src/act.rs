//! What a person does to a message that is named by its id.

use haos_matrix::compose;
use haos_queue::{About, Acted, Enqueued};
use haos_store_api::{
    Item, Json, MessageQuery, PendingState, RelationKind, RelationQuery, RoomId, Slice, TxnId, ViewItem, view,
};
use serde_json::Value;

use crate::base::Base;
use crate::content::Text;
use crate::live::timeline::shown_content;
use crate::send::row;
use crate::{Error, Result};

const NO_MESSAGE: &str = "this is about another message: choose that one";

impl Base {
    /// Gives a message another text: in place while it is unsent, else by an edit, which calls nobody again.
    pub(crate) async fn edit(&self, room: &RoomId, about: About, text: Text) -> Result<Acted> {
        let content: Value = text.content()?.parse()?;
        let about = match about {
            About::Unsent(txn_id) => {
                let content = self.in_place(&txn_id, content.clone()).await?;
                let acted = self.outbox.edit(&txn_id, content).await?;
                if acted != Acted::Gone {
                    return Ok(acted);
                }
                self.sent(room, &txn_id).await?
            }
            about => about,
        };
        let before = self.shown(room, &about).await?;
        let draft = compose::edit(room, &about, &content, before.as_ref())?;
        Ok(Acted::Followed(self.outbox.enqueue(draft).await?))
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
    async fn in_place(&self, txn_id: &TxnId, content: Value) -> Result<Json> {
        let Some(held) = row(&self.outbox, txn_id).await? else { return Ok(Json::of(&content)?) };
        if self.protocol.row_relation(&held).is_some_and(|relation| relation.kind.is_hidden()) {
            return Err(Error::NotPossible(NO_MESSAGE));
        }
        Ok(compose::in_place(content, &held.content)?)
    }

    /// Returns the content of a stored message, by its latest edit.
    async fn shown(&self, room: &RoomId, about: &About) -> Result<Option<Json>> {
        let About::Event(event) = about else { return Ok(None) };
        let Some(message) = self.store.message(room, event).await? else { return Ok(None) };
        let query = RelationQuery { kind: Some(RelationKind::Edit), ..RelationQuery::of(room, event) };
        let edits = self.store.related(query).await?;
        let slice = Slice { items: vec![Item::Message(message)], more: false };
        Ok(match view::aggregate(slice, &edits, None).items.pop() {
            Some(ViewItem::Message(shown)) => Some(shown_content(&shown.message, shown.edit.as_ref())),
            _ => None,
        })
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
