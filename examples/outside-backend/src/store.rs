//! The adapter: a lock, a copy a transaction, reads cut by the laws.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use haos_store_api::backend::law::{self, RoomPager, media_matches, pending_matches, relation_matches};
use haos_store_api::backend::*;
use haos_store_api::*;

use crate::rows::Tables;

/// A store on a shelf: `reopen` finds its content again, until the shelf is dropped.
#[derive(Debug)]
pub struct ShelfStore {
    shelf: Arc<Mutex<Tables>>,
    opened_at: Revision,
    life: Mutex<(bool, Option<ChangeHub>)>,
}

/// Locks a mutex. Only a panic poisons a lock, and no transaction is half done then: it worked on a copy.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl ShelfStore {
    /// Makes an empty store on a shelf of its own.
    pub fn new() -> Self {
        Self::on(Arc::default())
    }

    /// Returns the store after a restart, as one on disk would be.
    #[must_use]
    pub fn reopen(&self) -> Self {
        Self::on(self.shelf.clone())
    }

    fn on(shelf: Arc<Mutex<Tables>>) -> Self {
        let opened_at = lock(&shelf).revision;
        Self { shelf, opened_at, life: Mutex::new((false, Some(ChangeHub::new(256, opened_at)))) }
    }

    fn hub(&self, operation: &'static str) -> Result<ChangeHub> {
        match &*lock(&self.life) {
            (false, Some(hub)) => Ok(hub.clone()),
            _ => Err(Error::new(ErrorKind::Closed, operation, "the store is not open: open or resume it")),
        }
    }

    fn rows(&self, operation: &'static str) -> Result<MutexGuard<'_, Tables>> {
        self.hub(operation).map(|_| lock(&self.shelf))
    }

    fn sleep(&self, asleep: bool) -> Result<()> {
        let mut life = lock(&self.life);
        if life.1.is_none() {
            return Err(Error::new(ErrorKind::Closed, "suspend", "the store is closed: open it again"));
        }
        life.0 = asleep;
        Ok(())
    }
}

impl Default for ShelfStore {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl StorageAdapter for ShelfStore {
    async fn apply(&self, batch: WriteBatch) -> Result<Commit> {
        let hub = self.hub("apply")?;
        let mut rows = lock(&self.shelf);
        let mut copy = rows.clone();
        let next = rows.revision.next();
        let applied = law::apply(&mut copy, &batch, next)?;
        if applied.changed {
            copy.revision = next;
            *rows = copy;
            hub.publish(next, touched(&batch));
        }
        Ok(Commit { revision: rows.revision, changed: applied.changed, assigned: applied.assigned })
    }

    async fn room(&self, id: &RoomId) -> Result<Option<Room>> {
        Ok(self.rows("room")?.rooms.get(id).cloned())
    }

    async fn rooms(&self, query: RoomQuery) -> Result<Vec<Room>> {
        let mut all: Vec<Room> = self.rows("rooms")?.rooms.values().cloned().collect();
        all.sort_by_key(|room| std::cmp::Reverse(room.last_activity_ms));
        let mut pager = RoomPager::new(query);
        let _ = all.into_iter().all(|room| pager.push(room));
        Ok(pager.finish())
    }

    async fn message(&self, room: &RoomId, event: &EventId) -> Result<Option<Message>> {
        Ok(self.rows("message")?.find(room, event).cloned())
    }

    async fn timeline(&self, room: &RoomId, page: Page) -> Result<Slice> {
        let rows = self.rows("timeline")?;
        let beyond = match &page.start {
            Start::End => None,
            Start::Beyond(cursor) => {
                let anchor = cursor.anchor().and_then(|event| rows.find(room, event));
                Some(cursor.resolve(anchor.map(|message| message.position)))
            }
        };
        let wanted = |position: Position| match (beyond, page.direction) {
            (None, _) => true,
            (Some(edge), Direction::Older) => position < edge,
            (Some(edge), Direction::Newer) => position > edge,
        };
        let messages = rows.messages_of(room).filter(|message| wanted(message.position)).cloned().collect();
        let gaps = rows.gaps_of(room).filter(|gap| wanted(gap.position)).cloned().collect();
        Ok(law::slice(messages, gaps, page.direction, page.limit))
    }

    async fn gaps(&self, room: &RoomId) -> Result<Vec<Gap>> {
        Ok(self.rows("gaps")?.gaps_of(room).cloned().collect())
    }

    async fn count(&self, room: &RoomId, newer_than: Option<&EventId>) -> Result<u64> {
        let rows = self.rows("count")?;
        let read = match newer_than.map(|event| rows.find(room, event)) {
            Some(None) => return Ok(0),
            Some(Some(message)) => Some(message.position),
            None => None,
        };
        Ok(rows.messages_of(room).filter(|message| read.is_none_or(|read| message.position > read)).count()
            as u64)
    }

    async fn related(&self, query: RelationQuery) -> Result<Vec<Message>> {
        let rows = self.rows("related")?;
        let is_related =
            |message: &&Message| query.targets.iter().any(|target| relation_matches(&query, target, message));
        let related = rows.messages_of(&query.room).filter(is_related);
        Ok(related.take(query.limit).cloned().collect())
    }

