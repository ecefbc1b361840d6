//! The changes of a commit: what a log record holds, absolute values that may be laid over others in order.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use haos_store_api::Position;
use haos_store_api::backend::Key;

use super::head::Head;
use super::kv::Table;
use super::row::Row;

/// Bytes of a record.
pub(crate) type Value = Rc<[u8]>;

/// Records by table and key; `None`: known to be absent.
pub(crate) type Records = BTreeMap<(Table, Vec<u8>), Option<Value>>;

/// A part of a room's timeline, both ends included.
pub(crate) type Run = (Key, Position, Position);

/// The changes of one commit, or of several.
#[derive(Debug, Clone, Default)]
pub(crate) struct Changes {
    /// The counters after them.
    pub(crate) head: Head,
    pub(crate) records: Records,
    /// Parts of timelines that lose the messages they had before.
    pub(crate) dropped: Vec<Run>,
    /// By room and position; `None`: the message is removed.
    pub(crate) rows: BTreeMap<(Key, Position), Option<Row>>,
    /// Where messages may stand: hints.
    pub(crate) events: HashMap<Key, Position>,
}

impl Changes {
    /// Lays later changes over these, without their hints: a fold needs none.
    pub(crate) fn lay(&mut self, later: Self) {
        self.head = later.head;
        self.records.extend(later.records);
        for run in later.dropped {
            self.drop_run(run);
        }
        self.rows.extend(later.rows);
    }

    /// Removes all messages of a part.
    pub(crate) fn drop_run(&mut self, run: Run) {
        let (room, oldest, newest) = run;
        let inside: Vec<_> =
            self.rows.range((room, oldest)..=(room, newest)).map(|(place, _)| *place).collect();
        for place in inside {
            self.rows.remove(&place);
        }
        self.dropped.push(run);
    }

    /// Tells whether the position lost its message to a dropped part.
    pub(crate) fn is_dropped(&self, room: &Key, at: Position) -> bool {
        self.dropped.iter().any(|(of, oldest, newest)| of == room && *oldest <= at && at <= *newest)
    }

    pub(crate) fn put_row(&mut self, room: &Key, row: Row) {
        self.events.insert(row.event, row.at);
        self.rows.insert((*room, row.at), Some(row));
    }
}
