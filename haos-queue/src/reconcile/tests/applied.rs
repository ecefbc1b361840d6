//! Reading, planning and applying while others write.

use std::sync::Mutex;

use async_trait::async_trait;

use super::*;
use crate::{SpaceLink, StateAt};

/// A store in which somebody else writes just before what is applied, as long as there is something to write.
#[derive(Debug)]
struct Contended {
    rows: MemoryStore,
    /// The writes of others, the next last.
    others: Mutex<Vec<WriteBatch>>,
    /// How often something was applied here.
    tries: Mutex<usize>,
}

impl Contended {
    fn new(rows: MemoryStore, others: Vec<WriteBatch>) -> Self {
        Self { rows, others: Mutex::new(others), tries: Mutex::new(0) }
    }
}

#[async_trait]
impl StorageAdapter for Contended {
    async fn apply(&self, batch: WriteBatch) -> Result<Commit> {
        *self.tries.lock().unwrap() += 1;
        let other = self.others.lock().unwrap().pop();
        if let Some(other) = other {
            self.rows.apply(other).await?;
        }
        self.rows.apply(batch).await
    }

    forward_store! { self => self.rows; except apply }
}

/// Somebody else's change of the room's row.
fn named(n: usize) -> WriteBatch {
    let mut batch = WriteBatch::relaxed();
    batch.put_room(Room { name: Some(format!("name {n}")), ..Room::new(room(), Membership::Join) });
    batch
}

fn token(token: &str) -> WriteBatch {
    let mut batch = WriteBatch::relaxed();
    batch.put_state(sync_token(token));
    batch
}

/// After a conflict the plan is made again, on what is stored by then; after many it is given up.
#[test]
fn a_conflict_leads_to_a_new_plan() {
    for (conflicts, tries) in [(0, 1), (1, 2), (32, 33), (33, 33)] {
        let others = || (0..conflicts).map(named).collect();
        let store = Contended::new(store("a |t b"), others());
        let result = now(apply_sync(&store, &delta(events("c")), None, &PlainProtocol));
        assert_eq!(result.is_ok(), conflicts <= 32, "{conflicts}: {result:?}");
        assert_eq!(*store.tries.lock().unwrap(), tries);
        let row = now(store.rows.room(&room())).unwrap().unwrap();
        assert_eq!(row.name, (conflicts > 0).then(|| "name 0".to_owned()), "what others wrote last stays");

        let store = Contended::new(super::store("a |t b"), others());
        let result =
            now(apply_page(&store, &gap(&store.rows), &page(events("x"), None), None, &PlainProtocol));
        assert_eq!(result.is_ok(), conflicts <= 32, "{conflicts}: {result:?}");
        if let Err(e) = result {
            assert_eq!(e.kind(), ErrorKind::Conflict);
        }
    }
}

/// The writes of others to a room that an answer puts into a space stay.
#[test]
fn a_row_beside_the_answer_is_written_as_it_is_by_then() {
    let (space, child) = (RoomId::new("!space").unwrap(), room());
    let store = Contended::new(store("a"), vec![named(7)]);
    let link = StateEntry {
        scope: Scope::Room(space.clone()),
        kind: kind("m.space.child"),
        key: StateKey::new(&child).unwrap(),
        ..sync_token("yes")
    };
    let brought = RoomDelta { state: vec![link], ..RoomDelta::new(space.clone(), Membership::Join) };
    let delta = SyncDelta { rooms: vec![brought], ..SyncDelta::default() };
    now(apply_sync(&store, &delta, None, &Spaces)).unwrap();
    let row = now(store.rows.room(&child)).unwrap().unwrap();
    assert_eq!((row.name.as_deref(), row.spaces), (Some("name 7"), vec![space]));
}

/// Every entry of its kind says of a room that it is in the space.
struct Spaces;

impl Protocol for Spaces {
    fn space_link(&self, entry: &StateEntry) -> Option<SpaceLink> {
        let Scope::Room(space) = &entry.scope else { return None };
        let child = RoomId::new(entry.key.as_str()).ok()?;
        let at = StateAt { room: space.clone(), kind: entry.kind.clone(), key: entry.key.clone() };
        Some(SpaceLink { space: space.clone(), child, words: vec![at] })
    }

    fn is_linked(&self, _: &Json) -> bool {
        true
    }
}

/// The writes of another context are part of the new plan.
#[test]
fn a_response_that_comes_second_is_stale() {
    let ours = SyncDelta {
        since: Since::Stored(Some("s1".to_owned())),
        next: Some("s2".to_owned()),
        ..delta(events("b"))
    };
    for (other, expected) in [("s9", Synced::Stale), ("s2", Synced::Unchanged)] {
        let rows = store("a");
        apply(&rows, |batch| {
            batch.put_state(sync_token("s1"));
        });
        let store = Contended::new(rows, vec![token(other)]);
        assert_eq!(now(apply_sync(&store, &ours, None, &PlainProtocol)).unwrap(), expected);
        assert_eq!(timeline(&store.rows), "a", "nothing of it is written");
    }
}

