//! The cut and the order of reads.

use super::sort_by;
use crate::*;

/// Cuts a page from messages and gaps, each up to `limit + 1` of them from the start point on, in any order.
pub fn slice(messages: Vec<Message>, gaps: Vec<Gap>, direction: Direction, limit: usize) -> Slice {
    let mut items: Vec<Item> = messages.into_iter().map(Item::Message).collect();
    items.extend(gaps.into_iter().map(Item::Gap));
    sort_by(&mut items, |a, b| a.position().cmp(&b.position()));
    let more = items.len() > limit;
    match direction {
        Direction::Newer => items.truncate(limit),
        Direction::Older => drop(items.drain(..items.len().saturating_sub(limit))),
    }
    Slice { items, more }
}

/// Collects rooms that arrive by falling activity until a query is served; ties are ordered by id.
#[derive(Debug)]
pub struct RoomPager {
    query: RoomQuery,
    rooms: Vec<Room>,
}

impl RoomPager {
    /// Begins with a query.
    pub fn new(query: RoomQuery) -> Self {
        Self { query, rooms: Vec::new() }
    }

    /// Returns the latest activity that can be part of the answer.
    pub fn newest_ms(&self) -> i64 {
        self.query.after.as_ref().map_or(i64::MAX, |after| after.last_activity_ms)
    }

    /// Takes the next room; tells whether to push another.
    pub fn push(&mut self, room: Room) -> bool {
        if self.rooms.len() >= self.query.limit
            && self
                .rooms
                .get(self.query.limit.saturating_sub(1))
                .is_none_or(|last| room.last_activity_ms < last.last_activity_ms)
        {
            return false;
        }
        if self.wants(&room) {
            self.rooms.push(room);
        }
        true
    }

    fn wants(&self, room: &Room) -> bool {
        let query = &self.query;
        query.space.as_ref().is_none_or(|space| room.spaces.contains(space))
            && query.membership.is_none_or(|membership| room.membership == membership)
            && query.after.as_ref().is_none_or(|after| {
                (std::cmp::Reverse(room.last_activity_ms), &room.id)
                    > (std::cmp::Reverse(after.last_activity_ms), &after.id)
            })
    }

    /// Returns the page.
    pub fn finish(mut self) -> Vec<Room> {
        sort_by(&mut self.rooms, |a, b| {
            b.last_activity_ms.cmp(&a.last_activity_ms).then_with(|| a.id.cmp(&b.id))
        });
        self.rooms.truncate(self.query.limit);
        self.rooms
    }
}

/// Tells whether a message answers the query about one of its targets, apart from the limit.
pub fn relation_matches(query: &RelationQuery, target: &EventId, message: &Message) -> bool {
    message.relation.as_ref().is_some_and(|relation| {
        relation.target == *target && query.kind.as_ref().is_none_or(|kind| *kind == relation.kind)
    })
}

/// Tells whether an outbox row answers the query, apart from the limit.
pub fn pending_matches(query: &PendingQuery, row: &Pending) -> bool {
    query.txn_id.as_ref().is_none_or(|txn_id| row.txn_id == *txn_id)
        && query.room.as_ref().is_none_or(|room| row.room == *room)
        && (query.event_id.is_none() || row.event_id == query.event_id)
        && query.due_ms.is_none_or(|due| row.not_before_ms <= due)
        && (query.parent.is_none() || row.parent == query.parent)
        && row.seq > query.after_seq
}

/// Tells whether a media item answers the query, apart from the limit.
pub fn media_matches(query: &MediaQuery, info: &MediaInfo) -> bool {
    query.key.as_ref().is_none_or(|key| info.key == *key)
        && query.room.as_ref().is_none_or(|room| info.rooms.contains(room))
}

/// Orders media for an answer: the least recently used first, ties by key.
pub fn sort_media(items: &mut Vec<MediaInfo>, limit: usize) {
    sort_by(items, |a, b| (a.last_access_ms, &a.key).cmp(&(b.last_access_ms, &b.key)));
    items.truncate(limit);
}

/// Orders state for an answer.
pub fn sort_state(entries: &mut [StateEntry]) {
    sort_by(entries, |a, b| (&a.kind, &a.key).cmp(&(&b.kind, &b.key)));
}
