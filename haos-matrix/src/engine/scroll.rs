use haos_store_api::{Cursor, Gap, Page, Result, RoomId, Slice};

use super::{Engine, FetchError, Fill};

/// A part of a timeline, with as much of it as could be fetched.
#[derive(Debug)]
pub struct Backfill {
    /// Messages and the gaps that are left, oldest first.
    pub slice: Slice,
    /// The reason why a gap is left, if one is.
    pub left: Option<Left>,
}

/// The reason why a backfill left a gap.
#[derive(Debug)]
#[non_exhaustive]
pub enum Left {
    /// The pages of one call were not enough, with events or without: the same call goes on.
    Unfinished,
    /// The server's page led nowhere: it holds no event and goes on where it began.
    Nowhere,
    /// Offline, paused, or not allowed to see it.
    Stopped(FetchError),
}

impl Backfill {
    /// Tells if it begins where the room's history does: nothing older is stored, nothing is left out below.
    /// Of a room of which nothing is known it is not said.
    pub fn is_beginning(&self) -> bool {
        !self.slice.more && self.slice.gaps().next().is_none() && self.slice.messages().next().is_some()
    }
}

impl Engine {
    /// The `want` newest items before `before` (none: of the whole timeline). Gaps among them are filled
    /// first, from the newest on, with at most
    /// [`SyncOptions::scroll_pages`](super::SyncOptions::scroll_pages) pages; offline, what is stored comes
    /// at once, gaps and all.
    ///
    /// # Errors
    /// Those of the store where it cannot be read; whatever else goes wrong is in [`Backfill::left`].
    pub async fn backfill(&self, room: &RoomId, before: Option<Cursor>, want: usize) -> Result<Backfill> {
        let inner = &*self.inner;
        let page = || match &before {
            Some(cursor) => Page::older_than(cursor.clone(), want),
            None => Page::newest(want),
        };
        let mut fetched = None;
        for _ in 0..inner.options.scroll_pages {
            let slice = inner.store.timeline(room, page()).await?;
            let place = |gap: &Gap| Some((gap.position, gap.token.clone()));
            let Some(gap) = slice.gaps().next_back() else { return Ok(Backfill { slice, left: None }) };
            // A page that left its gap as it was would do so again.
            if fetched == place(gap) {
                return Ok(Backfill { slice, left: Some(Left::Nowhere) });
            }
            match self.fill_unless_refused(room, gap).await {
                Ok(fill) => fetched = place(gap).filter(|_| fill != Fill::Gone),
                Err(error) => return Ok(Backfill { slice, left: Some(Left::Stopped(error)) }),
            }
        }
        let slice = inner.store.timeline(room, page()).await?;
        let left = slice.gaps().next().map(|_| Left::Unfinished);
        Ok(Backfill { slice, left })
    }

    async fn fill_unless_refused(&self, room: &RoomId, gap: &Gap) -> Result<Fill, FetchError> {
        let refused = self.refused().get(&(room.clone(), gap.token.clone())).cloned();
        match refused {
            Some(answer) => Err(FetchError::Answer(answer)),
            None => self.fill(room, gap).await,
        }
    }
}
