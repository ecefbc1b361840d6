//! Clients that die, come again, or are two.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_trait::async_trait;
use haos_backends::on_every_store;
use haos_queue::Lead;
use haos_store_api::{
    Commit, Error, ErrorKind, EventType, MemoryStore, Op, Result, Scope, StorageAdapter, WriteBatch,
    forward_store,
};
use haos_stub::town::Town;
use matrix_sdk_crypto::vodozemac::megolm::MegolmMessage;

use super::heal::reason;
use super::world::{Person, ROOM, until};

type Refuses = Box<dyn Fn(&[Op]) -> bool + Send + Sync>;

/// A store that refuses some writes once it is sick.
struct Sick {
    store: Arc<MemoryStore>,
    is_sick: AtomicBool,
    refuses: Refuses,
    refused: AtomicUsize,
}

impl Sick {
    fn new(store: &Arc<MemoryStore>, refuses: impl Fn(&[Op]) -> bool + Send + Sync + 'static) -> Arc<Self> {
        let (is_sick, refused) = Default::default();
        Arc::new(Self { store: store.clone(), is_sick, refuses: Box::new(refuses), refused })
    }

    fn fall_sick(&self) {
        self.is_sick.store(true, Ordering::Relaxed);
    }

    fn has_refused(&self) -> bool {
        self.refused.load(Ordering::Relaxed) > 0
    }
}

impl fmt::Debug for Sick {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sick").field("refused", &self.refused).finish_non_exhaustive()
    }
}

#[async_trait]
impl StorageAdapter for Sick {
    async fn apply(&self, batch: WriteBatch) -> Result<Commit> {
        if self.is_sick.load(Ordering::Relaxed) && (self.refuses)(batch.ops()) {
            self.refused.fetch_add(1, Ordering::Relaxed);
            return Err(Error::new(ErrorKind::Io, "apply", "no"));
        }
        self.store.apply(batch).await
    }

    forward_store! { self => self.store; except apply }
}

async fn waiting(store: &MemoryStore) -> u64 {
    store.count_state(&Scope::Account, &EventType::new("haos.e2ee.inbox").unwrap()).await.unwrap()
}

#[tokio::test]
async fn a_crash_between_the_sync_and_its_reading_loses_nothing() {
    let town = Town::start();
    town.encrypted_room(ROOM, &["ada", "bob"]);
    let ada = Person::new(&town, "ada").await;
    let store = Arc::new(MemoryStore::new());
    let is_key =
        |op: &Op| matches!(op, Op::PutState(entry) if entry.kind.as_str().starts_with("haos.e2ee.own"));
    let sick = Sick::new(&store, move |ops| ops.iter().any(is_key));
    let bob = Person::with_keys(&town, "bob", sick.clone()).await;
    ada.says("before").await;
    bob.until_reads(&["before"]).await;
    ada.until_sent().await;
    town.join(ROOM, "cyd");
    let cyd = Person::new(&town, "cyd").await;
    ada.until_member("@cyd:x", "join").await;
    ada.says("to cyd too").await;
    bob.until_reads(&["before", "to cyd too"]).await;
    until("cyd reads", async || cyd.reads().await == ["to cyd too"]).await;
    sick.fall_sick();
    // Whoever leaves makes the next message go out under a new key.
    town.leave(ROOM, "cyd");
    ada.until_member("@cyd:x", "leave").await;
    ada.says("under a new key").await;
    ada.until_sent().await;
    until("a key waits in the store", async || waiting(&store).await > 0).await;
    until("the message is there, unread", async || {
        bob.messages().await.iter().any(|message| reason(message).is_some())
    })
    .await;
    bob.dies().await;
    assert!(waiting(&store).await > 0, "it waits on");
    let bob = Person::on(&town, "bob", store.clone()).await;
    bob.until_reads(&["before", "to cyd too", "under a new key"]).await;
    until("what was read is removed", async || waiting(&store).await == 0).await;
}

/// A key comes for a message that waits, the store falls sick, and the process dies.
async fn killed(refuses: impl Fn(&[Op]) -> bool + Send + Sync + 'static) -> bool {
    let town = Town::start();
    town.encrypted_room(ROOM, &["ada", "bob"]);
    let ada = Person::new(&town, "ada").await;
    let store = Arc::new(MemoryStore::new());
    let sick = Sick::new(&store, refuses);
    let bob = Person::with_keys(&town, "bob", sick.clone()).await;
    town.keep_back(true);
    ada.says("hello").await;
    ada.until_sent().await;
    until("the message waits", async || bob.messages().await.iter().any(|message| reason(message).is_some()))
        .await;
    sick.fall_sick();
    town.keep_back(false);
    until("it is sick, or all is done", async || {
        sick.has_refused() || (bob.reads().await == ["hello"] && waiting(&store).await == 0)
    })
    .await;
    bob.dies().await;
    let bob = Person::on(&town, "bob", store.clone()).await;
    bob.until_reads(&["hello"]).await;
    until("what was read is removed", async || waiting(&store).await == 0).await;
    bob.says("and back").await;
    ada.until_reads(&["hello", "and back"]).await;
    sick.has_refused()
}

#[tokio::test]
async fn a_crash_between_a_key_and_the_rows_it_reads_leaves_none_unread() {
    let is_healing = |op: &Op| matches!(op, Op::RemoveState(_, kind, _) if kind.as_str().starts_with("haos.e2ee.waiting/"));
    assert!(killed(move |ops| ops.iter().any(is_healing)).await);
}

