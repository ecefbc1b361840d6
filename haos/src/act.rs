//! What a person does to a message that is named by its id.

use haos_matrix::compose;
use haos_queue::{About, Acted, Enqueued};
use haos_store_api::{
    EventId, Item, Json, MessageQuery, PendingState, RelationKind, RelationQuery, RoomId, Slice, TxnId,
    UserId, ViewItem, view,
};

use crate::base::Base;
use crate::content::{Mentions, Text};
use crate::live::timeline::{answered, shown_content};
use crate::send::row;
use crate::{Error, Result};

const NO_MESSAGE: &str = "this is about another message: choose that one";

impl Base {
    /// Gives a message another text: in place while it is unsent, else by an edit, which calls nobody again. An answer
    /// that calls the sender of what it answers goes on to do so.
    pub(crate) async fn edit(&self, room: &RoomId, about: About, text: Text) -> Result<Acted> {
        let about = match about {
            About::Unsent(txn_id) => {
                let content = self.in_place(room, &txn_id, text.clone()).await?;
                let acted = self.outbox.edit(&txn_id, content).await?;
                if acted != Acted::Gone {
                    return Ok(acted);
                }
                self.sent(room, &txn_id).await?
            }
            about => about,
        };
        let before = self.shown(room, &about).await?;
        let text = match &before {
            Some((answered, content)) => self.calling(room, answered.clone(), content, text).await?,
            None => text,
        };
        let (content, before) = (text.content()?.parse()?, before.map(|(_, content)| content));
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

    /// Returns the sender of a message, unless it is the user or the store does not have it.
    pub(crate) async fn author(&self, room: &RoomId, about: &About) -> Result<Option<UserId>> {
        // What is unsent is the user's.
        let About::Event(event) = about else { return Ok(None) };
        let sender = self.store.message(room, event).await?.map(|message| message.sender);
        Ok(sender.filter(|sender| self.me.borrow().as_ref() != Some(sender)))
    }

    /// Makes the new text of an answer call the sender of what it answers, if it did `before`.
    async fn calling(
        &self,
        room: &RoomId,
        answered: Option<EventId>,
        before: &Json,
        text: Text,
    ) -> Result<Text> {
        let Some(answered) = answered else { return Ok(text) };
        let author = self.author(room, &About::Event(answered)).await?;
        Ok(match author.filter(|author| Mentions::of(before).users.contains(author)) {
            Some(author) => text.mention(&author),
            None => text,
        })
    }

    /// Returns the new content of a message that is unsent. An answer stays one.
    async fn in_place(&self, room: &RoomId, txn_id: &TxnId, text: Text) -> Result<Json> {
        let Some(held) = row(&self.outbox, txn_id).await? else { return Ok(text.content()?) };
        let relation = self.protocol.row_relation(&held);
        if relation.as_ref().is_some_and(|relation| relation.kind.is_hidden()) {
            return Err(Error::NotPossible(NO_MESSAGE));
        }
        let answered = answered(relation.as_ref(), &held.content);
        let text = self.calling(room, answered, &held.content, text).await?;
        Ok(compose::in_place(text.content()?.parse()?, &held.content)?)
    }

    /// Returns what a stored message answers, and its content by its latest edit.
    async fn shown(&self, room: &RoomId, about: &About) -> Result<Option<(Option<EventId>, Json)>> {
        let About::Event(event) = about else { return Ok(None) };
        let Some(message) = self.store.message(room, event).await? else { return Ok(None) };
        let answered = answered(message.relation.as_ref(), &message.content);
        let query = RelationQuery { kind: Some(RelationKind::Edit), ..RelationQuery::of(room, event) };
        let edits = self.store.related(query).await?;
        let slice = Slice { items: vec![Item::Message(message)], more: false };
        Ok(match view::aggregate(slice, &edits, None).items.pop() {
            Some(ViewItem::Message(shown)) => {
                Some((answered, shown_content(&shown.message, shown.edit.as_ref())))
            }
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
