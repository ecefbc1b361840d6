//! A view of one commit as a store of its own.

use std::fmt;

use async_trait::async_trait;

use crate::*;

/// A commit that stays readable, of any backend.
pub trait Held: MaybeSend + fmt::Debug {
    /// Reads the commit.
    fn read<T: Send + 'static>(
        &self,
        operation: &'static str,
        read: impl Fn(&dyn Reads) -> Result<T> + Send + 'static,
    ) -> StoreFuture<'_, Result<T>>;

    /// Counts the damaged rows that its lists left out.
    fn damaged(&self) -> u64;

    /// Lets go of the commit; later reads fail with `Closed`.
    fn end(&self);
}

/// The store that [`StorageAdapter::snapshot`] gives: it reads a [`Held`] commit, and refuses everything else.
#[derive(Debug)]
pub struct Snapshot<H> {
    held: H,
    info: StoreInfo,
}

impl<H: Held> Snapshot<H> {
    /// Makes the snapshot that holds the commit `revision` of the store described by `info`.
    pub fn new(held: H, revision: Revision, info: StoreInfo) -> Self {
        Self { held, info: StoreInfo { opened_at: revision, read_only: true, ..info } }
    }
}

fn refused(operation: &'static str) -> Error {
    Error::new(ErrorKind::ReadOnly, operation, "a snapshot can only be read: use the store that it is of")
}

#[cfg_attr(not(target_arch = "wasm32"), async_trait)]
#[cfg_attr(target_arch = "wasm32", async_trait(?Send))]
impl<H: Held> StorageAdapter for Snapshot<H> {
    async fn apply(&self, _: WriteBatch) -> Result<Commit> {
        Err(refused("apply"))
    }

    async fn room(&self, id: &RoomId) -> Result<Option<Room>> {
        let id = id.clone();
        self.held.read("room", move |db| db.room(&id)).await
    }

    async fn rooms(&self, query: RoomQuery) -> Result<Vec<Room>> {
        self.held.read("rooms", move |db| db.rooms(&query)).await
    }

    async fn message(&self, room: &RoomId, event: &EventId) -> Result<Option<Message>> {
        let (room, event) = (room.clone(), event.clone());
        self.held.read("message", move |db| db.message(&room, &event)).await
    }

    async fn timeline(&self, room: &RoomId, page: Page) -> Result<Slice> {
        let room = room.clone();
        self.held.read("timeline", move |db| db.timeline(&room, &page)).await
    }

    async fn timelines(&self, pages: Vec<(RoomId, Page)>) -> Result<Vec<Slice>> {
        self.held.read("timelines", move |db| db.timelines(&pages)).await
    }

    async fn gaps(&self, room: &RoomId) -> Result<Vec<Gap>> {
        let room = room.clone();
        self.held.read("gaps", move |db| db.gaps(&room)).await
    }

    async fn count(&self, room: &RoomId, newer_than: Option<&EventId>) -> Result<u64> {
        let (room, newer_than) = (room.clone(), newer_than.cloned());
        self.held.read("count", move |db| db.count(&room, newer_than.as_ref())).await
    }

    async fn related(&self, query: RelationQuery) -> Result<Vec<Message>> {
        self.held.read("related", move |db| db.related(&query)).await
    }

    async fn messages(&self, query: MessageQuery) -> Result<Vec<Message>> {
        self.held.read("messages", move |db| db.messages(&query)).await
    }

    async fn pending(&self, query: PendingQuery) -> Result<Vec<Pending>> {
        self.held.read("pending", move |db| db.pending(&query)).await
    }

    async fn media(&self, key: &MediaKey, range: ByteRange) -> Result<Option<Media>> {
        let key = key.clone();
        self.held.read("media", move |db| db.media(&key, range)).await
    }

    async fn media_index(&self, query: MediaQuery) -> Result<Vec<MediaInfo>> {
        self.held.read("media_index", move |db| db.media_index(&query)).await
    }

    async fn state(&self, query: StateQuery) -> Result<Vec<StateEntry>> {
        self.held.read("state", move |db| db.state(&query)).await
    }

    async fn states(&self, queries: Vec<StateQuery>) -> Result<Vec<Vec<StateEntry>>> {
        self.held.read("states", move |db| db.states(&queries)).await
    }

    async fn count_state(&self, scope: &Scope, kind: &EventType) -> Result<u64> {
        let (scope, kind) = (scope.clone(), kind.clone());
        self.held.read("count_state", move |db| db.count_state(&scope, &kind)).await
    }

    async fn usage(&self) -> Result<Usage> {
        self.held.read("usage", |db| db.usage()).await
    }

    async fn maintain(&self, _: Maintenance, _: Progress) -> Result<Report> {
        Err(refused("maintain"))
    }

    async fn change_keys(&self, _: KeyChange) -> Result<()> {
        Err(refused("keys"))
    }

    fn info(&self) -> StoreInfo {
        StoreInfo { damaged: self.held.damaged(), ..self.info.clone() }
    }

    fn changes(&self) -> Changes {
        // A hub that is dropped at once: nothing changes here.
        ChangeHub::new(1, self.info.opened_at).subscribe()
    }

    async fn suspend(&self) -> Result<()> {
        Err(refused("suspend"))
    }

    async fn resume(&self) -> Result<()> {
        Err(refused("resume"))
    }

    async fn close(&self) -> Result<()> {
        self.held.end();
        Ok(())
    }
}
