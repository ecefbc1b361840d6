//! The latest message of a room, as a list shows it.

use haos_store_api::{
    EventId, EventType, Item, Json, Message, MessageView, Page, Relation, Result, RoomId, Slice, StateKey,
    StorageAdapter, TxnId, UserId, ViewItem, view,
};

use super::item::one_line;
use crate::content::Content;

/// The kinds of messages that a list shows.
const KINDS: [&str; 5] =
    ["m.room.message", "m.room.encrypted", "m.sticker", "m.poll.start", "org.matrix.msc3381.poll.start"];
/// The items that are read for it, page by page, mostly the first.
const PAGES: [usize; 3] = [2, 14, 32];
/// The text of a message whose content was taken back.
pub(super) const REMOVED: &str = "Message removed";

/// A stored message, as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Latest {
    pub(super) event_id: EventId,
    pub(super) txn_id: Option<TxnId>,
    pub(super) sender: UserId,
    pub(super) timestamp_ms: i64,
    pub(super) text: String,
    pub(super) is_redacted: bool,
}

impl Latest {
    /// Reads the latest message of each room: one of [`KINDS`] that is neither an edit nor a reaction, among the latest
    /// events. A message whose content was taken back stays the latest, so that the list does not jump back to an
    /// older one.
    pub(super) async fn read(
        store: &dyn StorageAdapter,
        rooms: Vec<RoomId>,
    ) -> Result<Vec<(RoomId, Option<Self>)>> {
        let mut found = Vec::with_capacity(rooms.len());
        let mut searches: Vec<Search> = rooms.into_iter().map(Search::begin).collect();
        for next in PAGES[1..].iter().map(|limit| Some(*limit)).chain([None]) {
            if searches.is_empty() {
                break;
            }
            let pages = searches.iter().map(|search| (search.room.clone(), search.page.clone()));
            let slices = store.timelines(pages.collect()).await?;
            for (mut search, slice) in std::mem::take(&mut searches).into_iter().zip(slices) {
                match search.look(slice, next) {
                    Some(latest) => found.push((search.room, latest)),
                    None => searches.push(search),
                }
            }
        }
        Ok(found)
    }

    /// Makes it of a message and all newer ones, its edits among them: an edit follows what it edits.
    fn of(message: Message, newer: &[Message]) -> Option<Self> {
        let slice = Slice { items: vec![Item::Message(message)], more: false };
        let ViewItem::Message(shown) = view::aggregate(slice, newer, None).items.pop()? else { return None };
        let is_redacted = shown.is_redacted();
        let MessageView { message, edit, .. } = *shown;
        let text = match edit {
            _ if is_redacted => REMOVED.to_owned(),
            Some(edit) => edited_text(&edit.kind, &edit.content),
            None => text(&message.kind, &message.content),
        };
        Some(Self {
            event_id: message.id,
            txn_id: message.txn_id,
            sender: message.sender,
            timestamp_ms: message.timestamp_ms,
            text,
            is_redacted,
        })
    }
}

/// A search for the latest message of a room.
struct Search {
    room: RoomId,
    page: Page,
    /// What is newer than the page.
    newer: Vec<Message>,
}

impl Search {
    fn begin(room: RoomId) -> Self {
        Self { room, page: Page::newest(PAGES[0]), newer: Vec::new() }
    }

    /// Looks at the page; returns the outcome, or none if it goes on with a page of `next` items.
    fn look(&mut self, slice: Slice, next: Option<usize>) -> Option<Option<Latest>> {
        let (cursor, more) = (slice.older(), slice.more);
        for item in slice.items.into_iter().rev() {
            let Item::Message(message) = item else { continue };
            if is_shown(&message.kind, message.state_key.as_ref(), message.relation.as_ref()) {
                return Some(Latest::of(message, &self.newer));
            }
            self.newer.push(message);
        }
        match (cursor, next) {
            (Some(cursor), Some(limit)) if more => {
                self.page = Page::older_than(cursor, limit);
                None
            }
            _ => Some(None),
        }
    }
}

/// Tells whether a list shows a message.
fn is_shown(kind: &EventType, state_key: Option<&StateKey>, relation: Option<&Relation>) -> bool {
    is_message(kind) && state_key.is_none() && !relation.is_some_and(|relation| relation.kind.is_hidden())
}

/// Tells whether events of a kind are messages that a list shows.
pub(super) fn is_message(kind: &EventType) -> bool {
    KINDS.contains(&kind.as_str())
}

/// Returns the text of a message.
pub(super) fn text(kind: &EventType, content: &Json) -> String {
    one_line(&Content::of_message(kind, content).plain())
}

/// Returns the text that an edit gives.
pub(super) fn edited_text(kind: &EventType, edit: &Json) -> String {
    text(kind, edit.member("m.new_content").as_ref().unwrap_or(edit))
}
