//! Queries that walk through a whole room, step by step: what was walked may be forgotten before the end.

use haos_store_api::backend::law::sort_by;
use haos_store_api::*;

use super::super::keys::WIDTH;
use super::super::row::Row;
use super::Reader;

/// The messages of one step.
const STEP: usize = 32 * WIDTH as usize;

/// A walk under way, from newer to older.
#[derive(Debug, Default)]
pub(crate) struct Walk {
    /// The revision that it walks at. If the store has moved on, it begins anew.
    revision: Option<Revision>,
    /// The newest position that was not walked yet; absent at the end.
    next: Option<Position>,
    found: Vec<Row>,
}

impl Reader<'_, '_> {
    /// Answers a query; `walk` keeps what was found when it stops for something to be loaded.
    #[inline(never)]
    pub(crate) fn messages(&mut self, query: &MessageQuery, walk: &mut Walk) -> Result<Vec<Message>> {
        match query {
            MessageQuery::Ids { room, events } => self.messages_by_id(room, events),
            MessageQuery::Txn(txn_id) => self.messages_of_txn(txn_id),
            MessageQuery::Sender { room, sender, limit } => {
                let wanted = self.codec.sender_key(room, sender);
                self.walk(room, walk, *limit, &|row| row.sender == wanted)?;
                let mut found = self.decode(room, &walk.found)?;
                found.truncate(*limit);
                Ok(found)
            }
            MessageQuery::Time { room, from_ms, until_ms, limit } => {
                self.walk(room, walk, usize::MAX, &|row| (*from_ms..*until_ms).contains(&row.timestamp_ms))?;
                sort_by(&mut walk.found, |a, b| (a.timestamp_ms, a.at).cmp(&(b.timestamp_ms, b.at)));
                walk.found.truncate(*limit);
                self.decode(room, &walk.found)
            }
            _ => Err(Error::new(
                ErrorKind::Unsupported,
                "messages",
                "this version of the IndexedDB backend does not know this query: update it",
            )),
        }
    }

    /// Collects the rows that match, newest first, `limit` or a few more of readable ones.
    fn walk(
        &mut self,
        room: &RoomId,
        walk: &mut Walk,
        limit: usize,
        matches: &dyn Fn(&Row) -> bool,
    ) -> Result<()> {
        let (room, codec) = (self.codec.room_ref(room), self.codec);
        let revision = self.view.memory.head.revision;
        if walk.revision != Some(revision) {
            *walk = Walk { revision: Some(revision), next: Some(Position::MAX), found: Vec::new() };
        }
        while let Some(next) = walk.next
            && walk.found.len() < limit
        {
            let rows = self.view.page(&room.key, Direction::Older, next, STEP)?;
            for row in rows.iter().filter(|row| matches(row)) {
                // Unreadable ones do not count towards the limit.
                if limit == usize::MAX || codec.keep(row.message(codec, room))?.is_some() {
                    walk.found.push((*row).clone());
                }
            }
            walk.next = match rows.last() {
                Some(last) if rows.len() >= STEP => last.at.older(1),
                _ => None,
            };
        }
        Ok(())
    }
}
