use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use haos_queue::SharedHost;
use haos_queue::pressure::Keeper;
use haos_store_api::*;

/// A store whose writes go through its keeper: what is too much evicts what can be fetched again, and leaves
/// the outbox its headroom.
pub(super) struct KeptStore {
    pub(super) store: Arc<dyn StorageAdapter>,
    pub(super) keeper: Arc<Keeper>,
    pub(super) host: SharedHost,
}

impl fmt::Debug for KeptStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeptStore").field("store", &self.store).field("keeper", &self.keeper).finish()
    }
}

macro_rules! passed_on {
    ($($name:ident($($arg:ident: $ty:ty),*) -> $out:ty;)*) => {
        #[cfg_attr(not(target_arch = "wasm32"), async_trait)]
        #[cfg_attr(target_arch = "wasm32", async_trait(?Send))]
        impl StorageAdapter for KeptStore {
            async fn apply(&self, batch: WriteBatch) -> Result<Commit> {
                self.keeper.apply(batch, self.host.now_ms()).await
            }

            $(async fn $name(&self, $($arg: $ty),*) -> $out {
                self.store.$name($($arg),*).await
            })*

            fn info(&self) -> StoreInfo {
                self.store.info()
            }

            fn changes(&self) -> Changes {
                self.store.changes()
            }
        }
    };
}

passed_on! {
    room(id: &RoomId) -> Result<Option<Room>>;
    rooms(query: RoomQuery) -> Result<Vec<Room>>;
    message(room: &RoomId, event: &EventId) -> Result<Option<Message>>;
    timeline(room: &RoomId, page: Page) -> Result<Slice>;
    gaps(room: &RoomId) -> Result<Vec<Gap>>;
    count(room: &RoomId, newer_than: Option<&EventId>) -> Result<u64>;
    related(query: RelationQuery) -> Result<Vec<Message>>;
    messages(query: MessageQuery) -> Result<Vec<Message>>;
    pending(query: PendingQuery) -> Result<Vec<Pending>>;
    media(key: &MediaKey, range: ByteRange) -> Result<Option<Media>>;
    media_index(query: MediaQuery) -> Result<Vec<MediaInfo>>;
    state(query: StateQuery) -> Result<Vec<StateEntry>>;
    usage() -> Result<Usage>;
    maintain(task: Maintenance, progress: Progress) -> Result<Report>;
    change_keys(change: KeyChange) -> Result<()>;
    suspend() -> Result<()>;
    resume() -> Result<()>;
    close() -> Result<()>;
}
