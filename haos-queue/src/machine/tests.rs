use haos_store_api::*;

use super::*;
use crate::OutboxOptions;
use crate::transport::{TYPING, UPLOAD};

mod changes;
#[cfg(not(target_arch = "wasm32"))]
mod families;

const NOW_MS: i64 = 1_000_000;

/// The next state of an event's row; the same table stands in `docs/semantics.md`.
const TABLE: &str = "
| event           | Blocked   | Queued    | Sending | Sent   | Parked    |
|-----------------|-----------|-----------|---------|--------|-----------|
| ParentSent      | Queued    | -         | -       | -      | -         |
| ParentCancelled | Cancelled | -         | -       | -      | Cancelled |
| Lease           | -         | Sending   | -       | -      | -         |
| Unready         | -         | Queued    | -       | -      | -         |
| Unsealable      | -         | Parked    | -       | -      | -         |
| Renew           | -         | -         | Sending | -      | -         |
| Placed          | -         | Queued    | Sending | -      | -         |
| Accepted        | Sent      | Sent      | Sent    | -      | Sent      |
| Transient       | -         | -         | Queued  | -      | -         |
| RateLimited     | -         | -         | Queued  | -      | -         |
| Paused          | -         | -         | Queued  | -      | -         |
| Permanent       | -         | -         | Parked  | -      | -         |
| LeaseLost       | -         | -         | Queued  | -      | -         |
| Echo            | Done      | Done      | Done    | Done   | Done      |
| Cancel          | Cancelled | Cancelled | Follow  | Follow | Cancelled |
| Edit            | Blocked   | Queued    | Follow  | Follow | Replace   |
| Retry           | -         | Queued    | -       | -      | Queued    |
| CauseGone       | -         | -         | -       | -      | Queued    |
| Expire          | Parked    | Parked    | -       | -      | -         |
| ProvenAbsent    | -         | Queued    | -       | -      | -         |
| Unprovable      | -         | Parked    | -       | -      | -         |
| MediaMissing    | -         | Parked    | Parked  | -      | -         |
| Pause           | -         | -         | -       | -      | -         |
";

fn row(phase: Phase) -> Pending {
    let id = |text: &str| TxnId::new(text).unwrap();
    let kind = EventType::new("m.room.message").unwrap();
    let fresh = Pending::new(id("t"), RoomId::new("!r").unwrap(), kind, Json::empty(), 0);
    let tried = Pending {
        first_attempt_ms: Some(NOW_MS - 10),
        last_attempt_ms: Some(NOW_MS - 10),
        fence: 3,
        attempts: 1,
        ambiguous: false,
        ..fresh.clone()
    };
    match phase {
        Phase::Blocked => Pending { state: PendingState::Blocked, parent: Some(id("p")), ..fresh },
        Phase::Queued => Pending { ambiguous: true, not_before_ms: NOW_MS + 5, ..fresh },
        Phase::Sending => Pending {
            state: PendingState::Sending,
            lease: Some(Lease { owner: "a".to_owned(), until_ms: NOW_MS + 20 }),
            ..tried
        },
        Phase::Sent => {
            Pending { state: PendingState::Sent, event_id: Some(EventId::new("$e").unwrap()), ..tried }
        }
        Phase::Parked => Pending { state: PendingState::Parked(ParkReason::Forbidden), ..tried },
    }
}

