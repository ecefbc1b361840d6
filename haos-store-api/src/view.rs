//! A timeline as people read it: edits, reactions and answers gathered at the messages they are about.

mod reactions;

use std::collections::BTreeMap;

pub use self::reactions::{MAX_KEY_BYTES, MAX_KEYS, MAX_SENDERS, Reactions};

use self::reactions::Tally;
use crate::{Cursor, EventId, Gap, Item, Message, Position, RelationKind, Slice, UserId};

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
    /// Its reactions, in the order in which their keys first came: the [`MAX_KEYS`] keys that most users
    /// chose, and every key that the own user chose.
    pub reactions: Vec<Reactions>,
    /// How many reactions have other keys.
    pub more_reactions: u64,
    /// How many answers are stored.
    pub replies: u64,
    /// How many messages of the thread that it began are stored.
    pub thread: u64,
}

impl MessageView {
    /// Whether its content was removed.
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
    /// The message alone.
    fn from(message: Message) -> Self {
        Self::new(message, &[], None)
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

/// The later of two edits by the server's time, then by id. What is stored from a send's answer has no
/// server's time yet, and is later than what has.
fn later<'a>(a: &'a Message, b: &'a Message) -> &'a Message {
    fn order(edit: &Message) -> (Option<Position>, i64, &EventId) {
        (edit.provisional.then_some(edit.position), edit.timestamp_ms, &edit.id)
    }
    if order(a) < order(b) { b } else { a }
}

fn is_about(message: &Message, kind: &RelationKind) -> bool {
    message.relation.as_ref().is_some_and(|relation| relation.kind == *kind)
}

/// Whether a message shows at its target, or nowhere, instead of in its own place.
pub(crate) fn is_hidden(message: &Message) -> bool {
    message.relation.as_ref().is_some_and(|relation| relation.kind.is_hidden())
}

/// Gathers at the messages of a page what is related to them, in a time that is linear in both.
///
/// `related` is what relates to the page's messages, in any order; what relates to others is ignored.
/// Of several edits the one with the latest time of the server counts, then the one with the greatest id.
/// Edits, reactions and redactions are not shown themselves; gaps are. `own` is the own user.
pub fn aggregate(slice: Slice, related: &[Message], own: Option<&UserId>) -> View {
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
            Some(ViewItem::Message(Box::new(MessageView::new(message, related, own))))
        }
    });
    View { items: items.collect(), more, older, newer }
}

#[cfg(test)]
mod tests;
