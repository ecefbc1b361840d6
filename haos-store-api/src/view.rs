//! A timeline as people read it: edits, reactions and answers gathered at the messages they are about.

mod reactions;

use std::collections::BTreeMap;

pub use self::reactions::{MAX_KEY_BYTES, MAX_KEYS, MAX_SENDERS, Reactions};

use self::reactions::Tally;
use crate::backend::law::sort_by;
use crate::{Cursor, EventId, Gap, Item, Message, Position, RelationKind, Slice, UserId};

/// A page of a timeline as shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct View {
    /// The shown items, oldest first.
    pub items: Vec<ViewItem>,
    /// True if the store has further items in the page's direction.
    pub more: bool,
    /// The cursor to older items; absent if the page was empty.
    pub older: Option<Cursor>,
    /// The cursor to newer items; absent if the page was empty.
    pub newer: Option<Cursor>,
}

/// A shown item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ViewItem {
    /// A message with the additions of others.
    Message(Box<MessageView>),
    /// A hole.
    Gap(Gap),
}

/// A message with the additions of others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageView {
    /// The message as it came.
    pub message: Message,
    /// Its latest valid edit; the protocol defines the place of the new text in its content.
    pub edit: Option<Message>,
    /// Its reactions, in the order in which their keys first came: the [`MAX_KEYS`] most chosen keys, and every key
    /// that the own user chose.
    pub reactions: Vec<Reactions>,
    /// The number of reactions with other keys.
    pub more_reactions: u64,
    /// The number of stored answers.
    pub replies: u64,
    /// The number of stored messages of the thread that it began.
    pub thread: u64,
}

impl MessageView {
    /// Tells whether its content was removed.
    pub fn is_redacted(&self) -> bool {
        self.message.redacted_by.is_some()
    }

    fn new(message: Message, related: &[&Message], own: Option<&UserId>) -> Self {
        let mut edit: Option<&Message> = None;
        let (mut replies, mut thread) = (0, 0);
        let mut tally = Tally::new(own);
        for other in related.iter().copied().filter(|other| other.redacted_by.is_none()) {
            let Some(relation) = &other.relation else { continue };
            match (&relation.kind, &relation.key) {
                (RelationKind::Reply, _) => replies += 1,
                (RelationKind::Thread, _) => thread += 1,
                (RelationKind::Edit, _) if is_valid_edit(&message, other) => {
                    edit = Some(edit.map_or(other, |edit| later(edit, other)));
                }
                (RelationKind::Reaction, Some(key)) if message.redacted_by.is_none() => {
                    tally.add(key, &other.sender);
                }
                _ => {}
            }
        }
        let edit = edit.cloned();
        let (reactions, more_reactions) = tally.finish();
        Self { message, edit, reactions, more_reactions, replies, thread }
    }
}

impl From<Message> for MessageView {
    /// Makes the view of a message without additions.
    fn from(message: Message) -> Self {
        Self::new(message, &[], None)
    }
}

/// Accepts an edit only from the message's author and of its type; state events, edits and redacted messages have none.
fn is_valid_edit(target: &Message, edit: &Message) -> bool {
    edit.sender == target.sender
        && edit.kind == target.kind
        && edit.state_key.is_none()
        && target.state_key.is_none()
        && target.redacted_by.is_none()
        && !is_about(target, &RelationKind::Edit)
}

/// Returns the later of two edits by the server's time, then by id. An edit stored from a send's answer has no server's
/// time yet, and is the later one.
fn later<'a>(a: &'a Message, b: &'a Message) -> &'a Message {
    fn order(edit: &Message) -> (Option<Position>, i64, &EventId) {
        (edit.provisional.then_some(edit.position), edit.timestamp_ms, &edit.id)
    }
    if order(a) < order(b) { b } else { a }
}

fn is_about(message: &Message, kind: &RelationKind) -> bool {
    message.relation.as_ref().is_some_and(|relation| relation.kind == *kind)
}

/// Tells whether a message shows at its target, or nowhere, instead of in its own place.
pub(crate) fn is_hidden(message: &Message) -> bool {
    message.relation.as_ref().is_some_and(|relation| relation.kind.is_hidden())
}

/// Gathers related messages at the messages of a page, in a time that is linear in both.
///
/// `related` holds the messages related to the page's, in any order; relations to others are ignored. Of several edits
/// the one with the latest time of the server counts, then the one with the greatest id. Edits, reactions and
/// redactions are not shown themselves; gaps are. `own` is the own user.
pub fn aggregate(slice: Slice, related: &[Message], own: Option<&UserId>) -> View {
    let mut by_target: BTreeMap<&EventId, Vec<&Message>> = BTreeMap::new();
    for message in related {
        if let Some(relation) = &message.relation {
            by_target.entry(&relation.target).or_default().push(message);
        }
    }
    for group in by_target.values_mut() {
        sort_by(group, |a, b| a.position.cmp(&b.position));
    }
    let (older, newer, more) = (slice.older(), slice.newer(), slice.more);
    let items = slice.items.into_iter().filter_map(|item| match item {
        Item::Gap(gap) => Some(ViewItem::Gap(gap)),
        Item::Message(message) if is_hidden(&message) => None,
        Item::Message(message) => {
            let related = by_target.get(&message.id).map_or(&[][..], Vec::as_slice);
            Some(ViewItem::Message(Box::new(MessageView::new(message, related, own))))
        }
    });
    View { items: items.collect(), more, older, newer }
}

#[cfg(test)]
mod tests;
