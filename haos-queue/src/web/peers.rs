//! A term's talk with other contexts: if anybody sends.

use super::left::is_left;
use super::signal::Signal;
use super::term::{Local, Term};

/// The number of questions without an answer after which a leader is missed.
const QUESTIONS: u32 = 3;

impl Term<'_> {
    /// Backoff was forgotten in this context: so it is where rows are sent.
    pub(super) fn nudged(&mut self) {
        if !self.sends() {
            Signal::TryNow.post(self.channel.as_ref());
        } else if self.run.is_none() || self.stopping {
            // Somebody asks for it, who may know more of the network than the browser does.
            (self.reset, self.offline) = (true, None);
        }
    }

    pub(super) fn signal(&mut self, signal: &Signal) {
        match signal {
            Signal::Ask if self.sends() => self.alive(),
            // One question is enough for all who wait.
            Signal::Ask if self.look.is_some() => self.look_later(),
            Signal::Ask => {}
            Signal::TryNow if self.sends() => self.driver.outbox.try_now(),
            Signal::TryNow => {}
            Signal::Alive(who) => {
                self.asked = 0;
                self.deputies = !who.is_empty();
                // The leader is back; or, of two deputies, one goes on.
                self.deputy &= self.deputies && *who > self.driver.outbox.shared.owner;
            }
        }
    }

    pub(super) fn alive(&self) {
        let name = if self.lock.is_some() { "" } else { &self.driver.outbox.shared.owner };
        Signal::Alive(name.to_owned()).post(self.channel.as_ref());
    }

    /// A leader is missed only where something is left to send.
    pub(super) fn look(&mut self, left: bool) {
        if self.sends() && !self.deputy {
            return;
        }
        if !left || self.channel.is_none() {
            (self.asked, self.deputy) = (0, false);
            return;
        }
        if self.asked + 1 < QUESTIONS {
            self.asked += 1;
        } else if !self.deputy {
            self.deputy = true;
            self.alive();
        }
        // A deputy goes on asking, to step back when the leader is there again.
        Signal::Ask.post(self.channel.as_ref());
        self.look_later();
    }

    /// Looks after a while whether a leader is missed.
    pub(super) fn look_later(&mut self) {
        let (outbox, wait_ms) = (self.driver.outbox.clone(), self.options.patience_ms / u64::from(QUESTIONS));
        self.look = (self.locks && self.lock.is_none()).then(|| -> Local<bool> {
            Box::pin(async move {
                outbox.host().sleep(wait_ms).await;
                // A store that cannot be read says nothing.
                is_left(&outbox).await.unwrap_or(true)
            })
        });
    }
}
