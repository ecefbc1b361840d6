use async_trait::async_trait;
use haos_queue::pressure::Weight;
use haos_store_api::*;

/// A store in memory on a device of `capacity` bytes.
#[derive(Debug)]
pub(crate) struct Tight {
    pub(crate) inner: MemoryStore,
    pub(crate) capacity: u64,
}

#[async_trait]
impl StorageAdapter for Tight {
    async fn apply(&self, batch: WriteBatch) -> Result<Commit> {
        let used: u64 = self.inner.usage().await?.collections.iter().map(|(_, size)| size.bytes).sum();
        let more = Weight::of(&batch).bytes();
        if more > 0 && used + more > self.capacity {
            return Err(Error::new(ErrorKind::Full, "apply", "the device is full"));
        }
        self.inner.apply(batch).await
    }
    async fn room(&self, id: &RoomId) -> Result<Option<Room>> {
        self.inner.room(id).await
    }
    async fn rooms(&self, query: RoomQuery) -> Result<Vec<Room>> {
        self.inner.rooms(query).await
    }
    async fn message(&self, room: &RoomId, event: &EventId) -> Result<Option<Message>> {
        self.inner.message(room, event).await
    }
    async fn timeline(&self, room: &RoomId, page: Page) -> Result<Slice> {
        self.inner.timeline(room, page).await
    }
    async fn gaps(&self, room: &RoomId) -> Result<Vec<Gap>> {
        self.inner.gaps(room).await
    }
    async fn count(&self, room: &RoomId, newer_than: Option<&EventId>) -> Result<u64> {
        self.inner.count(room, newer_than).await
    }
    async fn related(&self, query: RelationQuery) -> Result<Vec<Message>> {
        self.inner.related(query).await
    }
    async fn messages(&self, query: MessageQuery) -> Result<Vec<Message>> {
        self.inner.messages(query).await
    }
    async fn pending(&self, query: PendingQuery) -> Result<Vec<Pending>> {
        self.inner.pending(query).await
    }
    async fn media(&self, key: &MediaKey, range: ByteRange) -> Result<Option<Media>> {
        self.inner.media(key, range).await
    }
    async fn media_index(&self, query: MediaQuery) -> Result<Vec<MediaInfo>> {
        self.inner.media_index(query).await
    }
    async fn state(&self, query: StateQuery) -> Result<Vec<StateEntry>> {
        self.inner.state(query).await
    }
    async fn usage(&self) -> Result<Usage> {
        self.inner.usage().await
    }
    async fn maintain(&self, task: Maintenance, progress: Progress) -> Result<Report> {
        self.inner.maintain(task, progress).await
    }
    fn info(&self) -> StoreInfo {
        self.inner.info()
    }
    fn changes(&self) -> Changes {
        self.inner.changes()
    }
    async fn suspend(&self) -> Result<()> {
        self.inner.suspend().await
    }
    async fn resume(&self) -> Result<()> {
        self.inner.resume().await
    }
    async fn close(&self) -> Result<()> {
        self.inner.close().await
    }
}
