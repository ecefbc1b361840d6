//! Which row is next: an index of the outbox without its content, pure, every step O(log n).

use haos_store_api::backend::law::sort_by;
use haos_store_api::backend::{SortedMap, SortedSet};
use haos_store_api::{ParkReason, Pending, PendingState, RoomId, TxnId};

use crate::machine::{Class, Phase};
use crate::{Order, OutboxOptions};

mod entry;
mod turn;

use entry::Entry;

/// Rows that go one after the other: a room's events, a room's uploads, a room's signals.
pub(crate) type Lane = (RoomId, Class);

/// The wait of a lane.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    /// Its head may go now.
    Ready(i64, u64),
    /// Its head may go, or its lease has run out, at this moment.
    Waits(i64),
    /// Something else must happen first.
    #[default]
    Idle,
}

/// Lanes in an order: those with something to send by priority, falling, then age; those that wait by the
/// moment, with nothing after it. One type for both, and one for rows: a module has the code of each.
type Lanes = SortedSet<(i64, u64, Lane)>;

/// Rows by a moment and their place in the outbox; in a lane by the latter alone.
pub(crate) type Rows = SortedMap<(i64, u64), TxnId>;

/// The number in [`Lanes`] of a priority: what goes first is least.
fn rank(priority: i32) -> i64 {
    -i64::from(priority)
}

/// The bounds of a wait.
#[derive(Debug, Clone, Copy, Default)]
struct Limits {
    /// The store's clock, as it was seen last.
    now_ms: Option<i64>,
    /// No row waits longer to be tried again.
    wait_ms: u64,
    /// Nobody holds a row longer without renewing that.
    lease_ms: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Schedule {
    limits: Limits,
    order: Order,
    owner: String,
    rows: SortedMap<TxnId, Entry>,
    lanes: SortedMap<Lane, (Rows, Place)>,
    ready: [Lanes; 3],
    waits: Lanes,
    expiries: Rows,
    /// In the order of their ids.
    children: SortedMap<TxnId, Vec<TxnId>>,
    /// No other context sends: what is being sent and not by us was left behind.
    alone: bool,
    /// Rows under way here, and how many in each lane.
    busy: SortedMap<TxnId, Option<Lane>>,
    taken: SortedMap<Lane, usize>,
    paused: SortedSet<RoomId>,
}

impl Schedule {
    pub(crate) fn new(options: &OutboxOptions, owner: &str, alone: bool) -> Self {
        let limits = Limits { now_ms: None, wait_ms: options.retry.longest_ms(), lease_ms: options.lease_ms };
        Self { limits, order: options.order, owner: owner.to_owned(), alone, ..Self::default() }
    }

    /// Sets the moment from which the moments in rows are measured.
    pub(crate) fn see(&mut self, now_ms: i64) {
        self.limits.now_ms = Some(now_ms);
    }

    /// Tells if there are no rows.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Takes up a row as it is now. What is older than what is known changes nothing.
    pub(crate) fn put(&mut self, row: &Pending) {
        if self.rows.get(&row.txn_id).is_some_and(|known| known.revision > row.revision) {
            return;
        }
        let forgiven = self.rows.get(&row.txn_id).is_some_and(|old| old.forgiven && old.fence == row.fence);
        self.unlink(&row.txn_id);
        let entry = Entry { forgiven, ..Entry::of(row, &self.owner, &self.limits) };
        let phase = entry.phase();
        if matches!(phase, Phase::Blocked | Phase::Queued) && entry.expires_ms < i64::MAX {
            self.expiries.insert((entry.expires_ms, entry.seq), row.txn_id.clone());
        }
        if let Some(parent) = &entry.parent {
            let children = self.children.or_default(parent.clone());
            if let Err(place) = children.binary_search(&row.txn_id) {
                children.insert(place, row.txn_id.clone());
            }
        }
        let lane = entry.lane.clone();
        if phase != Phase::Sent {
            self.lanes.or_default(lane.clone()).0.insert((0, entry.seq), row.txn_id.clone());
        }
        self.rows.insert(row.txn_id.clone(), entry);
        self.file(&lane);
        self.file_waiting(&row.txn_id);
    }

    pub(crate) fn remove(&mut self, txn_id: &TxnId) {
        if let Some(lane) = self.unlink(txn_id) {
            self.file(&lane);
            self.file_waiting(txn_id);
        }
    }

