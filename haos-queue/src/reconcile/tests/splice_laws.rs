//! The laws of splicing hold for any answer, also one in another order than the store's: a server's
//! stream order and its topological order differ.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ops::Range;

use haos_store_api::{EventId, Position};
use proptest::prelude::*;

use crate::reconcile::PlanError;
use crate::reconcile::place::place;
use crate::reconcile::splice::{Older, Segment, splice};
use crate::reconcile::timeline::{Slot, Stored, Window};

fn id(n: u8) -> EventId {
    EventId::new(format!("${n}")).unwrap()
}

fn window() -> impl Strategy<Value = Window> {
    let item = prop_oneof![
        6 => (0..20u8).prop_map(|n| Slot::Anchor(id(n))),
        1 => (20..24u8).prop_map(|n| Slot::Provisional(id(n))),
        2 => Just(Slot::Gap(Some("t".to_owned()))),
    ];
    let items = proptest::collection::vec((item, 1..4u64), 0..12);
    (items, any::<bool>(), any::<bool>()).prop_map(|(items, older, newer)| {
        let mut position = Position::FIRST;
        let mut ids = std::collections::HashSet::new();
        let mut window = Window { items: Vec::new(), older, newer };
        for (item, step) in items {
            let twice = match &item {
                Slot::Anchor(id) | Slot::Provisional(id) => !ids.insert(id.clone()),
                _ => window.items.last().is_some_and(|last| matches!(last.item, Slot::Gap(_))),
            };
            if !twice {
                position = position.newer(step).unwrap();
                window.items.push(Stored { position, item });
            }
        }
        window
    })
}

fn kept(order: &[(Option<Position>, Slot)]) -> Vec<Slot> {
    order
        .iter()
        .filter(|(was, slot)| was.is_some() && !matches!(slot, Slot::Gap(_)))
        .map(|(_, s)| s.clone())
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 5000, ..ProptestConfig::default() })]

    #[test]
    fn any_answer(
        window in window(),
        events in proptest::collection::hash_set(0..28u8, 0..10),
        older in prop_oneof![
            Just(Older::Joined), Just(Older::Start), Just(Older::First), Just(Older::Token(Some("u".to_owned()))),
        ],
        gap in any::<Option<prop::sample::Index>>(),
    ) {
        let gaps: Vec<_> = window.items.iter().filter(|s| matches!(s.item, Slot::Gap(_))).collect();
        let gap = gap.filter(|_| !gaps.is_empty()).map(|at| at.get(&gaps).position);
        let ids: Vec<EventId> = events.into_iter().map(id).collect();
        let segment = Segment { events: ids.iter().collect(), older, gap };
        let order = splice(&window, &segment);

        // Confirmed messages stay, in their order; a guess goes only if it is placed for good.
        let confirmed: Vec<_> = window
            .items
            .iter()
            .filter(|stored| match &stored.item {
                Slot::Anchor(_) => true,
                Slot::Provisional(id) => !ids.contains(id),
                _ => false,
            })
            .map(|stored| stored.item.clone())
            .collect();
        prop_assert_eq!(kept(&order), confirmed);
        // Every new event is there, once; those without a known one between them stand side by side, in the
        // answer's order, beside the known one that they touch. Only guesses may come between.
        let anchors: HashSet<EventId> = window
            .items
            .iter()
            .filter_map(|stored| if let Slot::Anchor(id) = &stored.item { Some(id.clone()) } else { None })
            .collect();
        let at = |slot: &Slot| order.iter().position(|(_, there)| there == slot);
        let place_of = |n: usize| match anchors.contains(&ids[n]) {
            true => at(&Slot::Anchor(ids[n].clone())),
            false => at(&Slot::New(n)),
        };
        let is_new = |(_, slot): &&(Option<Position>, Slot)| matches!(slot, Slot::New(_));
        let new = ids.iter().filter(|id| !anchors.contains(*id)).count();
        prop_assert_eq!(order.iter().filter(is_new).count(), new);
        for n in 0..ids.len() {
            let here = place_of(n);
            prop_assert!(here.is_some(), "{} is not there", n);
            let is_known = |n: usize| anchors.contains(&ids[n]);
            let leads = n > 0 && ids[..n].iter().all(|id| !anchors.contains(id));
            if n > 0 && (!is_known(n) || leads) {
                let (before, here) = (place_of(n - 1).unwrap(), here.unwrap());
                prop_assert!(before < here, "{} is before {}", n, n - 1);
                let mut between = order[before + 1..here].iter();
                let is_guess = |(_, slot): &(Option<Position>, Slot)| matches!(slot, Slot::Provisional(_));
                prop_assert!(between.all(is_guess), "something is between {} and {}", n - 1, n);
            }
        }
        prop_assert!(!order.windows(2).any(|p| matches!((&p[0].1, &p[1].1), (Slot::Gap(_), Slot::Gap(_)))));

        match place(&order, &window) {
            Ok(positions) => {
                prop_assert_eq!(positions.len(), order.len());
                prop_assert!(positions.windows(2).all(|pair| pair[0] < pair[1]), "{:?}", positions);
            }
            Err(e) => prop_assert!(e == PlanError::Narrow && (window.older || window.newer)),
        }
    }
}

