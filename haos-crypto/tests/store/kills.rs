//! A kill at every write, before it and after it: the store opens, and the machine goes on.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use haos_store_api::{
    Commit, Error, ErrorKind, MemoryStore, Result, StorageAdapter, WriteBatch, forward_store,
};

use crate::people::{
    Event, Server, ToDevice, Tried, alice, bob, encrypt, machine, read, receive, room, share, step,
};

/// The moment of a kill: how many writes are left, of both people, and whether the last is stored.
#[derive(Debug)]
struct Kill {
    left: AtomicU32,
    after: bool,
}

/// A store until its process is killed.
#[derive(Debug)]
struct Mortal {
    store: MemoryStore,
    kill: Arc<Kill>,
}

#[async_trait]
impl StorageAdapter for Mortal {
    async fn apply(&self, batch: WriteBatch) -> Result<Commit> {
        let left = self.kill.left.load(Ordering::Relaxed);
        self.kill.left.store(left.saturating_sub(1), Ordering::Relaxed);
        let is_stored = left > 1 || left == 1 && self.kill.after;
        let commit = if is_stored { Some(self.store.apply(batch).await?) } else { None };
        commit.filter(|_| left > 1).ok_or_else(|| Error::new(ErrorKind::Io, "apply", "killed"))
    }

    forward_store! { self => self.store; except apply }
}

const MESSAGES: usize = 3;

/// What outlives the kill.
#[derive(Default)]
struct World {
    alice: MemoryStore,
    bob: MemoryStore,
    server: Server,
    /// To bob, until he has stored what is in them.
    inbox: Mutex<Vec<ToDevice>>,
    events: Vec<Event>,
}

/// Alice tells the room's key, and sends what she has not; Bob reads all of it.
async fn talk(world: &mut World, kill: &Arc<Kill>) -> Tried<Vec<Option<String>>> {
    let mortal = |store: &MemoryStore| Arc::new(Mortal { store: store.clone(), kill: kill.clone() });
    let (hers, _) = machine(alice(), mortal(&world.alice)).await?;
    let (his, his_keys) = machine(bob(), mortal(&world.bob)).await?;
    for olm in [&his, &hers] {
        olm.update_tracked_users([alice(), bob()]).await?;
        world.server.serve(olm).await?;
    }
    // What she asked for before he had keys, she asks for again.
    hers.update_tracked_users([bob()]).await?;
    world.server.claim(&hers, bob()).await?;
    share(&hers, bob(), |event| world.inbox.lock().unwrap().push(event)).await?;
    while world.events.len() < MESSAGES {
        world.events.push(encrypt(&hers, &world.events.len().to_string()).await?);
    }
    let inbox = world.inbox.lock().unwrap().clone();
    his_keys.together(receive(&his, inbox.clone())).await?;
    world.inbox.lock().unwrap().drain(..inbox.len());
    let mut texts = Vec::new();
    for event in &world.events {
        texts.push(read(&his, event).await?);
    }
    Ok(texts)
}

/// Lives on without another kill: what comes under a new key is read, whatever was lost.
async fn goes_on(world: &mut World) -> Tried<()> {
    let (hers, _) = machine(alice(), Arc::new(world.alice.clone())).await?;
    hers.discard_room_key(room()).await?;
    let (his, _) = machine(bob(), Arc::new(world.bob.clone())).await?;
    let mut inbox = Vec::new();
    share(&hers, bob(), |event| inbox.push(event)).await?;
    receive(&his, inbox).await?;
    let event = encrypt(&hers, "later").await?;
    assert_eq!(read(&his, &event).await?.as_deref(), Some("later"));
    Ok(())
}

#[tokio::test]
async fn a_kill_at_every_write_loses_nothing() {
    for after in [false, true] {
        for nth in 1.. {
            let mut world = World::default();
            let kill = Arc::new(Kill { left: AtomicU32::new(nth), after });
            let first = talk(&mut world, &kill).await;
            let was_killed = kill.left.load(Ordering::Relaxed) == 0;
            let texts = match first {
                Ok(texts) => texts,
                Err(_) => {
                    let life = Arc::new(Kill { left: AtomicU32::new(u32::MAX), after });
                    let again = talk(&mut world, &life).await;
                    again.unwrap_or_else(|error| panic!("killed at write {nth}, {after}: {error}"))
                }
            };
            let all: Vec<_> = (0..MESSAGES).map(|n| Some(n.to_string())).collect();
            assert_eq!(texts, all, "killed at write {nth}, {after}");
            let steps: BTreeSet<_> = world.events.iter().map(step).collect();
            assert_eq!(steps.len(), MESSAGES, "an index was used twice");
            goes_on(&mut world).await.unwrap();
            if !was_killed {
                assert!(nth > 10, "all of it takes more writes than {nth}");
                break;
            }
        }
    }
}
