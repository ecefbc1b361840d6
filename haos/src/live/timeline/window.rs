//! The part of a room's timeline that is shown.

use haos_store_api::{Cursor, Item, Message, Page, Result, RoomId, Slice, StorageAdapter};

/// The most stored items of a window, of which those that show elsewhere, such as reactions, are some.
pub(super) const MOST: usize = 600;
/// The items that may come in at the live end until the oldest are left out, and those of them that stay then.
const GROWTH: usize = 200;
const STAY: usize = 50;

/// A window, as its edges: the items between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Window {
    /// The number of shown items to begin with at the live end, until they are read.
    wants: Option<usize>,
    /// The item before the first; absent if that is the oldest stored.
    older: Option<Cursor>,
    /// The item behind the last; absent at the live end.
    newer: Option<Cursor>,
    /// The number of items when the reader last moved it; 0 until it is read.
    len: usize,
}

impl Window {
    /// Makes the window of this number of newest shown items.
    pub(super) fn live(want: usize) -> Self {
        Self { wants: Some(want.clamp(1, MOST)), older: None, newer: None, len: 0 }
    }

    /// Makes the window between two edges.
    pub(super) fn between(older: Option<Cursor>, newer: Option<Cursor>) -> Self {
        Self { wants: None, older, newer, len: 0 }
    }

    /// Tells whether it ends at the live end, where new messages come in.
    pub(super) fn is_live(&self) -> bool {
        self.newer.is_none()
    }

    /// Tells whether the store has older items.
    pub(super) fn has_older(&self) -> bool {
        self.older.is_some()
    }

    /// Returns the most items that it holds before the oldest are left out.
    pub(super) fn limit(&self) -> usize {
        match self.len {
            0 => MOST,
            len => (len + GROWTH).min(MOST),
        }
    }

    /// Reads its items, oldest first. A window that has become too long loses items at the end that is not followed.
    pub(super) async fn read(&mut self, store: &dyn StorageAdapter, room: &RoomId) -> Result<Vec<Item>> {
        if let Some(want) = self.wants {
            let (items, older) = shown_before(store, room, None, want).await?;
            (self.wants, self.older, self.len) = (None, older, items.len().max(want));
            return Ok(items);
        }
        let mut slice = store.timeline(room, self.page()).await?;
        if let Some(newer) = &self.newer {
            match end_of(&slice.items, newer) {
                Some(end) => slice.items.truncate(end),
                None if slice.items.len() <= MOST => self.newer = None,
                None => {
                    self.newer = edge(&slice.items[MOST..]);
                    slice.items.truncate(MOST);
                }
            }
        } else if slice.items.len() > self.limit() {
            let keep = match self.len {
                0 => MOST,
                len => (len + STAY).min(MOST - STAY),
            };
            slice = store.timeline(room, Page::newest(keep + 1)).await?;
            let surplus = slice.items.len().saturating_sub(keep);
            self.older = edge(&slice.items[..surplus]);
            slice.items.drain(..surplus);
        }
        if self.len == 0 {
            self.len = slice.items.len();
        }
        Ok(slice.items)
    }

    /// Begins it earlier; what is too much for it leaves at the newer end.
    pub(super) async fn begin_at(
        &mut self,
        older: Option<Cursor>,
        store: &dyn StorageAdapter,
        room: &RoomId,
    ) -> Result<()> {
        (self.wants, self.older, self.len) = (None, older, 0);
        let slice = store.timeline(room, self.page()).await?;
        let end = self.newer.as_ref().and_then(|newer| end_of(&slice.items, newer));
        if slice.items.len() > MOST && end.is_none() {
            self.newer = edge(&slice.items[MOST..]);
        }
        Ok(())
    }

    /// Ends it this number of shown items later; what is too much for it leaves at the older end.
    pub(super) async fn end_later(
        &mut self,
        want: usize,
        store: &dyn StorageAdapter,
        room: &RoomId,
    ) -> Result<()> {
        if self.is_live() {
            return Ok(());
        }
        let mut items = self.read(store, room).await?;
        let last = Slice { items: items.clone(), more: false }.newer().or_else(|| self.older.clone());
        let (more, newer) = shown_after(store, room, last, want).await?;
        items.extend(more);
        (self.newer, self.len) = (newer, 0);
        if let Some(surplus) = items.len().checked_sub(MOST + 1) {
            self.older = edge(&items[surplus..]);
        }
        Ok(())
    }

