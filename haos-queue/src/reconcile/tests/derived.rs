//! The consequences of a room's state: its row, its spaces, and copies of what was emptied.

use super::*;
use crate::{NotRead, RoomState, SpaceLink, StateAt};

/// A room is called what its `name` says; it is in a space as its own `parent` has it, else as the space's `child`
/// has it; events copy others, and `pins` copies what `topic` says.
struct Says;

impl Protocol for Says {
    fn is_shown(&self, kind: &EventType) -> bool {
        kind.as_str() == "name"
    }

    fn shown(&self, state: &RoomState<'_>) -> std::result::Result<RoomPatch, NotRead> {
        let name = state.entry("name", "")?.and_then(|name| name.parse::<String>().ok());
        let topic = state.entry("topic", "")?.and_then(|topic| topic.parse::<String>().ok());
        Ok(RoomPatch { name: Some(name), topic: Some(topic), ..RoomPatch::default() })
    }

    fn space_link(&self, entry: &StateEntry) -> Option<SpaceLink> {
        let Scope::Room(here) = &entry.scope else { return None };
        let there = RoomId::new(entry.key.as_str()).ok()?;
        let (space, child) = match entry.kind.as_str() {
            "child" => (here.clone(), there),
            "parent" => (there, here.clone()),
            _ => return None,
        };
        let at = |room: &RoomId, of: &str, key: &RoomId| StateAt {
            room: room.clone(),
            kind: kind(of),
            key: StateKey::new(key).unwrap(),
        };
        let words = vec![at(&child, "parent", &space), at(&space, "child", &child)];
        Some(SpaceLink { space, child, words })
    }

    fn is_linked(&self, value: &Json) -> bool {
        value.as_str() == r#""yes""#
    }

    fn repeats(&self) -> Option<RelationKind> {
        Some(RelationKind::Other("copy".to_owned()))
    }

    fn without_repeated(&self, _: &Json) -> Option<Json> {
        None
    }

    fn repeated_in(&self, of: &EventType) -> Option<(EventType, StateKey)> {
        (of.as_str() == "topic").then(|| (kind("pins"), StateKey::new("").unwrap()))
    }
}

fn entry(of: &RoomId, kind_of: &str, key: &str, event: Option<&str>, value: &str) -> StateEntry {
    StateEntry {
        scope: Scope::Room(of.clone()),
        kind: kind(kind_of),
        key: StateKey::new(key).unwrap(),
        event_id: event.map(id),
        value: Json::of(value).unwrap(),
    }
}

fn brings(store: &MemoryStore, of: &RoomId, timeline: Vec<Event>, state: Vec<StateEntry>) {
    let brought = RoomDelta { timeline, state, ..RoomDelta::new(of.clone(), Membership::Join) };
    let delta = SyncDelta { rooms: vec![brought], ..SyncDelta::default() };
    now(apply_sync(store, &delta, None, &Says)).unwrap();
}

fn row(store: &MemoryStore, of: &RoomId) -> Room {
    now(store.room(of)).unwrap().unwrap()
}

fn redacts(name: &str, target: &str) -> Event {
    let relation = Relation { kind: RelationKind::Redaction, target: id(target), key: None };
    Event { relation: Some(relation), ..event(name) }
}