    async fn messages(&self, query: MessageQuery) -> Result<Vec<Message>> {
        let rows = self.rows("messages")?;
        let in_room = |room: &RoomId| rows.messages_of(room).cloned().collect::<Vec<_>>();
        let (mut found, limit) = match query {
            MessageQuery::Ids { room, events } => {
                let mut found = in_room(&room);
                found.retain(|message| events.contains(&message.id));
                (found, usize::MAX)
            }
            MessageQuery::Txn(txn_id) => {
                let own = rows.messages.values().filter(|message| message.txn_id.as_ref() == Some(&txn_id));
                (own.cloned().collect(), usize::MAX)
            }
            MessageQuery::Sender { room, sender, limit } => {
                let mut found = in_room(&room);
                found.retain(|message| message.sender == sender);
                found.reverse();
                (found, limit)
            }
            MessageQuery::Time { room, from_ms, until_ms, limit } => {
                let mut found = in_room(&room);
                found.retain(|message| (from_ms..until_ms).contains(&message.timestamp_ms));
                found.sort_by_key(|message| message.timestamp_ms);
                (found, limit)
            }
            _ => {
                return Err(Error::new(
                    ErrorKind::Unsupported,
                    "messages",
                    "this query is newer than the store",
                ));
            }
        };
        found.truncate(limit);
        Ok(found)
    }

    async fn pending(&self, query: PendingQuery) -> Result<Vec<Pending>> {
        let rows = self.rows("pending")?;
        // Entities are held as they were put and cannot be damaged: `skip_damaged` has nothing to skip.
        let found = rows.pending.values().filter(|row| pending_matches(&query, row));
        Ok(found.take(query.limit).cloned().collect())
    }

    async fn media(&self, key: &MediaKey, range: ByteRange) -> Result<Option<Media>> {
        let rows = self.rows("media")?;
        Ok(rows.media.get(key).map(|(info, bytes)| {
            let span = range.within(info.size);
            Media { info: info.clone(), bytes: bytes[span.start as usize..span.end as usize].to_vec() }
        }))
    }

    async fn media_index(&self, query: MediaQuery) -> Result<Vec<MediaInfo>> {
        let rows = self.rows("media_index")?;
        let found = rows.media.values().map(|(info, _)| info).filter(|info| media_matches(&query, info));
        let mut found = found.cloned().collect();
        law::sort_media(&mut found, query.limit);
        Ok(found)
    }

    async fn state(&self, query: StateQuery) -> Result<Vec<StateEntry>> {
        query.paged()?;
        let rows = self.rows("state")?;
        // Here the order of pages is that of the keys.
        let found = rows.state.values().filter(|entry| {
            entry.scope == query.scope
                && query.kind.as_ref().is_none_or(|kind| entry.kind == *kind)
                && query.key.as_ref().is_none_or(|key| entry.key == *key)
                && query.after.as_ref().is_none_or(|after| entry.key > *after)
        });
        Ok(found.take(query.limit).cloned().collect())
    }

    async fn count_state(&self, scope: &Scope, kind: &EventType) -> Result<u64> {
        let rows = self.rows("count_state")?;
        Ok(rows.state.values().filter(|entry| entry.scope == *scope && entry.kind == *kind).count() as u64)
    }

    async fn usage(&self) -> Result<Usage> {
        let rows = self.rows("usage")?;
        let counts = [
            rows.rooms.len(),
            rows.messages.len(),
            rows.gaps.len(),
            rows.pending.len(),
            rows.media.len(),
            rows.state.len(),
        ];
        let media: usize = rows.media.values().map(|(_, bytes)| bytes.len()).sum();
        // A toy's guess: a hundred bytes a row, and media as large as it is.
        let collections = Collection::ALL.into_iter().zip(counts).map(|(collection, count)| {
            let media = if collection == Collection::Media { media } else { 0 };
            (collection, Size { rows: count as u64, bytes: (100 * count + media) as u64 })
        });
        let collections: Vec<_> = collections.collect();
        let total_bytes = collections.iter().map(|(_, size)| size.bytes).sum();
        Ok(Usage { collections, total_bytes, ..Usage::default() })
    }

    async fn maintain(&self, task: Maintenance, progress: Progress) -> Result<Report> {
        // A backend refuses unknown tasks; this one is never sealed.
        if !matches!(task, Maintenance::Check | Maintenance::Compact) {
            let message = "this backend does not know this chore: update it";
            return Err(Error::new(ErrorKind::Unsupported, "maintain", message));
        }
        let rows = self.usage().await?.collections.iter().map(|(_, size)| size.rows).sum();
        progress.step(rows, rows);
        Ok(Report { rows, ..Report::default() })
    }

    fn info(&self) -> StoreInfo {
        StoreInfo {
            backend: "shelf",
            format: 1,
            location: None,
            persistent: false,
            sealed: false,
            shared: false,
            evictable: false,
            read_only: false,
            opened_at: self.opened_at,
            recovery: None,
            set_aside: Vec::new(),
            damaged: 0,
        }
    }

    fn changes(&self) -> Changes {
        match &lock(&self.life).1 {
            Some(hub) => hub.subscribe(),
            // Nobody holds this hub, so the feed ends at once.
            None => ChangeHub::new(1, lock(&self.shelf).revision).subscribe(),
        }
    }

    async fn suspend(&self) -> Result<()> {
        self.sleep(true)
    }

    async fn resume(&self) -> Result<()> {
        self.sleep(false)
    }

    async fn close(&self) -> Result<()> {
        lock(&self.life).1 = None;
        Ok(())
    }
}
