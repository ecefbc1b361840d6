//! The timeline of a room: a window over messages, gaps and unsent messages, merged into one list.

mod act;
mod gather;
mod item;
mod page;
mod profiles;
mod reader;
mod stored;
#[cfg(test)]
mod tests;
mod window;

use std::fmt;
use std::sync::Arc;

use haos_store_api::{Result, RoomId};

pub(crate) use gather::shown_content;
pub use item::{
    Edited, EventItem, LocalItem, Post, Profile, Quote, Reaction, Receipt, SendStatus, ThreadSummary,
    TimelineItem, TimelineItemKind,
};
pub use page::Reach;
pub(crate) use stored::answered;

use self::reader::TimelineReader;
use self::window::Window;
use super::Diffs;
use super::list::LiveList;
use crate::base::Base;

/// The timeline of a room, as a screen shows it: messages, gaps, days, the read marker and what is unsent, oldest
/// first. Clones are the same timeline, with the same window.
///
/// It begins at the live end and grows there; [`older`](Self::older), [`around`](Self::around) and
/// [`to_live`](Self::to_live) move its window. A window holds a few hundred items at most: what is too much leaves at
/// the end that the reader is not at.
#[derive(Clone)]
pub struct Timeline {
    base: Base,
    room: RoomId,
    list: LiveList<TimelineReader>,
    /// One page at a time.
    paging: Arc<tokio::sync::Mutex<()>>,
}

impl Timeline {
    /// Shows the newest `want` items of a room; reads nothing yet.
    pub(crate) fn open(base: Base, room: RoomId, want: usize) -> Self {
        let store = base.store.clone();
        let reader = TimelineReader::new(base.clone(), room.clone(), Window::live(want));
        Self { base, room, list: LiveList::new(reader, move || store.changes()), paging: Arc::default() }
    }

    /// Returns the id of its room.
    pub fn room(&self) -> &RoomId {
        &self.room
    }

    /// Reads the items as they are now, oldest first.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn items(&self) -> Result<Arc<[Arc<TimelineItem>]>> {
        self.list.now().await
    }

    /// Reads the items as they are now, and follows them.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn subscribe(&self) -> Result<(Vec<Arc<TimelineItem>>, Diffs<Arc<TimelineItem>>)> {
        self.list.subscribe().await
    }

    /// Lets days begin at an offset from UTC, in minutes: that of the reader's clock. UTC without it.
    pub async fn set_utc_offset(&self, minutes: i32) {
        self.list.change(|reader| reader.stored.offset_ms = i64::from(minutes) * 60_000).await;
    }
}

impl fmt::Debug for Timeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timeline").field("room", &self.room).finish_non_exhaustive()
    }
}
