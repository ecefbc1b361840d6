//! The changes that each event makes to a row, to the field.

use super::*;
use crate::machine::table::parent_sent;
use crate::{RetryPolicy, Sealed};

const REASONS: [ParkReason; 12] = [
    ParkReason::Forbidden,
    ParkReason::TooLarge,
    ParkReason::Invalid,
    ParkReason::NotFound,
    ParkReason::Ambiguous,
    ParkReason::Expired,
    ParkReason::ParentFailed,
    ParkReason::MissingMedia,
    ParkReason::Paused,
    ParkReason::Refused,
    ParkReason::Restored,
    ParkReason::Unsealed,
];

/// The changes of an event's row that was never tried, and of one that lived through everything.
const CHANGES: &str = r#"
ParentSent Blocked fresh: state Queued, parent none
ParentSent Blocked worn: state Queued, parent none
ParentSent Parked worn: parent none
ParentCancelled Blocked fresh: Cancelled
ParentCancelled Blocked worn: Cancelled
ParentCancelled Parked fresh: Cancelled
ParentCancelled Parked worn: Cancelled
Lease Queued fresh: state Sending, first now+0, last now+0, lease b now+30000, fence 4, token s1, device D, anchor $anchor
Lease Queued worn: state Sending, last now+0, lease b now+30000, fence 4
Unready Queued fresh: attempts 1, not_before now+507, error error
Unready Queued worn: attempts 4, not_before now+4007, error error
Unsealable Queued fresh: state Parked(Unsealed), error error
Unsealable Queued worn: state Parked(Unsealed), error error
Renew Sending fresh: lease a now+99
Renew Sending worn: lease a now+99
Placed Queued fresh: remote mxc://x/1
Placed Queued worn: remote mxc://x/1
Placed Sending fresh: remote mxc://x/1
Placed Sending worn: remote mxc://x/1
Accepted Blocked fresh: state Sent, parent none, event $e
Accepted Blocked worn: state Sent, parent none, event $e, error none
Accepted Queued fresh: state Sent, event $e
Accepted Queued worn: state Sent, event $e, error none
Accepted Sending fresh: state Sent, lease none, event $e
Accepted Sending worn: state Sent, lease none, event $e, error none
Accepted Parked fresh: state Sent, event $e
Accepted Parked worn: state Sent, parent none, event $e, error none
Transient Sending fresh: state Queued, attempts 1, ambiguous true, not_before now+507, lease none, error error
Transient Sending worn: state Queued, attempts 4, not_before now+4007, lease none, error error
RateLimited Sending fresh: state Queued, not_before now+7, lease none
RateLimited Sending worn: state Queued, not_before now+7, lease none
Paused Sending fresh: state Queued, lease none
Paused Sending worn: state Queued, lease none
Permanent Sending fresh: state Parked(Invalid), lease none, error error
Permanent Sending worn: state Parked(Invalid), lease none, error error
LeaseLost Sending fresh: state Queued, ambiguous true, lease none
LeaseLost Sending worn: state Queued, lease none
Echo Blocked fresh: Done
Echo Blocked worn: Done
Echo Queued fresh: Done
Echo Queued worn: Done
Echo Sending fresh: Done
Echo Sending worn: Done
Echo Sent fresh: Done
Echo Sent worn: Done
Echo Parked fresh: Done
Echo Parked worn: Done
Cancel Blocked fresh: Cancelled
Cancel Blocked worn: Cancelled
Cancel Queued fresh: Cancelled
Cancel Queued worn: Cancelled
Cancel Sending fresh: Follow
Cancel Sending worn: Follow
Cancel Sent fresh: Follow
Cancel Sent worn: Follow
Cancel Parked fresh: Cancelled
Cancel Parked worn: Cancelled
Edit Blocked fresh: content {"body":"new"}
Edit Blocked worn: Follow
Edit Queued fresh: content {"body":"new"}
Edit Queued worn: Follow
Edit Sending fresh: Follow
Edit Sending worn: Follow
Edit Sent fresh: Follow
Edit Sent worn: Follow
Edit Parked fresh: content {"body":"new"}
Edit Parked worn: Follow
Retry Queued worn: attempts 0, not_before 0, error none
Retry Parked fresh: state Queued
Retry Parked worn: state Blocked, attempts 0, not_before 0, error none
CauseGone Parked fresh: state Queued
CauseGone Parked worn: state Blocked, attempts 0, not_before 0, error none
Expire Blocked fresh: state Parked(Expired)
Expire Blocked worn: state Parked(Expired)
Expire Queued fresh: state Parked(Expired)
Expire Queued worn: state Parked(Expired)
ProvenAbsent Queued worn: ambiguous false
Unprovable Queued fresh: state Parked(Ambiguous)
Unprovable Queued worn: state Parked(Ambiguous)
MediaMissing Queued fresh: state Parked(MissingMedia)
MediaMissing Queued worn: state Parked(MissingMedia)
MediaMissing Sending fresh: state Parked(MissingMedia), lease none
MediaMissing Sending worn: state Parked(MissingMedia), lease none
"#;

