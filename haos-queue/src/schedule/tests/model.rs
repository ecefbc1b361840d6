//! The schedule against a naive one, which looks at every row each time it is asked.

use std::collections::{BTreeMap, HashSet};

use proptest::prelude::*;

use super::*;
use crate::transport::{TYPING, UPLOAD};

const ROWS: u64 = 12;
const ROOMS: u64 = 3;
/// A row waits no longer than this, and is held no longer without a renewal.
const LEASE_MS: u64 = 30;

const STATES: [PendingState; 7] = [
    PendingState::Queued,
    PendingState::Queued,
    PendingState::Blocked,
    PendingState::Sending,
    PendingState::Sent,
    PendingState::Parked(ParkReason::Forbidden),
    PendingState::Parked(ParkReason::Ambiguous),
];

const CLASSES: [Class; 3] = [Class::Event, Class::Upload, Class::Signal];

#[derive(Debug, Clone)]
enum Act {
    /// A row as it is now; `age`: how many revisions ago it was read.
    Put {
        n: u64,
        state: usize,
        age: u64,
        moved: bool,
        due: usize,
        until: i64,
        fence: u64,
        expires: usize,
    },
    Remove(u64),
    Clear,
    Next(usize),
    Hold(u64),
    Release(u64),
    Postpone(u64, i64),
    Forgive(u64),
    Reset,
    Pause(u64),
    Pass(i64),
}

fn act() -> impl Strategy<Value = Act> {
    let n = 0..ROWS;
    let put = (n.clone(), 0..STATES.len(), 0..4u64, any::<bool>(), 0..6usize, -40..80i64, 0..2u64, 0..5usize);
    prop_oneof![
        12 => put.prop_map(|(n, state, age, moved, due, until, fence, expires)| {
            Act::Put { n, state, age, moved, due, until, fence, expires }
        }),
        2 => n.clone().prop_map(Act::Remove),
        1 => Just(Act::Clear),
        6 => (0..3usize).prop_map(Act::Next),
        1 => n.clone().prop_map(Act::Hold),
        4 => (0..ROWS).prop_map(Act::Release),
        2 => (n.clone(), -20..200i64).prop_map(|(n, by)| Act::Postpone(n, by)),
        1 => n.clone().prop_map(Act::Forgive),
        1 => Just(Act::Reset),
        1 => (0..1u64 << ROOMS).prop_map(Act::Pause),
        5 => (0..60i64).prop_map(Act::Pass),
    ]
}

/// A row as it is known: what it says of moments, cut where it cannot be.
#[derive(Debug, Clone)]
struct Known {
    row: Pending,
    due_ms: i64,
    lease_ms: i64,
    forgiven: bool,
}

impl Known {
    fn lane(&self) -> Lane {
        (self.row.room.clone(), Class::of(&self.row))
    }

    fn phase(&self) -> Phase {
        Phase::of(&self.row)
    }

    fn is_ours(&self) -> bool {
        self.row.lease.as_ref().is_some_and(|lease| lease.owner == "me")
    }
}

struct Model {
    now_ms: i64,
    wait_ms: i64,
    skips: bool,
    alone: bool,
    rows: BTreeMap<TxnId, Known>,
    busy: BTreeMap<TxnId, Lane>,
    paused: HashSet<RoomId>,
    /// Lanes whose lost lease was told since something of them changed.
    told: HashSet<Lane>,
}

impl Model {
    fn put(&mut self, row: &Pending) {
        let old = self.rows.get(&row.txn_id);
        if old.is_some_and(|old| old.row.revision > row.revision) {
            return;
        }
        let forgiven = old.is_some_and(|old| old.forgiven && old.row.fence == row.fence);
        let lease_ms = row.lease.as_ref().map_or(i64::MIN, |lease| lease.until_ms);
        let known = Known {
            row: row.clone(),
            due_ms: row.not_before_ms.min(self.now_ms + self.wait_ms),
            lease_ms: lease_ms.min(self.now_ms + LEASE_MS as i64),
            forgiven,
        };
        let lane = known.lane();
        self.rows.insert(row.txn_id.clone(), known);
        self.touched(&row.txn_id, lane);
    }

    fn remove(&mut self, txn_id: &TxnId) {
        if let Some(known) = self.rows.remove(txn_id) {
            self.touched(txn_id, known.lane());
        }
    }

    fn touched(&mut self, txn_id: &TxnId, lane: Lane) {
        self.told.remove(&lane);
        if self.skips {
            for child in self.children(txn_id) {
                let lane = self.rows[&child].lane();
                self.touched(&child, lane);
            }
        }
    }

