//! The messages that come while they are watched.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use haos_store_api::{Change, Changes, Cursor, EventId, Page, RoomId, RoomQuery, StorageAdapter, Touched};

use super::view::View;
use crate::error::Result;

/// The most messages of a room that are shown at once: the newest.
const PAGE: usize = 50;
/// The number of shown messages that are remembered: a sync may put one in another place.
const REMEMBERED: usize = 2000;

/// The end of every room's timeline, as it was shown.
pub(super) struct News {
    changes: Changes,
    ends: BTreeMap<RoomId, Option<Cursor>>,
    shown: VecDeque<(RoomId, EventId)>,
}

impl News {
    /// Everything that is stored now is no news.
    pub(super) async fn start(store: &dyn StorageAdapter) -> Result<Self> {
        let changes = store.changes();
        let mut ends = BTreeMap::new();
        for room in store.rooms(RoomQuery::default()).await? {
            let newest = store.timeline(&room.id, Page::newest(1)).await?;
            ends.insert(room.id, newest.newer());
        }
        Ok(Self { changes, ends, shown: VecDeque::new() })
    }

    /// The rooms of which something may be new: none for all of them. None if the store was closed.
    /// Dropping the call loses nothing.
    pub(super) async fn next(&mut self) -> Option<Option<BTreeSet<RoomId>>> {
        loop {
            match self.changes.next().await? {
                Change::Commit { touched, .. } => {
                    let rooms = touched.iter().filter_map(|touched| match touched {
                        Touched::Room(room) => Some(room.clone()),
                        _ => None,
                    });
                    let rooms: BTreeSet<RoomId> = rooms.collect();
                    if !rooms.is_empty() {
                        return Some(Some(rooms));
                    }
                }
                _ => return Some(None),
            }
        }
    }

    /// Shows what is new in these rooms.
    pub(super) async fn show(
        &mut self,
        store: &dyn StorageAdapter,
        rooms: Option<BTreeSet<RoomId>>,
        view: &mut View<'_>,
    ) -> Result<()> {
        let rooms: Vec<RoomId> = match rooms {
            Some(rooms) => rooms.into_iter().collect(),
            None => store.rooms(RoomQuery::default()).await?.into_iter().map(|room| room.id).collect(),
        };
        for room in rooms {
            self.show_room(store, room, view).await?;
        }
        Ok(())
    }

    /// Shows what came since the last look, wherever.
    pub(super) async fn catch_up(&mut self, store: &dyn StorageAdapter, view: &mut View<'_>) -> Result<()> {
        self.show(store, None, view).await
    }

    async fn show_room(&mut self, store: &dyn StorageAdapter, id: RoomId, view: &mut View<'_>) -> Result<()> {
        let Some(room) = store.room(&id).await? else {
            self.ends.remove(&id);
            return Ok(());
        };
        let Some(end) = self.ends.get(&id).cloned() else {
            // The history of a new room is no news.
            let newest = store.timeline(&id, Page::newest(1)).await?;
            self.ends.insert(id, newest.newer());
            return view.room(&room);
        };
        let mut slice = store.timeline(&id, Page::newest(PAGE)).await?;
        let newest = slice.newer();
        if let Some(end) = end {
            let newer = store.timeline(&id, Page::newer_than(end, PAGE)).await?;
            // After a long silence there is more than a page: the newest of it.
            if !newer.more {
                slice = newer;
            }
        }
        if newest.is_some() {
            self.ends.insert(id.clone(), newest);
        }
        for message in slice.messages() {
            let this = (id.clone(), message.id.clone());
            if !self.shown.contains(&this) {
                view.message(&room, message)?;
                self.shown.push_back(this);
            }
        }
        self.shown.drain(..self.shown.len().saturating_sub(REMEMBERED));
        Ok(())
    }
}