    fn page(&self) -> Page {
        match self.older.clone() {
            Some(cursor) => Page::newer_than(cursor, MOST + 1),
            None => Page::oldest(MOST + 1),
        }
    }
}

/// Reads the newest items before an edge (absent: the live end) of which this number is shown, oldest first, and the
/// edge before them.
pub(super) async fn shown_before(
    store: &dyn StorageAdapter,
    room: &RoomId,
    before: Option<Cursor>,
    want: usize,
) -> Result<(Vec<Item>, Option<Cursor>)> {
    // Newest first, and one item further, which is the edge.
    let (mut items, mut shown, mut start) = (Vec::new(), 0, before);
    loop {
        let limit = page_of(want - shown);
        let page = match start {
            Some(cursor) => Page::older_than(cursor, limit),
            None => Page::newest(limit),
        };
        let slice = store.timeline(room, page).await?;
        start = slice.older();
        for item in slice.items.into_iter().rev() {
            if shown == want || items.len() == MOST {
                let edge = edge(std::slice::from_ref(&item));
                items.reverse();
                return Ok((items, edge));
            }
            shown += usize::from(item.as_message().is_none_or(is_shown));
            items.push(item);
        }
        if !slice.more {
            items.reverse();
            return Ok((items, None));
        }
    }
}

/// Reads the oldest items behind an edge (absent: from the beginning) of which this number is shown, oldest first, and
/// the edge behind them.
pub(super) async fn shown_after(
    store: &dyn StorageAdapter,
    room: &RoomId,
    after: Option<Cursor>,
    want: usize,
) -> Result<(Vec<Item>, Option<Cursor>)> {
    let (mut items, mut shown, mut start) = (Vec::new(), 0, after);
    loop {
        let limit = page_of(want - shown);
        let page = match start {
            Some(cursor) => Page::newer_than(cursor, limit),
            None => Page::oldest(limit),
        };
        let slice = store.timeline(room, page).await?;
        start = slice.newer();
        for item in slice.items {
            if shown == want || items.len() == MOST {
                return Ok((items, edge(std::slice::from_ref(&item))));
            }
            shown += usize::from(item.as_message().is_none_or(is_shown));
            items.push(item);
        }
        if !slice.more {
            return Ok((items, None));
        }
    }
}

/// Returns the size of a page that holds this number of shown items and the edge, most of the time.
fn page_of(shown: usize) -> usize {
    shown + shown / 4 + 4
}

/// Returns the cursor of the first item.
fn edge(items: &[Item]) -> Option<Cursor> {
    let first = items.first()?.clone();
    // A gap is found again by the message behind it.
    let near = items.iter().skip(1).take(1).cloned();
    Slice { items: std::iter::once(first).chain(near).collect(), more: false }.older()
}

/// Returns the index of the first item that an edge keeps out.
fn end_of(items: &[Item], newer: &Cursor) -> Option<usize> {
    let anchor = newer.anchor().and_then(|event| {
        items.iter().find(|item| item.as_message().is_some_and(|message| message.id == *event))
    });
    let place = newer.resolve(anchor.map(Item::position));
    items.iter().position(|item| item.position() >= place)
}

/// Tells whether a message shows in its own place.
pub(super) fn is_shown(message: &Message) -> bool {
    !message.relation.as_ref().is_some_and(|relation| relation.kind.is_hidden())
}

#[cfg(test)]
mod tests {
    use haos_store_api::{MemoryStore, RelationKind, WriteBatch};

    use super::*;
    use crate::live::rooms::tests::{about, room, text};

    const ROOM: &str = "!r";

    /// A room in a store.
    struct Talk {
        store: MemoryStore,
        room: RoomId,
        said: u64,
    }

    impl Talk {
        async fn of(messages: usize) -> Self {
            let mut talk = Self { store: MemoryStore::new(), room: RoomId::new(ROOM).unwrap(), said: 0 };
            talk.go_on(messages).await;
            talk
        }

        async fn go_on(&mut self, messages: usize) {
            let mut batch = WriteBatch::relaxed();
            batch.put_room(room(ROOM, 0));
            for _ in 0..messages {
                self.said += 1;
                batch.put_message(said(self.said));
            }
            self.store.apply(batch).await.unwrap();
        }

