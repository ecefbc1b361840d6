//! How much of a timeline is read for an answer.

use proptest::prelude::*;

use super::*;
use crate::reconcile::timeline::{Slot, Stored};

/// More than is read at once.
const LONG: usize = 1300;

fn long() -> &'static MemoryStore {
    static LONG_ONE: std::sync::OnceLock<MemoryStore> = std::sync::OnceLock::new();
    LONG_ONE.get_or_init(|| {
        let store = store("");
        apply(&store, |batch| {
            for n in 0..LONG {
                match item(&name(n), position(n)) {
                    Item::Message(message) => batch.put_message(message),
                    Item::Gap(gap) => batch.put_gap(gap),
                };
            }
        });
        store
    })
}

fn name(n: usize) -> String {
    match n % 10 {
        4 => format!("~m{n}"),
        7 => format!("|t{n}"),
        _ => format!("m{n}"),
    }
}

/// The first stands at the end of all numbers.
fn position(n: usize) -> u64 {
    n as u64 * 3
}

fn stored(n: usize) -> Stored {
    let item = match item(&name(n), position(n)) {
        Item::Gap(gap) => Slot::Gap(gap.token),
        Item::Message(message) if message.provisional => Slot::Provisional(message.id),
        Item::Message(message) => Slot::Anchor(message.id),
    };
    Stored { position: at(position(n)), item }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// A window is one piece of the timeline: everything between what the answer touches, as many items beyond as
    /// asked for, up to the end where the answer is the newest of its room; and it says what it leaves out.
    #[test]
    fn a_window_holds_what_the_answer_touches_and_a_margin(
        touched in proptest::collection::vec(prop_oneof![0..LONG, 0..12usize, LONG - 12..LONG], 0..4),
        margin in prop_oneof![Just(MARGINS[0]), Just(MARGINS[1]), Just(usize::MAX)],
        fetched in any::<bool>(),
        behind in 0..LONG / 10,
    ) {
        // A guess is no anchor.
        let names: Vec<_> = touched.iter().map(|n| name(*n).trim_start_matches('~').to_owned()).collect();
        let brought = events(&names.iter().map(String::as_str).filter(|n| !n.starts_with('|')).collect::<Vec<_>>().join(" "));
        let mut ends: Vec<usize> = touched.into_iter().filter(|n| !matches!(n % 10, 4 | 7)).collect();
        let gap = fetched.then_some(behind * 10 + 7);
        ends.extend(gap);
        let window = match gap {
            Some(gap) => {
                let Item::Gap(gap) = item(&name(gap), position(gap)) else { unreachable!() };
                let page = page(brought, Some("u"));
                let view = now(fill_view(long(), &gap, &page, (None, &PlainProtocol), margin)).unwrap();
                view.unwrap().room.window
            }
            None => {
                let delta = SyncDelta {
                    rooms: vec![RoomDelta { timeline: brought, limited: true, ..RoomDelta::new(room(), Membership::Join) }],
                    ..SyncDelta::default()
                };
                let mut view = now(sync_view(long(), &delta, (None, &PlainProtocol), margin)).unwrap();
                view.rooms.remove(&room()).unwrap().window
            }
        };
        let (first, last) = match (ends.iter().min(), ends.iter().max(), gap) {
            (Some(low), Some(high), Some(_)) => (low.saturating_sub(margin), high.saturating_add(margin)),
            (Some(low), ..) => (low.saturating_sub(margin), LONG),
            _ => (LONG.saturating_sub(margin), LONG),
        };
        let held = window.items.len();
        prop_assert!(held > 0);
        prop_assert_eq!(&window.items[0], &stored(first), "it begins with the margin");
        prop_assert_eq!(window.older, first > 0);
        let expected: Vec<_> = (first..first + held).map(stored).collect();
        prop_assert_eq!(&window.items, &expected, "it is one piece");
        prop_assert!(first + held > last.min(LONG - 1), "it ends with the margin");
        prop_assert_eq!(window.newer, first + held < LONG);
    }
}

/// A room of which an answer brings neither events nor a gap needs its row alone.
#[test]
fn a_room_without_news_is_read_without_its_timeline() {
    let store = store("a b c");
    for (limited, names, read) in [(false, "", 0), (true, "", 2), (false, "x", 2), (false, "a", 3)] {
        let rooms =
            vec![RoomDelta { timeline: events(names), limited, ..RoomDelta::new(room(), Membership::Join) }];
        let delta = SyncDelta { rooms, ..SyncDelta::default() };
        let view = now(sync_view(&store, &delta, (None, &PlainProtocol), 2)).unwrap();
        assert_eq!(view.rooms.get(&room()).unwrap().window.items.len(), read, "{limited} {names}");
    }
}

/// Messages far above a gap are not read for its page.
#[test]
fn a_pages_window_ends_soon_after_its_gap() {
    let Item::Gap(gap) = item(&name(7), position(7)) else { unreachable!() };
    let page = page(Vec::new(), Some("u"));
    let view = now(fill_view(long(), &gap, &page, (None, &PlainProtocol), MARGINS[0])).unwrap().unwrap();
    assert!(view.room.window.newer && view.room.window.items.len() < LONG - 100);
}

/// A page's events push the messages above its gap where these stand one on the other, and no room is left below.
/// As many are read as that takes, each time more.
#[test]
fn a_window_that_is_too_narrow_is_read_wider() {
    // A whole page of the store beyond what is asked for may be read.
    for above in [1, MARGINS[0] + 1, MARGINS[1] + 1, 3 * MARGINS[2]] {
        let store = store("");
        let names: Vec<_> = (0..above).map(|n| format!("m{n}")).collect();
        apply(&store, |batch| {
            batch.put_message(event("first").into_message(room(), at(99)));
            batch.put_gap(Gap { room: room(), position: at(100), token: None, revision: Revision::ZERO });
            for (name, position) in names.iter().zip(101..) {
                batch.put_message(event(name).into_message(room(), at(position)));
            }
        });
        let brought = BackfillPage { events: events("x y z"), ..page(Vec::new(), Some("u")) };
        assert_eq!(filled(&store, &gap(&store), &brought), Filled::Applied, "{above}");
        let slice = now(store.timeline(&room(), Page::oldest(above + 10))).unwrap();
        let told: Vec<_> = slice.messages().map(|message| message.id.as_str()[1..].to_owned()).collect();
        let expected: Vec<_> = ["first", "x", "y", "z"].map(str::to_owned).into_iter().chain(names).collect();
        assert!(told == expected, "{above}: {:?}", &told[..4]);
        assert!(matches!(&slice.items[1], Item::Gap(gap) if gap.token.as_deref() == Some("u")), "{above}");
    }
}
