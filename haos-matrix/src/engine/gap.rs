use std::collections::{HashMap, HashSet};
use std::sync::{MutexGuard, PoisonError};

use haos_queue::{Answer, BackfillPage, Filled, SyncDelta, apply_page};
use haos_store_api::{
    Cursor, Direction, EventId, Gap, Item, Page, Position, Result, RoomId, StateEntry, StorageAdapter,
};

use super::flight::Hole;
use super::{Engine, FetchError};
use crate::parse::parse_context;
use crate::{MatrixProtocol, PageRequest, ParseError, parse_messages_within};

/// Events of a page that is asked for because a larger one was too much.
const SMALL_PAGE: usize = 5;

/// The outcome of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fill {
    /// It is stored. Whether a gap is left, and where, the timeline says.
    Page {
        /// The events it had, known ones among them. None is no proof of an end.
        events: usize,
    },
    /// The gap is not there any more: somebody else filled it, or a part of it.
    Gone,
}

impl Engine {
    /// Fetches one page of a gap, and works it into the timeline. Of several calls for a gap at once, one
    /// asks the server.
    ///
    /// The page has no lower end of its own (`to`): where it meets what is stored, reconciliation sees, and
    /// an answer that ends for `to`'s sake would look like the beginning of history. A gap without a token
    /// (what was there was pruned), or with one that the server does not know any more, is filled from the
    /// context of the next newer message.
    ///
    /// # Errors
    /// [`FetchError`]; the gap is as it was.
    pub async fn fill(&self, room: &RoomId, gap: &Gap) -> Result<Fill, FetchError> {
        let inner = &*self.inner;
        let hole = (room.clone(), gap.token.clone());
        let flight = inner.flights.of(hole.clone());
        let _alone = flight.lock().await;
        let gaps = inner.store.gaps(room).await?;
        let same = |stored: &Gap| {
            stored.token == gap.token && (stored.position == gap.position || gap.token.is_some())
        };
        let Some(gap) = gaps.into_iter().find(same) else { return Ok(Fill::Gone) };
        let fetched = self.page(room, &gap).await;
        if let Err(FetchError::Answer(answer)) = &fetched
            && is_final(answer)
        {
            self.refused().insert(hole, answer.clone());
        } else if fetched.is_ok() {
            self.refused().remove(&hole);
        }
        let mut page = fetched?;
        let _alone = inner.admitting.lock().await;
        inner.options.keep.admit_page(&*inner.store, &mut page).await?;
        #[cfg(feature = "e2ee")]
        let waits = self.open_page(&mut page).await?;
        let filled = apply_page(&*inner.store, &gap, &page, Some(&inner.user), &MatrixProtocol).await?;
        #[cfg(feature = "e2ee")]
        self.looked_again(waits).await;
        Ok(match filled {
            Filled::Applied => Fill::Page { events: page.events.len() },
            _ => Fill::Gone,
        })
    }

    /// Gaps that the server would not show. It is not asked again before membership or visibility change, but
    /// by [`Engine::fill`].
    pub(super) fn refused(&self) -> MutexGuard<'_, HashMap<Hole, Answer>> {
        self.inner.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets refusals in rooms whose history may be shown since: the user's membership changed, or who may
    /// see it.
    pub(super) fn shown_again(&self, delta: &SyncDelta) {
        let mut refused = self.refused();
        if refused.is_empty() {
            return;
        }
        let counts = |entry: &StateEntry| match entry.kind.as_str() {
            "m.room.member" => entry.key.as_str() == self.inner.user.as_str(),
            kind => kind == "m.room.history_visibility",
        };
        let changed: HashSet<&RoomId> =
            delta.rooms.iter().filter(|room| room.state.iter().any(counts)).map(|room| &room.id).collect();
        refused.retain(|(room, _), _| !changed.contains(room));
    }

    async fn page(&self, room: &RoomId, gap: &Gap) -> Result<BackfillPage, FetchError> {
        if let Some(token) = &gap.token {
            match self.messages(room, Some(token)).await {
                Err(FetchError::Answer(answer)) if is_unusable(&answer) => {}
                page => return page,
            }
        }
        match newer(&*self.inner.store, room, gap.position).await? {
            Some(event) => {
                let request = self.inner.server.context(room, &event, self.inner.options.page);
                Ok(parse_context(&self.ask(request).await?, room, self.inner.account.limits)?)
            }
            // Nothing is newer than the gap: what the server has newest follows it.
            None => self.messages(room, None).await,
        }
    }

    /// A page; a smaller one if the server gives too much.
    async fn messages(&self, room: &RoomId, from: Option<&str>) -> Result<BackfillPage, FetchError> {
        let limit = self.inner.options.page;
        match self.messages_of(room, from, limit).await {
            Err(
                FetchError::Answer(Answer::TooLarge { .. })
                | FetchError::Unreadable(ParseError::TooMuch { .. }),
            ) if limit > SMALL_PAGE => self.messages_of(room, from, SMALL_PAGE).await,
            page => page,
        }
    }

    async fn messages_of(
        &self,
        room: &RoomId,
        from: Option<&str>,
        limit: usize,
    ) -> Result<BackfillPage, FetchError> {
        let request = PageRequest { room, from, to: None, direction: Direction::Older, limit };
        let body = self.ask(self.inner.server.messages(&request)).await?;
        Ok(parse_messages_within(&body, room, Direction::Older, self.inner.account.limits)?)
    }
}

/// The next message above a position that the server has for sure.
pub(super) async fn newer(
    store: &dyn StorageAdapter,
    room: &RoomId,
    above: Position,
) -> Result<Option<EventId>> {
    const STEP: usize = 16;
    let mut cursor = Cursor::at_position(above);
    loop {
        let slice = store.timeline(room, Page::newer_than(cursor, STEP)).await?;
        let confirmed = slice.items.iter().filter_map(Item::as_message).find(|message| !message.provisional);
        if let Some(message) = confirmed {
            return Ok(Some(message.id.clone()));
        }
        match slice.newer() {
            Some(next) if slice.more => cursor = next,
            _ => return Ok(None),
        }
    }
}

/// The user may not see it, or it is not there: asking again does not help.
pub(super) fn is_final(answer: &Answer) -> bool {
    matches!(answer, Answer::Refused(refusal)
        if refusal.account.is_none() && refusal.code.is_some() && matches!(refusal.status, 403 | 404))
}

/// The server does not take the token.
fn is_unusable(answer: &Answer) -> bool {
    matches!(answer, Answer::Refused(refusal)
        if refusal.account.is_none() && refusal.code.is_some() && refusal.status == 400)
}
