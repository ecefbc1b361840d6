//! Moving the window of a timeline.

use haos_matrix::Left;
use haos_store_api::{Cursor, EventId, Gap, Item};
use serde::Serialize;

use super::gather::gap_ids;
use super::window::{Window, shown_after, shown_before};
use super::{Timeline, TimelineItem};
use crate::{Error, Result};

/// The calls for history that a jump to an unknown event makes at most, and the items that each asks for.
const FETCHES: usize = 20;
const FETCHED: usize = 200;

/// How far a page reached.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Reach {
    /// True if there is nothing beyond: the room begins here, or this is the live end.
    pub is_end: bool,
    /// The reason why older messages could not be fetched, for the user: what is stored is shown, with a gap.
    pub stopped: Option<String>,
}

impl Timeline {
    /// Shows `want` older items. Those that are not stored are fetched, if there is a network.
    ///
    /// # Errors
    /// Those of the store; whatever else goes wrong is in [`Reach::stopped`].
    pub async fn older(&self, want: usize) -> Result<Reach> {
        let _alone = self.paging.lock().await;
        self.list.now().await?;
        let (mut window, top) =
            self.list.reader(|reader| (reader.window.clone(), top_of(&reader.stored.items))).await;
        let (before, gaps) = top;
        let stopped = self.fetch(before.clone(), want).await?;
        let store = &*self.base.store;
        let (items, older) = shown_before(store, &self.room, before, want.saturating_add(gaps)).await?;
        window.begin_at(older, store, &self.room).await?;
        let is_end = !window.has_older() && !items.iter().any(|item| item.as_gap().is_some());
        self.list.change(|reader| reader.show(window)).await;
        Ok(Reach { is_end, stopped })
    }

    /// Shows `want` newer items, up to the live end.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn newer(&self, want: usize) -> Result<Reach> {
        let _alone = self.paging.lock().await;
        self.list.now().await?;
        let mut window = self.list.reader(|reader| reader.window.clone()).await;
        window.end_later(want, &*self.base.store, &self.room).await?;
        let is_end = window.is_live();
        self.list.change(|reader| reader.show(window)).await;
        Ok(Reach { is_end, stopped: None })
    }

    /// Shows an event with up to `want` items around it. History is fetched until it is there, if there is a network.
    ///
    /// # Errors
    /// `NotFound` if the event is not stored and was not found; those of the store.
    pub async fn around(&self, event: &EventId, want: usize) -> Result<()> {
        let _alone = self.paging.lock().await;
        let store = &*self.base.store;
        let mut message = store.message(&self.room, event).await?;
        for _ in 0..FETCHES {
            if message.is_some() || self.base.engine().is_none() {
                break;
            }
            let oldest = store.timeline(&self.room, haos_store_api::Page::oldest(8)).await?;
            let (before, _) = top_of(&oldest.items);
            let stopped = self.fetch(before, FETCHED).await?;
            message = store.message(&self.room, event).await?;
            if stopped.is_some() || oldest.gaps().next().is_none() {
                break;
            }
        }
        let Some(message) = message else {
            return Err(Error::NotFound { what: format!("the event {event}") });
        };
        let here = Cursor::of(&message);
        let half = want.max(2) / 2;
        let (_, older) = shown_before(store, &self.room, Some(here.clone()), half).await?;
        let (_, newer) = shown_after(store, &self.room, Some(here), half).await?;
        self.list.change(|reader| reader.show(Window::between(older, newer))).await;
        Ok(())
    }

    /// Goes back to the live end: the newest `want` items.
    pub async fn to_live(&self, want: usize) {
        let _alone = self.paging.lock().await;
        self.list.change(|reader| reader.show(Window::live(want))).await;
    }

    /// Tells whether the window ends at the live end, where new messages come in.
    pub async fn is_live(&self) -> bool {
        self.list.reader(|reader| reader.window.is_live()).await
    }

    /// Fetches the messages of a gap, or the newest of them: a gap may be left before them. One that was filled
    /// meanwhile is no fault.
    ///
    /// # Errors
    /// Those of the store; whatever else goes wrong is in
    /// [`Reach::stopped`].
    pub async fn fill(&self, gap: &TimelineItem) -> Result<Reach> {
        let _alone = self.paging.lock().await;
        let found = self.list.reader(|reader| gap_of(&reader.stored.items, &gap.id)).await;
        let Some(found) = found else {
            return Ok(Reach { is_end: true, stopped: None });
        };
        let stopped = match self.base.engine() {
            None => Some(OFFLINE.to_owned()),
            Some(engine) => match engine.fill(&self.room, &found).await {
                Ok(_) => None,
                Err(haos_matrix::FetchError::Store(error)) => return Err(error.into()),
                Err(error) => Some(error.to_string()),
            },
        };
        Ok(Reach { is_end: stopped.is_none(), stopped })
    }

    /// Fetches what is missing among the newest items before a place, and tells why if it cannot.
    async fn fetch(&self, before: Option<Cursor>, want: usize) -> Result<Option<String>> {
        let Some(engine) = self.base.engine() else { return Ok(None) };
        let backfill = engine.backfill(&self.room, before, want).await?;
        Ok(match backfill.left {
            Some(Left::Stopped(error)) => Some(error.to_string()),
            Some(Left::Nowhere) => Some("the homeserver has no older messages to give".to_owned()),
            _ => None,
        })
    }
}

const OFFLINE: &str = "nobody is logged in here: log in to fetch what is missing";

/// Returns the place of the first message, and the number of gaps before it.
fn top_of(items: &[Item]) -> (Option<Cursor>, usize) {
    let first = items.iter().find_map(Item::as_message);
    let gaps = items.iter().take_while(|item| item.as_gap().is_some()).count();
    (first.map(Cursor::of), gaps)
}

fn gap_of(items: &[Item], id: &str) -> Option<Gap> {
    // Of several gaps before one message, the later ids are numbered.
    let (id, nr) = id.split_once('#').map_or((id, 1), |(id, nr)| (id, nr.parse().unwrap_or(1)));
    let gaps = items.iter().filter_map(Item::as_gap);
    gaps.zip(gap_ids(items)).filter(|(_, found)| found == id).nth(nr - 1).map(|(gap, _)| gap.clone())
}

#[cfg(test)]
mod tests {
    use haos_store_api::{Position, Revision};

    use super::*;
    use crate::live::rooms::tests::{room_id, text};

    #[test]
    fn a_gap_is_found_by_its_id() {
        let gap = |at: u64| Gap {
            room: room_id("!r"),
            position: Position::new(at).unwrap(),
            token: None,
            revision: Revision::ZERO,
        };
        let said = |at| Item::Message(text("!r", at, "@ada", "hello"));
        let items =
            [Item::Gap(gap(1)), Item::Gap(gap(2)), said(3), Item::Gap(gap(4)), said(5), Item::Gap(gap(6))];
        for (id, at) in [
            ("gap-$3", Some(1)),
            ("gap-$3#2", Some(2)),
            ("gap-$3#3", None),
            ("gap-$5", Some(4)),
            ("gap-end", Some(6)),
            ("gap-$4", None),
        ] {
            let found = gap_of(&items, id).map(|gap| gap.position.get());
            assert_eq!(found, at, "{id}");
        }
        let (first, gaps) = top_of(&items);
        assert_eq!((first, gaps), (items[2].as_message().map(Cursor::of), 2));
    }
}
