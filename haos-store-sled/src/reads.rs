//! The reads of the contract.

use haos_store_api::*;

use crate::db::Db;

impl Reads for Db<'_> {
    fn room(&self, id: &RoomId) -> Result<Option<Room>> {
        Ok((*self).room(id)?.map(|(_, room)| room))
    }

    fn rooms(&self, query: &RoomQuery) -> Result<Vec<Room>> {
        (*self).rooms(query.clone())
    }

    fn message(&self, room: &RoomId, event: &EventId) -> Result<Option<Message>> {
        (*self).message(room, event)
    }

    fn timeline(&self, room: &RoomId, page: &Page) -> Result<Slice> {
        (*self).timeline(room, page)
    }

    fn gaps(&self, room: &RoomId) -> Result<Vec<Gap>> {
        self.room_gaps(room)
    }

    fn count(&self, room: &RoomId, newer_than: Option<&EventId>) -> Result<u64> {
        self.count_messages(room, newer_than)
    }

    fn related(&self, query: &RelationQuery) -> Result<Vec<Message>> {
        (*self).related(query)
    }

    fn messages(&self, query: &MessageQuery) -> Result<Vec<Message>> {
        (*self).messages(query)
    }

    fn pending(&self, query: &PendingQuery) -> Result<Vec<Pending>> {
        self.pending_rows(query)
    }

    fn media(&self, key: &MediaKey, range: ByteRange) -> Result<Option<Media>> {
        (*self).media(key, range)
    }

    fn media_index(&self, query: &MediaQuery) -> Result<Vec<MediaInfo>> {
        (*self).media_index(query)
    }

    fn state(&self, query: &StateQuery) -> Result<Vec<StateEntry>> {
        self.states(query)
    }

    /// What the counters say. sled does not tell what is free, and its files are counted beside.
    fn usage(&self) -> Result<Usage> {
        let sums = self.head()?.unwrap_or_default().sums;
        Ok(Usage { collections: Collection::ALL.into_iter().zip(sums).collect(), ..Usage::default() })
    }
}
