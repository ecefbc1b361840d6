//! The consequences of a request's outcome: decided here, without waiting.

use haos_queue::{Answer, PauseReason, RetryPolicy, Verdict};
use haos_store_api::{Error, ErrorKind};

/// The outcome of a request.
#[derive(Debug)]
pub(super) enum Outcome {
    /// The store has it.
    Applied(Brought),
    /// Another context synced meanwhile: nothing was written.
    Stale,
    /// A nudge came while the server waited for news: nobody knows whether that request still lives.
    Nudged,
    /// The server did not give it.
    Failed(Answer),
    /// It is no such answer, as what a captive portal gives.
    Unreadable(String),
    /// It is more than is read of one answer.
    TooMuch(String),
    /// The account is paused, and was before the request.
    Paused(PauseReason),
    /// The store failed.
    Store(Error),
}

/// The news of an answer. Whatever its shape: what the store held already is nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Brought {
    /// Something new, or it came in its time.
    News,
    /// Nothing but another token, long before its time.
    Token,
    /// Nothing, long before its time.
    Nothing,
}

/// How the filter was named.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum FilterUse {
    /// By an id, of an earlier run if there is one.
    #[default]
    Stored,
    /// By an id that this run uploads or uploaded.
    Renewed,
    /// As JSON.
    Inline,
}

/// The parameters of a request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) since: bool,
    pub(super) filter: FilterUse,
    /// For as little as a sync can be asked for.
    pub(super) slim: bool,
}

/// The facts remembered from one request to the next.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Memory {
    /// Failures in a row, and when the first of them was.
    pub(super) failures: u32,
    pub(super) failing_since_ms: i64,
    /// Answers in a row that brought nothing before their time.
    pub(super) lulls: u32,
    pub(super) filter: FilterUse,
    /// The answer was too much: ask for as little as a sync can be asked for.
    pub(super) slim: bool,
    /// How often something of a request was unusable, until one on a token does.
    pub(super) unusable: u32,
    /// The stored token is unusable: sync without it.
    pub(super) fresh: bool,
    /// Caught up: requests wait for news.
    pub(super) live: bool,
    /// The next request does not wait, caught up or not.
    pub(super) prompt: bool,
}

/// The next act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Next {
    /// Ask again at once.
    Go,
    /// The first success after an outage: the same, and others that wait should try, too.
    Back,
    /// Nothing is wrong; wait a little, so that a hasty server is not asked without end.
    Rest(u64),
    /// It failed: wait so long. `firm`: whatever happens, since the server asked for it.
    Wait { ms: u64, error: String, firm: bool },
    /// Wait until the account is resumed. `told`: the server said so just now.
    Pause { reason: PauseReason, told: bool },
    /// End with the error.
    End,
}

/// The moment of a decision.
pub(super) struct Moment<'a> {
    pub(super) now_ms: i64,
    pub(super) chance: u64,
    pub(super) retry: &'a RetryPolicy,
}

/// The number of answers in a row with nothing but a token after which rests grow no more.
const LULLS_WITH_TOKENS: u32 = 4;

/// The number of changes in a row to a request that are made at once: filter, token, filter.
const CHANGES: u32 = 3;