        /// Reads a window: the number of its items, of which the last is the newest message.
        async fn read(&self, window: &mut Window) -> usize {
            let items = window.read(&self.store, &self.room).await.unwrap();
            let newest = items.last().and_then(Item::as_message);
            assert_eq!(newest.map(|message| &message.id), Some(&said(self.said).id));
            items.len()
        }
    }

    fn said(at: u64) -> Message {
        text(ROOM, at, "@ada", "hello")
    }

    #[tokio::test]
    async fn a_window_leaves_out_the_oldest_once_many_came_in() {
        let mut talk = Talk::of(10).await;
        let mut window = Window::live(8);
        assert_eq!(talk.read(&mut window).await, 8);
        assert_eq!(window.limit(), 8 + GROWTH);
        talk.go_on(GROWTH).await;
        assert_eq!(talk.read(&mut window).await, 8 + GROWTH);
        talk.go_on(1).await;
        assert_eq!(talk.read(&mut window).await, 8 + STAY);
        talk.go_on(1).await;
        assert_eq!(talk.read(&mut window).await, 8 + STAY + 1);
    }

    #[tokio::test]
    async fn a_window_over_an_empty_room_grows_as_if_it_were_full() {
        let mut talk = Talk::of(0).await;
        let mut window = Window::live(8);
        assert!(window.read(&talk.store, &talk.room).await.unwrap().is_empty());
        talk.go_on(8 + GROWTH).await;
        assert_eq!(talk.read(&mut window).await, 8 + GROWTH);
        talk.go_on(1).await;
        assert_eq!(talk.read(&mut window).await, 8 + STAY);
        assert!(window.has_older());
    }

    #[tokio::test]
    async fn a_window_that_was_moved_may_grow_from_where_it_is() {
        let mut talk = Talk::of(2 * GROWTH).await;
        let mut window = Window::live(8);
        window.begin_at(Some(Cursor::of(&said(50))), &talk.store, &talk.room).await.unwrap();
        assert_eq!(talk.read(&mut window).await, 2 * GROWTH - 50);
        talk.go_on(GROWTH).await;
        assert_eq!(talk.read(&mut window).await, 3 * GROWTH - 50);
    }

    #[tokio::test]
    async fn a_window_that_reached_the_live_end_may_grow_from_there() {
        let mut talk = Talk::of(3 * GROWTH).await;
        let edge = |at| Some(Cursor::of(&said(at)));
        let mut window = Window::between(edge(50), edge(60));
        window.end_later(3 * GROWTH, &talk.store, &talk.room).await.unwrap();
        assert!(window.is_live());
        assert_eq!(talk.read(&mut window).await, 3 * GROWTH - 50);
        assert_eq!(window.limit(), MOST);
        talk.go_on(50).await;
        assert_eq!(talk.read(&mut window).await, MOST);
    }

    #[tokio::test]
    async fn what_shows_elsewhere_counts_for_no_page() {
        let talk = Talk::of(1).await;
        let mut batch = WriteBatch::relaxed();
        for at in 2..90 {
            batch.put_message(about(RelationKind::Reaction, "$1", said(at)));
        }
        batch.put_message(said(90)).put_message(said(91));
        talk.store.apply(batch).await.unwrap();
        let (items, newer) = shown_after(&talk.store, &talk.room, None, 2).await.unwrap();
        assert_eq!((items.len(), newer), (90, Some(Cursor::of(&said(91)))));
        let (items, older) = shown_before(&talk.store, &talk.room, None, 3).await.unwrap();
        assert_eq!((items.len(), older), (91, None));
    }

    #[tokio::test]
    async fn a_window_that_is_full_leaves_out_the_oldest_for_many_at_once() {
        let mut talk = Talk::of(MOST + 9).await;
        let mut window = Window::between(Some(Cursor::of(&said(9))), None);
        assert_eq!(window.limit(), MOST);
        assert_eq!(talk.read(&mut window).await, MOST);
        let mut cuts = 0;
        let mut before = MOST;
        for _ in 0..2 * STAY {
            talk.go_on(1).await;
            let now = talk.read(&mut window).await;
            assert!(now <= MOST && window.has_older(), "{now}");
            cuts += usize::from(now < before);
            before = now;
        }
        assert_eq!(cuts, 2);
    }
}