/// The cases in which an upload's or a signal's row differs from an event's.
const OTHERS: &str = "
haos.upload Accepted Blocked fresh: Done
haos.upload Accepted Blocked worn: Done
haos.upload Accepted Queued fresh: Done
haos.upload Accepted Queued worn: Done
haos.upload Accepted Sending fresh: Done
haos.upload Accepted Sending worn: Done
haos.upload Accepted Parked fresh: Done
haos.upload Accepted Parked worn: Done
haos.upload Cancel Sending fresh: Cancelled
haos.upload Cancel Sending worn: Cancelled
haos.upload Cancel Sent fresh: Cancelled
haos.upload Cancel Sent worn: Cancelled
haos.upload Pause Blocked fresh: state Parked(Paused)
haos.upload Pause Blocked worn: state Parked(Paused)
haos.upload Pause Queued fresh: state Parked(Paused)
haos.upload Pause Queued worn: state Parked(Paused)
haos.upload Pause Sending fresh: state Parked(Paused), lease none
haos.upload Pause Sending worn: state Parked(Paused), lease none
haos.typing Unsealable Queued fresh: Cancelled
haos.typing Unsealable Queued worn: Cancelled
haos.typing Accepted Blocked fresh: Done
haos.typing Accepted Blocked worn: Done
haos.typing Accepted Queued fresh: Done
haos.typing Accepted Queued worn: Done
haos.typing Accepted Sending fresh: Done
haos.typing Accepted Sending worn: Done
haos.typing Accepted Parked fresh: Done
haos.typing Accepted Parked worn: Done
haos.typing Permanent Sending fresh: Cancelled
haos.typing Permanent Sending worn: Cancelled
haos.typing Cancel Sending fresh: Cancelled
haos.typing Cancel Sending worn: Cancelled
haos.typing Cancel Sent fresh: Cancelled
haos.typing Cancel Sent worn: Cancelled
haos.typing Expire Blocked fresh: Cancelled
haos.typing Expire Blocked worn: Cancelled
haos.typing Expire Queued fresh: Cancelled
haos.typing Expire Queued worn: Cancelled
";

/// A row that was never tried.
fn fresh(phase: Phase) -> Pending {
    let lease = Lease { owner: "a".to_owned(), until_ms: NOW_MS + 20 };
    Pending {
        fence: 3,
        attempts: 0,
        first_attempt_ms: None,
        last_attempt_ms: None,
        not_before_ms: 0,
        ambiguous: false,
        lease: (phase == Phase::Sending).then_some(lease),
        ..row(phase)
    }
}

