//! What a person does to an item of a timeline.

use haos_matrix::compose;
use haos_queue::{About, Acted, Draft};
use haos_store_api::{
    Json, Message, MessageQuery, Pending, PendingState, RelationKind, RelationQuery, TxnId,
};

use super::{Timeline, TimelineItem, TimelineItemKind};
use crate::content::Text;
use crate::{Error, Result};

const NO_MESSAGE: &str = "this item is no message: choose a message";
const NOT_OWN: &str = "only the user's own messages can be edited";

impl Timeline {
    /// Gives a message of the user's own another text, sent or not.
    ///
    /// # Errors
    /// `NotPossible` for what is no own message; `Gone` if it was taken back meanwhile; `Unsendable`; those of the store.
    pub async fn edit(&self, item: &TimelineItem, text: impl Into<Text>) -> Result<()> {
        let content: serde_json::Value = text.into().content()?.parse()?;
        let about = match &item.kind {
            TimelineItemKind::Local(local) => {
                if let Some(row) = self.additions(item).await?.first() {
                    let content = compose::in_place(content.clone(), &row.content)?;
                    if self.base.outbox.edit(&local.txn_id, content).await? != Acted::Gone {
                        return Ok(());
                    }
                }
                // It was sent meanwhile.
                self.sent(&local.txn_id).await?
            }
            TimelineItemKind::Event(event) if !event.post.is_own => return Err(Error::NotPossible(NOT_OWN)),
            _ => about(item)?,
        };
        let before = &post_of(item)?.raw;
        self.enqueue(compose::edit(&self.room, &about, &content, Some(before))?).await
    }

    /// Reacts to a message with an emoji, once.
    ///
    /// # Errors
    /// `NotPossible` for what is no message; those of the store.
    pub async fn react(&self, item: &TimelineItem, key: &str) -> Result<()> {
        if post_of(item)?.reactions.iter().any(|reaction| reaction.key == key && reaction.is_own) {
            return Ok(());
        }
        self.enqueue(compose::reaction(&self.room, &about(item)?, key)?).await
    }

    /// Takes the own reaction with this emoji back, sent or not.
    ///
    /// # Errors
    /// `NotPossible` for what is no message; those of the store.
    pub async fn unreact(&self, item: &TimelineItem, key: &str) -> Result<()> {
        post_of(item)?;
        let is_it = |row: &Pending| row.kind.as_str() == "m.reaction" && has_key(&row.content, key);
        for row in self.additions(item).await?.into_iter().filter(|row| is_it(row)) {
            self.base.outbox.cancel(&row.txn_id).await?;
        }
        let TimelineItemKind::Event(event) = &item.kind else { return Ok(()) };
        let kind = Some(RelationKind::Reaction);
        let query = RelationQuery { kind, ..RelationQuery::of(&self.room, &event.event_id) };
        let me = self.list.reader(|reader| reader.stored.me.clone()).await;
        let is_own = |message: &Message| {
            me.as_ref() == Some(&message.sender)
                && message.redacted_by.is_none()
                && message.relation.as_ref().is_some_and(|relation| relation.key.as_deref() == Some(key))
        };
        for own in self.base.store.related(query).await?.into_iter().filter(is_own) {
            self.enqueue(compose::redaction(&self.room, &About::Event(own.id), None)?).await?;
        }
        Ok(())
    }

    /// Takes a message back: one that was not sent goes without a trace.
    ///
    /// # Errors
    /// `NotPossible` for what is no message; those of the store.
    pub async fn redact(&self, item: &TimelineItem, reason: Option<&str>) -> Result<()> {
        let about = match &item.kind {
            TimelineItemKind::Local(local) => {
                if self.base.outbox.cancel(&local.txn_id).await? != Acted::Gone {
                    return Ok(());
                }
                self.sent(&local.txn_id).await?
            }
            _ => about(item)?,
        };
        self.enqueue(compose::redaction(&self.room, &about, reason)?).await
    }

    /// Tries again, at once, what waits or was refused: the message itself, its files, or the user's edits of it,
    /// reactions to it and its removal.
    ///
    /// # Errors
    /// `NotPossible` for what is no message; those of the store.
    pub async fn retry(&self, item: &TimelineItem) -> Result<()> {
        let outbox = &self.base.outbox;
        for row in self.additions(item).await? {
            if matches!(row.state, PendingState::Parked(_) | PendingState::Queued) {
                outbox.retry(&row.txn_id).await?;
            }
        }
        Ok(())
    }

    /// Cancels what is unsent: the message itself with its files, or the user's edits of it, reactions to it and its
    /// removal. What is on its way is taken back by a redaction that follows it.
    ///
    /// # Errors
    /// `NotPossible` for what is no message; those of the store.
    pub async fn cancel(&self, item: &TimelineItem) -> Result<()> {
        if let TimelineItemKind::Local(_) = &item.kind {
            return self.redact(item, None).await;
        }
        for row in self.additions(item).await? {
            self.base.outbox.cancel(&row.txn_id).await?;
        }
        Ok(())
    }

    async fn enqueue(&self, draft: Draft) -> Result<()> {
        self.base.outbox.enqueue(draft).await?;
        Ok(())
    }

    /// Returns the rows of the outbox that make up an item: of a message that is unsent the message and its uploads, of
    /// one that was sent the user's edits, reactions and removal.
    async fn additions(&self, item: &TimelineItem) -> Result<Vec<Pending>> {
        let rows = self.base.outbox.rows(Some(&self.room)).await?;
        Ok(match &item.kind {
            TimelineItemKind::Local(local) => {
                let mut found: Vec<Pending> = Vec::new();
                let mut next = Some(local.txn_id.clone());
                while let Some(row) = next.and_then(|txn_id| rows.iter().find(|row| row.txn_id == txn_id)) {
                    next = row.parent.clone().filter(|_| found.len() < rows.len());
                    found.push(row.clone());
                }
                found
            }
            TimelineItemKind::Event(event) => {
                let protocol = &self.base.protocol;
                let is_about = |row: &Pending| {
                    protocol.row_relation(row).is_some_and(|relation| {
                        relation.kind.is_hidden() && relation.target == event.event_id
                    })
                };
                rows.into_iter().filter(is_about).collect()
            }
            _ => return Err(Error::NotPossible(NO_MESSAGE)),
        })
    }

    /// Returns the event that a transaction became.
    async fn sent(&self, txn_id: &TxnId) -> Result<About> {
        let found = self.base.store.messages(MessageQuery::Txn(txn_id.clone())).await?;
        let found = found.into_iter().find(|message| message.room == self.room);
        found.map(|message| About::Event(message.id)).ok_or(Error::Gone)
    }
}

/// Names the message of an item.
fn about(item: &TimelineItem) -> Result<About> {
    match &item.kind {
        TimelineItemKind::Event(event) => Ok(About::Event(event.event_id.clone())),
        TimelineItemKind::Local(local) => Ok(About::Unsent(local.txn_id.clone())),
        _ => Err(Error::NotPossible(NO_MESSAGE)),
    }
}

fn post_of(item: &TimelineItem) -> Result<&super::Post> {
    item.post().ok_or(Error::NotPossible(NO_MESSAGE))
}

fn has_key(content: &Json, key: &str) -> bool {
    let relates = content.member("m.relates_to");
    relates.and_then(|relates| relates.text("key")).is_some_and(|found| found == key)
}
