//! What happens between the readings of which a list is made.

use std::sync::Mutex;

use haos_store_api::{Page, PendingQuery, Slice};

use super::*;

/// A store in which a commit comes between two readings.
#[derive(Debug)]
struct Between {
    store: MemoryStore,
    /// What comes before the next reading of timelines, or before that of the outbox.
    before_timelines: Mutex<Option<WriteBatch>>,
    before_outbox: Mutex<Option<WriteBatch>>,
}

impl Between {
    async fn comes(&self, batch: &Mutex<Option<WriteBatch>>) {
        let batch = batch.lock().unwrap().take();
        if let Some(batch) = batch {
            self.store.apply(batch).await.unwrap();
        }
    }
}

#[async_trait]
impl StorageAdapter for Between {
    async fn timelines(&self, pages: Vec<(RoomId, Page)>) -> Result<Vec<Slice>> {
        self.comes(&self.before_timelines).await;
        self.store.timelines(pages).await
    }

    async fn pending(&self, query: PendingQuery) -> Result<Vec<Pending>> {
        self.comes(&self.before_outbox).await;
        self.store.pending(query).await
    }

    forward_store! { self => self.store; except timelines, pending }
}

/// The commit of an echo: the row goes, and the message comes.
fn echo() -> WriteBatch {
    let mut batch = WriteBatch::relaxed();
    let txn_id = Some(TxnId::new("t").unwrap());
    batch
        .remove_pending(TxnId::new("t").unwrap())
        .put_message(Message { txn_id, ..text("!r", 2, "@me", "mine") });
    batch
}

#[tokio::test]
async fn a_message_is_always_there_while_its_echo_comes() {
    for before_outbox in [true, false] {
        let store = Arc::new(Between {
            store: MemoryStore::new(),
            before_timelines: Mutex::default(),
            before_outbox: Mutex::default(),
        });
        let world = World::over(store.clone());
        world
            .apply(|batch| {
                batch.put_room(room("!r", 1)).put_message(text("!r", 1, "@a", "before"));
                batch.put_pending(written("!r", "t", "mine"));
            })
            .await;
        let list = world.list(RoomFilter::joined());
        let mut mirror = Mirror::of(&list).await;
        // A change of the outbox and the room, and the echo in the middle of its reading.
        let place = if before_outbox { &store.before_outbox } else { &store.before_timelines };
        *place.lock().unwrap() = Some(echo());
        world
            .apply(|batch| {
                batch.put_pending(pending("!other", "u", "m.room.message", "{}"));
                if !before_outbox {
                    batch.put_room(room("!r", 2));
                    batch.put_message(about(
                        RelationKind::Reaction,
                        "$1",
                        message("!r", 3, "@a", "m.reaction", "{}"),
                    ));
                }
            })
            .await;
        let shown = |room: &RoomItem| room.latest.as_ref().unwrap().text.clone();
        assert_eq!(shown(&list.now().await.unwrap()[0]), "mine", "{before_outbox}");
        assert!(place.lock().unwrap().is_none(), "it came meanwhile");
        mirror.catch_up();
        assert_eq!(shown(&mirror.items[0]), "mine");
        assert_eq!(mirror.items[0].latest.as_ref().unwrap().sending, None, "and then it is sent");
    }
}

#[tokio::test]
async fn a_call_that_is_dropped_loses_nothing() {
    let world = World::new();
    world
        .apply(|batch| {
            batch.put_room(room("!r", 1));
        })
        .await;
    let list = world.list(RoomFilter::joined());
    let mut mirror = Mirror::of(&list).await;
    world
        .apply(|batch| {
            batch.put_room(named("!r", 1, "R"));
        })
        .await;
    drop(mirror.diffs.next());
    mirror.catch_up();
    assert_eq!(mirror.items[0].name, "R");
    world.base.store.close().await.unwrap();
    assert!(mirror.diffs.next().await.unwrap().is_none(), "the feed ends with the store");
}
