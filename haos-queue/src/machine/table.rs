//! The table of transitions, every pair listed.

use haos_store_api::{Lease, ParkReason, Pending, PendingState};

use super::event::{Class, Event, EventKind as E, Failure, Phase as P, Taken};
use crate::{MAX_SAID_BYTES, OutboxOptions, Sealed, said};

/// The facts that a decision may depend on besides row and event.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// Milliseconds since 1970.
    pub now_ms: i64,
    /// A random number, for jitter.
    pub chance: u64,
    /// The rules.
    pub options: &'a OutboxOptions,
}

/// The next state of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "whoever carries out a step must know all of them")]
pub enum Step {
    /// Nothing: the event means nothing here.
    Keep,
    /// The row becomes this.
    Put(Box<Pending>),
    /// It is delivered: the row goes, what waited for it goes on.
    Done,
    /// The user, or the end of what it was about, took it back: the row goes.
    Cancelled,
    /// Too late for the row itself: an edit or a redaction must follow it.
    Follow,
    /// The content was refused under this transaction id: a new row takes its place.
    Replace,
}

/// Decides the next state of a row.
///
/// If [`Event::Failed`] or [`Event::LeaseLost`] carries another fence than the row's, somebody else took
/// the row meanwhile, and nothing changes: a late error does not count. A late success does.
pub fn step(row: &Pending, event: &Event, context: &Context<'_>) -> Step {
    if let Event::Failed { fence, .. } | Event::LeaseLost { fence, .. } = event
        && *fence != row.fence
    {
        return Step::Keep;
    }
    let row = Machine { row, context };
    match (P::of(row.row), event.kind()) {
        (P::Blocked | P::Parked, E::ParentSent) => parent_sent(row.row),
        (P::Queued | P::Sending | P::Sent, E::ParentSent) => Step::Keep,

        (P::Blocked | P::Parked, E::ParentCancelled) => row.parent_cancelled(event),
        (P::Queued | P::Sending | P::Sent, E::ParentCancelled) => Step::Keep,

        (P::Queued, E::Lease) => row.lease(event),
        (P::Blocked | P::Sending | P::Sent | P::Parked, E::Lease) => Step::Keep,

        (P::Queued, E::Unready | E::Unsealable) => row.failed(event),
        (P::Blocked | P::Sending | P::Sent | P::Parked, E::Unready | E::Unsealable) => Step::Keep,

        (P::Sending, E::Renew) => row.renew(event),
        (P::Blocked | P::Queued | P::Sent | P::Parked, E::Renew) => Step::Keep,

        (P::Sending | P::Queued, E::Placed) => row.placed(event),
        (P::Blocked | P::Sent | P::Parked, E::Placed) => Step::Keep,

        (P::Blocked | P::Queued | P::Sending | P::Parked, E::Accepted) => row.accepted(event),
        (P::Sent, E::Accepted) => Step::Keep,

        (P::Sending, E::Transient | E::RateLimited | E::Paused | E::Permanent) => row.failed(event),
        (
            P::Blocked | P::Queued | P::Sent | P::Parked,
            E::Transient | E::RateLimited | E::Paused | E::Permanent,
        ) => Step::Keep,

        (P::Sending, E::LeaseLost) => row.lease_lost(event),
        (P::Blocked | P::Queued | P::Sent | P::Parked, E::LeaseLost) => Step::Keep,

        (P::Blocked | P::Queued | P::Sending | P::Sent | P::Parked, E::Echo) => Step::Done,

        (P::Blocked | P::Queued | P::Parked, E::Cancel) => Step::Cancelled,
        (P::Sending | P::Sent, E::Cancel) => match Class::of(row.row) {
            // Nothing can follow these; a late success finds no row.
            Class::Upload | Class::Signal => Step::Cancelled,
            Class::Event => Step::Follow,
        },

        (P::Blocked | P::Queued | P::Parked, E::Edit) => row.edit(event),
        (P::Sending | P::Sent, E::Edit) => Step::Follow,

        (P::Queued | P::Parked, E::Retry) => row.retry(),
        (P::Blocked | P::Sending | P::Sent, E::Retry) => Step::Keep,

        (P::Parked, E::CauseGone) => row.cause_gone(event),
        (P::Blocked | P::Queued | P::Sending | P::Sent, E::CauseGone) => Step::Keep,

        (P::Blocked | P::Queued, E::Expire) => match Class::of(row.row) {
            Class::Signal => Step::Cancelled,
            Class::Event | Class::Upload => row.park(ParkReason::Expired),
        },
        (P::Sending | P::Sent | P::Parked, E::Expire) => Step::Keep,

        (P::Queued, E::ProvenAbsent) => row.put(|row| row.ambiguous = false),
        (P::Parked, E::ProvenAbsent) => match row.row.state {
            PendingState::Parked(ParkReason::Ambiguous) => row.put(|row| {
                (row.state, row.ambiguous, row.error) = (PendingState::Queued, false, None);
            }),
            _ => Step::Keep,
        },
        (P::Blocked | P::Sending | P::Sent, E::ProvenAbsent) => Step::Keep,

        (P::Queued, E::Unprovable) => row.park(ParkReason::Ambiguous),
        (P::Blocked | P::Sending | P::Sent | P::Parked, E::Unprovable) => Step::Keep,

        (P::Queued | P::Sending, E::MediaMissing) => row.park(ParkReason::MissingMedia),
        (P::Blocked | P::Sent | P::Parked, E::MediaMissing) => Step::Keep,

        (P::Blocked | P::Queued | P::Sending, E::Pause) => match Class::of(row.row) {
            Class::Upload => row.park(ParkReason::Paused),
            Class::Event | Class::Signal => Step::Keep,
        },
        (P::Sent | P::Parked, E::Pause) => Step::Keep,
    }
}