#[tokio::test]
async fn a_crash_at_any_write_loses_nothing() {
    let mut refused = 0;
    for after in 0..10 {
        let left = AtomicUsize::new(after);
        let is_over = move || {
            left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_err()
        };
        refused += usize::from(killed(move |_| is_over()).await);
    }
    assert!(refused >= 4, "only {refused} writes were cut off");
}

#[tokio::test]
async fn on_any_store_plain_or_sealed() {
    on_every_store(async |mut home| {
        let town = Town::start();
        town.encrypted_room(ROOM, &["ada", "bob"]);
        let ada = Person::new(&town, "ada").await;
        let mut said: Vec<String> = Vec::new();
        for round in 0..2 {
            let store = home.open().await;
            let bob = Person::with_keys(&town, "bob", store.clone()).await;
            for (who, name) in [(&ada, "ada"), (&bob, "bob")] {
                said.push(format!("{name} {round}"));
                who.says(said.last().unwrap()).await;
                let wanted: Vec<&str> = said.iter().map(String::as_str).collect();
                bob.until_reads(&wanted).await;
                ada.until_reads(&wanted).await;
            }
            bob.until_sent().await;
            bob.dies().await;
            store.close().await.unwrap();
        }
        assert_eq!(devices_told(&town, "@bob:x"), 1);
    })
    .await;
}

/// The events that brought device keys of a user.
fn devices_told(town: &Town, user: &str) -> usize {
    let bodies = town.bodies("keys/upload");
    let told = |body: &Vec<u8>| {
        let body: serde_json::Value = serde_json::from_slice(body).unwrap();
        body["device_keys"]["user_id"] == user
    };
    bodies.iter().filter(|body| told(body)).count()
}

#[tokio::test]
async fn a_client_that_comes_again_goes_on_with_its_device() {
    let town = Town::start();
    town.encrypted_room(ROOM, &["ada", "bob"]);
    let store = Arc::new(MemoryStore::new());
    let ada = Person::new(&town, "ada").await;
    let mut bob = Person::with_keys(&town, "bob", store.clone()).await;
    let mut said = Vec::new();
    for round in 0..3 {
        for (who, name) in [(&ada, "ada"), (&bob, "bob")] {
            said.push(format!("{name} {round}"));
            who.says(said.last().unwrap()).await;
            let wanted: Vec<&str> = said.iter().map(String::as_str).collect();
            ada.until_reads(&wanted).await;
            bob.until_reads(&wanted).await;
        }
        bob.until_sent().await;
        let device = bob.session().await.device;
        bob.dies().await;
        bob = Person::on(&town, "bob", store.clone()).await;
        assert_eq!(bob.session().await.device, device);
    }
    assert_eq!((town.devices("bob").len(), devices_told(&town, "@bob:x")), (1, 1));
}

#[tokio::test]
async fn a_device_that_logs_in_again_tells_its_keys_again() {
    let town = Town::start();
    town.encrypted_room(ROOM, &["ada", "bob"]);
    let store = Arc::new(MemoryStore::new());
    let ada = Person::new(&town, "ada").await;
    let bob = Person::with_keys(&town, "bob", store.clone()).await;
    ada.says("one").await;
    bob.until_reads(&["one"]).await;
    bob.says("two").await;
    ada.until_reads(&["one", "two"]).await;
    let bob = bob.logs_in_again(&town, "bob", store).await;
    until("bob has keys again", async || town.one_time_keys("bob") > 0 && devices_told(&town, "@bob:x") == 2)
        .await;
    bob.says("three").await;
    ada.until_reads(&["one", "two", "three"]).await;
    ada.says("four").await;
    bob.until_reads(&["one", "two", "three", "four"]).await;
}

#[tokio::test]
async fn two_contexts_use_no_index_twice_and_send_nothing_twice() {
    let town = Town::start();
    town.encrypted_room(ROOM, &["ada", "bob"]);
    let bob = Person::new(&town, "bob").await;
    let store = Arc::new(MemoryStore::new());
    let one = Person::with(&town, "ada", store.clone(), Lead::Shared).await;
    let two = Person::with(&town, "ada", store.clone(), Lead::Shared).await;
    until("ada has keys", async || town.one_time_keys("ada") > 0).await;
    let mut said = BTreeSet::new();
    for number in 0..12 {
        let text = format!("number {number}");
        if number % 2 == 0 {
            one.says(&text).await
        } else {
            two.says(&text).await
        }
        said.insert(text);
    }
    until("bob reads all", async || bob.reads().await.into_iter().collect::<BTreeSet<_>>() == said).await;
    one.until_sent().await;
    let sent: Vec<_> =
        town.events(ROOM).into_iter().filter(|event| event["type"] == "m.room.encrypted").collect();
    assert_eq!(sent.len(), said.len(), "each once");
    let mut used = BTreeSet::new();
    // Also what was sent and not taken counts.
    for body in town.bodies("/send/m.room.encrypted/") {
        let content: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let ciphertext = content["ciphertext"].as_str().unwrap().to_owned();
        let index = MegolmMessage::from_base64(&ciphertext).unwrap().message_index();
        used.insert((content["session_id"].as_str().unwrap().to_owned(), index, ciphertext));
    }
    let places: BTreeSet<_> = used.iter().map(|(session, index, _)| (session, index)).collect();
    assert_eq!(places.len(), used.len(), "two texts under one index");
    assert_eq!(one.reads().await.len(), said.len());
}