/// A row that was tried, failed, is in doubt and has an end.
fn worn(phase: Phase) -> Pending {
    let parent = matches!(phase, Phase::Blocked | Phase::Parked).then(|| TxnId::new("p").unwrap());
    Pending {
        attempts: 3,
        ambiguous: true,
        first_attempt_ms: Some(NOW_MS - 100_000),
        last_attempt_ms: Some(NOW_MS - 50),
        not_before_ms: NOW_MS + 5,
        parent,
        expires_at_ms: Some(NOW_MS + 1000),
        error: Some("old".to_owned()),
        sync_token: Some("s0".to_owned()),
        device: Some("C".to_owned()),
        remote: Some(MediaUri::new("mxc://x/0").unwrap()),
        anchor: Some(EventId::new("$old").unwrap()),
        wire: Some(Json::new(r#"{"wire":1}"#).unwrap()),
        ..fresh(phase)
    }
}

/// A moment, by now.
fn moment(at_ms: i64) -> String {
    if at_ms == 0 { "0".to_owned() } else { format!("now{:+}", at_ms - NOW_MS) }
}

fn or_none<T>(value: &Option<T>, show: impl Fn(&T) -> String) -> String {
    value.as_ref().map_or_else(|| "none".to_owned(), show)
}

/// Every field of a row with its value in words.
fn fields(row: &Pending) -> Vec<(&'static str, String)> {
    let text = |text: &String| text.clone();
    let at = |at_ms: &i64| moment(*at_ms);
    vec![
        ("who", format!("{} {} {} {}", row.txn_id, row.seq, row.room, row.created_ms)),
        ("what", format!("{} {} {:?} {:?}", row.kind, row.priority, row.target, row.media)),
        ("content", row.content.as_str().to_owned()),
        ("wire", or_none(&row.wire, |wire| wire.as_str().to_owned())),
        ("wire_kind", or_none(&row.wire_kind, EventType::to_string)),
        ("state", format!("{:?}", row.state)),
        ("attempts", row.attempts.to_string()),
        ("ambiguous", row.ambiguous.to_string()),
        ("first", or_none(&row.first_attempt_ms, at)),
        ("last", or_none(&row.last_attempt_ms, at)),
        ("not_before", moment(row.not_before_ms)),
        ("lease", or_none(&row.lease, |lease| format!("{} {}", lease.owner, moment(lease.until_ms)))),
        ("fence", row.fence.to_string()),
        ("parent", or_none(&row.parent, TxnId::to_string)),
        ("expires", or_none(&row.expires_at_ms, at)),
        ("event", or_none(&row.event_id, EventId::to_string)),
        ("error", or_none(&row.error, text)),
        ("token", or_none(&row.sync_token, text)),
        ("device", or_none(&row.device, text)),
        ("remote", or_none(&row.remote, MediaUri::to_string)),
        ("anchor", or_none(&row.anchor, EventId::to_string)),
    ]
}

/// Describes the changes of a step to a row.
fn changed(before: &Pending, step: &Step) -> String {
    let Step::Put(after) = step else { return named(step) };
    assert_ne!(before, &**after, "what changes nothing is no change");
    let pairs = fields(before).into_iter().zip(fields(after));
    let changed = pairs.filter(|(old, new)| old != new);
    changed.map(|(_, (field, value))| format!("{field} {value}")).collect::<Vec<_>>().join(", ")
}

fn of_kind(kind: &str, row: Pending) -> Pending {
    Pending { kind: EventType::new(kind).unwrap(), ..row }
}

/// Describes the changes that the events make to rows of a kind: fresh and worn.
fn outcomes(of: &str) -> Vec<(String, String)> {
    let mut lines = Vec::new();
    for kind in EventKind::ALL {
        for phase in Phase::ALL {
            for (age, row) in [("fresh", fresh(phase)), ("worn", worn(phase))] {
                let row = of_kind(of, row);
                let outcome = changed(&row, &stepped(&row, &event(*kind)));
                lines.push((format!("{kind:?} {phase:?} {age}"), outcome));
            }
        }
    }
    lines
}

#[test]
fn every_event_changes_what_the_table_says_and_nothing_else() {
    let outcomes = outcomes("m.room.message").into_iter().filter(|(_, outcome)| outcome != "-");
    let lines: Vec<_> = outcomes.map(|(pair, outcome)| format!("{pair}: {outcome}")).collect();
    assert_eq!(lines, CHANGES.trim().lines().collect::<Vec<_>>());
}

#[test]
fn uploads_and_signals_differ_where_the_table_says() {
    let events = outcomes("m.room.message");
    let of = |kind: &str| {
        let pairs = events.iter().zip(outcomes(kind));
        let other = pairs.filter(|(event, this)| **event != *this);
        other.map(|(_, (pair, outcome))| format!("{kind} {pair}: {outcome}")).collect::<Vec<_>>()
    };
    let lines = [of(UPLOAD), of(TYPING)].concat();
    assert_eq!(of(TYPING).len(), of(crate::transport::RECEIPT).len());
    assert_eq!(lines, OTHERS.trim().lines().collect::<Vec<_>>());
}

/// The cause of parking decides what may take a row up again, and nothing else does.
#[test]
fn the_cause_of_parking_decides_what_takes_it_up() {
    for reason in REASONS {
        let row = Pending { state: PendingState::Parked(reason), ..worn(Phase::Parked) };
        for gone in REASONS {
            let step = stepped(&row, &Event::CauseGone(gone));
            assert_eq!(step != Step::Keep, gone == reason, "{gone:?} is gone, {reason:?}");
        }
        let step = stepped(&row, &Event::Retry);
        assert_eq!(step != Step::Keep, reason != ParkReason::ParentFailed, "{reason:?}");
        if let Step::Put(again) = step {
            assert_eq!(again.ambiguous, reason != ParkReason::Ambiguous, "{reason:?}");
        }
        let proven = stepped(&row, &Event::ProvenAbsent);
        match reason {
            ParkReason::Ambiguous => {
                assert_eq!(changed(&row, &proven), "state Queued, ambiguous false, error none");
            }
            _ => assert_eq!(proven, Step::Keep, "{reason:?}"),
        }
        for cancel in [true, false] {
            let step = stepped(&row, &Event::ParentCancelled { cancel });
            let expected = match (cancel, reason) {
                (true, _) => "Cancelled",
                (false, ParkReason::ParentFailed) => "-",
                (false, _) => "state Parked(ParentFailed)",
            };
            match step {
                Step::Put(_) => assert_eq!(changed(&row, &step), expected),
                _ => assert_eq!(named(&step), expected),
            }
        }
    }
}

/// A failed attempt: what the row was, how it failed, what the policy says; all combinations.
#[test]
fn a_transient_failure_counts_and_doubts_as_it_says() {
    let seed = RetryPolicy { max_attempts: Some(4), ..RetryPolicy::seed() };
    for (n, (policy, kind)) in [RetryPolicy::default(), seed]
        .into_iter()
        .flat_map(|policy| ["m.room.message", UPLOAD, TYPING].map(|kind| (policy, kind)))
        .enumerate()
    {
        let options = OutboxOptions { retry: policy, ..OutboxOptions::default() };
        for bits in 0..8u32 {
            let [doubted, ambiguous, counts] = [0, 1, 2].map(|bit| bits >> bit & 1 == 1);
            for (attempts, first_attempt_ms) in
                [(0, None), (2, Some(NOW_MS - 3000)), (3, Some(NOW_MS - 2_000_000)), (u32::MAX, Some(0))]
            {
                let chance = 40 + n as u64;
                let row = Pending {
                    attempts,
                    first_attempt_ms,
                    ambiguous: doubted,
                    ..of_kind(kind, worn(Phase::Sending))
                };
                let failure = Failure::Transient { ambiguous, counts, error: "new".to_owned() };
                let context = Context { now_ms: NOW_MS, chance, options: &options };
                let step = step(&row, &Event::Failed { fence: 3, failure }, &context);
                let after = attempts.saturating_add(u32::from(counts));
                let age_ms = NOW_MS - first_attempt_ms.unwrap_or(NOW_MS);
                let wait_ms = match counts {
                    true => policy.delay_ms(after, age_ms, chance),
                    false => policy.uncounted_ms(age_ms, chance),
                };
                let ends = counts && policy.max_attempts.is_some_and(|most| after >= most);
                let expected = match (ends, kind) {
                    (true, TYPING) => Step::Cancelled,
                    _ => Step::Put(Box::new(Pending {
                        state: match ends {
                            true => PendingState::Parked(ParkReason::Refused),
                            false => PendingState::Queued,
                        },
                        lease: None,
                        attempts: after,
                        ambiguous: doubted || ambiguous,
                        error: Some("new".to_owned()),
                        not_before_ms: NOW_MS + wait_ms as i64,
                        ..row.clone()
                    })),
                };
                assert_eq!(step, expected, "{kind} {bits:03b} {attempts}");
            }
        }
    }
}

/// Chance is part of every delay: devices that failed together do not return together.
#[test]
fn chance_spreads_the_attempts() {
    let options = OutboxOptions::default();
    let moments = |counts| {
        let failure = Failure::Transient { ambiguous: false, counts, error: String::new() };
        let event = Event::Failed { fence: 3, failure };
        let at = |chance| match step(
            &worn(Phase::Sending),
            &event,
            &Context { now_ms: NOW_MS, chance, options: &options },
        ) {
            Step::Put(row) => row.not_before_ms,
            other => unreachable!("{other:?}"),
        };
        (0..100).map(at).collect::<std::collections::BTreeSet<_>>()
    };
    assert_eq!(moments(true).len(), 100);
    assert_eq!(moments(false).len(), 100);
}

#[test]
fn whoever_lost_the_row_changes_nothing_of_it() {
    let lost = |fence| {
        let error = String::new;
        let failures = [
            Failure::Transient { ambiguous: true, counts: true, error: error() },
            Failure::RateLimited { until_ms: NOW_MS + 7 },
            Failure::Paused,
            Failure::Permanent { reason: ParkReason::Invalid, error: error() },
        ];
        let failed = failures.map(|failure| Event::Failed { fence, failure });
        failed.into_iter().chain([Event::LeaseLost { fence, until_ms: NOW_MS + 20 }])
    };
    for row in [fresh(Phase::Sending), worn(Phase::Sending)] {
        for fence in [0, 2, 4, u64::MAX] {
            for event in lost(fence) {
                assert_eq!(stepped(&row, &event), Step::Keep, "{event:?}");
            }
        }
        for event in lost(3) {
            assert_ne!(stepped(&row, &event), Step::Keep, "{event:?}");
        }
    }
}

#[test]
fn a_lease_is_lost_at_its_own_moment_and_only_prolonged() {
    let row = worn(Phase::Sending);
    for until_ms in [NOW_MS + 19, NOW_MS + 21] {
        assert_eq!(stepped(&row, &Event::LeaseLost { fence: 3, until_ms }), Step::Keep);
    }
    let bare = Pending { lease: None, ..row.clone() };
    assert_eq!(put(&bare, &event(EventKind::LeaseLost)).state, PendingState::Queued);
    assert_eq!(stepped(&bare, &event(EventKind::Renew)), Step::Keep);
    for (until_ms, then_ms) in [(NOW_MS + 21, NOW_MS + 21), (NOW_MS + 20, NOW_MS + 20), (NOW_MS, NOW_MS + 20)]
    {
        let step = stepped(&row, &Event::Renew { until_ms });
        let renewed = match step {
            Step::Put(row) => *row,
            _ => row.clone(),
        };
        assert_eq!(renewed.lease.map(|lease| lease.until_ms), Some(then_ms));
    }
}

/// A time that has run out begins once more; one that has not keeps its end.
#[test]
fn a_retry_prolongs_what_would_expire_at_once() {
    let options = OutboxOptions::default();
    let later = NOW_MS + options.expiry_ms as i64;
    for (at_ms, then_ms) in [
        (None, None),
        (Some(NOW_MS - 1), Some(later)),
        (Some(NOW_MS), Some(later)),
        (Some(NOW_MS + 1), Some(NOW_MS + 1)),
    ] {
        for phase in [Phase::Queued, Phase::Parked] {
            let row = Pending { expires_at_ms: at_ms, ..worn(phase) };
            assert_eq!(put(&row, &Event::Retry).expires_at_ms, then_ms);
        }
    }
}

#[test]
fn content_follows_what_may_be_on_the_server() {
    let edit = event(EventKind::Edit);
    for bits in 0..8u32 {
        let [tried, ambiguous, parked] = [0, 1, 2].map(|bit| bits >> bit & 1 == 1);
        let row = Pending {
            first_attempt_ms: tried.then_some(NOW_MS),
            ambiguous,
            ..worn(if parked { Phase::Parked } else { Phase::Queued })
        };
        let expected = match (tried, ambiguous, parked) {
            (false, ..) => r#"content {"body":"new"}, wire none"#,
            (true, false, true) => "Replace",
            (true, ..) => "Follow",
        };
        assert_eq!(changed(&row, &stepped(&row, &edit)), expected, "{bits:03b}");
    }
}

/// An error is as long as whoever answered wants; a row keeps the beginning of it.
#[test]
fn a_row_keeps_a_bounded_error() {
    let error = "x".repeat(crate::MAX_SAID_BYTES * 2);
    for failure in [
        Failure::Transient { ambiguous: false, counts: false, error: error.clone() },
        Failure::Permanent { reason: ParkReason::Invalid, error },
    ] {
        let kept = put(&worn(Phase::Sending), &Event::Failed { fence: 3, failure }).error.unwrap();
        assert!((1..=crate::MAX_SAID_BYTES).contains(&kept.len()), "{}", kept.len());
    }
}

#[test]
fn an_upload_or_a_signal_is_done_whatever_id_the_answer_names() {
    let named = Event::Accepted(Some(EventId::new("$e").unwrap()));
    for phase in [Phase::Blocked, Phase::Queued, Phase::Sending, Phase::Parked] {
        for event in [&named, &Event::Accepted(None)] {
            assert_eq!(stepped(&of_kind(UPLOAD, worn(phase)), event), Step::Done);
            assert_eq!(stepped(&of_kind(TYPING, worn(phase)), event), Step::Done);
        }
        assert_eq!(stepped(&worn(phase), &Event::Accepted(None)), Step::Done);
    }
}

#[test]
fn what_waits_for_nobody_is_not_let_go_twice() {
    for phase in Phase::ALL {
        let row = Pending { parent: None, ..worn(phase) };
        let expected = if phase == Phase::Blocked { "state Queued" } else { "-" };
        let step = parent_sent(&row);
        assert_eq!(if step == Step::Keep { "-".to_owned() } else { changed(&row, &step) }, expected);
    }
}

/// With the lease comes the form that was sealed for it; without one, the form that the row has stays.
#[test]
fn a_lease_brings_the_form_that_goes_out() {
    let Event::Lease(taken) = event(EventKind::Lease) else { unreachable!() };
    let sealed = Sealed { kind: EventType::new("sealed").unwrap(), content: Json::new("[1]").unwrap() };
    for row in [fresh(Phase::Queued), worn(Phase::Queued)] {
        let kept = put(&row, &Event::Lease(taken.clone()));
        assert_eq!((kept.wire, kept.wire_kind), (row.wire.clone(), row.wire_kind.clone()));
        let new = put(&row, &Event::Lease(Taken { sealed: Some(sealed.clone()), ..taken.clone() }));
        assert_eq!(new.wire_form(), (&sealed.kind, &sealed.content));
        assert_eq!((new.kind, new.content), (row.kind, row.content));
    }
}

#[test]
fn what_could_not_be_sealed_was_not_sent() {
    let row = fresh(Phase::Queued);
    let failures = [
        (Failure::Paused, "-"),
        (Failure::RateLimited { until_ms: NOW_MS + 7 }, "not_before now+7"),
        (
            Failure::Transient { ambiguous: true, counts: false, error: "e".to_owned() },
            "not_before now+507, error e",
        ),
    ];
    for (failure, expected) in failures {
        assert_eq!(changed(&row, &stepped(&row, &Event::Unready(failure))), expected);
    }
}