/// A response counts on top of the token that it was asked for, and leaves no trace else.
#[test]
fn a_response_counts_on_its_own_token_only() {
    let token = |token: &str| Some(token.to_owned());
    for (since, held, next, expected) in [
        (Since::Unknown, token("s1"), token("s2"), Synced::Applied),
        (Since::Stored(token("s1")), token("s1"), token("s2"), Synced::Applied),
        (Since::Stored(None), None, token("s2"), Synced::Applied),
        (Since::Stored(None), None, None, Synced::Applied),
        (Since::Stored(token("s1")), token("s1"), None, Synced::Applied),
        (Since::Stored(token("s0")), token("s1"), token("s2"), Synced::Stale),
        (Since::Stored(None), token("s1"), token("s2"), Synced::Stale),
        (Since::Stored(token("s1")), None, token("s2"), Synced::Stale),
        (Since::Stored(token("s1")), None, None, Synced::Stale),
        (Since::Stored(token("s0")), token("s1"), None, Synced::Stale),
        (Since::Stored(token("s0")), token("s1"), token("s1"), Synced::Unchanged),
    ] {
        let store = store("a");
        apply(&store, |batch| {
            if let Some(held) = &held {
                batch.put_state(sync_token(held));
            }
        });
        let told = format!("{since:?} on {held:?} to {next:?}");
        let delta = SyncDelta { since, next: next.clone(), ..delta(events("b")) };
        assert_eq!(synced(&store, &delta), expected, "{told}");
        let applied = expected == Synced::Applied;
        assert_eq!(timeline(&store), if applied { "a b" } else { "a" }, "{told}");
        let after = if applied { next.or(held) } else { held };
        assert_eq!(now(store.sync_token()).unwrap(), after, "{told}");
    }
}

/// A page belongs to the gap with its token: elsewhere it is not worked in.
#[test]
fn a_page_fits_its_gap_only() {
    let at_gap = |store: &MemoryStore, gap: &Gap| filled(store, gap, &page(events("x"), Some("u")));
    let held = store("a |t b");
    let then = gap(&held);
    // The store renumbers, and gives a new revision.
    apply(&held, |batch| {
        batch.renumber(room(), vec![(at(120), at(125))]);
    });
    assert_eq!(at_gap(&held, &then), Filled::Applied);
    assert_eq!(timeline(&held), "a |u x b");
    assert_eq!(at_gap(&held, &then), Filled::Gone, "it has moved");
    assert_eq!(timeline(&held), "a |u x b");

    let held = store("a |t b");
    for other in [Gap { token: Some("other".to_owned()), ..gap(&held) }, Gap { token: None, ..gap(&held) }] {
        assert_eq!(at_gap(&held, &other), Filled::Gone);
    }
    let elsewhere = Gap { position: at(100), ..gap(&held) };
    assert_eq!(at_gap(&held, &elsewhere), Filled::Gone);
    assert_eq!(timeline(&held), "a |t b");
    assert_eq!(at_gap(&MemoryStore::new(), &gap(&held)), Filled::Gone);

    // While it is worked in, another page is.
    let mut other = WriteBatch::relaxed();
    other.put_gap(Gap { token: Some("other".to_owned()), ..gap(&held) });
    let store = Contended::new(held, vec![other]);
    let late = page(events("x"), Some("u"));
    let filled = now(apply_page(&store, &gap(&store.rows), &late, None, &PlainProtocol)).unwrap();
    assert_eq!((filled, timeline(&store.rows)), (Filled::Gone, "a |other b".to_owned()));
}

/// A room that an answer mentions twice is worked in twice, in order; the token comes with the last mention.
#[test]
fn a_room_may_be_mentioned_twice() {
    let mention = |names: &str, unread| RoomDelta {
        timeline: events(names),
        unread: Some(Unread { notifications: unread, ..Unread::default() }),
        ..RoomDelta::new(room(), Membership::Join)
    };
    let far = || RoomId::new("!far").unwrap();
    for (since, held) in [(Since::Unknown, "s0"), (Since::Stored(Some("s1".to_owned())), "s1")] {
        let store = store("a");
        apply(&store, |batch| {
            batch.put_state(sync_token(held));
        });
        let other = RoomDelta { timeline: events("z"), ..RoomDelta::new(far(), Membership::Join) };
        let delta = SyncDelta {
            since,
            next: Some("s2".to_owned()),
            arrived_ms: Some(1_700_000_000_000),
            rooms: vec![mention("b", 1), other, mention("c", 2), mention("d", 3)],
            account: vec![StateEntry { kind: kind("x"), ..sync_token("1") }],
            ..SyncDelta::default()
        };
        assert_eq!(synced(&store, &delta), Synced::Applied);
        assert_eq!(timeline(&store), "a b c d");
        assert_eq!(now(store.room(&room())).unwrap().unwrap().unread.notifications, 3);
        assert_eq!(now(store.sync_token()).unwrap().as_deref(), Some("s2"));
        assert!(now(store.room(&far())).unwrap().is_some());
        assert_eq!(now(store.state(StateQuery::kind(Scope::Account, kind("x")))).unwrap().len(), 1);
    }
    let store = store("a");
    let since = Since::Stored(Some("s9".to_owned()));
    let late = SyncDelta { since, rooms: vec![mention("b", 1), mention("c", 2)], ..SyncDelta::default() };
    assert_eq!((synced(&store, &late), timeline(&store)), (Synced::Stale, "a".to_owned()));
}

/// An answer that meets what was stored long ago is read for as far as it takes to make room.
#[test]
fn more_is_read_where_room_must_be_made() {
    let stored: Vec<String> = (0..300).map(|n| format!("m{n}")).collect();
    let held = store("");
    apply(&held, |batch| {
        for (name, position) in stored.iter().zip(1000..) {
            batch.put_message(event(name).into_message(room(), at(position)));
        }
        batch.put_gap(match item("|t", 999) {
            Item::Gap(gap) => gap,
            Item::Message(_) => unreachable!(),
        });
        batch.put_message(event("first").into_message(room(), at(998)));
    });
    let gap = gap(&held);
    assert_eq!(filled(&held, &gap, &page(events("first x y"), Some("u"))), Filled::Applied);
    let expected: Vec<_> = ["first", "x", "y"].into_iter().chain(stored.iter().map(String::as_str)).collect();
    assert_eq!(timeline(&held), expected.join(" "));
}
