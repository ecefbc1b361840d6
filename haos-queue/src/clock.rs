//! Time as it was lived through.
//!
//! The clock on the wall is set: by years when a machine that booted in 1970 hears of the network, back when
//! somebody wants another day in a game. What an outbox measures (an age, a wait, a lease) goes by the *store's
//! clock* instead: within a run it goes on as the machine's steady clock does, and what the wall clock claims
//! beside that is not believed. From one run to the next the wall clock is all there is; it is believed as far as
//! that can be so (`docs/semantics.md`, "Clocks").

use haos_store_api::Json;
use serde::{Deserialize, Serialize};

/// The most that two clocks differ without one of them having been set.
const TOLERANCE_MS: i64 = 10_000;

/// Nobody leaves a store alone for so long: a wall clock that says so was set.
const CREDIBLE_MS: i64 = 366 * 24 * 3_600_000;

/// The time after which a store is told again how far the clock came.
const NOTED_MS: i64 = 3_600_000;

/// A reading of a machine's clocks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Reading {
    /// Milliseconds since 1970, as somebody set it.
    pub(crate) wall_ms: i64,
    /// Milliseconds since whenever; it only goes on.
    pub(crate) steady_ms: u64,
}

/// The note that a store has of its clock.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Noted {
    /// The store's clock is the wall clock and this.
    offset_ms: i64,
    /// A moment that the store's clock has reached.
    seen_ms: i64,
    /// How old what happened at this moment or before is, nobody can say for sure.
    doubt_ms: i64,
}

impl Noted {
    /// Reads the note of a store: without one, nobody has set its clock.
    pub(crate) fn read(value: Option<&Json>) -> Self {
        let unset = Self { doubt_ms: i64::MIN, ..Self::default() };
        value.and_then(|value| value.parse().ok()).unwrap_or(unset)
    }

    /// A moment of this clock as another one has it. None where nobody can say how old it is.
    pub(crate) fn moment_of(&self, other: &Self, moment_ms: i64) -> Option<i64> {
        let wall_ms = moment_ms.saturating_sub(self.offset_ms);
        (moment_ms > self.doubt_ms).then_some(wall_ms.saturating_add(other.offset_ms))
    }
}

/// The store's clock. Its moments are milliseconds since 1970 as long as nobody sets the wall clock.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    read: Reading,
    now_ms: i64,
    offset_ms: i64,
    doubt_ms: i64,
    /// The store's note, if it has one.
    noted: Option<Noted>,
}

impl Clock {
    /// The clock of a store that knows this of it.
    pub(crate) fn resume(noted: Option<Noted>, read: Reading) -> Self {
        let Some(held) = noted else {
            let (now_ms, doubt_ms) = (read.wall_ms, i64::MIN);
            return Self { read, now_ms, offset_ms: 0, doubt_ms, noted };
        };
        let shown_ms = read.wall_ms.saturating_add(held.offset_ms);
        let gone_ms = shown_ms.saturating_sub(held.seen_ms);
        let believed = (-TOLERANCE_MS..=CREDIBLE_MS).contains(&gone_ms);
        // Nobody knows how long it was: surely not less than nothing.
        let now_ms = if believed { shown_ms.max(held.seen_ms) } else { held.seen_ms };
        // Time after the last note counts, too: it is noted in time for that.
        let unseen_ms = held.seen_ms.saturating_add(2 * NOTED_MS);
        let doubt_ms = if believed { held.doubt_ms } else { unseen_ms };
        Self { read, now_ms, offset_ms: now_ms.saturating_sub(read.wall_ms), doubt_ms, noted }
    }

    /// The store's clock now.
    pub(crate) fn at(&mut self, read: Reading) -> i64 {
        let lived_ms = read.steady_ms.saturating_sub(self.read.steady_ms);
        self.now_ms = self.now_ms.saturating_add_unsigned(lived_ms);
        self.read = Reading { steady_ms: read.steady_ms.max(self.read.steady_ms), ..read };
        let shown_ms = read.wall_ms.saturating_add(self.offset_ms);
        if shown_ms.abs_diff(self.now_ms) > TOLERANCE_MS.unsigned_abs() {
            // Somebody set the wall clock; or the machine slept, and its steady clock with it.
            self.doubt_ms = self.doubt_ms.max(self.now_ms);
            self.offset_ms = self.now_ms.saturating_sub(read.wall_ms);
        }
        self.now_ms
    }

    /// Takes up what the store knows, where somebody else has changed that.
    pub(crate) fn take_up(&mut self, noted: Option<Noted>, read: Reading) {
        if noted.is_some() && noted != self.noted {
            let doubt_ms = self.doubt_ms;
            *self = Self::resume(noted, read);
            self.doubt_ms = self.doubt_ms.max(doubt_ms);
        }
    }

    /// Returns the note that the store lacks: that the wall clock was set, or how far this one came.
    pub(crate) fn news(&self) -> Option<Noted> {
        let news = Noted { offset_ms: self.offset_ms, seen_ms: self.now_ms, doubt_ms: self.doubt_ms };
        let known = self.noted.is_some_and(|noted| {
            noted.offset_ms.abs_diff(news.offset_ms) <= TOLERANCE_MS.unsigned_abs()
                && noted.doubt_ms == news.doubt_ms
                && news.seen_ms.saturating_sub(noted.seen_ms) < NOTED_MS
        });
        (!known).then_some(news)
    }

    /// The store knows this now.
    pub(crate) fn told(&mut self, noted: Noted) {
        self.noted = Some(noted);
    }

    /// Tells if the store must be told at once: the wall clock was set. `in_use`: also where it was told long ago.
    pub(crate) fn is_untold(&self, in_use: bool) -> bool {
        in_use && self.noted.is_some() && self.news().is_some() || self.is_set()
    }

    /// Tells if the wall clock was set since the store was told.
    fn is_set(&self) -> bool {
        let (offset_ms, doubt_ms) =
            self.noted.map_or((0, i64::MIN), |noted| (noted.offset_ms, noted.doubt_ms));
        offset_ms.abs_diff(self.offset_ms) > TOLERANCE_MS.unsigned_abs() || doubt_ms != self.doubt_ms
    }

    /// How long ago a moment is; none where nobody can say. A run before this one may have been a little ahead: what
    /// it did in its last moments is now.
    pub(crate) fn age_ms(&self, moment_ms: i64) -> Option<u64> {
        let age_ms = self.now_ms.saturating_sub(moment_ms).max(0).unsigned_abs();
        (moment_ms > self.doubt_ms && !self.is_ahead(moment_ms)).then_some(age_ms)
    }

    /// Tells if a moment is further ahead than clocks may differ: it is of another time.
    pub(crate) fn is_ahead(&self, moment_ms: i64) -> bool {
        moment_ms.saturating_sub(self.now_ms) > TOLERANCE_MS
    }

    /// A moment as the wall clock will show it.
    pub(crate) fn on_the_wall(&self, moment_ms: i64) -> i64 {
        moment_ms.saturating_sub(self.offset_ms)
    }
}

#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod tests;