fn event(kind: EventKind) -> Event {
    let failed = |failure| Event::Failed { fence: 3, failure };
    let error = "error".to_owned();
    match kind {
        EventKind::ParentSent => Event::ParentSent,
        EventKind::ParentCancelled => Event::ParentCancelled { cancel: true },
        EventKind::Lease => Event::Lease(Taken {
            owner: "b".to_owned(),
            until_ms: NOW_MS + 30_000,
            device: "D".to_owned(),
            sync_token: Some("s1".to_owned()),
            anchor: Some(EventId::new("$anchor").unwrap()),
            sealed: None,
        }),
        EventKind::Unready => {
            Event::Unready(Failure::Transient { ambiguous: true, counts: true, error: error.clone() })
        }
        EventKind::Unsealable => {
            Event::Unready(Failure::Permanent { reason: ParkReason::Unsealed, error: error.clone() })
        }
        EventKind::Renew => Event::Renew { until_ms: NOW_MS + 99 },
        EventKind::Placed => Event::Placed(MediaUri::new("mxc://x/1").unwrap()),
        EventKind::Accepted => Event::Accepted(Some(EventId::new("$e").unwrap())),
        EventKind::Transient => failed(Failure::Transient { ambiguous: true, counts: true, error }),
        EventKind::RateLimited => failed(Failure::RateLimited { until_ms: NOW_MS + 7 }),
        EventKind::Paused => failed(Failure::Paused),
        EventKind::Permanent => failed(Failure::Permanent { reason: ParkReason::Invalid, error }),
        EventKind::LeaseLost => Event::LeaseLost { fence: 3, until_ms: NOW_MS + 20 },
        EventKind::Echo => Event::Echo(EventId::new("$e").unwrap()),
        EventKind::Cancel => Event::Cancel,
        EventKind::Edit => Event::Edit(Json::new(r#"{"body":"new"}"#).unwrap()),
        EventKind::Retry => Event::Retry,
        EventKind::CauseGone => Event::CauseGone(ParkReason::Forbidden),
        EventKind::Expire => Event::Expire,
        EventKind::ProvenAbsent => Event::ProvenAbsent,
        EventKind::Unprovable => Event::Unprovable,
        EventKind::MediaMissing => Event::MediaMissing,
        EventKind::Pause => Event::Pause,
    }
}

fn stepped(row: &Pending, event: &Event) -> Step {
    step(row, event, &Context { now_ms: NOW_MS, chance: 7, options: &OutboxOptions::default() })
}

fn put(row: &Pending, event: &Event) -> Pending {
    match stepped(row, event) {
        Step::Put(row) => *row,
        other => unreachable!("{other:?}"),
    }
}

fn named(step: &Step) -> String {
    match step {
        Step::Keep => "-".to_owned(),
        Step::Put(row) => format!("{:?}", Phase::of(row)),
        Step::Done => "Done".to_owned(),
        Step::Cancelled => "Cancelled".to_owned(),
        Step::Follow => "Follow".to_owned(),
        Step::Replace => "Replace".to_owned(),
    }
}

#[test]
fn every_pair_is_in_the_table() {
    let mut lines = TABLE.trim().lines().skip(2);
    for kind in EventKind::ALL {
        let cells: Vec<&str> = lines.next().unwrap().split('|').map(str::trim).collect();
        assert_eq!(cells[1], format!("{kind:?}"));
        for (phase, expected) in Phase::ALL.into_iter().zip(&cells[2..]) {
            assert_eq!(named(&stepped(&row(phase), &event(*kind))), *expected, "{kind:?} in {phase:?}");
        }
    }
    assert_eq!(lines.next(), None);
}

#[test]
fn the_documentation_has_the_same_table() {
    let docs = include_str!("../../../docs/semantics.md");
    assert!(docs.contains(TABLE.trim()), "docs/semantics.md has another table than the machine");
}

#[test]
fn no_event_changes_who_a_row_is() {
    for phase in Phase::ALL {
        for kind in EventKind::ALL {
            let before = row(phase);
            if let Step::Put(after) = stepped(&before, &event(*kind)) {
                assert_eq!(
                    (&after.txn_id, &after.room, after.seq, after.created_ms),
                    (&before.txn_id, &before.room, before.seq, before.created_ms)
                );
                assert!(after.fence >= before.fence, "{kind:?} in {phase:?}");
                assert!(*kind == EventKind::Edit || after.content == before.content, "{kind:?} in {phase:?}");
                let keeps = [EventKind::ProvenAbsent, EventKind::Retry].contains(kind);
                assert!(keeps || after.ambiguous >= before.ambiguous, "{kind:?} forgets in {phase:?}");
            }
        }
    }
}

#[test]
fn a_lease_notes_what_a_proof_will_need_once() {
    let first = put(&row(Phase::Queued), &event(EventKind::Lease));
    assert_eq!(first.fence, 1);
    assert_eq!(first.anchor, Some(EventId::new("$anchor").unwrap()));
    assert_eq!((first.first_attempt_ms, first.device.as_deref()), (Some(NOW_MS), Some("D")));
    let again = Pending { first_attempt_ms: Some(5), anchor: None, ..row(Phase::Queued) };
    let again = put(&again, &event(EventKind::Lease));
    assert_eq!((again.anchor, again.first_attempt_ms), (None, Some(5)));
}

#[test]
fn a_late_error_does_not_count_and_a_late_success_does() {
    let taken = Pending { fence: 4, ..row(Phase::Sending) };
    for kind in [EventKind::Transient, EventKind::Permanent, EventKind::Paused, EventKind::LeaseLost] {
        assert_eq!(stepped(&taken, &event(kind)), Step::Keep, "{kind:?}");
    }
    assert_eq!(put(&taken, &event(EventKind::Accepted)).state, PendingState::Sent);
}

#[test]
fn a_retry_forgets_attempts_and_keeps_the_transaction_id() {
    let parked =
        Pending { state: PendingState::Parked(ParkReason::Ambiguous), ambiguous: true, ..row(Phase::Parked) };
    let after = put(&parked, &Event::Retry);
    assert_eq!((after.state, after.attempts, after.ambiguous), (PendingState::Queued, 0, false));
    assert_eq!(after.txn_id, parked.txn_id);
    // Expired: it gets its time once more, else it would expire at once.
    let expired = Pending {
        state: PendingState::Parked(ParkReason::Expired),
        expires_at_ms: Some(NOW_MS - 1),
        ..row(Phase::Blocked)
    };
    let after = put(&expired, &Event::Retry);
    assert_eq!(after.state, PendingState::Blocked, "its parent is not sent yet");
    assert!(after.expires_at_ms > Some(NOW_MS));
    // Its target is gone for good.
    let orphan = Pending { state: PendingState::Parked(ParkReason::ParentFailed), ..row(Phase::Parked) };
    assert_eq!(stepped(&orphan, &Event::Retry), Step::Keep);
}

#[test]
fn the_seed_preset_gives_up_after_five_attempts() {
    let options = OutboxOptions { retry: crate::RetryPolicy::seed(), ..OutboxOptions::default() };
    let context = Context { now_ms: NOW_MS, chance: 0, options: &options };
    let mut row = row(Phase::Sending);
    row.attempts = 3;
    let fail = event(EventKind::Transient);
    let Step::Put(fourth) = step(&row, &fail, &context) else { unreachable!() };
    assert_eq!(fourth.state, PendingState::Queued);
    row.attempts = 4;
    let Step::Put(fifth) = step(&row, &fail, &context) else { unreachable!() };
    assert_eq!(fifth.state, PendingState::Parked(ParkReason::Refused));
}