/// Whatever of the state changes, and however, the row shows the state as it is then.
#[test]
fn a_row_shows_the_state_as_it_is_after_the_answer() {
    let here = room();
    let shows = |store: &MemoryStore| (row(store, &here).name, row(store, &here).topic);
    let text = |text: &str| Some(text.to_owned());
    let store = store("|t a");
    brings(&store, &here, events("b"), vec![entry(&here, "topic", "", Some("$topic"), "first")]);
    assert_eq!(shows(&store), (None, None), "a topic alone is not shown");
    brings(&store, &here, events("c"), vec![entry(&here, "name", "", Some("name"), "called")]);
    assert_eq!(shows(&store), (text("called"), text("first")), "the topic is read from the store");
    brings(&store, &here, events("d"), vec![entry(&here, "other", "", None, "x")]);
    assert_eq!(shows(&store), (text("called"), text("first")), "nothing of it changed");
    // A page knows older names.
    let old = vec![entry(&here, "name", "", None, "old"), entry(&here, "topic", "", None, "old")];
    let older = BackfillPage { state: old, ..page(events("x"), Some("u")) };
    now(apply_page(&store, &gap(&store), &older, None, &Says)).unwrap();
    assert_eq!(shows(&store), (text("called"), text("first")));
    brings(&store, &here, vec![redacts("r", "name")], vec![]);
    assert_eq!(shows(&store), (None, text("first")), "the name was taken back");
    let (name, topic) = (entry(&here, "name", "", None, "n"), entry(&here, "topic", "", None, "t"));
    brings(&store, &here, events("e"), vec![name, topic]);
    assert_eq!(shows(&store), (text("n"), text("t")));

    // Nothing was known before: a page's state is shown.
    let store = super::store("|t a");
    let old = vec![entry(&here, "name", "", None, "old")];
    let older = BackfillPage { state: old, ..page(events("x"), Some("u")) };
    now(apply_page(&store, &gap(&store), &older, None, &Says)).unwrap();
    assert_eq!(shows(&store), (text("old"), None));
}

/// Of two that have a say, the first that said something counts; all combinations of what is stored and what comes.
#[test]
fn a_room_is_in_a_space_as_the_first_word_has_it() {
    let (space, child) = (RoomId::new("!space").unwrap(), RoomId::new("!child").unwrap());
    let words = [None, Some("yes"), Some("no")];
    let of_space = |word: &str| entry(&space, "child", child.as_str(), None, word);
    let of_child = |word: &str| entry(&child, "parent", space.as_str(), None, word);
    for known in [true, false] {
        for first in words {
            for (own, told) in words.into_iter().flat_map(|own| words.map(|told| (own, told))) {
                let store = MemoryStore::new();
                brings(&store, &space, vec![], vec![]);
                let stored: Vec<_> = first.map(of_space).into_iter().collect();
                if known {
                    brings(&store, &child, vec![], vec![]);
                }
                brings(&store, &space, vec![], stored);
                brings(&store, &child, vec![], own.map(of_child).into_iter().collect());
                brings(&store, &space, vec![], told.map(of_space).into_iter().collect());
                let counts = own.or(told).or(first) == Some("yes");
                let expected = if counts { vec![space.clone()] } else { vec![] };
                assert_eq!(row(&store, &child).spaces, expected, "{known} {first:?} {own:?} {told:?}");
                assert_eq!(row(&store, &space).spaces, vec![]);
            }
        }
    }
}

/// Of what no answer speaks nothing is noted.
#[test]
fn a_room_of_which_no_space_speaks_leaves_no_note() {
    let store = MemoryStore::new();
    brings(&store, &room(), events("a"), Vec::new());
    let noted = now(store.state(StateQuery::kind(Scope::Account, kind(state_kind::SPACES)))).unwrap();
    assert_eq!(noted, []);
}

/// A room's page may tell its spaces, too; others stay.
#[test]
fn a_page_tells_spaces_that_nobody_told() {
    let (one, two) = (RoomId::new("!one").unwrap(), RoomId::new("!two").unwrap());
    let store = store("|t a");
    brings(&store, &room(), events("b"), vec![entry(&room(), "parent", one.as_str(), None, "yes")]);
    let state = vec![
        entry(&room(), "parent", one.as_str(), None, "no"),
        entry(&room(), "parent", two.as_str(), None, "yes"),
    ];
    let older = BackfillPage { state, ..page(events("x"), Some("u")) };
    now(apply_page(&store, &gap(&store), &older, None, &Says)).unwrap();
    assert_eq!(row(&store, &room()).spaces, [one, two]);
}

/// State that comes after its redaction goes when that comes again.
#[test]
fn a_redaction_that_comes_again_empties_state_that_came_since() {
    let store = store("a");
    brings(&store, &room(), vec![redacts("r", "name")], Vec::new());
    brings(&store, &room(), Vec::new(), vec![entry(&room(), "name", "", Some("name"), "called")]);
    brings(&store, &room(), vec![redacts("r", "name")], Vec::new());
    assert_eq!(row(&store, &room()).name, None);
}