    fn children(&self, of: &TxnId) -> Vec<TxnId> {
        let children = self.rows.values().filter(|known| known.row.parent.as_ref() == Some(of));
        children.map(|known| known.row.txn_id.clone()).collect()
    }

    fn is_held(&self, known: &Known) -> bool {
        match known.phase() {
            Phase::Parked => true,
            Phase::Blocked => {
                known.row.parent.as_ref().and_then(|of| self.rows.get(of)).is_some_and(|of| self.is_held(of))
            }
            _ => false,
        }
    }

    fn is_stranded(&self, known: &Known) -> bool {
        let parent = known.row.parent.as_ref().and_then(|of| self.rows.get(of));
        known.phase() == Phase::Blocked && parent.is_none_or(|of| of.phase() == Phase::Sent)
    }

    /// The heads of lanes that nothing holds up.
    fn heads(&self) -> Vec<&Known> {
        let mut lanes: BTreeMap<Lane, Vec<&Known>> = BTreeMap::new();
        for known in self.rows.values().filter(|known| known.phase() != Phase::Sent) {
            lanes.entry(known.lane()).or_default().push(known);
        }
        let free =
            |lane: &Lane| !self.busy.values().any(|busy| busy == lane) && !self.paused.contains(&lane.0);
        let mut heads = Vec::new();
        for (_, mut rows) in lanes.into_iter().filter(|(lane, _)| free(lane)) {
            rows.sort_by_key(|known| known.row.seq);
            heads.extend(rows.into_iter().find(|known| !(self.skips && self.is_held(known))));
        }
        heads
    }

    /// When something becomes of a head by itself.
    fn at_ms(&self, head: &Known) -> Option<i64> {
        match head.phase() {
            Phase::Queued if head.forgiven => Some(i64::MIN),
            Phase::Queued => Some(head.due_ms),
            Phase::Sending if head.is_ours() || self.alone => Some(i64::MIN),
            Phase::Sending => Some(head.lease_ms),
            _ => None,
        }
    }

    fn ready(&self, class: Class) -> Option<TxnId> {
        let heads = self.heads().into_iter();
        let ready = heads.filter(|head| {
            let is_due = self.at_ms(head).is_some_and(|at_ms| at_ms <= self.now_ms);
            is_due && head.phase() == Phase::Queued && head.lane().1 == class
        });
        let first = ready.min_by_key(|head| (-i64::from(head.row.priority), head.row.seq))?;
        Some(first.row.txn_id.clone())
    }

    /// Leases that have run out.
    fn lost(&mut self) -> Vec<TxnId> {
        let mut lost: Vec<(i64, Lane, TxnId)> = Vec::new();
        for head in self.heads().into_iter().filter(|head| head.phase() == Phase::Sending) {
            let at_ms = self.at_ms(head).unwrap();
            if at_ms <= self.now_ms && !self.told.contains(&head.lane()) {
                lost.push((at_ms, head.lane(), head.row.txn_id.clone()));
            }
        }
        lost.sort();
        self.told.extend(lost.iter().map(|(_, lane, _)| lane.clone()));
        lost.into_iter().map(|(_, _, txn_id)| txn_id).collect()
    }

    fn expiring(&self) -> Vec<(i64, u64, TxnId)> {
        let waits = |known: &&Known| matches!(known.phase(), Phase::Blocked | Phase::Queued);
        let rows =
            self.rows.values().filter(waits).filter(|known| !self.busy.contains_key(&known.row.txn_id));
        let at = |known: &Known| Some((known.row.expires_at_ms?, known.row.seq, known.row.txn_id.clone()));
        let mut expiring: Vec<_> = rows.filter_map(at).collect();
        expiring.sort();
        expiring
    }

    fn wake_ms(&self) -> Option<i64> {
        let heads = self.heads().into_iter().filter_map(|head| self.at_ms(head));
        let waits = heads.filter(|at_ms| *at_ms > self.now_ms);
        waits.chain(self.expiring().first().map(|(at_ms, ..)| *at_ms)).min()
    }

    fn in_order(&self, wanted: impl Fn(&Known) -> bool) -> Vec<TxnId> {
        let mut rows: Vec<_> = self.rows.values().filter(|known| wanted(known)).collect();
        rows.sort_by_key(|known| known.row.seq);
        rows.into_iter().map(|known| known.row.txn_id.clone()).collect()
    }

