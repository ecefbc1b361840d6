//! What the subscribers of this context hear, in the order of revisions, each once.

use std::collections::BTreeSet;

use haos_store_api::{ChangeHub, Revision, Touched};

use super::message::Told;

/// A commit of this context, which may have come after commits of others that were not heard.
pub(crate) fn own(hub: &ChangeHub, revision: Revision, touched: BTreeSet<Touched>) {
    let latest = hub.latest();
    if revision <= latest {
        // A later commit of another was told as a resync first, which covers this one.
        return;
    }
    if revision.0 - latest.0 > 1 {
        hub.resync(Revision(revision.0 - 1));
    }
    hub.publish(revision, touched);
}

/// What another context told.
pub(crate) fn other(hub: &ChangeHub, told: Told) {
    let latest = hub.latest();
    match told {
        Told::Commit { revision, touched } if revision.0.checked_sub(latest.0) == Some(1) => {
            hub.publish(revision, touched);
        }
        Told::Commit { revision, .. } | Told::Resync { revision: Some(revision) } => {
            // What is not newer is known.
            if revision > latest {
                hub.resync(revision);
            }
        }
        Told::Resync { revision: None } => hub.resync(latest),
    }
}

#[cfg(test)]
mod tests {
    use haos_store_api::Change;

    use super::*;

    fn commit(n: u64) -> Told {
        Told::Commit { revision: Revision(n), touched: BTreeSet::from([Touched::MediaEvicted]) }
    }

    fn heard(told: impl FnOnce(&ChangeHub)) -> Vec<(bool, u64)> {
        let hub = ChangeHub::new(16, Revision(4));
        let mut changes = hub.subscribe();
        told(&hub);
        std::iter::from_fn(|| changes.try_next())
            .map(|change| (matches!(change, Change::Commit { .. }), change.revision().0))
            .collect()
    }

    #[test]
    fn others_in_order() {
        let told = heard(|hub| (5..8).for_each(|n| other(hub, commit(n))));
        assert_eq!(told, [(true, 5), (true, 6), (true, 7)]);
    }

    #[test]
    fn missed_and_late() {
        // 5 comes after 6, and again; 8 and 9 are never heard.
        let told = heard(|hub| [6, 5, 5, 6, 7, 10, 11].into_iter().for_each(|n| other(hub, commit(n))));
        assert_eq!(told, [(false, 6), (true, 7), (false, 10), (true, 11)]);
    }

    #[test]
    fn unreadable() {
        let told = heard(|hub| {
            other(hub, Told::Resync { revision: None });
            other(hub, Told::Resync { revision: Some(Revision(4)) });
            other(hub, Told::Resync { revision: Some(Revision(9)) });
        });
        assert_eq!(told, [(false, 4), (false, 9)]);
    }

    #[test]
    fn own_after_others() {
        let told = heard(|hub| {
            own(hub, Revision(5), BTreeSet::new());
            // 6 and 7 were others', unheard so far; then they are.
            own(hub, Revision(8), BTreeSet::new());
            other(hub, commit(6));
            other(hub, commit(7));
            // 10 of another is heard before the own 9 is told.
            other(hub, commit(10));
            own(hub, Revision(9), BTreeSet::new());
            own(hub, Revision(11), BTreeSet::new());
        });
        assert_eq!(told, [(true, 5), (false, 7), (true, 8), (false, 10), (true, 11)]);
    }

    #[test]
    fn far_revisions() {
        let told = heard(|hub| {
            other(hub, commit(u64::MAX));
            other(hub, commit(0));
            own(hub, Revision(0), BTreeSet::new());
        });
        assert_eq!(told, [(false, u64::MAX)]);
    }
}
