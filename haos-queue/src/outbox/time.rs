//! The store's clock: read, and written down for other contexts and later runs.

use std::sync::PoisonError;

use haos_store_api::{EventType, Json, Result, Scope, StateEntry, StateKey, StateQuery, WriteBatch};

use super::Shared;
use crate::clock::{Clock, Noted, Reading};
use crate::unless_conflict;

/// Under this kind, in the account's scope, a store holds what is known of its clock.
pub const CLOCK: &str = "haos.clock";

/// The number of tries, before a conflict is left to the next time.
const TRIES: u32 = 8;

impl Shared {
    /// The store's clock, which nobody sets; [`crate::Host::now_ms`] is the wall's.
    pub(crate) fn now_ms(&self) -> i64 {
        self.with_clock(|clock, read| clock.at(read))
    }

    /// How long ago a moment of the store's clock is; none where nobody can say.
    pub(crate) fn age_ms(&self, moment_ms: i64) -> Option<u64> {
        self.with_clock(|clock, read| {
            clock.at(read);
            clock.age_ms(moment_ms)
        })
    }

    /// Tells if a moment of the store's clock is to come, and was written by another clock.
    pub(crate) fn is_ahead(&self, moment_ms: i64) -> bool {
        self.with_clock(|clock, read| {
            clock.at(read);
            clock.is_ahead(moment_ms)
        })
    }

    /// A moment of the store's clock as the wall clock will show it.
    pub(crate) fn on_the_wall(&self, moment_ms: i64) -> i64 {
        self.with_clock(|clock, _| clock.on_the_wall(moment_ms))
    }

    /// Takes up what other contexts and earlier runs wrote down of the clock. Gives that as it is stored.
    pub(crate) async fn keep_time(&self) -> Result<Option<Json>> {
        let query = StateQuery::one(Scope::Account, EventType::new(CLOCK)?, StateKey::new("")?);
        let held = self.store.state(query).await?.into_iter().next().map(|entry| entry.value);
        // An unreadable note is overwritten.
        let noted = held.as_ref().and_then(|value| value.parse().ok());
        self.with_clock(|clock, read| {
            clock.at(read);
            clock.take_up(noted, read);
        });
        Ok(held)
    }

    /// Adds to a batch what the store should know of its clock, if it is news; `held`: what it knows. To be handed
    /// to [`Shared::told_time`] once it is committed.
    pub(crate) fn tell_time(&self, batch: &mut WriteBatch, held: Option<Json>) -> Result<Option<Noted>> {
        let Some(news) = self.with_clock(|clock, read| {
            clock.at(read);
            clock.news()
        }) else {
            return Ok(None);
        };
        let (kind, key) = (EventType::new(CLOCK)?, StateKey::new("")?);
        batch.expect_state(Scope::Account, kind.clone(), key.clone(), held);
        let value = Json::of(&news)?;
        batch.put_state(StateEntry { scope: Scope::Account, kind, key, event_id: None, value });
        Ok(Some(news))
    }

    pub(crate) fn told_time(&self, told: Option<Noted>) {
        if let Some(told) = told {
            self.with_clock(|clock, _| clock.told(told));
        }
    }

    /// Writes down that somebody set the wall clock, so that it holds in every context and the next run; where the
    /// clock is `in_use`, from time to time also how far it came.
    pub(crate) async fn note_time(&self, in_use: bool) -> Result<()> {
        for _ in 0..TRIES {
            let is_untold = self.with_clock(|clock, read| {
                clock.at(read);
                clock.is_untold(in_use)
            });
            if !is_untold {
                return Ok(());
            }
            let held = self.keep_time().await?;
            let mut batch = WriteBatch::relaxed();
            let told = self.tell_time(&mut batch, held)?;
            if unless_conflict(self.store.apply(batch).await)?.is_some() {
                self.told_time(told);
                return Ok(());
            }
        }
        Ok(())
    }

    fn with_clock<T>(&self, act: impl FnOnce(&mut Clock, Reading) -> T) -> T {
        let mut held = self.clock.lock().unwrap_or_else(PoisonError::into_inner);
        // Read under the lock, so that readings come in their order.
        let read = Reading { wall_ms: self.host.now_ms(), steady_ms: self.host.steady_ms() };
        act(held.get_or_insert_with(|| Clock::resume(None, read)), read)
    }
}