    /// Everything that a schedule tells without changing.
    fn check(&self, schedule: &Schedule) -> Result<(), TestCaseError> {
        prop_assert_eq!(schedule.is_empty(), self.rows.is_empty());
        prop_assert_eq!(schedule.busy(), self.busy.keys().cloned().collect::<Vec<_>>());
        prop_assert_eq!(schedule.wake_ms(), self.wake_ms(), "it wakes");
        let expiring = self.expiring().into_iter().filter(|(at_ms, ..)| *at_ms <= self.now_ms);
        prop_assert_eq!(schedule.expired(self.now_ms), expiring.map(|(.., t)| t).collect::<Vec<_>>());
        prop_assert_eq!(schedule.stranded(), self.in_order(|known| self.is_stranded(known)));
        for reason in [ParkReason::Forbidden, ParkReason::Ambiguous, ParkReason::Expired] {
            let parked = self.in_order(|known| known.row.state == PendingState::Parked(reason));
            let parked: Vec<_> = parked
                .into_iter()
                .map(|txn_id| (txn_id.clone(), self.rows[&txn_id].row.room.clone()))
                .collect();
            prop_assert_eq!(schedule.parked(reason), parked);
        }
        for room in (0..ROOMS).map(room) {
            let taken = self.busy.values().any(|lane| *lane == (room.clone(), Class::Event));
            prop_assert_eq!(schedule.is_taken(&room), taken);
            let mut forbidden: Vec<_> = self
                .rows
                .values()
                .filter(|known| known.row.state == PendingState::Parked(ParkReason::Forbidden))
                .filter(|known| known.row.room == room)
                .collect();
            forbidden.sort_by_key(|known| (known.lane().1, known.row.seq));
            let forbidden: Vec<_> = forbidden.into_iter().map(|known| known.row.txn_id.clone()).collect();
            prop_assert_eq!(schedule.forbidden(&room), forbidden);
        }
        for txn_id in (0..ROWS).map(txn) {
            let known = self.rows.get(&txn_id);
            prop_assert_eq!(schedule.is_busy(&txn_id), self.busy.contains_key(&txn_id));
            prop_assert_eq!(schedule.children(&txn_id), self.children(&txn_id), "in the order of their ids");
            prop_assert_eq!(schedule.has_children(&txn_id), !self.children(&txn_id).is_empty());
            prop_assert_eq!(
                schedule.is_stranded(&txn_id),
                known.is_some_and(|known| self.is_stranded(known))
            );
            let entry = schedule.get(&txn_id).map(|entry| {
                (
                    entry.state,
                    entry.due_ms,
                    entry.lease_ms,
                    entry.expires_ms,
                    entry.fence,
                    entry.ours,
                    entry.revision,
                )
            });
            let expected = known.map(|known| {
                let (row, expires_ms) = (&known.row, known.row.expires_at_ms.unwrap_or(i64::MAX));
                let ours = known.is_ours();
                (row.state, known.due_ms, known.lease_ms, expires_ms, row.fence, ours, row.revision)
            });
            prop_assert_eq!(entry, expected);
        }
        let ready = CLASSES.into_iter().any(|class| self.ready(class).is_some());
        prop_assert_eq!(schedule.has_ready(), ready);
        Ok(())
    }
}

/// A row of the world: what it is never changes, who it waits for is an earlier one.
fn row_of(model: &Model, revision: u64, act: &Act) -> Option<Pending> {
    let Act::Put { n, state, moved, due, until, fence, expires, .. } = *act else { return None };
    let (state, now_ms) = (STATES[state], model.now_ms);
    let kind = match n % 6 {
        0 => UPLOAD,
        1 => TYPING,
        _ => "m.room.message",
    };
    let owner = if until % 3 == 0 { "me" } else { "other" };
    let lease = Lease { owner: owner.to_owned(), until_ms: now_ms + until };
    Some(Pending {
        kind: EventType::new(kind).unwrap(),
        seq: n + if moved { ROWS } else { 0 },
        not_before_ms: [0, -5, now_ms, now_ms + 1, now_ms + 40, now_ms + 2 * model.wait_ms][due],
        expires_at_ms: [None, Some(now_ms - 1), Some(now_ms), Some(now_ms + 30), Some(now_ms + 90)][expires],
        lease: (state == PendingState::Sending).then_some(lease),
        priority: [0, 0, 5, -5][(n % 4) as usize],
        parent: (n > 0 && state == PendingState::Blocked).then(|| txn(n / 2)),
        revision: Revision(revision),
        fence,
        ..row(n, n % ROOMS, state)
    })
}

