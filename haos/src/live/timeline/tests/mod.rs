mod law;
mod parts;
mod races;
mod world;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use haos_backends::{Backend, Home};
use haos_matrix::compose;
use haos_store_api::StorageAdapter;

use self::world::{Chance, World};
use super::reader::TimelineReader;
use super::*;
use crate::live::list::Reader as _;

type Items = Vec<Arc<TimelineItem>>;

/// A screen: what it shows, and what it is told.
struct Screen {
    shown: Items,
    diffs: Diffs<Arc<TimelineItem>>,
}

impl Screen {
    async fn of(timeline: &Timeline) -> Self {
        let (shown, diffs) = timeline.subscribe().await.unwrap();
        Self { shown, diffs }
    }

    /// Takes what is told, until it shows what the store has.
    async fn catch_up(&mut self, now: &Items) {
        while self.shown != *now {
            let told = tokio::time::timeout(std::time::Duration::from_secs(60), self.diffs.next()).await;
            for step in told.expect("the steps end early").unwrap().unwrap() {
                step.apply(&mut self.shown).unwrap();
            }
        }
    }
}

/// One step of chance.
async fn step(world: &mut World, timeline: &Timeline, chance: &mut Chance) -> String {
    let items = timeline.items().await.unwrap();
    let posts: Items = items.iter().filter(|item| item.post().is_some()).cloned().collect();
    let item = chance.one(&posts).cloned();
    let text = format!("own {}", chance.below(1000));
    let done = match (chance.below(20), item) {
        (0..=4, _) => {
            world.happen(chance);
            world.news(chance).await;
            "news"
        }
        (5, _) => {
            world.fill(chance).await;
            "fill"
        }
        (6, _) if chance.below(3) == 0 => {
            world.prune(chance).await;
            "prune"
        }
        (7 | 8, _) => {
            world.base.outbox.enqueue(compose::text(&world.room, &text).unwrap()).await.unwrap();
            "send"
        }
        (9, Some(item)) => {
            let _ = timeline.edit(&item, text).await;
            "edit"
        }
        (10, Some(item)) => {
            timeline.react(&item, ["👍", "👎"][chance.below(2)]).await.unwrap();
            "react"
        }
        (11, Some(item)) => {
            timeline.unreact(&item, ["👍", "👎"][chance.below(2)]).await.unwrap();
            "unreact"
        }
        (12, Some(item)) => {
            timeline.redact(&item, None).await.unwrap();
            "redact"
        }
        (13, Some(item)) => {
            match chance.below(2) {
                0 => timeline.retry(&item).await.unwrap(),
                _ => timeline.cancel(&item).await.unwrap(),
            }
            "retry or cancel"
        }
        (14, Some(item)) => {
            if let TimelineItemKind::Event(event) = &item.kind {
                let draft = compose::read(&world.room, &event.event_id, false).unwrap();
                world.base.outbox.enqueue(draft).await.unwrap();
            }
            "read"
        }
        (15, Some(item)) => {
            if let TimelineItemKind::Event(event) = &item.kind {
                timeline.around(&event.event_id, 6).await.unwrap();
            }
            "around"
        }
        (16, _) => {
            timeline.older(1 + chance.below(8)).await.unwrap();
            "older"
        }
        (17, _) => {
            timeline.newer(1 + chance.below(8)).await.unwrap();
            "newer"
        }
        (18, _) => {
            timeline.to_live(1 + chance.below(12)).await;
            "to live"
        }
        _ => {
            world.send(chance).await;
            "sending"
        }
    };
    done.to_owned()
}

/// Reads the same window afresh.
async fn fresh(timeline: &Timeline) -> Items {
    let (base, room, window) = timeline
        .list
        .reader(|reader| (reader.base.clone(), reader.room.clone(), reader.window.clone()))
        .await;
    TimelineReader::new(base, room, window).read().await.unwrap()
}

async fn play(store: Arc<dyn StorageAdapter>, seed: u64) {
    let mut chance = Chance::new(seed);
    let mut world = World::new(store).await;
    let timeline = Timeline::open(world.base.clone(), world.room.clone(), 8);
    let (mut eager, mut lazy) = (Screen::of(&timeline).await, Screen::of(&timeline).await);
    let mut ids = BTreeMap::new();
    for nr in 0..40 {
        let done = step(&mut world, &timeline, &mut chance).await;
        let now = fresh(&timeline).await;
        assert_eq!(timeline.items().await.unwrap().to_vec(), now, "seed {seed}, step {nr}: {done}");
        eager.catch_up(&now).await;
        let mut seen = HashSet::new();
        for item in &now {
            assert!(seen.insert(&item.id), "seed {seed}, step {nr}: {done}: two items are {}", item.id);
            let txn_id = match &item.kind {
                TimelineItemKind::Event(event) => event.txn_id.clone(),
                TimelineItemKind::Local(local) => Some(local.txn_id.clone()),
                _ => None,
            };
            if let Some(txn_id) = txn_id {
                let known = ids.entry(txn_id).or_insert_with(|| item.id.clone());
                assert_eq!(*known, item.id, "seed {seed}, step {nr}: {done}");
            }
        }
        if chance.below(8) == 0 {
            lazy.catch_up(&now).await;
        }
    }
    lazy.catch_up(&fresh(&timeline).await).await;
}

/// Plays a share of the seeds that `HAOS_SEEDS` asks for (2000), or the one of `HAOS_SEED`.
async fn seeds(backend: Backend, sealed: bool, share: u64) {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seeds = match number("HAOS_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..(number("HAOS_SEEDS").unwrap_or(2000) / share).max(1),
    };
    for seed in seeds {
        let mut home = Home::new(backend, sealed);
        let store = home.open().await;
        play(store.clone(), seed).await;
        store.close().await.unwrap();
    }
}

#[tokio::test]
async fn a_mirror_equals_a_fresh_reading_in_memory() {
    seeds(Backend::Memory, false, 1).await;
}

#[tokio::test]
async fn a_mirror_equals_a_fresh_reading_of_sqlite() {
    seeds(Backend::Sqlite, false, 20).await;
}

#[tokio::test]
async fn a_mirror_equals_a_fresh_reading_of_a_sealed_store() {
    seeds(Backend::Sqlite, true, 20).await;
}
