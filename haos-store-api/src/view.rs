//! A timeline as people read it: edits, reactions and answers gathered at the messages they are about.

use std::collections::{BTreeMap, HashSet};

use crate::{Cursor, EventId, Gap, Item, Message, RelationKind, Slice, UserId};

/// A page of a timeline as it is shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct View {
    /// What is shown, oldest first.
    pub items: Vec<ViewItem>,
    /// Whether the store has further items in the page's direction.
    pub more: bool,
    /// Where older items follow; none if the page was empty.
    pub older: Option<Cursor>,
    /// Where newer items follow; none if the page was empty.
    pub newer: Option<Cursor>,
}

/// An item that is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ViewItem {
    /// A message with what others added to it.
    Message(Box<MessageView>),
    /// A hole.
    Gap(Gap),
}

/// A message with what others added to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageView {
    /// The message as it came.
    pub message: Message,
    /// Its latest valid edit: where in its content the new text is, the protocol says.
    pub edit: Option<Message>,
    /// Its reactions, in the order in which their keys first came.
    pub reactions: Vec<Reactions>,
    /// How many answers are stored.
    pub replies: u64,
    /// How many messages of the thread that it began are stored.
    pub thread: u64,
}

/// The reactions to a message with one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reactions {
    /// The key, such as an emoji.
    pub key: String,
    /// Who reacted, each once, the earliest first.
    pub senders: Vec<UserId>,
}

impl MessageView {
    /// Whether its content was removed.
    pub fn is_redacted(&self) -> bool {
        self.message.redacted_by.is_some()
    }

    fn new(message: Message, related: &[&Message]) -> Self {
        let mut view = Self { message, edit: None, reactions: Vec::new(), replies: 0, thread: 0 };
        let mut seen = HashSet::new();
        for other in related.iter().filter(|other| other.redacted_by.is_none()) {
            let Some(relation) = &other.relation else { continue };
            match &relation.kind {
                RelationKind::Reply => view.replies += 1,
                RelationKind::Thread => view.thread += 1,
                RelationKind::Edit if is_valid_edit(&view.message, other) => {
                    view.edit = Some((*other).clone());
                }
                RelationKind::Reaction if !view.is_redacted() => {
                    if let Some(key) = &relation.key
                        && seen.insert((&other.sender, key))
                    {
                        view.react(key, &other.sender);
                    }
                }
                _ => {}
            }
        }
        view
    }

    fn react(&mut self, key: &str, sender: &UserId) {
        match self.reactions.iter_mut().find(|group| group.key == key) {
            Some(group) => group.senders.push(sender.clone()),
            None => self.reactions.push(Reactions { key: key.to_owned(), senders: vec![sender.clone()] }),
        }
    }
}

/// Only its author edits a message, into the same type; state, edits and what was removed take none.
fn is_valid_edit(target: &Message, edit: &Message) -> bool {
    edit.sender == target.sender
        && edit.kind == target.kind
        && edit.state_key.is_none()
        && target.state_key.is_none()
        && target.redacted_by.is_none()
        && !is_about(target, &RelationKind::Edit)
}

fn is_about(message: &Message, kind: &RelationKind) -> bool {
    message.relation.as_ref().is_some_and(|relation| relation.kind == *kind)
}

/// Whether a message shows at its target instead of in its own place.
fn is_hidden(message: &Message) -> bool {
    [RelationKind::Edit, RelationKind::Reaction, RelationKind::Redaction]
        .iter()
        .any(|kind| is_about(message, kind))
}

/// Gathers at the messages of a page what is related to them.
///
/// `related` is what relates to the page's messages, in any order; what relates to others is ignored.
/// Of several edits the one with the highest position counts. Edits, reactions and redactions are not
/// shown themselves; gaps are.
pub fn aggregate(slice: Slice, related: &[Message]) -> View {
    let mut by_target: BTreeMap<&EventId, Vec<&Message>> = BTreeMap::new();
    for message in related {
        if let Some(relation) = &message.relation {
            by_target.entry(&relation.target).or_default().push(message);
        }
    }
    for group in by_target.values_mut() {
        group.sort_by_key(|message| message.position);
    }
    let (older, newer, more) = (slice.older(), slice.newer(), slice.more);
    let items = slice.items.into_iter().filter_map(|item| match item {
        Item::Gap(gap) => Some(ViewItem::Gap(gap)),
        Item::Message(message) if is_hidden(&message) => None,
        Item::Message(message) => {
            let related = by_target.get(&message.id).map_or(&[][..], Vec::as_slice);
            Some(ViewItem::Message(Box::new(MessageView::new(message, related))))
        }
    });
    View { items: items.collect(), more, older, newer }
}

#[cfg(test)]
mod tests;