/// A space's page may tell which rooms are in it: their rows and its own say so.
#[test]
fn a_spaces_page_tells_its_children() {
    let (child, unknown) = (RoomId::new("!child").unwrap(), RoomId::new("!unknown").unwrap());
    let space = RoomId::new("!space").unwrap();
    let store = store("|t a");
    brings(&store, &child, Vec::new(), Vec::new());
    let mut state: Vec<_> =
        [&child, &unknown].map(|of| entry(&room(), "child", of.as_str(), None, "yes")).into();
    state.push(entry(&room(), "parent", space.as_str(), None, "yes"));
    let older = BackfillPage { state, ..page(events("x"), Some("u")) };
    now(apply_page(&store, &gap(&store), &older, None, &Says)).unwrap();
    assert_eq!(row(&store, &child).spaces, [room()]);
    assert_eq!(row(&store, &room()).spaces, [space]);
    brings(&store, &unknown, Vec::new(), Vec::new());
    assert_eq!(row(&store, &unknown).spaces, [room()], "it was told before the room came");
}

/// A copy of an emptied event of state, or of an unknown one, goes, in whatever order these come.
#[test]
fn copies_go_with_what_they_copy() {
    let copies = |name: &str, target: &str| Event {
        relation: Some(Relation {
            kind: RelationKind::Other("copy".to_owned()),
            target: id(target),
            key: None,
        }),
        extra: Some(Json::new(r#"{"copy":1}"#).unwrap()),
        ..event(name)
    };
    let sets = |name: &str| Event {
        kind: kind("topic"),
        state_key: Some(StateKey::new("").unwrap()),
        ..event(name)
    };
    let has_copy = |store: &MemoryStore| message(store, "copy").extra.is_some();
    for known in [true, false] {
        let start = || {
            let store = store("a");
            let first = if known { vec![sets("x"), event("b")] } else { events("b") };
            brings(&store, &room(), first, vec![]);
            store
        };
        let store = start();
        brings(&store, &room(), vec![copies("copy", "x")], vec![]);
        assert!(has_copy(&store), "{known}");
        brings(&store, &room(), vec![redacts("r", "b")], vec![]);
        assert!(has_copy(&store), "another was redacted: {known}");
        brings(&store, &room(), vec![redacts("s", "x")], vec![]);
        assert!(!has_copy(&store), "{known}");

        let store = start();
        brings(&store, &room(), vec![redacts("s", "x")], vec![]);
        brings(&store, &room(), vec![copies("copy", "x")], vec![]);
        assert!(!has_copy(&store), "{known}");

        let store = start();
        brings(&store, &room(), vec![copies("copy", "x"), redacts("s", "x")], vec![]);
        assert!(!has_copy(&store), "{known}");
    }

    // State that repeats what the emptied state said.
    let store = store("a");
    let state =
        vec![entry(&room(), "topic", "", Some("x"), "said"), entry(&room(), "pins", "", Some("y"), "said")];
    brings(&store, &room(), vec![sets("x")], state);
    brings(&store, &room(), vec![redacts("r", "x")], vec![]);
    for of in ["topic", "pins"] {
        let query = StateQuery::one(Scope::Room(room()), kind(of), StateKey::new("").unwrap());
        assert_eq!(now(store.state(query)).unwrap()[0].value, Json::empty(), "{of}");
    }
}

/// A patch says what to show, or nothing of it.
#[test]
fn a_patch_changes_what_it_speaks_of() {
    use crate::reconcile::derive::patched;
    let text = |text: &str| Some(text.to_owned());
    let full = Room {
        name: text("n"),
        topic: text("t"),
        avatar: text("a"),
        kind: Some(kind("k")),
        ..Room::new(room(), Membership::Join)
    };
    assert_eq!(patched(full.clone(), RoomPatch::default()), full);
    let cleared = RoomPatch { name: Some(None), topic: Some(None), avatar: Some(None), kind: Some(None) };
    let empty = Room::new(room(), Membership::Join);
    assert_eq!(patched(full.clone(), cleared), empty);
    let set = RoomPatch {
        name: Some(text("n")),
        topic: Some(text("t")),
        avatar: Some(text("a")),
        kind: Some(Some(kind("k"))),
    };
    assert_eq!(patched(empty, set), full);
}
