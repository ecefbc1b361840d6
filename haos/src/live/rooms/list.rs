use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use haos_store_api::Result;

use super::reader::RoomReader;
use super::{RoomFilter, RoomItem};
use crate::base::Base;
use crate::live::Diffs;
use crate::live::list::LiveList;

/// The rooms that are shown unless told otherwise.
const WINDOW: usize = 50;

/// A list of rooms: the first of those that a [`RoomFilter`] chooses, live. Clones are the same list.
///
/// Favourites come first, by the order that the user gave them; then, and among equals, the latest activity comes
/// first. Only a window of the list is read: any number of rooms opens at once.
#[derive(Clone)]
pub struct RoomList {
    live: LiveList<RoomReader>,
    window: Arc<AtomicUsize>,
}

impl RoomList {
    /// Makes a list that is read when it is asked for first.
    pub(crate) fn new(base: Base, filter: RoomFilter) -> Self {
        let window = Arc::new(AtomicUsize::new(WINDOW));
        let store = base.store.clone();
        let live = LiveList::new(RoomReader::new(base, filter, window.clone()), move || store.changes());
        Self { live, window }
    }

    /// Sets the number of rooms that are shown; 50 without it.
    #[must_use]
    pub fn window(self, rooms: usize) -> Self {
        self.window.store(rooms, Ordering::Relaxed);
        self.live.nudge();
        self
    }

    /// Shows so many more rooms, as far as there are.
    ///
    /// # Errors
    /// Those of the store; the window is wider all the same.
    pub async fn more(&self, rooms: usize) -> Result<()> {
        // It never fails: the closure always gives a number.
        let _ = self
            .window
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |window| Some(window.saturating_add(rooms)));
        self.live.nudge();
        self.now().await.map(drop)
    }

    /// Returns the rooms as they are now.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn now(&self) -> Result<Arc<[Arc<RoomItem>]>> {
        self.live.now().await
    }

    /// Returns the rooms as they are now, and what follows.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn subscribe(&self) -> Result<(Vec<Arc<RoomItem>>, Diffs<Arc<RoomItem>>)> {
        self.live.subscribe().await
    }

    /// Tells whether there are rooms beyond those that are shown.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn has_more(&self) -> Result<bool> {
        self.now().await?;
        Ok(self.live.reader(RoomReader::has_more).await)
    }
}

impl fmt::Debug for RoomList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RoomList").field("window", &self.window).finish_non_exhaustive()
    }
}