fn carry_out(
    model: &mut Model,
    schedule: &mut Schedule,
    act: &Act,
    revision: &mut u64,
) -> Result<(), TestCaseError> {
    match act {
        Act::Put { age, .. } => {
            *revision += 2;
            if let Some(row) = row_of(model, *revision - age, act) {
                schedule.put(&row);
                model.put(&row);
            }
        }
        Act::Remove(n) => {
            schedule.remove(&txn(*n));
            model.remove(&txn(*n));
        }
        Act::Clear => {
            schedule.clear();
            model.rows.clear();
            model.told.clear();
        }
        Act::Next(class) => {
            let next = schedule.next(CLASSES[*class]);
            prop_assert_eq!(&next, &model.ready(CLASSES[*class]));
            if let Some(txn_id) = next {
                let lane = model.rows[&txn_id].lane();
                model.busy.insert(txn_id, lane);
            }
        }
        Act::Hold(n) => {
            let lane = model.rows.get(&txn(*n)).map(Known::lane);
            if let Some(lane) = lane.filter(|_| !model.busy.contains_key(&txn(*n))) {
                schedule.hold(&txn(*n));
                model.told.remove(&lane);
                model.busy.insert(txn(*n), lane);
            }
        }
        Act::Release(n) => {
            schedule.release(&txn(*n));
            if let Some(lane) = model.busy.remove(&txn(*n)) {
                model.told.remove(&lane);
            }
        }
        // An attempt's news: it is still under way.
        Act::Postpone(n, by_ms) if model.busy.contains_key(&txn(*n)) => {
            let until_ms = model.now_ms + by_ms;
            schedule.postpone(&txn(*n), until_ms);
            if let Some(known) = model.rows.get_mut(&txn(*n)) {
                (known.due_ms, known.forgiven) = (known.due_ms.max(until_ms), false);
            }
        }
        Act::Postpone(..) => {}
        Act::Forgive(n) => {
            schedule.forgive(&txn(*n));
            if let Some(known) = model.rows.get_mut(&txn(*n)) {
                known.forgiven = true;
                let lane = known.lane();
                model.told.remove(&lane);
            }
        }
        Act::Reset => {
            schedule.reset();
            model.rows.values_mut().for_each(|known| known.forgiven = true);
            model.told.clear();
        }
        Act::Pause(bits) => {
            let rooms: HashSet<RoomId> = (0..ROOMS).filter(|n| bits >> n & 1 == 1).map(room).collect();
            if rooms != model.paused {
                model.told.clear();
            }
            schedule.pause(rooms.iter().cloned().collect());
            model.paused = rooms;
        }
        Act::Pass(ms) => model.now_ms += ms,
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_schedule_is_what_a_naive_one_is(
        acts in proptest::collection::vec(act(), 1..60),
        skips in any::<bool>(),
        alone in prop::bool::weighted(0.2),
    ) {
        let order = if skips { Order::SkipParked } else { Order::Strict };
        let options = OutboxOptions { order, lease_ms: LEASE_MS, ..OutboxOptions::default() };
        let mut schedule = Schedule::new(&options, "me", alone);
        let mut model = Model {
            now_ms: 1_000_000,
            wait_ms: options.retry.longest_ms() as i64,
            skips,
            alone,
            rows: BTreeMap::new(),
            busy: BTreeMap::new(),
            paused: HashSet::new(),
            told: HashSet::new(),
        };
        schedule.see(model.now_ms);
        let mut revision = 10;
        for act in &acts {
            carry_out(&mut model, &mut schedule, act, &mut revision)?;
            // A run ticks before it asks.
            prop_assert_eq!(schedule.tick(model.now_ms), model.lost(), "leases that ran out");
            model.check(&schedule)?;
        }
        // Ready rows go, one after the other, by priority and age.
        for class in CLASSES {
            loop {
                let next = schedule.next(class);
                prop_assert_eq!(&next, &model.ready(class));
                let Some(txn_id) = next else { break };
                let lane = model.rows[&txn_id].lane();
                model.busy.insert(txn_id, lane);
            }
        }
    }
}

/// Nothing is known of a clock yet: what a row says is believed.
#[test]
fn moments_are_cut_once_a_clock_was_seen() {
    let options = OutboxOptions { lease_ms: LEASE_MS, ..OutboxOptions::default() };
    let wait_ms = options.retry.longest_ms() as i64;
    let mut schedule = Schedule::new(&options, "me", false);
    let far = Pending {
        not_before_ms: i64::MAX,
        lease: Some(Lease { owner: "other".to_owned(), until_ms: i64::MAX }),
        ..row(1, 1, PendingState::Sending)
    };
    let moments = |schedule: &mut Schedule| {
        schedule.put(&far);
        schedule.get(&txn(1)).map(|entry| (entry.due_ms, entry.lease_ms))
    };
    assert_eq!(moments(&mut schedule), Some((i64::MAX, i64::MAX)));
    schedule.see(5);
    assert_eq!(moments(&mut schedule), Some((5 + wait_ms, 5 + LEASE_MS as i64)));
    schedule.clear();
    assert_eq!(moments(&mut schedule), Some((5 + wait_ms, 5 + LEASE_MS as i64)), "it was seen");
}
