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
    assert_eq!(nudged.failures, 2, "a nudge begins again");
    let (after, next) = next(now, Asked::default(), &Outcome::Applied(Brought::News));
    assert_eq!((after, next), (Memory { live: true, ..Memory::default() }, Next::Back));
}

#[test]
fn an_unusable_something_is_found_by_exclusion() {
    let bad = refused(400, Some("M_UNKNOWN"));
    let mut asked = Asked { since: true, ..Asked::default() };
    let mut now = Memory::default();
    let mut walked = Vec::new();
    loop {
        let (after, next) = next(now, asked, &bad);
        if let Next::Wait { ms, .. } = next {
            assert!(ms >= 450_000, "{ms}: nothing helps, so do not hurry");
            break;
        }
        asked = Asked { since: asked.since && !after.fresh, filter: after.filter, slim: false };
        walked.push(asked);
        now = after;
    }
    let of = |since, filter| Asked { since, filter, slim: false };
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
    let rests = |brought, turns: u32| {
        let (mut now, mut rests) = (Memory { live: true, ..Memory::default() }, Vec::new());
        for _ in 0..turns {
            let (after, next) = next(now, Asked::default(), &Outcome::Applied(brought));
            let Next::Rest(ms) = next else { panic!("{next:?}") };
            assert!(after.live);
            rests.push(ms);
            now = after;
        }
        let news = next(now, Asked::default(), &Outcome::Applied(Brought::News));
        assert_eq!((news.0.lulls, news.1), (0, Next::Go), "news end it");
        rests
    };
    assert_eq!(rests(Brought::Nothing, 8), [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
    assert_eq!(rests(Brought::Token, 6), [500, 1000, 2000, 4000, 4000, 4000], "news may be behind it");
}

#[test]
fn too_much_is_asked_for_again_only_as_less() {
    let much = || Outcome::TooMuch("too much".to_owned());
    let (slim, next_) = next(Memory { live: true, ..Memory::default() }, Asked::default(), &much());
    assert!(slim.slim && !slim.live && wait_ms(&next_) <= 1000, "{next_:?}");
    let asked = Asked { slim: true, ..Asked::default() };
    let (still, next_) = next(slim, asked, &much());
    assert!(still.slim && wait_ms(&next_) >= 450_000, "{next_:?}");
    assert!(!next(slim, asked, &Outcome::Applied(Brought::News)).0.slim, "what comes after it is less");
    assert!(next(slim, asked, &refused(502, None)).0.slim);
}

/// It takes a sync without a token and no token that came of one.
#[test]
fn a_server_that_takes_no_token_of_its_own_is_asked_less_and_less() {
    let bad = refused(400, Some("M_UNKNOWN"));
    let (mut now, mut waits) = (Memory::default(), Vec::new());
    for _ in 0..40 {
        let asked = Asked { since: !now.fresh, filter: now.filter, slim: false };
        let outcome = if now.fresh { Outcome::Applied(Brought::News) } else { bad_again(&bad) };
        let (after, next) = next(now, asked, &outcome);
        if let Next::Wait { ms, .. } = next {
            waits.push(ms);
        }
        now = after;
    }
    assert!(waits.len() >= 20 && waits.last().is_some_and(|ms| *ms >= 15_000), "{waits:?}");
}

fn bad_again(outcome: &Outcome) -> Outcome {
    match outcome {
        Outcome::Failed(answer) => Outcome::Failed(answer.clone()),
        other => panic!("{other:?}"),
    }
}
