//! Another store's history, merged run by run. A message's time is its name's place in the alphabet.

use proptest::prelude::*;

use super::*;
use crate::{Before, HistoryRun, MergedRun, merge_run};

/// A store whose timeline is this; messages with a time.
fn timed(timeline: &str) -> MemoryStore {
    let store = MemoryStore::new();
    apply(&store, |batch| {
        batch.put_room(Room::new(room(), Membership::Join));
        for item in items(timeline, 10) {
            match item {
                Item::Message(message) => batch.put_message(message),
                Item::Gap(gap) => batch.put_gap(gap),
            };
        }
    });
    store
}

fn items(timeline: &str, step: usize) -> Vec<Item> {
    let placed = timeline.split_whitespace().zip((100..).step_by(step));
    let timed = |(text, position)| match item(text, position) {
        Item::Message(message) => {
            let timestamp_ms = i64::from(message.id.as_str().as_bytes()[1]);
            Item::Message(Message { timestamp_ms, ..message })
        }
        gap @ Item::Gap(_) => gap,
    };
    placed.map(timed).collect()
}

/// The runs of a timeline, of at most `most` messages each.
fn runs(items: Vec<Item>, most: usize) -> Vec<HistoryRun> {
    let (mut runs, mut last) = (Vec::<HistoryRun>::new(), None);
    let mut before = Some(Before::Nothing);
    for item in items {
        match item {
            Item::Gap(Gap { token, position, .. }) => {
                before = Some(Before::Gap { after: last.clone(), token, position });
            }
            Item::Message(message) => {
                let is_full = runs.last().is_none_or(|run| run.messages.len() == most);
                let goes_on = || Before::Message(last.clone().unwrap());
                if before.is_some() || is_full {
                    let before = before.take().unwrap_or_else(goes_on);
                    runs.push(HistoryRun { room: room(), before, messages: Vec::new() });
                }
                if !message.provisional {
                    last = Some(message.id.clone());
                }
                runs.last_mut().unwrap().messages.push(message);
            }
        }
    }
    if let Some(before @ Before::Gap { .. }) = before {
        runs.push(HistoryRun { room: room(), before, messages: Vec::new() });
    }
    runs
}

fn merge(store: &MemoryStore, run: &HistoryRun) -> MergedRun {
    now(merge_run(store, run, None, &PlainProtocol)).unwrap().unwrap()
}

/// The timeline of a store once another one's is merged into it.
fn merged(stored: &str, other: &str) -> String {
    let store = timed(stored);
    for run in runs(items(other, 7), 3) {
        merge(&store, &run);
    }
    let once = timeline(&store);
    for run in runs(items(other, 7), 2) {
        assert!(!merge(&store, &run).changed, "{stored} + {other} = {once}, and once more");
    }
    once
}

/// Checks cases of two timelines and what they become together.
fn check(cases: &[(&str, &str, &str)]) {
    for (stored, other, expected) in cases {
        assert_eq!(merged(stored, other), *expected, "{stored} + {other}");
    }
}

#[test]
fn what_is_unknown_goes_beside_its_neighbour() {
    check(&[
        ("", "a b c", "a b c"),
        ("", "|t a b |u d e", "|t a b |u d e"),
        ("c d", "a b c", "a b c d"),
        ("a b", "b c d e f", "a b c d e f"),
        ("a |t d", "a b |u d", "a b |t d"),
        ("a |t d", "|u c d", "a |u c d"),
        ("|t c d", "a b c", "|t a b c d"),
        // The other one's gap opens none here.
        ("a b c d", "a |t d", "a b c d"),
        ("b c", "|t b c", "b c"),
        ("c d", "|t b c", "|t b c d"),
        // A token is learned where none is known.
        ("a | c", "a |t c", "a |t c"),
        ("a |t c", "a |u c", "a |t c"),
    ]);
}

#[test]
fn a_gap_closes_only_where_the_run_goes_on_from_one_side_to_the_other() {
    check(&[
        ("a |t c", "a b c", "a b c"),
        ("a |t c", "a c", "a c"),
        ("a |t d |u f", "b c d e f", "a |t b c d e f"),
        ("a |t c |u e |v g", "a b c d e f g", "a b c d e f g"),
        ("a |t c", "a b |u c", "a b |t c"),
    ]);
}

#[test]
fn a_run_that_touches_nothing_goes_where_its_time_belongs() {
    check(&[
        ("d e", "a b", "a b | d e"),
        ("d e", "|t a b", "|t a b | d e"),
        ("|t d e", "a b", "a b |t d e"),
        ("|t d e", "|u a b", "|u a b |t d e"),
        ("a b", "d e", "a b | d e"),
        ("a b", "|t d e", "a b |t d e"),
        ("a |t e |u j", "|v c", "a |v c |t e |u j"),
        ("a |t e |u j", "|v g h", "a |t e |v g h |u j"),
        ("a |t e |u j", "x y", "a |t e |u j | x y"),
        // What comes later in the other store belongs no earlier here, whatever its time says.
        ("m |t n |u o", "n |v b", "m |t n |v b |u o"),
        ("~z", "a b", "~z a b"),
        ("a ~z", "|t c", "a ~z |t c"),
    ]);
}

