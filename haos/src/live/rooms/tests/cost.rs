//! A list costs what it shows, and then what changes.

use std::collections::BTreeMap;
use std::sync::Mutex;

use super::*;

/// A store that counts its calls.
#[derive(Debug, Default)]
struct Counted {
    store: MemoryStore,
    calls: Mutex<BTreeMap<&'static str, usize>>,
}

impl Counted {
    async fn count(&self, method: &'static str) -> Result<()> {
        *self.calls.lock().unwrap().entry(method).or_default() += 1;
        Ok(())
    }

    /// Returns the calls since the last time, by method.
    fn told(&self) -> String {
        let calls = std::mem::take(&mut *self.calls.lock().unwrap());
        calls.iter().map(|(method, calls)| format!("{method} {calls}")).collect::<Vec<_>>().join(", ")
    }
}

impl StorageAdapter for Counted {
    forward_store! { self => self.store; before count }
}

async fn world(rooms: i64) -> (World, Arc<Counted>) {
    let store = Arc::new(Counted::default());
    let world = World::over(store.clone());
    world
        .apply(|batch| {
            for n in 0..rooms {
                let id = format!("!{n}");
                batch.put_room(named(&id, n, &id)).put_message(text(&id, 1, "@a", "hello"));
                batch.put_state(member(&id, "@a", "Ada"));
            }
        })
        .await;
    store.told();
    (world, store)
}

#[tokio::test]
async fn fifty_rooms_cost_the_same_among_any_number() {
    for rooms in [100, 2_000] {
        let (world, store) = world(rooms).await;
        let list = world.list(RoomFilter::joined());
        list.now().await.unwrap();
        // The account's data; the drafts and profiles of all rooms.
        assert_eq!(store.told(), "pending 1, rooms 1, states 2, timelines 1", "{rooms}");
        list.now().await.unwrap();
        assert_eq!(store.told(), "", "nothing changed");
        list.more(10).await.unwrap();
        assert_eq!(store.told(), "rooms 1, states 1, timelines 1", "{rooms}");
    }
}

#[tokio::test]
async fn a_change_costs_the_rooms_that_changed() {
    let (world, store) = world(300).await;
    let list = world.list(RoomFilter::joined());
    let mut mirror = Mirror::of(&list).await;
    let mut costs = async |change: WriteBatch| {
        world.base.store.apply(change).await.unwrap();
        store.told();
        mirror.catch_up();
        store.told()
    };
    let batch = |fill: &dyn Fn(&mut WriteBatch)| {
        let mut batch = WriteBatch::relaxed();
        fill(&mut batch);
        batch
    };
    let room_of_another_place = batch(&|batch| {
        batch.put_state(member("!0", "@b", "Bob"));
    });
    assert_eq!(costs(room_of_another_place).await, "");
    let message = batch(&|batch| {
        batch.put_message(text("!299", 2, "@a", "more"));
    });
    assert_eq!(costs(message).await, "room 1, timelines 1");
    let comes_up = batch(&|batch| {
        batch.put_room(room("!0", 400));
    });
    assert_eq!(costs(comes_up).await, "room 1, states 1, timelines 1");
    let draft = batch(&|batch| {
        batch.put_state(in_room("!299", "haos.draft", "", "{}"));
    });
    assert_eq!(costs(draft).await, "states 1");
    let row = batch(&|batch| {
        batch.put_pending(written("!299", "t", "mine"));
    });
    assert_eq!(costs(row).await, "pending 2, states 2, timelines 1");
    let token = batch(&|batch| {
        batch.put_state(account("haos.sync_token", "", r#""s""#));
    });
    assert_eq!(costs(token).await, "states 1");
}

#[tokio::test]
async fn rooms_that_the_account_names_are_read_alone() {
    let (world, store) = world(300).await;
    world
        .apply(|batch| {
            batch.put_state(account("m.direct", "", r#"{"@a":["!7","!8","!gone"]}"#));
            batch.put_state(favourite("!7", "{}"));
        })
        .await;
    for (filter, shown, calls) in [
        (RoomFilter::joined().direct(), 2, "pending 1, room 3, states 2, timelines 1"),
        (RoomFilter::joined().favourites(), 1, "pending 1, room 1, states 2, timelines 1"),
        (RoomFilter::all().direct().favourites(), 1, "pending 1, room 1, states 2, timelines 1"),
    ] {
        store.told();
        let list = world.list(filter.clone());
        assert_eq!(list.now().await.unwrap().len(), shown);
        assert_eq!(store.told(), calls, "{filter:?}");
    }
    // Few rooms among many: the pages grow.
    let list = world.list(RoomFilter::joined().named("!7"));
    assert_eq!(list.now().await.unwrap().len(), 11);
    assert_eq!(store.told(), "pending 1, room 1, rooms 3, states 2, timelines 1");
}
