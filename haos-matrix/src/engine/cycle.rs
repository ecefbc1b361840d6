use haos_queue::{PauseReason, SyncState};
use haos_store_api::{Change, Error, ErrorKind, Result, Scope, Touched};
use tokio::sync::watch;

use super::Engine;
use super::step::{Brought, Memory, Moment, Next, Outcome, step};

impl Engine {
    /// One request after the other.
    pub(super) async fn cycle(&self) -> Result<()> {
        let inner = &*self.inner;
        let (mut memory, mut first_ms) = (Memory::default(), None);
        let mut nudges = inner.outbox.nudges();
        inner.outbox.sync_state(SyncState::Connecting);
        loop {
            nudges.mark_unchanged();
            let turn = self.turn(&memory, &mut first_ms).await;
            let (now_ms, chance) = (self.now_ms(), inner.outbox.host().random());
            let at = Moment { now_ms, chance, retry: &inner.options.retry };
            let (after, next) = step(memory, turn.asked, &turn.outcome, &at);
            tracing::debug!(outcome = kind(&turn.outcome), next = ?next, "synced");
            memory = after;
            self.tell(&memory, &next);
            match next {
                Next::Go => {}
                Next::Back => inner.outbox.try_now(),
                Next::Rest(ms) => drop(self.wait(ms, false, &mut nudges).await),
                Next::Wait { ms, firm, .. } => {
                    if self.wait(ms, firm, &mut nudges).await {
                        memory = memory.nudged(self.now_ms());
                    }
                }
                Next::Pause { reason, told } => {
                    let told = told.then_some((reason, turn.resumed));
                    match self.until_resumed(told).await {
                        Err(e) if e.kind() == ErrorKind::Closed => return Err(e),
                        Err(_) => drop(self.wait(inner.options.retry.cap_ms, false, &mut nudges).await),
                        Ok(()) => {}
                    }
                }
                Next::End => match turn.outcome {
                    Outcome::Store(e) => return Err(e),
                    _ => continue,
                },
            }
        }
    }

    fn tell(&self, memory: &Memory, next: &Next) {
        let inner = &*self.inner;
        let state = match next {
            Next::Wait { ms, error, .. } => Some(SyncState::Failing {
                error: error.clone(),
                next_try_ms: self.now_ms().saturating_add_unsigned(*ms),
            }),
            _ if memory.live => Some(SyncState::Live),
            _ if memory.fresh => Some(SyncState::CatchingUp(haos_queue::SyncProgress::default())),
            _ => None,
        };
        if let Some(state) = state {
            inner.outbox.sync_state(state);
        }
        if !memory.live {
            self.nobody_types();
        }
        inner.live.send_if_modified(|live| std::mem::replace(live, memory.live) != memory.live);
    }

    /// Waits; whether a nudge ended it. What is firm is waited whatever happens.
    async fn wait(&self, ms: u64, firm: bool, nudges: &mut watch::Receiver<u64>) -> bool {
        let sleep = self.inner.outbox.host().sleep(ms);
        tokio::select! {
            biased;
            nudged = nudges.changed(), if !firm => nudged.is_ok(),
            () = sleep => false,
        }
    }

    /// Waits until the account is not paused; writes down first what the server said to a request that
    /// began when the account had been resumed this number of times.
    async fn until_resumed(&self, told: Option<(PauseReason, u64)>) -> Result<()> {
        let outbox = &self.inner.outbox;
        let mut changes = outbox.store().changes();
        if let Some((reason, resumed)) = told {
            outbox.refused(reason, resumed).await?;
        }
        while outbox.paused(None).await?.is_some() {
            loop {
                match changes.next().await {
                    Some(Change::Commit { touched, .. })
                        if !touched.contains(&Touched::State(Scope::Account)) => {}
                    Some(_) => break,
                    None => return Err(Error::new(ErrorKind::Closed, "sync", "the store is closed")),
                }
            }
        }
        Ok(())
    }
}

/// Names an outcome for logs.
fn kind(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Applied(Brought::News) => "applied",
        Outcome::Applied(Brought::Token) => "a token",
        Outcome::Applied(Brought::Nothing) => "nothing",
        Outcome::Stale => "stale",
        Outcome::Nudged => "nudged",
        Outcome::Failed(_) => "failed",
        Outcome::Unreadable(_) => "unreadable",
        Outcome::TooMuch(_) => "too much",
        Outcome::Paused(_) => "paused",
        Outcome::Store(_) => "store",
    }
}