/// [`step`] for [`Event::ParentSent`], which depends on nothing else.
pub(super) fn parent_sent(row: &Pending) -> Step {
    let mut next = row.clone();
    match P::of(row) {
        P::Blocked => (next.state, next.parent) = (PendingState::Queued, None),
        // Expired or paused while it waited: it stays where it is and waits for nobody any more.
        P::Parked => next.parent = None,
        P::Queued | P::Sending | P::Sent => {}
    }
    if next == *row { Step::Keep } else { Step::Put(Box::new(next)) }
}

struct Machine<'a> {
    row: &'a Pending,
    context: &'a Context<'a>,
}

impl Machine<'_> {
    fn put(&self, change: impl FnOnce(&mut Pending)) -> Step {
        let mut row = self.row.clone();
        change(&mut row);
        if row == *self.row { Step::Keep } else { Step::Put(Box::new(row)) }
    }

    fn park(&self, reason: ParkReason) -> Step {
        self.put(|row| (row.state, row.lease) = (PendingState::Parked(reason), None))
    }

    fn parent_cancelled(&self, event: &Event) -> Step {
        match event {
            Event::ParentCancelled { cancel: true } => Step::Cancelled,
            _ => self.park(ParkReason::ParentFailed),
        }
    }

    fn lease(&self, event: &Event) -> Step {
        let Event::Lease(Taken { owner, until_ms, device, sync_token, anchor, sealed }) = event else {
            return Step::Keep;
        };
        let now_ms = self.context.now_ms;
        self.put(|row| {
            row.state = PendingState::Sending;
            row.lease = Some(Lease { owner: owner.clone(), until_ms: *until_ms });
            row.fence += 1;
            if row.first_attempt_ms.is_none() {
                row.first_attempt_ms = Some(now_ms);
                (row.sync_token, row.anchor) = (sync_token.clone(), anchor.clone());
                row.device = Some(device.clone());
            }
            row.last_attempt_ms = Some(now_ms);
            if let Some(Sealed { kind, content }) = sealed {
                (row.wire_kind, row.wire) = (Some(kind.clone()), Some(content.clone()));
            }
        })
    }

    fn renew(&self, event: &Event) -> Step {
        let Event::Renew { until_ms } = event else { return Step::Keep };
        self.put(|row| {
            if let Some(lease) = &mut row.lease {
                lease.until_ms = lease.until_ms.max(*until_ms);
            }
        })
    }

    fn lease_lost(&self, event: &Event) -> Step {
        let Event::LeaseLost { until_ms, .. } = event else { return Step::Keep };
        if self.row.lease.as_ref().is_some_and(|lease| lease.until_ms != *until_ms) {
            return Step::Keep;
        }
        self.put(|row| {
            (row.state, row.lease) = (PendingState::Queued, None);
            row.ambiguous = true;
        })
    }

    fn placed(&self, event: &Event) -> Step {
        let Event::Placed(uri) = event else { return Step::Keep };
        self.put(|row| row.remote = Some(uri.clone()))
    }

    fn accepted(&self, event: &Event) -> Step {
        let Event::Accepted(event_id) = event else { return Step::Keep };
        let Some(event_id) = event_id.as_ref().filter(|_| Class::of(self.row) == Class::Event) else {
            return Step::Done;
        };
        self.put(|row| {
            (row.state, row.lease, row.parent) = (PendingState::Sent, None, None);
            (row.event_id, row.error) = (Some(event_id.clone()), None);
        })
    }

    fn failed(&self, event: &Event) -> Step {
        let (Event::Failed { failure, .. } | Event::Unready(failure)) = event else { return Step::Keep };
        let Context { now_ms, chance, options } = *self.context;
        let age_ms = now_ms.saturating_sub(self.row.first_attempt_ms.unwrap_or(now_ms));
        match failure {
            Failure::Transient { ambiguous, counts, error } => {
                let counts = *counts;
                let mut next = self.row.clone();
                (next.state, next.lease) = (PendingState::Queued, None);
                next.attempts = next.attempts.saturating_add(u32::from(counts));
                // What could not be sealed was not sent.
                next.ambiguous |= *ambiguous && matches!(event, Event::Failed { .. });
                next.error = Some(said(error, MAX_SAID_BYTES));
                let delay_ms = match counts {
                    true => options.retry.delay_ms(next.attempts, age_ms, chance),
                    false => options.retry.uncounted_ms(age_ms, chance),
                };
                next.not_before_ms = now_ms.saturating_add_unsigned(delay_ms);
                if counts && options.retry.gives_up(&next) && Class::of(self.row) == Class::Signal {
                    return Step::Cancelled;
                }
                if counts && options.retry.gives_up(&next) {
                    next.state = PendingState::Parked(ParkReason::Refused);
                }
                Step::Put(Box::new(next))
            }
            Failure::RateLimited { until_ms } => self.put(|row| {
                (row.state, row.lease) = (PendingState::Queued, None);
                row.not_before_ms = *until_ms;
            }),
            Failure::Paused => self.put(|row| (row.state, row.lease) = (PendingState::Queued, None)),
            Failure::Permanent { reason, error } => {
                if Class::of(self.row) == Class::Signal {
                    return Step::Cancelled;
                }
                self.put(|row| {
                    (row.state, row.lease) = (PendingState::Parked(*reason), None);
                    row.error = Some(said(error, MAX_SAID_BYTES));
                })
            }
        }
    }

    fn edit(&self, event: &Event) -> Step {
        let Event::Edit(content) = event else { return Step::Keep };
        let refused = matches!(self.row.state, PendingState::Parked(_)) && !self.row.ambiguous;
        if self.row.first_attempt_ms.is_none() {
            self.put(|row| (row.content, row.wire, row.wire_kind) = (content.clone(), None, None))
        } else if refused {
            Step::Replace
        } else {
            Step::Follow
        }
    }

    fn retry(&self) -> Step {
        let Context { now_ms, options, .. } = *self.context;
        if self.row.state == PendingState::Parked(ParkReason::ParentFailed) {
            return Step::Keep;
        }
        let by_hand = self.row.state == PendingState::Parked(ParkReason::Ambiguous);
        self.put(|row| {
            row.state = waiting(row);
            (row.attempts, row.not_before_ms, row.error) = (0, 0, None);
            // The user has decided: it is sent once more.
            row.ambiguous &= !by_hand;
            let later = now_ms.saturating_add_unsigned(options.expiry_ms);
            row.expires_at_ms = row.expires_at_ms.map(|at| if at <= now_ms { later } else { at });
        })
    }

    fn cause_gone(&self, event: &Event) -> Step {
        match (event, self.row.state) {
            (Event::CauseGone(gone), PendingState::Parked(reason)) if *gone == reason => self.put(|row| {
                row.state = waiting(row);
                (row.attempts, row.not_before_ms, row.error) = (0, 0, None);
            }),
            _ => Step::Keep,
        }
    }
}

/// The state to which a parked row returns.
fn waiting(row: &Pending) -> PendingState {
    if row.parent.is_some() { PendingState::Blocked } else { PendingState::Queued }
}
