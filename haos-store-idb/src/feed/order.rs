//! The changes that subscribers of this context hear, in the order of revisions, each once.

use std::cell::Cell;
use std::collections::BTreeSet;

use haos_store_api::backend::ChangeHub;
use haos_store_api::{Revision, Touched};

use super::message::Told;

/// The revisions told here, and the one that the database has confirmed.
///
/// Any script of the origin can post a message, with any revision. The next one is told as it comes. One that is
/// further ahead makes the context ask the database, so that no uncommitted revision is believed. And a commit whose
/// revision was told already counts as known only once the database has been seen at it.
#[derive(Debug)]
pub(crate) struct Order {
    hub: ChangeHub,
    /// The latest revision that the database is known to have reached.
    stored: Cell<Revision>,
    asking: Cell<Asking>,
}

/// The state of the question to the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asking {
    No,
    Once,
    /// A message came that the answer may be too early for.
    Again,
}

impl Order {
    /// Knows nothing of the database before [`Order::saw`].
    pub(crate) fn new(hub: ChangeHub) -> Self {
        Self { hub, stored: Cell::new(Revision::ZERO), asking: Cell::new(Asking::No) }
    }

    /// Takes a commit of this context, which may follow commits of others that were not heard.
    pub(crate) fn own(&self, revision: Revision, touched: BTreeSet<Touched>) {
        let latest = self.hub.latest();
        if revision > latest {
            if revision.0 - latest.0 > 1 {
                self.hub.resync(Revision(revision.0 - 1));
            }
            self.hub.publish(revision, touched);
        } else {
            self.told_before(revision, latest);
        }
        self.stored.set(self.stored.get().max(revision));
    }

    /// Takes another context's message. Tells whether to ask the database for its revision now, for [`Order::stored`].
    #[must_use = "a revision further ahead is told once the database was asked"]
    pub(crate) fn other(&self, told: Told) -> bool {
        let latest = self.hub.latest();
        match told {
            Told::Commit { revision, touched } if revision.0.checked_sub(latest.0) == Some(1) => {
                self.hub.publish(revision, touched);
            }
            Told::Commit { revision, .. } | Told::Resync { revision: Some(revision) }
                if revision > latest =>
            {
                let asked = self.asking.get() != Asking::No;
                self.asking.set(if asked { Asking::Again } else { Asking::Once });
                return !asked;
            }
            Told::Commit { revision, .. } | Told::Resync { revision: Some(revision) } => {
                self.told_before(revision, latest);
            }
            Told::Resync { revision: None } => self.hub.resync(latest),
        }
        false
    }

    /// Takes the database's `revision`; `None` if it did not answer. Tells whether to ask it again.
    #[must_use = "later messages are told once the database was asked again"]
    pub(crate) fn answered(&self, revision: Option<Revision>) -> bool {
        match revision {
            Some(revision) => self.saw(revision),
            None => self.hub.resync(self.hub.latest()),
        }
        let again = self.asking.get() == Asking::Again;
        self.asking.set(if again { Asking::Once } else { Asking::No });
        again
    }

    /// Notes that the database was seen at `revision`.
    pub(crate) fn saw(&self, revision: Revision) {
        if revision > self.hub.latest() {
            self.hub.resync(revision);
        }
        self.stored.set(self.stored.get().max(revision));
    }

    /// Takes a commit that is not later than the latest one told. Up to the revision at which the database was seen a
    /// resync covered it, or it was told itself; beyond, the one told may have been another.
    fn told_before(&self, revision: Revision, latest: Revision) {
        if revision > self.stored.get() {
            self.hub.resync(latest);
        }
    }
}

#[cfg(test)]
mod tests {
    use haos_store_api::Change;

    use super::*;

    fn commit(n: u64) -> Told {
        Told::Commit { revision: Revision(n), touched: BTreeSet::from([Touched::MediaEvicted]) }
    }

    /// Lists the changes that a subscriber hears, from revision 4 on: true for a commit, and its revision.
    fn heard(told: impl FnOnce(&Order)) -> Vec<(bool, u64)> {
        let hub = ChangeHub::new(16, Revision(4));
        let mut changes = hub.subscribe();
        let order = Order::new(hub);
        order.saw(Revision(4));
        told(&order);
        std::iter::from_fn(|| changes.try_next())
            .map(|change| (matches!(change, Change::Commit { .. }), change.revision().0))
            .collect()
    }

    fn own(order: &Order, n: u64) {
        order.own(Revision(n), BTreeSet::new());
    }