/// A late answer without a known base: its last events go beside the anchor they touch.
#[test]
fn a_trailing_run_stays_beside_its_anchor() {
    let stored = |n: u8, position: u64| Stored {
        position: Position::new(position).unwrap(),
        item: Slot::Anchor(id(n)),
    };
    let window = Window { items: vec![stored(1, 10), stored(2, 99)], ..Window::default() };
    let events = [id(1), id(7)];
    let segment = Segment { events: events.iter().collect(), older: Older::Joined, gap: None };
    let order = splice(&window, &segment);
    assert_eq!(order[1], (None, Slot::New(1)));
    let positions = place(&order, &window).unwrap();
    assert_eq!(positions.iter().map(|p| p.get()).collect::<Vec<_>>(), [10, 11, 99]);
}

/// A page that reaches over its gap goes on as any answer does: what is newest follows the own messages that are
/// guessed to be at the end.
#[test]
fn a_page_may_reach_over_its_gap() {
    let slots = [Slot::Anchor(id(1)), Slot::Gap(None), Slot::Anchor(id(3)), Slot::Provisional(id(9))];
    let places = (5..).step_by(3).map(|n| Position::new(n).unwrap());
    let items: Vec<_> = places.zip(slots).map(|(position, item)| Stored { position, item }).collect();
    let gap = Some(items[1].position);
    let window = Window { items, ..Window::default() };
    let events = [id(1), id(2), id(3), id(4)];
    let segment = Segment { events: events.iter().collect(), older: Older::Joined, gap };
    let order: Vec<_> = splice(&window, &segment).into_iter().map(|(_, slot)| slot).collect();
    let expected =
        [Slot::Anchor(id(1)), Slot::New(1), Slot::Anchor(id(3)), Slot::Provisional(id(9)), Slot::New(3)];
    assert_eq!(order, expected);
}

/// An answer that begins with history leaves no gap before it, whether it meets what is stored or not.
#[test]
fn nothing_is_before_the_beginning() {
    let gap = || Stored { position: Position::new(5).unwrap(), item: Slot::Gap(Some("t".to_owned())) };
    let anchor = Stored { position: Position::new(9).unwrap(), item: Slot::Anchor(id(3)) };
    for (items, events) in [
        (vec![gap(), anchor.clone()], vec![id(1), id(3), id(4)]),
        (vec![gap(), anchor], vec![id(3), id(4)]),
        (vec![gap()], vec![id(1)]),
    ] {
        let window = Window { items, ..Window::default() };
        let order = |older| {
            let segment = Segment { events: events.iter().collect(), older, gap: None };
            splice(&window, &segment).iter().filter(|(_, slot)| matches!(slot, Slot::Gap(_))).count()
        };
        assert_eq!(order(Older::Start), 0);
        assert_eq!(order(Older::Joined), 1, "nothing is guessed");
    }
}

