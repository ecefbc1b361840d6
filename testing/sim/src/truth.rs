//! The laws that must hold, and the events that are known.

use std::collections::{BTreeMap, BTreeSet};

use haos_store_api::{EventId, ParkReason, Pending, PendingState, RoomId, TxnId};

use super::server::ModelServer;
use haos_queue::STAGED;
use haos_queue::machine::Class;

/// How long a row of the simulation may wait, in milliseconds.
pub(super) const EXPIRY_MS: u64 = 40 * 24 * 3_600_000;

/// Between two runs the wall clock is believed, as far as that can be: what small jumps add up to.
const CLOCK_SLACK_MS: u64 = 12 * 3_600_000;

/// A law that was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which one: `I1` to `I10`, `drain`, or what else is checked.
    pub law: &'static str,
    /// The event.
    pub what: String,
}

/// The knowledge of the simulation.
#[derive(Debug, Default)]
pub struct Truth {
    /// Rows whose enqueue was acknowledged, and their rooms.
    pub acknowledged: BTreeMap<TxnId, RoomId>,
    /// Rows that were ever committed: their place, their room, what they are.
    pub rows: BTreeMap<TxnId, Written>,
    /// Rows that the user took back, or that went with one.
    pub cancelled: BTreeSet<TxnId>,
    /// Attempts that the server answered with an error that counts.
    pub counted: BTreeMap<TxnId, u32>,
    /// The server's event of each row.
    pub events: BTreeMap<TxnId, EventId>,
    /// The newest place that reached the server, by room.
    pub(super) newest: BTreeMap<RoomId, u64>,
    /// How often each fault fired, and each thing that is worth knowing happened.
    pub counters: BTreeMap<&'static str, u64>,
    /// The wall clock was set: it is not the store's clock any more.
    pub clock_set: bool,
    /// The first law that was broken.
    pub violation: Option<Violation>,
    /// The events, for the reader of a failing seed.
    pub trace: Vec<String>,
    /// Keeps the trace.
    pub traces: bool,
}

/// A row that was committed.
#[derive(Debug, Clone)]
pub struct Written {
    /// Its place in the outbox.
    pub seq: u64,
    /// Its room.
    pub room: RoomId,
    /// Its class.
    pub class: Class,
    /// The virtual moment at which it was.
    pub at_ms: u64,
}

impl Truth {
    /// Counts a fault or an event.
    pub fn count(&mut self, what: &'static str) {
        *self.counters.entry(what).or_default() += 1;
    }

    /// A law was broken.
    pub fn broken(&mut self, law: &'static str, what: impl Into<String>) {
        if self.violation.is_none() {
            let what = what.into();
            self.say(|| format!("VIOLATION {law}: {what}"));
            self.violation = Some(Violation { law, what });
        }
    }

    /// Adds a line to the trace.
    pub fn say(&mut self, line: impl FnOnce() -> String) {
        if self.traces {
            let line = line();
            self.trace.push(line);
        }
    }

    /// A new event of the user's has reached the server (I1, I3).
    pub fn arrived(&mut self, row: &Pending, event: &EventId) {
        if row.content.as_str().contains("\"~haos") || row.content.as_str().contains(STAGED) {
            self.broken("ids", format!("{} went out with a local id", row.txn_id));
        }
        if row.target.as_ref().is_some_and(|target| target.as_str().starts_with('~')) {
            self.broken("ids", format!("{} went out for a local id", row.txn_id));
        }
        let Some(written) = self.rows.get(&row.txn_id).cloned() else {
            return self.broken("I1", format!("{} reached the server and was never enqueued", row.txn_id));
        };
        if self.events.insert(row.txn_id.clone(), event.clone()).is_some() {
            return self.broken("I1", format!("{} is on the server twice", row.txn_id));
        }
        // A row that the user took back may arrive late: it was on its way.
        if self.cancelled.contains(&row.txn_id) {
            return self.count("arrived after it was cancelled");
        }
        let newest = self.newest.entry(written.room.clone()).or_default();
        if written.seq < *newest {
            let newest = *newest;
            return self
                .broken("I3", format!("{} (seq {}) arrived after seq {newest}", row.txn_id, written.seq));
        }
        *newest = written.seq;
    }

    /// A context is about to write a row (I4, leases, attempts).
    pub fn writes(
        &mut self,
        owner: &str,
        (mono_ms, now_ms): (u64, i64),
        old: Option<&Pending>,
        new: &Pending,
    ) {
        let Some(old) = old else { return };
        let held = old.lease.as_ref().filter(|lease| {
            old.state == PendingState::Sending && lease.owner != owner && lease.until_ms > now_ms
        });
        let takes = new.state != PendingState::Sent && new.state != PendingState::Parked(ParkReason::Paused);
        if held.is_some() && takes && new.lease != old.lease && !self.clock_set {
            self.broken("I6", format!("{} was taken from its holder", old.txn_id));
        }
        // Whoever takes up what another left behind learns nothing of its attempt; whatever their clocks show.
        let learns =
            (new.attempts, new.not_before_ms, &new.error) != (old.attempts, old.not_before_ms, &old.error);
        let is_others = old.lease.as_ref().is_some_and(|lease| lease.owner != owner);
        if old.state == PendingState::Sending && is_others && takes && learns {
            self.broken("I6", format!("{} bears an error of one who did not hold it", old.txn_id));
        }
        if new.state == PendingState::Sending && old.state == PendingState::Queued && new.fence <= old.fence {
            self.broken("I6", format!("{} was leased without a new fence", old.txn_id));
        }
        if Class::of(new) == Class::Event
            && new.attempts > self.counted.get(&new.txn_id).copied().unwrap_or(0)
        {
            self.broken("attempts", format!("{} counts attempts that were none", new.txn_id));
        }
        let written_ms = self.rows.get(&new.txn_id).map_or(0, |row| row.at_ms);
        if new.state == PendingState::Parked(ParkReason::Expired)
            && new.state != old.state
            && mono_ms.saturating_sub(written_ms) + CLOCK_SLACK_MS < EXPIRY_MS
        {
            self.broken("expiry", format!("{} expired before it lived its time", new.txn_id));
        }
        if new.state == PendingState::Parked(ParkReason::Refused) {
            self.broken("answers", format!("{} was parked for what the account was refused", new.txn_id));
        }
    }

    /// A row has left the store (I4).
    pub fn left(&mut self, row: &Pending, server: &ModelServer) {
        // A row that makes no sense without its parent goes with it.
        if row.parent.as_ref().is_some_and(|parent| self.cancelled.contains(parent)) {
            self.cancelled.insert(row.txn_id.clone());
        }
        let delivered = match Class::of(row) {
            Class::Event => self.events.contains_key(&row.txn_id),
            Class::Upload => {
                row.remote.as_ref().is_some_and(|uri| matches!(server.media.get(uri), Some(Some(_))))
            }
            Class::Signal => true,
        };
        if !delivered && !self.cancelled.contains(&row.txn_id) {
            self.broken("I4", format!("{} left without being delivered or cancelled", row.txn_id));
        }
    }
}
