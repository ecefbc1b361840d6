//! Two contexts over one account, interleaved at each call of the store: no index of a room's key is used twice.

use std::collections::BTreeSet;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;

use async_trait::async_trait;
use haos_crypto::Error;
use haos_store_api::{
    Commit, MemoryStore, Result, StateEntry, StateQuery, StorageAdapter, WriteBatch, forward_store,
};
use matrix_sdk_crypto::store::CryptoStore as _;
use matrix_sdk_crypto::{EncryptionSettings, OlmMachine};

use crate::people::{Server, Tried, alice, encrypt, machine, room, share, step};

/// A mistake to be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mistake {
    None,
    /// Writes expect nothing.
    SkipFence,
}

/// A context's view of the store: it waits before each call, and makes the mistake.
struct View {
    store: MemoryStore,
    mistake: Mistake,
}

impl fmt::Debug for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("View")
    }
}

/// Lets the other context go on.
async fn turn() {
    let mut waited = false;
    poll_fn(|context| {
        context.waker().wake_by_ref();
        if std::mem::replace(&mut waited, true) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

#[async_trait]
impl StorageAdapter for View {
    async fn apply(&self, batch: WriteBatch) -> Result<Commit> {
        turn().await;
        let mut kept = WriteBatch::relaxed();
        for op in batch.ops() {
            kept.push(op.clone());
        }
        let commit = match self.mistake {
            Mistake::SkipFence => self.store.apply(kept).await,
            _ => self.store.apply(batch).await,
        };
        turn().await;
        commit
    }

    async fn state(&self, query: StateQuery) -> Result<Vec<StateEntry>> {
        turn().await;
        self.store.state(query).await
    }

    async fn states(&self, queries: Vec<StateQuery>) -> Result<Vec<Vec<StateEntry>>> {
        turn().await;
        self.store.states(queries).await
    }

    forward_store! { self => self.store; except apply, state, states }
}

/// The numbers of a seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
}

/// What was given out, as it would be sent: by session and index.
type Sent = Arc<Mutex<Vec<(String, u32)>>>;

/// A context that sends a few messages. Before each it takes the lease, unless it forgets, or was frozen until its
/// lease went by: then it goes on as if it had it.
async fn context(view: Arc<View>, name: &'static str, mut dice: Dice, sent: Sent) {
    let mut open: Option<OlmMachine> = None;
    for nth in 0..4 {
        let (olm, keys) = match open.take() {
            Some(olm) if dice.roll(8) > 0 => (olm, None),
            _ => {
                let (olm, keys) = machine(alice(), view.clone()).await.unwrap();
                (olm, Some(keys))
            }
        };
        if let Some(keys) = keys.filter(|_| dice.roll(2) == 0) {
            // A lease of no time is one that has expired.
            let lease =
                keys.try_take_leased_lock(u32::try_from(dice.roll(2) * 60_000).unwrap(), "keys", name).await;
            if lease.unwrap().is_none() {
                continue;
            }
        }
        let told: Tried<()> = async {
            olm.share_room_key(room(), [alice()].into_iter(), EncryptionSettings::default()).await?;
            let event = encrypt(&olm, &format!("{name}{nth}")).await?;
            sent.lock().unwrap().push(step(&event));
            Ok(())
        }
        .await;
        match told {
            Ok(()) => open = Some(olm),
            // Nothing else fails here. The next message is sent by a machine that is made anew.
            Err(error) => assert!(error.to_string().contains(&Error::Stale.to_string()), "{error}"),
        }
    }
}

/// Runs two contexts, interleaved by a seed; returns what they sent.
async fn interleaved(store: &MemoryStore, seed: u64, mistake: Mistake) -> Vec<(String, u32)> {
    let sent = Sent::default();
    let mut both: Vec<Pin<Box<dyn Future<Output = ()>>>> = Vec::new();
    for (nth, name) in ["page", "worker"].into_iter().enumerate() {
        let view = Arc::new(View { store: store.clone(), mistake });
        both.push(Box::pin(context(view, name, Dice(seed * 2 + nth as u64), sent.clone())));
    }
    let mut dice = Dice(seed ^ 0x5EED);
    poll_fn(|cx| {
        let nth = usize::try_from(dice.roll(both.len() as u64)).unwrap();
        // A context runs for some turns, so that whole steps of one stand between two of the other's.
        for _ in 0..1 + dice.roll(6) {
            if both[nth].as_mut().poll(cx).is_ready() {
                drop(both.swap_remove(nth));
                break;
            }
        }
        // Back to the runtime each time, which gives its locks for so many steps at once.
        cx.waker().wake_by_ref();
        if both.is_empty() { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    std::mem::take(&mut *sent.lock().unwrap())
}

/// Plays seeds from one account; returns the number of messages, and those of an index that was used before.
async fn play(seeds: std::ops::Range<u64>, mistake: Mistake) -> (usize, usize) {
    let (mut messages, mut twice) = (0, 0);
    let store = MemoryStore::new();
    let mut server = Server::default();
    let (olm, _) = machine(alice(), Arc::new(store.clone())).await.unwrap();
    olm.update_tracked_users([alice()]).await.unwrap();
    server.serve(&olm).await.unwrap();
    share(&olm, alice(), drop).await.unwrap();
    let mut used = BTreeSet::new();
    for seed in seeds {
        for step in interleaved(&store, seed, mistake).await {
            messages += 1;
            if !used.insert(step) {
                twice += 1;
            }
        }
    }
    (messages, twice)
}

#[tokio::test]
async fn no_index_is_used_twice() {
    let (messages, twice) = play(0..1_000, Mistake::None).await;
    println!("{messages} messages");
    assert!(messages > 2_000, "both contexts get on: {messages}");
    assert_eq!(twice, 0);
}

#[tokio::test]
async fn without_the_fence_an_index_is_used_twice() {
    let (_, twice) = play(0..50, Mistake::SkipFence).await;
    assert!(twice > 0, "the test finds nothing");
}