/// Events that a server orders otherwise than the store, in the midst of what is known to go on, are no sign of a hole;
/// nor is the end of what was read.
#[test]
fn no_gap_is_made_in_the_midst_of_what_is_known() {
    let stored = |n: u8| Stored { position: Position::new(u64::from(n)).unwrap(), item: Slot::Anchor(id(n)) };
    let events = [id(1), id(30), id(31)];
    let gaps = |items: Vec<Stored>, older: bool| {
        let window = Window { items, older, newer: false };
        let older = Older::Token(Some("u".to_owned()));
        let segment = Segment { events: events.iter().collect(), older, gap: None };
        splice(&window, &segment).iter().filter(|(_, slot)| matches!(slot, Slot::Gap(_))).count()
    };
    assert_eq!(gaps(vec![stored(20), stored(30)], false), 0);
    assert_eq!(gaps(vec![stored(30)], true), 0);
    assert_eq!(gaps(vec![stored(30)], false), 1, "the oldest that is stored");
}

/// A hole's token.
type Token = Option<String>;

/// A store's knowledge of a history whose events are numbered.
#[derive(Debug, Clone)]
struct Known {
    events: BTreeSet<u8>,
    /// The holes that are known of, by the event that follows them.
    holes: BTreeMap<u8, Token>,
    /// The history as far as it was heard of, and the hole between that and the newest known event.
    seen: u8,
    trailing: Option<Token>,
    /// Own messages stored from a send's answer, at the end.
    guesses: Vec<u8>,
}

/// A server's answer: events without a hole among them.
#[derive(Debug, Clone)]
struct Answered {
    events: Range<u8>,
    older: Older,
    /// The event after the gap that it was fetched from, or the end of what was heard of.
    gap: Option<u8>,
}

fn or_own(older: &Older, own: Option<Token>) -> Option<Token> {
    match older {
        Older::Token(token) => Some(token.clone().or(own.flatten())),
        _ => None,
    }
}

impl Known {
    fn window(&self) -> Window {
        let mut slots = Vec::new();
        for event in &self.events {
            slots.extend(self.holes.get(event).map(|token| Slot::Gap(token.clone())));
            slots.push(Slot::Anchor(id(*event)));
        }
        slots.extend(self.trailing.iter().map(|token| Slot::Gap(token.clone())));
        slots.extend(self.guesses.iter().map(|event| Slot::Provisional(id(*event))));
        let places = (5..).step_by(3).map(|n| Position::new(n).unwrap());
        let items = places.zip(slots).map(|(position, item)| Stored { position, item }).collect();
        Window { items, ..Window::default() }
    }

    /// The position in a window of the gap before an event, or at the end.
    fn position(&self, upper: u8, window: &Window) -> Option<Position> {
        let is_gap = |stored: &&Stored| matches!(stored.item, Slot::Gap(_));
        let ends = |pair: &&[Stored]| pair[1].item == Slot::Anchor(id(upper));
        let last = window.items.iter().rfind(is_gap).filter(|_| upper == self.seen);
        last.or(window.items.windows(2).find(ends).map(|pair| &pair[0])).map(|stored| stored.position)
    }

