//! Timelines of stores that saw different parts of one room's history.

use std::collections::{BTreeMap, BTreeSet};

use haos_archive::{RestoreOptions, copy};
use haos_backends::on_every_store;
use haos_sim::compare_timeline;
use haos_store_api::*;
use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestRunner};

use crate::dump::{revision, timeline};
use crate::sample::{id, kind, message, room};

/// The events of a room.
const EVENTS: usize = 20;

/// The room's history: which event redacts which earlier one, or edits it.
#[derive(Debug, Clone)]
struct Truth {
    redacts: BTreeMap<usize, usize>,
    edits: BTreeMap<usize, usize>,
}

/// What a store saw of it.
#[derive(Debug, Clone)]
struct Part {
    held: Vec<bool>,
    /// Fetched after its redaction.
    late: Vec<bool>,
    /// A gap before an event that hides nothing.
    doubt: Vec<bool>,
    /// The distance of an item from the one before.
    strides: Vec<u64>,
    /// The newest event is known by a send's answer alone.
    guess: bool,
}

fn truth() -> impl Strategy<Value = Truth> {
    let about = || proptest::collection::vec((1..EVENTS, 0..EVENTS), 0..5);
    (about(), about()).prop_map(|(redacts, edits)| {
        let mut of = BTreeMap::new();
        for (by, target) in redacts {
            let free =
                !of.contains_key(&target) && !of.values().any(|known| *known == target || *known == by);
            if target < by && free {
                of.insert(by, target);
            }
        }
        let edits = edits.into_iter().filter(|(by, target)| target < by && !of.contains_key(by)).collect();
        Truth { redacts: of, edits }
    })
}

fn part() -> impl Strategy<Value = Part> {
    let flags = |likely: f64| proptest::collection::vec(proptest::bool::weighted(likely), EVENTS);
    let strides = proptest::collection::vec(prop_oneof![2 => Just(1_u64), 1 => 2..80_u64], EVENTS * 2);
    (flags(0.6), flags(0.5), flags(0.05), strides, any::<bool>())
        .prop_map(|(held, late, doubt, strides, guess)| Part { held, late, doubt, strides, guess })
}

fn name(n: usize) -> String {
    format!("e{n:02}")
}

impl Part {
    /// The part as its store holds it, oldest first.
    fn items(&self, truth: &Truth) -> Vec<Item> {
        let (mut items, mut at, mut last) = (Vec::new(), 0, None);
        let mut strides = self.strides.iter();
        let mut next = || {
            at += strides.next().unwrap();
            at
        };
        let newest = self.held.iter().rposition(|held| *held);
        for n in (0..EVENTS).filter(|n| self.held[*n]) {
            let is_guess = self.guess && Some(n) == newest;
            let is_hole = last.map_or(n > 0, |last| last + 1 < n);
            if !is_guess && (is_hole || self.doubt[n]) {
                let token = Some(format!("t{n}")).filter(|_| n % 3 > 0);
                let position = Position::new(Position::FIRST.get() + next()).unwrap();
                items.push(Item::Gap(Gap { room: room(0), position, token, revision: Revision::ZERO }));
            }
            let mut message = self.message(truth, n, next());
            message.provisional = is_guess;
            items.push(Item::Message(message));
            last = Some(n);
        }
        items
    }

    fn message(&self, truth: &Truth, n: usize, position: u64) -> Message {
        let mut message = message(&room(0), &name(n), position);
        message.timestamp_ms = i64::try_from(n).unwrap();
        if let Some(by) = self.empties(truth, n) {
            (message.content, message.redacted_by) = (Json::empty(), Some(id(&name(by))));
        }
        let about = |kind, target: &usize| Relation { kind, target: id(&name(*target)), key: None };
        if let Some(target) = truth.redacts.get(&n) {
            message.kind = kind("redaction");
            message.relation = Some(about(RelationKind::Redaction, target));
        } else if let Some(target) = truth.edits.get(&n) {
            message.relation = Some(about(RelationKind::Edit, target));
        }
        message
    }

    /// The redaction for whose sake the store holds an event without its content.
    fn empties(&self, truth: &Truth, n: usize) -> Option<usize> {
        let by = *truth.redacts.iter().find(|(_, target)| **target == n)?.0;
        (self.held[by] || self.late[n]).then_some(by)
    }

    /// The pairs of neighbours that the store knows as such.
    fn pairs(&self) -> BTreeSet<(usize, usize)> {
        let newest = self.held.iter().rposition(|held| *held).filter(|_| self.guess);
        let knows = |n: &usize| self.held[*n] && Some(*n) != newest;
        (1..EVENTS).filter(|n| knows(&(n - 1)) && knows(n) && !self.doubt[*n]).map(|n| (n - 1, n)).collect()
    }

    fn confirmed(&self) -> BTreeSet<usize> {
        let newest = self.held.iter().rposition(|held| *held).filter(|_| self.guess);
        (0..EVENTS).filter(|n| self.held[*n] && Some(*n) != newest).collect()
    }

    async fn put(&self, truth: &Truth, store: &dyn StorageAdapter) {
        let mut batch = WriteBatch::relaxed();
        batch.put_room(Room::new(room(0), Membership::Join));
        for item in self.items(truth) {
            match item {
                Item::Message(message) => batch.put_message(message),
                Item::Gap(gap) => batch.put_gap(gap),
            };
        }
        store.apply(batch).await.unwrap();
    }
}