    fn unlink(&mut self, txn_id: &TxnId) -> Option<Lane> {
        let entry = self.rows.remove(txn_id)?;
        self.expiries.remove(&(entry.expires_ms, entry.seq));
        if let Some(parent) = &entry.parent
            && let Some(children) = self.children.get_mut(parent)
        {
            children.retain(|child| child != txn_id);
            if children.is_empty() {
                self.children.remove(parent);
            }
        }
        if let Some((rows, _)) = self.lanes.get_mut(&entry.lane) {
            rows.remove(&(0, entry.seq));
        }
        Some(entry.lane)
    }

    /// Forgets every row, not what is under way.
    pub(crate) fn clear(&mut self) {
        let (busy, paused) = (std::mem::take(&mut self.busy), std::mem::take(&mut self.paused));
        let taken = std::mem::take(&mut self.taken);
        *self = Self {
            limits: self.limits,
            order: self.order,
            owner: std::mem::take(&mut self.owner),
            alone: self.alone,
            busy,
            taken,
            paused,
            ..Self::default()
        };
    }

    /// Lists the rows under way.
    pub(crate) fn busy(&self) -> Vec<TxnId> {
        let mut busy: Vec<TxnId> = self.busy.keys().cloned().collect();
        sort_by(&mut busy, TxnId::cmp);
        busy
    }

    /// Tells if an event of the room is under way.
    pub(crate) fn is_taken(&self, room: &RoomId) -> bool {
        self.taken.contains_key(&(room.clone(), Class::Event))
    }

    pub(crate) fn is_busy(&self, txn_id: &TxnId) -> bool {
        self.busy.contains_key(txn_id)
    }

    /// Rows past their expiry that are not under way.
    pub(crate) fn expired(&self, now_ms: i64) -> Vec<TxnId> {
        let past = self.expiries.iter().take_while(|((at, _), _)| *at <= now_ms);
        past.map(|(_, txn_id)| txn_id).filter(|txn_id| !self.is_busy(txn_id)).cloned().collect()
    }

    pub(crate) fn get(&self, txn_id: &TxnId) -> Option<&Entry> {
        self.rows.get(txn_id)
    }

    pub(crate) fn has_children(&self, txn_id: &TxnId) -> bool {
        self.children.contains_key(txn_id)
    }

    /// Rows that wait for one that is not in the outbox any more, or sent already.
    pub(crate) fn is_stranded(&self, txn_id: &TxnId) -> bool {
        let Some(entry) = self.rows.get(txn_id).filter(|entry| entry.phase() == Phase::Blocked) else {
            return false;
        };
        let parent = entry.parent.as_ref().and_then(|parent| self.rows.get(parent));
        parent.is_none_or(|parent| parent.phase() == Phase::Sent)
    }

    pub(crate) fn children(&self, txn_id: &TxnId) -> Vec<TxnId> {
        self.children.get(txn_id).into_iter().flatten().cloned().collect()
    }

    /// Rows that wait for a parent which is not unsent, oldest first.
    pub(crate) fn stranded(&self) -> Vec<TxnId> {
        self.in_order(|txn_id, _| self.is_stranded(txn_id))
    }

    /// Rows of a room that the server refused to its sender.
    pub(crate) fn forbidden(&self, room: &RoomId) -> Vec<TxnId> {
        let forbidden = PendingState::Parked(ParkReason::Forbidden);
        let first = (room.clone(), Class::Event);
        let from = self.lanes.range(first..);
        let of_room = from.take_while(|(lane, _)| lane.0 == *room);
        let rows = of_room.flat_map(|(_, (rows, _))| rows.values());
        rows.filter(|txn_id| self.rows.get(*txn_id).is_some_and(|row| row.state == forbidden))
            .cloned()
            .collect()
    }

    /// Rows in this state, oldest first, with their rooms.
    pub(crate) fn parked(&self, reason: ParkReason) -> Vec<(TxnId, RoomId)> {
        let parked = self.in_order(|_, entry| entry.state == PendingState::Parked(reason));
        let room = |txn_id: TxnId| Some((txn_id.clone(), self.rows.get(&txn_id)?.lane.0.clone()));
        parked.into_iter().filter_map(room).collect()
    }

    fn in_order(&self, wanted: impl Fn(&TxnId, &Entry) -> bool) -> Vec<TxnId> {
        let rows = self.rows.iter().filter(|(txn_id, entry)| wanted(txn_id, entry));
        let mut rows: Vec<(u64, &TxnId)> = rows.map(|(txn_id, entry)| (entry.seq, txn_id)).collect();
        sort_by(&mut rows, |(a, _), (b, _)| a.cmp(b));
        rows.into_iter().map(|(_, txn_id)| txn_id.clone()).collect()
    }
}

#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod tests;
