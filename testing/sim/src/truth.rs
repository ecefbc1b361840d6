//! The laws that must hold, and the events that are known.

use std::collections::{BTreeMap, BTreeSet};

use haos_store_api::{EventId, Json, ParkReason, Pending, PendingState, RoomId, TxnId};

use super::protocol::SimProtocol;
use super::seal::{Ciphertext, SessionPlace};
use super::server::{ENCRYPTED, ModelServer};
use super::world::Group;
use haos_queue::machine::Class;
use haos_queue::{Protocol as _, STAGED};

/// How long a row of the simulation may wait, in milliseconds.
pub(super) const EXPIRY_MS: u64 = 40 * 24 * 3_600_000;

/// Between two runs the wall clock is believed, as far as that can be: what small jumps add up to.
const CLOCK_SLACK_MS: u64 = 12 * 3_600_000;

/// A law that was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which one: `I1` to `I11`, `drain`, or what else is checked.
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
    /// Answers of that kind to what was asked for the sake of a room's rows.
    pub(super) untold: BTreeMap<RoomId, u32>,
    /// Rooms that the store has noted as encrypted.
    pub(super) encrypted: BTreeSet<RoomId>,
    /// Contexts that have told a room's devices what they need, and have encrypted nothing since.
    pub(super) told: BTreeSet<(Group, RoomId)>,
    /// What went out from each place of a session.
    pub(super) places: BTreeMap<SessionPlace, Json>,
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

    /// A context has told a room's devices what they need to read its next event.
    pub(super) fn tells(&mut self, group: Group, room: &RoomId) {
        self.told.insert((group, room.clone()));
    }

    /// A context begins again and knows of nothing that it did.
    pub(super) fn restarted(&mut self, group: Group) {
        self.told.retain(|(of, _)| *of != group);
    }

    /// A context encrypts a row (I11).
    pub(super) fn seals(&mut self, group: Group, row: &Pending) {
        self.count("a row was sealed");
        if !self.told.remove(&(group, row.room.clone())) {
            self.broken("I11", format!("{} was sealed before the room's devices were told", row.txn_id));
        }
    }

    /// A row goes out (I11).
    pub(super) fn sends(&mut self, row: &Pending) {
        let Some(wire) = &row.wire else { return };
        let Ok(Ciphertext { place, kind, content }) = wire.parse() else {
            return self.broken("I11", format!("{} goes out as nobody can read it", row.txn_id));
        };
        if (&kind, content.as_str()) != (&row.kind, row.content.as_str())
            || row.wire_form().0.as_str() != ENCRYPTED
        {
            self.broken("I11", format!("{} goes out as something else", row.txn_id));
        }
        let other = self.places.insert(place, wire.clone());
        if other.is_some_and(|other| other != *wire) {
            self.broken("I11", format!("{} goes out from a place that another message had", row.txn_id));
        }
    }

    /// A new event of the user's has reached the server (I1, I3).
    pub fn arrived(&mut self, row: &Pending, event: &EventId) {
        let wire = row.wire_form().1.as_str();
        if wire.contains("\"~haos") || wire.contains(STAGED) {
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
        let begins = new.state == PendingState::Sending && old.state != PendingState::Sending;
        let must_seal = Class::of(new) == Class::Event && SimProtocol.seals(&new.kind);
        let in_clear = match Class::of(new) {
            Class::Upload => new.content == Json::empty(),
            _ => must_seal && new.wire.is_none(),
        };
        // What is stored is what may have gone out last, even if its holder died before it sent.
        if begins && old.ambiguous && old.wire != new.wire {
            self.broken("I11", format!("{} may have arrived and is to go out in another form", new.txn_id));
        }
        if begins && in_clear && self.encrypted.contains(&new.room) {
            self.broken("I11", format!("{} is to go out in clear, and its room is encrypted", new.txn_id));
        }
        if new.state == PendingState::Sending && old.state == PendingState::Queued && new.fence <= old.fence {
            self.broken("I6", format!("{} was leased without a new fence", old.txn_id));
        }
        if Class::of(new) == Class::Event
            && new.attempts
                > self.counted.get(&new.txn_id).copied().unwrap_or(0)
                    + self.untold.get(&new.room).copied().unwrap_or(0)
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