    /// Learns what an answer says.
    fn learn(&mut self, answer: &Answered) {
        let (first, end) = (answer.events.start, answer.events.end);
        if let Some(upper) = answer.gap {
            let hole = if upper == self.seen { self.trailing.take() } else { self.holes.remove(&upper) };
            match or_own(&answer.older, hole) {
                // It reaches down to what is known.
                Some(_) if first < end && self.events.contains(&first) => {}
                Some(token) if first < end => drop(self.holes.insert(first, token)),
                Some(token) if upper == self.seen => self.trailing = Some(token),
                Some(token) => drop(self.holes.insert(upper, token)),
                None => {}
            }
        } else if first < end && !self.events.contains(&first) {
            // The hole that the answer's first event lies in is narrowed from above.
            let above = self.events.range(first..).next();
            let own = above.and_then(|above| self.holes.get(above).cloned());
            self.holes.extend(or_own(&answer.older, own).map(|token| (first, token)));
        } else if first == end && self.trailing.is_some() {
            self.trailing = or_own(&answer.older, self.trailing.take());
        } else if first == end {
            self.holes.extend(or_own(&answer.older, None).map(|token| (first, token)));
        }
        // A page closes its own gap only.
        if answer.older == Older::Start && (answer.gap.is_none() || !self.events.contains(&0)) {
            self.holes.remove(&0);
        }
        self.holes.retain(|upper, _| *upper <= first || *upper >= end);
        self.guesses.retain(|guess| !answer.events.contains(guess));
        self.events.extend(answer.events.clone());
    }

    /// The timeline, oldest first: events by number, holes by token.
    fn told(&self) -> Vec<String> {
        let hole = |token: &Token| format!("hole {token:?}");
        let run = |events: Range<u8>| {
            let all = self.events.iter().chain(self.holes.keys()).copied().collect::<BTreeSet<_>>();
            let mut run = Vec::new();
            for event in all.range(events) {
                run.extend(self.holes.get(event).map(hole));
                run.extend(self.events.contains(event).then(|| event.to_string()));
            }
            run
        };
        let mut told = run(0..self.seen);
        told.extend(self.trailing.iter().map(hole));
        told.extend(self.guesses.iter().map(|event| format!("guess {event}")));
        told.extend(run(self.seen..u8::MAX));
        // Two holes in a row are one: the newer token pages through both.
        let is_hole = |slot: &String| slot.starts_with("hole");
        let doubled: Vec<bool> =
            told.windows(2).map(|pair| is_hole(&pair[0]) && is_hole(&pair[1])).chain([false]).collect();
        told.into_iter().zip(doubled).filter(|(_, doubled)| !doubled).map(|(slot, _)| slot).collect()
    }
}

fn known() -> impl Strategy<Value = Known> {
    let event = (prop::bool::weighted(0.6), prop::bool::weighted(0.3));
    let events = proptest::collection::vec(event, 0..10);
    (events, any::<bool>(), 0..4usize).prop_map(|(bits, trailing, guesses)| {
        let events: BTreeSet<u8> =
            (0..).zip(&bits).filter(|(_, (known, _))| *known).map(|(event, _)| event).collect();
        let mut holes = BTreeMap::new();
        for event in &events {
            let goes_on = event.checked_sub(1).is_none_or(|before| events.contains(&before));
            // Nobody may have told that the room is older than what is known of it.
            let told = events.first() != Some(event) && !goes_on;
            if told || bits[*event as usize].1 {
                holes.insert(*event, Some(format!("t{event}")));
            }
        }
        let newest = events.last().map_or(0, |newest| newest + 1);
        let seen = if trailing { bits.len() as u8 } else { newest };
        let guesses = [&[][..], &[seen], &[200], &[200, seen + 1]][guesses].to_vec();
        Known { events, holes, seen, trailing: trailing.then(|| Some(format!("t{seen}"))), guesses }
    })
}