    #[test]
    fn others_in_order() {
        let told = heard(|order| assert!((5..8).all(|n| !order.other(commit(n)))));
        assert_eq!(told, [(true, 5), (true, 6), (true, 7)]);
    }

    #[test]
    fn missed_and_late() {
        let told = heard(|order| {
            // 5 comes after 6, and again; 8 and 9 are never heard.
            assert!(order.other(commit(6)));
            assert!(!order.answered(Some(Revision(6))));
            assert!([5, 5, 6, 7].into_iter().all(|n| !order.other(commit(n))));
            assert!(order.other(commit(10)));
            assert!(!order.answered(Some(Revision(10))));
            assert!(!order.other(commit(11)));
        });
        assert_eq!(told, [(false, 6), (true, 7), (false, 10), (true, 11)]);
    }

    #[test]
    fn one_question_serves_all_that_come_meanwhile() {
        let told = heard(|order| {
            assert!(order.other(commit(6)));
            assert!(!order.other(commit(5)), "the next one is told at once");
            assert!(!order.other(commit(8)));
            assert!(!order.other(commit(9)));
            assert!(order.answered(Some(Revision(7))), "9 may be later than the answer");
            assert!(!order.answered(Some(Revision(9))));
            assert!(!order.other(commit(8)));
            assert!(order.other(commit(11)), "the next one asks again");
        });
        assert_eq!(told, [(true, 5), (false, 7), (false, 9)]);
    }

    #[test]
    fn unreadable() {
        let told = heard(|order| {
            assert!(!order.other(Told::Resync { revision: None }));
            assert!(!order.other(Told::Resync { revision: Some(Revision(4)) }));
            assert!(order.other(Told::Resync { revision: Some(Revision(9)) }));
            assert!(!order.answered(Some(Revision(9))));
        });
        assert_eq!(told, [(false, 4), (false, 9)]);
    }

    #[test]
    fn a_large_batch_is_the_next_one() {
        let told = heard(|order| {
            assert!(order.other(Told::Resync { revision: Some(Revision(5)) }));
            assert!(!order.answered(Some(Revision(5))));
            assert!(!order.other(commit(6)));
        });
        assert_eq!(told, [(false, 5), (true, 6)]);
    }

    #[test]
    fn own_after_others() {
        let told = heard(|order| {
            own(order, 5);
            // 6 and 7 were others', unheard so far; then they are.
            own(order, 8);
            assert!(!order.other(commit(6)));
            assert!(!order.other(commit(7)));
            // 10 of another is heard before the own 9 is told.
            assert!(order.other(commit(10)));
            assert!(!order.answered(Some(Revision(10))));
            own(order, 9);
            own(order, 11);
        });
        assert_eq!(told, [(true, 5), (false, 7), (true, 8), (false, 10), (true, 11)]);
    }

    /// 2^64 - 1 would silence every commit that follows.
    #[test]
    fn a_revision_that_nobody_committed_mutes_nothing() {
        let told = heard(|order| {
            for forged in [commit(u64::MAX), Told::Resync { revision: Some(Revision(u64::MAX)) }] {
                assert!(order.other(forged));
                assert!(!order.answered(Some(Revision(4))));
            }
            own(order, 5);
            assert!(!order.other(commit(6)));
            assert!(!order.other(commit(0)));
            own(order, 7);
        });
        assert_eq!(told, [(true, 5), (true, 6), (true, 7)]);
    }

    /// The next revisions are believed as they come; the true commits are not confused with them.
    #[test]
    fn one_that_runs_ahead_mutes_nothing() {
        let told = heard(|order| {
            assert!((5..=7).all(|n| !order.other(commit(n))));
            own(order, 5);
            assert!(!order.other(commit(6)));
            assert!(!order.other(Told::Resync { revision: Some(Revision(7)) }));
            order.saw(Revision(7));
            assert!(!order.other(commit(7)));
            own(order, 8);
        });
        assert_eq!(told, [(true, 5), (true, 6), (true, 7), (false, 7), (false, 7), (false, 7), (true, 8)]);
    }

    #[test]
    fn without_an_answer_everything_is_read_again() {
        let told = heard(|order| {
            assert!(order.other(commit(u64::MAX)));
            assert!(!order.answered(None));
            assert!(!order.other(commit(5)));
            assert!(order.other(commit(u64::MAX)), "and the next one asks again");
        });
        assert_eq!(told, [(false, 4), (true, 5)]);
    }
}
