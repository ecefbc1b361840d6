//! The history before a segment, as a batch has it, and the batch's expectations of the store.

use super::*;

/// Events named `begin` begin a room, if this knows what does.
struct Begins(bool);

impl Protocol for Begins {
    fn is_beginning(&self, kind: &EventType) -> Option<bool> {
        self.0.then(|| kind.as_str() == "begin")
    }
}

type View<'a> = &'a dyn Fn(&SyncDelta) -> SyncView;

fn view_of(timeline: &str, delta: &SyncDelta) -> SyncView {
    now(sync_view(&store(timeline), delta, (None, &PlainProtocol), MARGINS[0])).unwrap()
}

fn gaps(batch: &WriteBatch) -> Vec<Option<String>> {
    let gap = |op: &Op| match op {
        Op::PutGap(gap) => Some(gap.token.clone()),
        _ => None,
    };
    batch.ops().iter().filter_map(gap).collect()
}

/// A gap is owed by what was left out, and where a joined room's history was never looked at.
#[test]
fn a_gap_is_owed_where_something_may_be_older() {
    let unknown = |_: &SyncDelta| SyncView::default();
    let empty = |delta: &SyncDelta| view_of("", delta);
    let guess = |delta: &SyncDelta| view_of("~x", delta);
    let known = |delta: &SyncDelta| view_of("x", delta);
    // A view that shows none of what is stored.
    let narrow = |delta: &SyncDelta| {
        let mut view = view_of("~x", delta);
        view.rooms.get_mut(&room()).unwrap().window.older = true;
        view
    };
    let views: [(bool, View<'_>); 5] =
        [(true, &unknown), (true, &empty), (true, &guess), (false, &known), (false, &narrow)];
    for (is_empty, view) in views {
        for bits in 0..32u32 {
            let [limited, initial, says, begins, prev] = [0, 1, 2, 3, 4].map(|bit| bits >> bit & 1 == 1);
            for knows in [true, false] {
                for membership in [Membership::Join, Membership::Leave] {
                    let first = event(if begins { "a!" } else { "a" });
                    let timeline = if says { vec![first] } else { Vec::new() };
                    let prev = prev.then(|| "p".to_owned());
                    let brought = RoomDelta {
                        timeline,
                        limited,
                        prev: prev.clone(),
                        ..RoomDelta::new(room(), membership)
                    };
                    let delta = SyncDelta { initial, rooms: vec![brought], ..SyncDelta::default() };
                    let view = view(&delta);
                    let goes_on = is_empty && says && knows && !begins && prev.is_some();
                    let owed = match (limited, initial && says) {
                        (true, _) => true,
                        (_, true) => false,
                        _ => goes_on && membership == Membership::Join,
                    };
                    // Known messages do not follow the room's first event at once.
                    let between = !is_empty && says && begins && knows && !limited;
                    let expected = match (owed, between) {
                        (true, _) => vec![prev],
                        (_, true) => vec![None],
                        _ => vec![],
                    };
                    let batch = match sync(&delta, &view, &Begins(knows)) {
                        Ok(batch) => batch,
                        Err(e) => {
                            assert!(e == PlanError::Narrow && view.rooms.get(&room()).unwrap().window.older);
                            continue;
                        }
                    };
                    assert_eq!(gaps(&batch), expected, "{bits:05b} {knows} {membership:?} {view:?}");
                }
            }
        }
    }
}

/// Of two contexts that plan on the same rows, one writes.
#[test]
fn a_batch_expects_what_it_was_planned_on() {
    let brought = SyncDelta { next: Some("s2".to_owned()), ..delta(events("b")) };
    let held = store("a |t");
    let view = now(sync_view(&held, &brought, (None, &PlainProtocol), MARGINS[0])).unwrap();
    let revision = view.rooms.get(&room()).unwrap().room.revision;
    let batch = sync(&brought, &view, &PlainProtocol).unwrap();
    assert_eq!(batch.preconditions()[0], Precondition::Room(room(), Some(revision)));
    let batch = sync(&brought, &SyncView::default(), &PlainProtocol).unwrap();
    assert_eq!(batch.preconditions()[0], Precondition::Room(room(), None));

    let (gap, page) = (gap(&held), page(events("b"), None));
    let view = now(fill_view(&held, &gap, &page, (None, &PlainProtocol), MARGINS[0])).unwrap().unwrap();
    let batch = fill(&page, &view, &PlainProtocol).unwrap();
    let expected = [
        Precondition::Gap(room(), gap.position, Some(gap.revision)),
        Precondition::Room(room(), Some(revision)),
    ];
    assert_eq!(batch.preconditions(), expected);
}

/// A page without an end, or an empty one below which the room begins, closes its gap.
#[test]
fn history_ends_where_the_server_or_the_room_says_so() {
    // The stored timeline, the page, if it is known how a room begins, and the rest.
    for (stored, brought, end, knows, left) in [
        ("|t a! b", "", Some("u"), true, "a b"),
        ("|t a b", "", Some("u"), true, "|u a b"),
        ("|t a b!", "", Some("u"), true, "|u a b"),
        ("|t a! b", "", Some("u"), false, "|u a b"),
        ("|t a! b", "x", Some("u"), true, "|u x a b"),
        ("|t a b", "", None, true, "a b"),
        ("|t a b", "x", None, true, "x a b"),
        ("|t ~a! b", "", Some("u"), true, "|u ~a b"),
        ("|t", "", Some("u"), true, "|u"),
        ("a! |t b", "", Some("u"), true, "a |u b"),
        ("a! |t", "", Some("u"), true, "a |u"),
    ] {
        let store = store(stored);
        let page = page(events(brought), end);
        let held = gap(&store);
        assert_eq!(now(apply_page(&store, &held, &page, None, &Begins(knows))).unwrap(), Filled::Applied);
        assert_eq!(timeline(&store), left, "{stored} {brought} {end:?} {knows}");
    }
}

/// An answer that a server kept from before what is stored came, as Synapse's to a first sync for two minutes: it
/// begins with the room, so that whatever it lacks is newer.
#[test]
fn what_begins_with_the_room_precedes_what_it_lacks() {
    let many = (0..3000).map(|n| format!("m{n}")).collect::<Vec<_>>().join(" ");
    // The stored timeline, before and after.
    for (stored, after) in [
        ("|t m", "a b |t m"),
        ("|t m n", "a b |t m n"),
        ("|t m |u", "a b |t m |u"),
        ("m", "a b | m"),
        ("~p |t m", "a b ~p |t m"),
        ("|t ~p m", "a b |t ~p m"),
        ("~p m", "a b | ~p m"),
        ("m ~p", "a b | m ~p"),
        (&format!("|t {many}"), &format!("a b |t {many}")),
        (&many, &format!("a b | {many}")),
        // Its own events, or none that are known.
        ("|t b m", "a b m"),
        ("a m", "a b m"),
        ("b", "a b"),
        ("~b |t m", "a b |t m"),
        ("", "a b"),
        ("~p", "~p a b"),
        ("|t", "a b"),
    ] {
        for initial in [true, false] {
            let store = store(stored);
            let brought = SyncDelta { initial, ..delta(events("a! b")) };
            now(apply_sync(&store, &brought, None, &Begins(true))).unwrap();
            assert_eq!(timeline(&store), after, "{initial} {stored:.20}");
        }
    }
    // Where nobody knows what begins a room, what comes is news.
    let store = store("|t m");
    let brought = SyncDelta { initial: true, ..delta(events("a! b")) };
    now(apply_sync(&store, &brought, None, &Begins(false))).unwrap();
    assert_eq!(timeline(&store), "|t m a b");
}

/// An answer about a room that says nothing of its timeline leaves that alone.
#[test]
fn an_answer_without_events_leaves_the_timeline() {
    for stored in ["", "a", "a |t", "|t a ~b"] {
        let store = store(stored);
        synced(&store, &delta(Vec::new()));
        assert_eq!(timeline(&store), stored);
    }
}