/// An answer of a server whose history has this number of events more; `n` chooses.
fn answer(known: &Known, news: u8, n: [u8; 3]) -> Option<Answered> {
    let end = known.seen + news;
    let token = || Older::Token((n[2] > 50).then(|| "u".to_owned()));
    let whole = |first: u8| if first == 0 { Older::Start } else { token() };
    let uppers: Vec<u8> =
        known.holes.keys().copied().chain(known.trailing.as_ref().map(|_| known.seen)).collect();
    Some(match n[0] % 4 {
        0 if news > 0 => Answered { events: known.seen..end, older: Older::Joined, gap: None },
        1 => Answered { events: known.seen + n[1] % (news + 1)..end, older: token(), gap: None },
        // The server forgot where we are.
        2 if known.trailing.is_none() && end > 0 => {
            let first = n[1] % end;
            Answered { events: first..end, older: whole(first), gap: None }
        }
        3 if !uppers.is_empty() => {
            let upper = uppers[n[1] as usize % uppers.len()];
            let first = n[2] % (upper + 1);
            let older = if first == 0 { Older::Start } else { Older::Token(Some("u".to_owned())) };
            Answered { events: first..upper, older, gap: Some(upper) }
        }
        _ => return None,
    })
}

fn told(order: &[(Option<Position>, Slot)], events: &Range<u8>) -> Vec<String> {
    let told = |(was, slot): &(Option<Position>, Slot)| match slot {
        Slot::Anchor(id) if was.is_some() => id.as_str()[1..].to_owned(),
        Slot::Provisional(id) if was.is_some() => format!("guess {}", &id.as_str()[1..]),
        Slot::Gap(token) => format!("hole {token:?}"),
        Slot::New(n) => (events.start + *n as u8).to_string(),
        other => format!("{other:?} has lost its place"),
    };
    order.iter().map(told).collect()
}

/// So much of a window as is read for an answer, and what is older.
fn narrowed(window: &Window, segment: &Segment<'_>) -> (Window, Vec<Stored>, Vec<Stored>) {
    const MARGIN: usize = 2;
    let is_touched = |stored: &Stored| match &stored.item {
        Slot::Anchor(id) => segment.events.contains(&id),
        _ => segment.gap == Some(stored.position),
    };
    let touched: Vec<usize> =
        (0..).zip(&window.items).filter(|(_, stored)| is_touched(stored)).map(|(at, _)| at).collect();
    let all = window.items.len();
    let low = touched.first().copied().unwrap_or(all).saturating_sub(MARGIN);
    let high = match (touched.last(), segment.gap) {
        (Some(last), Some(_)) => all.min(last + 1 + MARGIN),
        _ => all,
    };
    let items = window.items[low..high].to_vec();
    let narrow = Window { items, older: low > 0, newer: high < all };
    (narrow, window.items[..low].to_vec(), window.items[high..].to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8000, ..ProptestConfig::default() })]

    /// A hole is where, and only where, the history is not known to go on; whatever is known already, and
    /// however little of it is read.
    #[test]
    fn a_gap_stands_where_the_history_is_not_known(
        known in known(),
        news in 0..4u8,
        n in any::<[u8; 3]>(),
    ) {
        let Some(answer) = answer(&known, news, n) else { return Ok(()) };
        let window = known.window();
        let ids: Vec<EventId> = answer.events.clone().map(id).collect();
        let gap = answer.gap.and_then(|upper| known.position(upper, &window));
        prop_assert_eq!(gap.is_some(), answer.gap.is_some());
        let segment = Segment { events: ids.iter().collect(), older: answer.older.clone(), gap };
        let order = splice(&window, &segment);
        let mut after = known.clone();
        after.learn(&answer);
        prop_assert_eq!(told(&order, &answer.events), after.told(), "{:?} of {:?}", answer, window);
        let stored = |stored: &Stored| (Some(stored.position), stored.item.clone());
        let (narrow, older, newer) = narrowed(&window, &segment);
        if known.guesses.len() < 2 {
            let mut pieced: Vec<_> = older.iter().map(stored).collect();
            pieced.extend(splice(&narrow, &segment));
            pieced.extend(newer.iter().map(stored));
            prop_assert_eq!(pieced, order, "{:?} of {:?}", answer, narrow);
        }
    }
}
