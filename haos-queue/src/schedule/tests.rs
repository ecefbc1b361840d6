use haos_store_api::{EventType, Json, Lease, Revision};

use super::*;

mod model;

fn txn(n: u64) -> TxnId {
    TxnId::new(format!("t{n}")).unwrap()
}

fn room(n: u64) -> RoomId {
    RoomId::new(format!("!{n}")).unwrap()
}

fn row(n: u64, in_room: u64, state: PendingState) -> Pending {
    let kind = EventType::new("m.room.message").unwrap();
    Pending {
        seq: n,
        state,
        revision: Revision(1),
        lease: (state == PendingState::Sending).then(|| Lease { owner: "other".to_owned(), until_ms: 500 }),
        ..Pending::new(txn(n), room(in_room), kind, Json::empty(), 0)
    }
}

fn schedule(order: Order) -> Schedule {
    Schedule::new(&OutboxOptions { order, ..OutboxOptions::default() }, "me", false)
}

#[test]
fn a_room_goes_one_by_one_and_rooms_go_at_once() {
    let mut schedule = schedule(Order::Strict);
    for (n, of) in [(1, 1), (2, 1), (3, 2)] {
        schedule.put(&row(n, of, PendingState::Queued));
    }
    assert_eq!(schedule.next(Class::Event), Some(txn(1)));
    assert_eq!(schedule.next(Class::Event), Some(txn(3)));
    assert_eq!(schedule.next(Class::Event), None);
    schedule.put(&Pending { revision: Revision(2), ..row(1, 1, PendingState::Sent) });
    schedule.release(&txn(1));
    assert_eq!(schedule.next(Class::Event), Some(txn(2)));
}

#[test]
fn a_parked_head_holds_its_room_up_unless_it_is_skipped() {
    for (order, expected) in [(Order::Strict, None), (Order::SkipParked, Some(txn(2)))] {
        let mut schedule = schedule(order);
        schedule.put(&row(1, 1, PendingState::Parked(ParkReason::Forbidden)));
        schedule.put(&row(2, 1, PendingState::Queued));
        assert_eq!(schedule.next(Class::Event), expected);
    }
}

/// Rows that wait for a parked one are overtaken, also in a lane of their own, and from the moment on in which
/// that row is parked, or gone.
#[test]
fn what_waits_for_a_parked_row_is_overtaken_while_it_is_parked() {
    let mut schedule = schedule(Order::SkipParked);
    let upload = |state, revision| Pending {
        kind: EventType::new(crate::transport::UPLOAD).unwrap(),
        revision: Revision(revision),
        ..row(1, 1, state)
    };
    let waits = |n: u64| Pending { parent: Some(txn(n - 1)), ..row(n, 1, PendingState::Blocked) };
    schedule.put(&upload(PendingState::Queued, 1));
    (2..=3).for_each(|n| schedule.put(&waits(n)));
    schedule.put(&row(4, 1, PendingState::Queued));
    assert_eq!(schedule.next(Class::Event), None);
    schedule.put(&upload(PendingState::Parked(ParkReason::Forbidden), 2));
    assert_eq!(schedule.next(Class::Event), Some(txn(4)));
    schedule.release(&txn(4));
    schedule.put(&upload(PendingState::Queued, 3));
    assert_eq!(schedule.next(Class::Event), None);
    schedule.put(&upload(PendingState::Parked(ParkReason::Forbidden), 4));
    schedule.remove(&txn(1));
    assert_eq!(schedule.next(Class::Event), None, "nobody knows of a parked row any more");
}

#[test]
fn higher_priority_goes_first_among_rooms() {
    let mut schedule = schedule(Order::Strict);
    schedule.put(&row(1, 1, PendingState::Queued));
    schedule.put(&Pending { priority: 5, ..row(2, 2, PendingState::Queued) });
    schedule.put(&Pending { priority: 9, ..row(3, 1, PendingState::Queued) });
    assert_eq!(schedule.next(Class::Event), Some(txn(2)));
    assert_eq!(schedule.next(Class::Event), Some(txn(1)), "within a room nothing overtakes");
}

#[test]
fn backoff_is_waited_for_and_forgotten_on_a_reset() {
    let mut schedule = schedule(Order::Strict);
    let waiting =
        Pending { not_before_ms: 100, last_attempt_ms: Some(50), ..row(1, 1, PendingState::Queued) };
    schedule.put(&waiting);
    assert_eq!((schedule.wake_ms(), schedule.next(Class::Event)), (Some(100), None));
    schedule.tick(99);
    assert_eq!(schedule.next(Class::Event), None);
    schedule.tick(100);
    assert_eq!(schedule.next(Class::Event), Some(txn(1)));
    schedule.release(&txn(1));
    assert_eq!(schedule.next(Class::Event), None);
    schedule.reset();
    assert_eq!(schedule.next(Class::Event), Some(txn(1)));
}

#[test]
fn a_lease_that_runs_out_is_told() {
    let mut schedule = schedule(Order::Strict);
    schedule.put(&row(1, 1, PendingState::Sending));
    assert_eq!(schedule.tick(499), []);
    assert_eq!(schedule.tick(500), [txn(1)]);
}

#[test]
fn a_paused_room_rests() {
    let mut schedule = schedule(Order::Strict);
    schedule.put(&row(1, 1, PendingState::Queued));
    schedule.pause(SortedSet::from_iter([room(1)]));
    assert_eq!(schedule.next(Class::Event), None);
    schedule.pause(SortedSet::new());
    assert_eq!(schedule.next(Class::Event), Some(txn(1)));
}
