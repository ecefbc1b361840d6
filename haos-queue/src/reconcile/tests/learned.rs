//! The news of a later copy of an event.

use super::*;

/// A copy with what one of two may know.
fn copy(txn_id: Option<&str>, by: Option<&str>) -> Event {
    let content = if by.is_some() { Json::empty() } else { event("a").content };
    Event { txn_id: txn_id.map(txn), redacted_by: by.map(id), content, ..event("a") }
}

/// A transaction id is learned once, a redaction at any time, by a sync and by a page; nothing is unlearned.
#[test]
fn a_later_copy_teaches_its_transaction_and_its_redaction() {
    for by_page in [false, true] {
        for held in [(None, None), (Some("t1"), None), (None, Some("r1")), (Some("t1"), Some("r1"))] {
            for new in [(None, None), (Some("t2"), None), (None, Some("r2")), (Some("t2"), Some("r2"))] {
                let store = store("|t");
                apply(&store, |batch| {
                    batch.put_message(copy(held.0, held.1).into_message(room(), at(200)));
                });
                let brought = vec![copy(new.0, new.1)];
                match by_page {
                    true => drop(filled(&store, &gap(&store), &page(brought, Some("u")))),
                    false => drop(synced(&store, &delta(brought))),
                }
                let stored = message(&store, "a");
                let expected = copy(held.0.or(new.0), held.1.or(new.1)).into_message(room(), at(200));
                assert_eq!(stored, expected, "{held:?} {new:?}");
            }
        }
    }
}

/// A provisional message is placed for good by the first copy that comes, whatever that knows.
#[test]
fn a_guess_is_placed_by_its_copy() {
    for (brought, then) in [("x a", "k x a"), ("a x", "k a x"), ("x", "k ~a x")] {
        let store = store("k ~a");
        synced(&store, &delta(events(brought)));
        assert_eq!(timeline(&store), then);
    }
    let store = store("k");
    apply(&store, |batch| {
        let known = Event { txn_id: Some(txn("t1")), ..event("a") };
        batch.put_message(Message { provisional: true, ..known.into_message(room(), at(200)) });
    });
    synced(&store, &delta(events("a")));
    let placed = message(&store, "a");
    assert_eq!((placed.provisional, placed.txn_id), (false, Some(txn("t1"))), "it is what the answer said");
}

/// An event that a redaction of the same answer, or a stored one, is about is empty; others are not.
#[test]
fn a_redaction_empties_its_target_wherever_that_is() {
    let redacts = |name: &str, target: &str| Event {
        relation: Some(Relation { kind: RelationKind::Redaction, target: id(target), key: None }),
        ..event(name)
    };
    let empty = |store: &MemoryStore, name: &str| {
        let stored = message(store, name);
        assert_eq!(stored.content == Json::empty(), stored.redacted_by.is_some());
        stored.redacted_by
    };
    // In the store before, in the same answer, after it.
    let held = store("a b");
    synced(&held, &delta(vec![redacts("r", "a"), event("c")]));
    assert_eq!((empty(&held, "a"), empty(&held, "b")), (Some(id("r")), None));
    synced(&held, &delta(vec![event("d"), redacts("s", "d"), redacts("u", "later"), redacts("v", "a")]));
    assert_eq!((empty(&held, "d"), empty(&held, "a")), (Some(id("s")), Some(id("r"))));
    synced(&held, &delta(events("later")));
    assert_eq!((empty(&held, "later"), empty(&held, "c")), (Some(id("u")), None));
    assert_eq!(synced(&held, &delta(events("later"))), Synced::Unchanged);
    // A later event's other differences leave it as it is.
    let reaction =
        Some(Relation { kind: RelationKind::Reaction, target: id("liked"), key: Some("+".to_owned()) });
    synced(&held, &delta(vec![Event { relation: reaction, ..event("y") }]));
    synced(&held, &delta(events("liked")));
    assert_eq!(empty(&held, "liked"), None);
    // A redaction that was redacted before its target came empties nothing, when it comes again neither.
    synced(&held, &delta(vec![redacts("w", "spared"), redacts("x", "w")]));
    synced(&held, &delta(events("spared")));
    synced(&held, &delta(vec![redacts("w", "spared")]));
    assert_eq!((empty(&held, "w"), empty(&held, "spared")), (Some(id("x")), None));
}

/// One id twice in an answer is one event.
#[test]
fn an_event_that_comes_twice_is_one() {
    let store = store("a");
    synced(&store, &delta(events("b c b")));
    assert_eq!(timeline(&store), "a b c");
}
