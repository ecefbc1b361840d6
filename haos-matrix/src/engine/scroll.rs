use haos_store_api::{Cursor, Gap, Page, Result, RoomId, Slice};

use super::{Engine, FetchError, Fill};

/// A part of a timeline, with as much of it as could be fetched.
#[derive(Debug)]
pub struct Backfill {
    /// Messages and the gaps that are left, oldest first. Without `more` it begins where history does, or
    /// at a gap.
    pub slice: Slice,
    /// Why a gap is left: offline, paused, not allowed to see it. None with a gap: the pages of one call were
    /// not enough, or led nowhere.
    pub stopped: Option<FetchError>,
}

impl Engine {
    /// The `want` newest items before `before` (none: of the whole timeline). Gaps among them are filled
    /// first, from the newest on, with at most
    /// [`SyncOptions::scroll_pages`](super::SyncOptions::scroll_pages) pages; offline, what is stored comes
    /// at once, gaps and all.
    ///
    /// # Errors
    /// Those of the store where it cannot be read; whatever else goes wrong is in [`Backfill::stopped`].
    pub async fn backfill(&self, room: &RoomId, before: Option<Cursor>, want: usize) -> Result<Backfill> {
        let inner = &*self.inner;
        let page = || match &before {
            Some(cursor) => Page::older_than(cursor.clone(), want),
            None => Page::newest(want),
        };
        let mut fetched = None;
        for _ in 0..inner.options.scroll_pages {
            let slice = inner.store.timeline(room, page()).await?;
            // A page that left its gap as it was leads nowhere, and would again.
            let place = |gap: &Gap| Some((gap.position, gap.token.clone()));
            let Some(gap) = slice.gaps().next_back().filter(|gap| fetched != place(gap)) else {
                return Ok(Backfill { slice, stopped: None });
            };
            match self.fill_unless_refused(room, gap).await {
                Ok(fill) => fetched = place(gap).filter(|_| fill != Fill::Gone),
                Err(stopped) => return Ok(Backfill { slice, stopped: Some(stopped) }),
            }
        }
        Ok(Backfill { slice: inner.store.timeline(room, page()).await?, stopped: None })
    }

    async fn fill_unless_refused(&self, room: &RoomId, gap: &Gap) -> Result<Fill, FetchError> {
        let refused = self.refused().get(&(room.clone(), gap.token.clone())).cloned();
        match refused {
            Some(answer) => Err(FetchError::Answer(answer)),
            None => self.fill(room, gap).await,
        }
    }
}
