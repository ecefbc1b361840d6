use haos_queue::Refusal;

use super::*;

fn at(retry: &RetryPolicy) -> Moment<'_> {
    Moment { now_ms: 1_000_000, chance: 0, retry }
}

fn next(now: Memory, asked: Asked, outcome: &Outcome) -> (Memory, Next) {
    step(now, asked, outcome, &at(&RetryPolicy::default()))
}

fn refused(status: u16, code: Option<&str>) -> Outcome {
    Outcome::Failed(Answer::Refused(Refusal { status, code: code.map(str::to_owned), ..Refusal::default() }))
}

fn wait_ms(next: &Next) -> u64 {
    match next {
        Next::Wait { ms, .. } => *ms,
        other => panic!("{other:?}"),
    }
}

#[test]
fn failures_slow_down_and_a_success_calls_the_others() {
    let (mut now, mut last) = (Memory { live: true, ..Memory::default() }, 0);
    for answer in [Answer::Unsent, Answer::NoAnswer, Answer::Unreadable] {
        let (after, next) = next(now, Asked::default(), &Outcome::Failed(answer));
        assert!(wait_ms(&next) > last && !after.live);
        (now, last) = (after, wait_ms(&next));
    }
    let (nudged, _) = next(now.nudged(5), Asked::default(), &Outcome::Unreadable(String::new()));
    assert_eq!(nudged.failures, 2, "a nudge begins anew");
    let (after, next) = next(now, Asked::default(), &Outcome::Applied { lull: false });
    assert_eq!((after, next), (Memory { live: true, ..Memory::default() }, Next::Back));
}

#[test]
fn an_unusable_something_is_found_by_exclusion() {
    let bad = refused(400, Some("M_UNKNOWN"));
    let mut asked = Asked { since: true, filter: FilterUse::Stored };
    let mut now = Memory::default();
    let mut walked = Vec::new();
    loop {
        let (after, next) = next(now, asked, &bad);
        if let Next::Wait { ms, .. } = next {
            assert!(ms >= 450_000, "{ms}: nothing helps, so do not hurry");
            break;
        }
        asked = Asked { since: asked.since && !after.fresh, filter: after.filter };
        walked.push(asked);
        now = after;
    }
    let of = |since, filter| Asked { since, filter };
    assert_eq!(
        walked,
        [of(true, FilterUse::Renewed), of(false, FilterUse::Renewed), of(false, FilterUse::Inline)]
    );
    let (after, next) = next(Memory::default(), of(true, FilterUse::Inline), &refused(400, None));
    assert!(!after.fresh && matches!(next, Next::Wait { .. }), "a proxy's 400 costs no token");
}

#[test]
fn what_the_server_asks_for_is_waited() {
    let quiet = Refusal { retry_after_ms: Some(90_000), ..Refusal::new(429, "M_LIMIT_EXCEEDED") };
    let (_, next_) = next(Memory::default(), Asked::default(), &Outcome::Failed(Answer::Refused(quiet)));
    assert!(matches!(next_, Next::Wait { ms: 90_000.., firm: true, .. }), "{next_:?}");
    let (_, next_) = next(Memory::default(), Asked::default(), &refused(429, None));
    assert!(matches!(next_, Next::Wait { firm: false, .. }));
    let (_, next_) = next(Memory::default(), Asked::default(), &refused(401, Some("M_UNKNOWN_TOKEN")));
    assert_eq!(next_, Next::Pause { reason: PauseReason::LoggedOut, told: true });
    let (_, next_) = next(Memory::default(), Asked::default(), &refused(403, Some("M_FORBIDDEN")));
    assert!(wait_ms(&next_) >= 450_000);
}

#[test]
fn stores() {
    let store = |kind| Outcome::Store(Error::new(kind, "apply", "x"));
    assert_eq!(next(Memory::default(), Asked::default(), &store(ErrorKind::Closed)).1, Next::End);
    for kind in [ErrorKind::Full, ErrorKind::Busy, ErrorKind::Io, ErrorKind::Conflict, ErrorKind::Corrupt] {
        assert!(matches!(next(Memory::default(), Asked::default(), &store(kind)).1, Next::Wait { .. }));
    }
    let fresh = Memory { fresh: true, ..Memory::default() };
    assert!(!next(fresh, Asked::default(), &Outcome::Stale).0.fresh);
    assert!(next(fresh, Asked::default(), &store(ErrorKind::Busy)).0.fresh);
}

#[test]
fn a_hasty_server_is_asked_less_and_less() {
    let (mut now, mut last) = (Memory { live: true, ..Memory::default() }, 0);
    for _ in 0..4 {
        let (after, next) = next(now, Asked::default(), &Outcome::Applied { lull: true });
        let Next::Rest(ms) = next else { panic!("{next:?}") };
        assert!(ms > last && after.live);
        (now, last) = (after, ms);
    }
    assert_eq!(next(now, Asked::default(), &Outcome::Applied { lull: false }).0.lulls, 0);
}