/// Checks a store into which parts were merged, one after the other.
async fn check(store: &dyn StorageAdapter, truth: &Truth, parts: &[&Part]) -> Result<(), TestCaseError> {
    let items = timeline(store, &room(0)).await;
    let order: Vec<EventId> = (0..EVENTS).map(|n| id(&name(n))).collect();
    let order: Vec<(u64, &EventId)> = order.iter().map(|id| (1, id)).collect();
    if let Err(fault) = compare_timeline(&items, &order, 0) {
        return Err(TestCaseError::fail(format!("{fault}: {}", told(&items))));
    }
    let number = |message: &Message| message.id.as_str()[2..].parse::<usize>().unwrap();
    let messages: Vec<&Message> = items.iter().filter_map(Item::as_message).collect();
    let union: BTreeSet<usize> = (0..EVENTS).filter(|n| parts.iter().any(|part| part.held[*n])).collect();
    prop_assert_eq!(messages.iter().map(|m| number(m)).collect::<BTreeSet<_>>(), union.clone());
    prop_assert_eq!(messages.len(), union.len(), "each once");

    let confirmed: BTreeSet<usize> = parts.iter().flat_map(|part| part.confirmed()).collect();
    let known: BTreeSet<(usize, usize)> = parts.iter().flat_map(|part| part.pairs()).collect();
    let (mut last, mut hole) = (None, false);
    for item in &items {
        match item {
            Item::Gap(_) => hole = true,
            Item::Message(message) if message.provisional => {
                prop_assert!(!confirmed.contains(&number(message)), "{} is no guess", message.id);
            }
            Item::Message(message) => {
                let n = number(message);
                if let Some(last) = last {
                    prop_assert_eq!(
                        known.contains(&(last, n)),
                        !hole,
                        "{} and {} in {}",
                        last,
                        n,
                        told(&items)
                    );
                }
                (last, hole) = (Some(n), false);
            }
        }
    }
    for message in messages {
        let n = number(message);
        let by = truth.redacts.iter().find(|(_, target)| **target == n).map(|(by, _)| *by);
        let was_emptied = parts.iter().any(|part| part.held[n] && part.empties(truth, n).is_some());
        let is_emptied = was_emptied || by.is_some_and(|by| union.contains(&by));
        prop_assert_eq!(message.redacted_by.clone(), by.filter(|_| is_emptied).map(|by| id(&name(by))));
        prop_assert_eq!(message.content == Json::empty(), is_emptied, "{}", message.id);
        let relates = truth.redacts.get(&n).or(truth.edits.get(&n)).is_some();
        prop_assert_eq!(message.relation.is_some(), relates);
    }
    Ok(())
}

fn told(items: &[Item]) -> String {
    let one = |item: &Item| match item {
        Item::Gap(_) => "|".to_owned(),
        Item::Message(message) if message.provisional => format!("~{}", message.id),
        Item::Message(message) => message.id.to_string(),
    };
    items.iter().map(one).collect::<Vec<_>>().join(" ")
}

async fn merged(store: &dyn StorageAdapter, truth: &Truth, parts: [&Part; 3]) -> Result<(), TestCaseError> {
    parts[0].put(truth, store).await;
    let before: Vec<EventId> = confirmed_in(store).await;
    for n in 1..3 {
        let other = MemoryStore::new();
        parts[n].put(truth, &other).await;
        copy(&other, store, RestoreOptions::default(), Progress::none()).await.unwrap();
        check(store, truth, &parts[..=n]).await?;
        for earlier in &parts[1..=n] {
            let other = MemoryStore::new();
            earlier.put(truth, &other).await;
            let held = revision(store).await;
            let again = copy(&other, store, RestoreOptions::default(), Progress::none()).await.unwrap();
            prop_assert!(again.is_unchanged());
            prop_assert_eq!(revision(store).await, held, "{:?}", told(&timeline(store, &room(0)).await));
        }
    }
    let after = confirmed_in(store).await;
    prop_assert!(before.iter().all(|id| after.contains(id)));
    Ok(())
}

async fn confirmed_in(store: &dyn StorageAdapter) -> Vec<EventId> {
    let items = timeline(store, &room(0)).await;
    let messages = items.iter().filter_map(Item::as_message).filter(|message| !message.provisional);
    messages.map(|message| message.id.clone()).collect()
}

/// Two parts of a history give their union, in the room's order. Two neighbours are without a gap between them if and
/// only if one of the stores knew them as neighbours; so no gap is lost that hides something. What either held emptied
/// is empty, and so is what one redacted and the other held; nothing else. Merging again writes nothing.
#[test]
fn parts_of_a_history_merge_to_what_all_know_of_it() {
    let cases = std::env::var("PROPTEST_CASES").map_or(400, |cases| cases.parse().unwrap());
    let config = ProptestConfig {
        cases,
        rng_seed: RngSeed::Fixed(0x4841_4f53),
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    TestRunner::new(config)
        .run(&(truth(), part(), part(), part()), |(truth, a, b, c)| {
            runtime.block_on(merged(&MemoryStore::new(), &truth, [&a, &b, &c]))
        })
        .unwrap();
}

#[tokio::test]
async fn they_merge_so_in_any_store() {
    let config = ProptestConfig { rng_seed: RngSeed::Fixed(7), ..ProptestConfig::default() };
    let mut runner = TestRunner::new(config);
    let mut cases = Vec::new();
    for _ in 0..4 {
        let tree = (truth(), part(), part(), part()).new_tree(&mut runner).unwrap();
        cases.push(proptest::strategy::ValueTree::current(&tree));
    }
    for (truth, a, b, c) in &cases {
        on_every_store(async |mut home| {
            let store = home.open().await;
            merged(&*store, truth, [a, b, c]).await.unwrap();
            store.close().await.unwrap();
        })
        .await;
    }
}