#[test]
fn a_guess_stays_a_guess_until_somebody_knows_better() {
    check(&[
        ("a", "a ~b", "a ~b"),
        ("a b c", "a ~c ~b", "a b c"),
        ("a ~c", "a b c", "a b c"),
        ("a ~b c", "a c ~b", "a ~b c"),
    ]);
}

#[test]
fn a_gap_that_nothing_follows_is_taken_where_nothing_is_newer() {
    check(&[("a", "a |t", "a |t"), ("a b", "a |t", "a b"), ("", "|t", "|t"), ("a |u", "a |t", "a |u")]);
}

#[test]
fn positions_are_kept_where_they_fit() {
    let store = timed("");
    let other = items("|t a b |u d", 7);
    for run in runs(other.clone(), 1) {
        merge(&store, &run);
    }
    let stored = now(store.timeline(&room(), Page::oldest(usize::MAX))).unwrap().items;
    let places = |items: &[Item]| items.iter().map(Item::position).collect::<Vec<_>>();
    assert_eq!(places(&stored), places(&other));
}

#[test]
fn a_redaction_empties_on_either_side_and_is_never_undone() {
    let by = |name: &str, target: &str| {
        let relation = Relation { kind: RelationKind::Redaction, target: id(target), key: None };
        Event { relation: Some(relation), ..event(name) }.into_message(room(), at(500))
    };
    let full = |name: &str| event(name).into_message(room(), at(400));
    let empty = |name: &str| Message { content: Json::empty(), redacted_by: Some(id("r")), ..full(name) };
    let run = |messages| HistoryRun { room: room(), before: Before::Nothing, messages };
    let stored = |messages: Vec<Message>| {
        let store = timed("");
        apply(&store, |batch| {
            for (message, position) in messages.into_iter().zip(100..) {
                batch.put_message(Message { position: at(position), ..message });
            }
        });
        store
    };
    for (mine, other) in [
        (vec![full("x")], vec![empty("x"), by("r", "x")]),
        (vec![full("x")], vec![by("r", "x")]),
        (vec![by("r", "x")], vec![full("x"), full("y")]),
        (vec![empty("x"), by("r", "x")], vec![full("x")]),
        (vec![empty("x")], vec![full("x")]),
    ] {
        let store = stored(mine.clone());
        merge(&store, &run(other.clone()));
        let x = message(&store, "x");
        assert_eq!((x.content, x.redacted_by), (Json::empty(), Some(id("r"))), "{mine:?} + {other:?}");
        assert!(!merge(&store, &run(other)).changed);
    }
}

#[test]
fn a_room_that_is_not_stored_takes_nothing() {
    let run = &runs(items("a b", 1), 9)[0];
    assert_eq!(now(merge_run(&MemoryStore::new(), run, None, &PlainProtocol)).unwrap(), None);
}

#[test]
fn a_run_that_shows_an_outbox_row_delivers_it() {
    let store = timed("a");
    let row = Pending::new(txn("t"), room(), kind("m.room.message"), Json::empty(), 0);
    apply(&store, |batch| _ = batch.put_pending(row));
    let sent = Message { txn_id: Some(txn("t")), ..event("b").into_message(room(), at(101)) };
    let messages = vec![event("a").into_message(room(), at(100)), sent];
    let counts = merge(&store, &HistoryRun { room: room(), before: Before::Nothing, messages });
    assert_eq!(counts, MergedRun { new: 1, learned: 0, held: 1, changed: true });
    assert_eq!(rows(&store), []);
}

/// A part of the alphabet as a store may hold it: `|` where something is left out.
fn part() -> impl Strategy<Value = String> {
    proptest::collection::vec(any::<bool>(), 12).prop_map(|held| {
        let (mut text, mut last) = (String::new(), None);
        for (n, name) in ('a'..='l').enumerate().filter(|(n, _)| held[*n]) {
            if last.map_or(n > 0, |last| last + 1 < n) {
                text += &format!("|{n} ");
            }
            text += &format!("{name} ");
            last = Some(n);
        }
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    /// Both parts are there, in order; what either holds without a gap has none, and every other pair has one.
    #[test]
    fn the_union_in_order_with_every_gap_that_hides_something(mine in part(), other in part()) {
        let together = merged(&mine, &other);
        let holds = |text: &str, pair: &str| text.trim().contains(pair);
        let names: Vec<&str> = together.split(' ').filter(|item| !item.starts_with('|') && !item.is_empty()).collect();
        let union: Vec<String> = ('a'..='l').map(String::from).filter(|n| holds(&mine, n) || holds(&other, n)).collect();
        prop_assert_eq!(&names, &union);
        for pair in union.windows(2) {
            let pair = pair.join(" ");
            let is_known = holds(&mine, &pair) || holds(&other, &pair);
            prop_assert_eq!(holds(&together, &pair), is_known, "{} in {}", pair, together);
        }
        // What is older than everything is known to be all, or a gap says that it is not.
        prop_assert!(union.is_empty() || ["a", "|"].iter().any(|first| together.starts_with(first)), "{}", together);
    }
}
