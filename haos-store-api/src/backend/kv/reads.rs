use super::reader::Reader;
use super::tree::Tree;
use crate::*;

impl<T: Tree> Reads for Reader<'_, T> {
    fn room(&self, id: &RoomId) -> Result<Option<Room>> {
        Ok(self.numbered_room(id)?.map(|(_, room)| room))
    }

    fn rooms(&self, query: &RoomQuery) -> Result<Vec<Room>> {
        self.rooms_by_activity(query.clone())
    }

    fn message(&self, room: &RoomId, event: &EventId) -> Result<Option<Message>> {
        match self.room_nr(room)? {
            Some(nr) => self.message_in(nr, room, event),
            None => Ok(None),
        }
    }

    fn timeline(&self, room: &RoomId, page: &Page) -> Result<Slice> {
        self.page(room, page)
    }

    fn gaps(&self, room: &RoomId) -> Result<Vec<Gap>> {
        match self.room_ref(room)? {
            Some((nr, room)) => self.gaps_in(nr, room),
            None => Ok(Vec::new()),
        }
    }

    fn count(&self, room: &RoomId, newer_than: Option<&EventId>) -> Result<u64> {
        self.count_messages(room, newer_than)
    }

    fn related(&self, query: &RelationQuery) -> Result<Vec<Message>> {
        self.messages_related(query)
    }

    fn messages(&self, query: &MessageQuery) -> Result<Vec<Message>> {
        match query {
            MessageQuery::Ids { room, events } => self.messages_of_ids(room, events),
            MessageQuery::Txn(txn_id) => self.messages_of_txn(txn_id),
            MessageQuery::Sender { room, sender, limit } => self.messages_of_sender(room, sender, *limit),
            MessageQuery::Time { room, from_ms, until_ms, limit } => {
                self.messages_of_time(room, *from_ms, *until_ms, *limit)
            }
        }
    }

    fn pending(&self, query: &PendingQuery) -> Result<Vec<Pending>> {
        self.pending_rows(query)
    }

    fn media(&self, key: &MediaKey, range: ByteRange) -> Result<Option<Media>> {
        let Some((blob, info)) = self.media_info(key)? else { return Ok(None) };
        let bytes = self.media_bytes(blob, info.size, range)?;
        Ok(Some(Media { info, bytes }))
    }

    fn media_index(&self, query: &MediaQuery) -> Result<Vec<MediaInfo>> {
        self.media_infos(query)
    }

    fn state(&self, query: &StateQuery) -> Result<Vec<StateEntry>> {
        self.state_entries(query)
    }

    fn states(&self, queries: &[StateQuery]) -> Result<Vec<Vec<StateEntry>>> {
        let list = |query| self.codec.keep(self.state_entries(query)).map(Option::unwrap_or_default);
        queries.iter().map(list).collect()
    }

    fn count_state(&self, scope: &Scope, kind: &EventType) -> Result<u64> {
        self.count_state_entries(scope, kind)
    }

    fn usage(&self) -> Result<Usage> {
        let sums = self.head()?.unwrap_or_default().sums;
        Ok(Usage { collections: sums.collections(), ..Usage::default() })
    }

    fn revision(&self) -> Result<Revision> {
        Ok(self.head()?.unwrap_or_default().revision)
    }
}
