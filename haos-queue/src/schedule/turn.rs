//! Whose turn it is.

use haos_store_api::backend::SortedSet;
use haos_store_api::{RoomId, TxnId};

use super::entry::Entry;
use super::{Lane, Place, Schedule, rank};
use crate::Order;
use crate::machine::{Class, Phase};

impl Schedule {
    /// Puts a lane where its head belongs.
    pub(super) fn file(&mut self, lane: &Lane) {
        let Some((rows, place)) = self.lanes.get(lane) else { return };
        match place {
            Place::Ready(priority, seq) => {
                self.ready[lane.1 as usize].remove(&(*priority, *seq, lane.clone()));
            }
            Place::Waits(at) => drop(self.waits.remove(&(*at, 0, lane.clone()))),
            Place::Idle => {}
        }
        if rows.is_empty() {
            self.lanes.remove(lane);
            return;
        }
        let place = self.place(lane);
        match &place {
            Place::Ready(priority, seq) => {
                self.ready[lane.1 as usize].insert((*priority, *seq, lane.clone()));
            }
            Place::Waits(at) => drop(self.waits.insert((*at, 0, lane.clone()))),
            Place::Idle => {}
        }
        if let Some((_, filed)) = self.lanes.get_mut(lane) {
            *filed = place;
        }
    }

    fn place(&self, lane: &Lane) -> Place {
        let Some((_, entry)) = self.head(lane) else { return Place::Idle };
        if self.taken.contains_key(lane) || self.paused.contains(&lane.0) {
            return Place::Idle;
        }
        match entry.phase() {
            Phase::Queued => match Self::due_ms(entry) {
                i64::MIN => Place::Ready(rank(entry.priority), entry.seq),
                due_ms => Place::Waits(due_ms),
            },
            // Ours and not under way: left behind by a run that was dropped.
            Phase::Sending if entry.ours || self.alone => Place::Waits(i64::MIN),
            Phase::Sending => Place::Waits(entry.lease_ms),
            Phase::Blocked | Phase::Sent | Phase::Parked => Place::Idle,
        }
    }

    /// Tells if a row is parked, or waits for one that is.
    fn is_held(&self, entry: &Entry) -> bool {
        let mut entry = entry;
        loop {
            match entry.phase() {
                Phase::Parked => return true,
                Phase::Blocked => match entry.parent.as_ref().and_then(|parent| self.rows.get(parent)) {
                    Some(parent) => entry = parent,
                    None => return false,
                },
                Phase::Queued | Phase::Sending | Phase::Sent => return false,
            }
        }
    }

    /// Lets rows that wait for a parked one be overtaken as that one is, in whatever lane.
    pub(super) fn file_waiting(&mut self, txn_id: &TxnId) {
        if self.order != Order::SkipParked {
            return;
        }
        let mut waiting = self.children(txn_id);
        while let Some(txn_id) = waiting.pop() {
            waiting.extend(self.children(&txn_id));
            if let Some(lane) = self.rows.get(&txn_id).map(|entry| entry.lane.clone()) {
                self.file(&lane);
            }
        }
    }

    fn due_ms(entry: &Entry) -> i64 {
        if entry.forgiven || entry.due_ms <= 0 { i64::MIN } else { entry.due_ms }
    }

    /// Moves to the ready ones what has become due, and tells which leases have run out.
    pub(crate) fn tick(&mut self, now_ms: i64) -> Vec<TxnId> {
        self.see(now_ms);
        let mut lost = Vec::new();
        while let Some((at, _, lane)) = self.waits.first().cloned() {
            if at > now_ms {
                break;
            }
            self.waits.pop_first();
            let Some(head) = self.head(&lane) else { continue };
            let (txn_id, entry) = (head.0.clone(), head.1);
            if entry.phase() == Phase::Sending {
                lost.push(txn_id);
                self.set_place(&lane, Place::Idle);
            } else {
                let (priority, seq) = (rank(entry.priority), entry.seq);
                self.ready[lane.1 as usize].insert((priority, seq, lane.clone()));
                self.set_place(&lane, Place::Ready(priority, seq));
            }
        }
        lost
    }

    fn set_place(&mut self, lane: &Lane, place: Place) {
        if let Some((_, filed)) = self.lanes.get_mut(lane) {
            *filed = place;
        }
    }

    fn head(&self, lane: &Lane) -> Option<(&TxnId, &Entry)> {
        let skips = self.order == Order::SkipParked;
        let (rows, _) = self.lanes.get(lane)?;
        let mut entries = rows.values().filter_map(|txn_id| Some((txn_id, self.rows.get(txn_id)?)));
        entries.find(|(_, entry)| !(skips && self.is_held(entry)))
    }

    /// The next row of a class, which counts as under way from now on.
    pub(crate) fn next(&mut self, class: Class) -> Option<TxnId> {
        let (_, _, lane) = self.ready[class as usize].first()?.clone();
        let txn_id = self.head(&lane)?.0.clone();
        self.hold(&txn_id);
        Some(txn_id)
    }

    /// A row counts as under way from now on, and nothing else of its lane is begun.
    pub(crate) fn hold(&mut self, txn_id: &TxnId) {
        let lane = self.rows.get(txn_id).map(|entry| entry.lane.clone());
        if let Some(lane) = &lane {
            *self.taken.or_default(lane.clone()) += 1;
            self.file(lane);
        }
        self.busy.insert(txn_id.clone(), lane);
    }

    /// A row is not under way any more.
    pub(crate) fn release(&mut self, txn_id: &TxnId) {
        let Some(lane) = self.busy.remove(txn_id).flatten() else { return };
        if let Some(count) = self.taken.get_mut(&lane) {
            *count -= 1;
            if *count == 0 {
                self.taken.remove(&lane);
            }
        }
        self.file(&lane);
    }

    /// A row is not due before `until_ms`, whatever it says, unless a reset comes.
    pub(crate) fn postpone(&mut self, txn_id: &TxnId, until_ms: i64) {
        if let Some(entry) = self.rows.get_mut(txn_id) {
            (entry.due_ms, entry.forgiven) = (entry.due_ms.max(until_ms), false);
        }
    }

    /// A row's backoff is forgotten until its next attempt.
    pub(crate) fn forgive(&mut self, txn_id: &TxnId) {
        if let Some(entry) = self.rows.get_mut(txn_id) {
            entry.forgiven = true;
            let lane = entry.lane.clone();
            self.file(&lane);
        }
    }

    /// The earliest moment at which [`tick`](Self::tick) or [`expired`](Self::expired) has something.
    pub(crate) fn wake_ms(&self) -> Option<i64> {
        let waits = self.waits.first().map(|(at, ..)| *at);
        let expiry = self.expiries.iter().find(|(_, txn_id)| !self.is_busy(txn_id)).map(|((at, _), _)| *at);
        waits.into_iter().chain(expiry).min()
    }

    /// Everything may be tried again at once.
    pub(crate) fn reset(&mut self) {
        self.rows.values_mut().for_each(|entry| entry.forgiven = true);
        self.file_all();
    }

    /// Which rooms are paused from now on.
    pub(crate) fn pause(&mut self, rooms: SortedSet<RoomId>) {
        if self.paused != rooms {
            self.paused = rooms;
            self.file_all();
        }
    }

    fn file_all(&mut self) {
        let lanes: Vec<Lane> = self.lanes.keys().cloned().collect();
        lanes.iter().for_each(|lane| self.file(lane));
    }

    /// Tells if a lane could go at once.
    pub(crate) fn has_ready(&self) -> bool {
        self.ready.iter().any(|ready| !ready.is_empty())
    }
}