/// The step from one request to the next.
///
/// | outcome | asked with | next |
/// |---|---|---|
/// | news, or in its time | | go on from the new token; after an outage others try, too |
/// | nothing, too early | | rest, longer each time |
/// | nothing but a token, too early | | rest, longer each time, up to 8 s or so |
/// | stale | | go on from the stored token |
/// | nudged | | ask again at once, without waiting for news |
/// | transient, unreadable | | wait: backoff |
/// | too much | | wait: backoff; ask for less |
/// | too much | as little as can be | wait: the longest backoff |
/// | 429 | | wait: what is asked, or backoff if longer; and up to 1 s of chance |
/// | refused for the account's sake | | pause |
/// | 400 with a code | a filter's id of an earlier run | upload the filter again |
/// | 400 with a code | else, a token | sync without it |
/// | 400 with a code | a new filter's id, no token | the filter as JSON |
/// | 400 with a code, more than three times | | the same, after a backoff |
/// | other refusals | | wait: the longest backoff |
/// | the store is closed | | end |
/// | the store failed | | wait: backoff |
pub(super) fn step(now: Memory, asked: Asked, outcome: &Outcome, at: &Moment<'_>) -> (Memory, Next) {
    match outcome {
        Outcome::Applied(brought @ (Brought::Token | Brought::Nothing)) if now.failures == 0 => {
            let lulls = now.lulls.saturating_add(1);
            // Servers that wake for what the filter leaves out bring a token: news must not wait long for it.
            let most = if *brought == Brought::Token { LULLS_WITH_TOKENS } else { u32::MAX };
            let rest_ms = at.retry.delay_ms(lulls.min(most), 0, at.chance);
            (Memory { lulls, prompt: false, ..now }, Next::Rest(rest_ms))
        }
        Outcome::Applied(_) => {
            let next = if is_outage(now, at) { Next::Back } else { Next::Go };
            // An id that was just uploaded is from now on one of an earlier run.
            let filter = match now.filter {
                FilterUse::Inline => FilterUse::Inline,
                _ => FilterUse::Stored,
            };
            let unusable = if asked.since { 0 } else { now.unusable };
            (Memory { filter, unusable, live: true, ..Memory::default() }, next)
        }
        // The token is another one by now.
        Outcome::Stale => (Memory { fresh: false, ..now }, Next::Go),
        Outcome::Nudged => (Memory { prompt: true, ..now }, Next::Go),
        Outcome::Paused(reason) => {
            (Memory { live: false, ..now }, Next::Pause { reason: reason.clone(), told: false })
        }
        Outcome::Store(error) if error.kind() == ErrorKind::Closed => (now, Next::End),
        Outcome::Store(error) => failed(now, 0, error.to_string(), at),
        Outcome::Unreadable(error) => failed(now, 0, error.clone(), at),
        Outcome::TooMuch(error) if !asked.slim => failed(Memory { slim: true, ..now }, 0, error.clone(), at),
        Outcome::TooMuch(error) => failed(now, at.retry.old_cap_ms, error.clone(), at),
        Outcome::Failed(Answer::Refused(refusal))
            if refusal.status == 400 && refusal.code.is_some() && refusal.account.is_none() =>
        {
            unusable(now, asked, refusal.describe(), at)
        }
        Outcome::Failed(answer) => match answer.verdict(false) {
            Verdict::RateLimited { wait_ms } => {
                let (after, backoff_ms) = count(now, at);
                let ms = wait_ms.max(backoff_ms).saturating_add(at.chance % 1000);
                let error = "the server asked for quiet".to_owned();
                (after, Next::Wait { ms, error, firm: wait_ms > 0 })
            }
            Verdict::Pause(reason) => (Memory { live: false, ..now }, Next::Pause { reason, told: true }),
            Verdict::Park { error, .. } => failed(now, at.retry.old_cap_ms, error, at),
            Verdict::Transient { error, .. } => failed(now, 0, error, at),
            _ => failed(now, 0, "an answer of another kind".to_owned(), at),
        },
    }
}

/// Tells if the failures are many or long enough for others to wait as well. A request that fails now and then, as
/// through a proxy that ends long ones, must not have everybody try everything each time.
fn is_outage(now: Memory, at: &Moment<'_>) -> bool {
    const FAILURES: u32 = 3;
    const LONG_MS: i64 = 10_000;
    let age_ms = at.now_ms.saturating_sub(now.failing_since_ms);
    now.failures >= FAILURES || (now.failures > 0 && age_ms >= LONG_MS)
}

/// The server finds something of the request unusable, and does not say what.
fn unusable(now: Memory, asked: Asked, error: String, at: &Moment<'_>) -> (Memory, Next) {
    let now = Memory { unusable: now.unusable.saturating_add(1), ..now };
    let after = match asked {
        Asked { filter: FilterUse::Stored, .. } => Memory { filter: FilterUse::Renewed, ..now },
        Asked { since: true, .. } => Memory { fresh: true, live: false, ..now },
        Asked { filter: FilterUse::Renewed, .. } => Memory { filter: FilterUse::Inline, ..now },
        Asked { .. } => return failed(now, at.retry.old_cap_ms, error, at),
    };
    match now.unusable {
        ..=CHANGES => (after, Next::Go),
        // It takes what it refused before, and the other way round.
        _ => failed(after, at.retry.delay_ms(now.unusable - CHANGES, 0, at.chance), error, at),
    }
}

/// A failure, after which nothing is asked for at least about so long.
fn failed(now: Memory, least_ms: u64, error: String, at: &Moment<'_>) -> (Memory, Next) {
    let (after, backoff_ms) = count(now, at);
    let ms = backoff_ms.max(at.retry.spread(least_ms, at.chance));
    (after, Next::Wait { ms, error, firm: false })
}

/// Counts a failure, and gives its backoff.
fn count(now: Memory, at: &Moment<'_>) -> (Memory, u64) {
    let failures = now.failures.saturating_add(1);
    let failing_since_ms = if now.failures == 0 { at.now_ms } else { now.failing_since_ms };
    let age_ms = at.now_ms.saturating_sub(failing_since_ms);
    let after = Memory { failures, failing_since_ms, lulls: 0, live: false, ..now };
    (after, at.retry.delay_ms(failures, age_ms, at.chance))
}

impl Memory {
    /// Somebody has reason to believe that the next try will do better. That it failed before stays known.
    pub(super) fn nudged(self, now_ms: i64) -> Self {
        Self { failures: self.failures.min(1), failing_since_ms: now_ms, lulls: 0, ..self }
    }
}

#[cfg(test)]
#[path = "step_tests.rs"]
mod tests;
