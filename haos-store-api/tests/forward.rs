//! A type that wraps a store hands on every method that it does not write itself.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use haos_store_api::*;

/// Records its calls, or refuses them.
#[derive(Debug, Default)]
struct Recorder {
    store: MemoryStore,
    asked: Mutex<Vec<&'static str>>,
    refuses: bool,
}

impl Recorder {
    async fn note(&self, method: &'static str) -> Result<()> {
        self.asked.lock().unwrap().push(method);
        if self.refuses { Err(Error::new(ErrorKind::Busy, method, "on purpose")) } else { Ok(()) }
    }
}

impl StorageAdapter for Recorder {
    forward_store! { self => self.store; before note; except info, changes }

    fn info(&self) -> StoreInfo {
        self.asked.lock().unwrap().push("info");
        self.store.info()
    }

    fn changes(&self) -> Changes {
        self.asked.lock().unwrap().push("changes");
        self.store.changes()
    }
}

/// Wraps a store and does nothing.
#[derive(Debug)]
struct Idle<S>(S);

impl<S: StorageAdapter> StorageAdapter for Idle<S> {
    forward_store! { self => self.0 }
}

/// Does some things, and forwards the rest through a reference.
#[derive(Debug)]
struct Busy<'a> {
    store: &'a dyn StorageAdapter,
    took: Mutex<Vec<&'static str>>,
}

#[async_trait]
impl StorageAdapter for Busy<'_> {
    async fn change_keys(&self, _: KeyChange) -> Result<()> {
        self.took.lock().unwrap().push("change_keys");
        Ok(())
    }

    async fn close(&self) -> Result<()> {
        self.took.lock().unwrap().push("close");
        Ok(())
    }

    forward_store! { self => *self.store; except close, change_keys }
}

macro_rules! names {
    ([] $($kind:ident $name:ident $(<$($life:lifetime),+>)? ($($args:tt)*) -> $out:ty;)+) => {
        &[$(stringify!($name)),+]
    };
}

/// Every method, in the order in which `ask_for_all` asks.
const ALL: &[&str] = __store_methods! { [names] [] };

/// Calls everything once; returns the kinds of the errors.
async fn ask_for_all(store: &dyn StorageAdapter) -> Vec<(&'static str, ErrorKind)> {
    let (room, event) = (RoomId::new("!r").unwrap(), EventId::new("$e").unwrap());
    let uri = MediaUri::new("mxc://m").unwrap();
    let key = MediaKey { uri, format: MediaFormat::new("").unwrap() };
    let related = RelationQuery { room: room.clone(), targets: Vec::new(), kind: None, limit: 1 };
    let by_id = MessageQuery::Ids { room: room.clone(), events: Vec::new() };
    let mut failed = Vec::new();
    let mut note = |method, failure: Option<Error>| failed.extend(failure.map(|e| (method, e.kind())));
    note("apply", store.apply(WriteBatch::relaxed()).await.err());
    note("room", store.room(&room).await.err());
    note("rooms", store.rooms(RoomQuery::default()).await.err());
    note("message", store.message(&room, &event).await.err());
    note("timeline", store.timeline(&room, Page::newest(1)).await.err());
    note("timelines", store.timelines(Vec::new()).await.err());
    note("gaps", store.gaps(&room).await.err());
    note("count", store.count(&room, Some(&event)).await.err());
    note("related", store.related(related).await.err());
    note("messages", store.messages(by_id).await.err());
    note("pending", store.pending(PendingQuery::default()).await.err());
    note("media", store.media(&key, ByteRange::ALL).await.err());
    note("media_index", store.media_index(MediaQuery::default()).await.err());
    note("state", store.state(StateQuery::all(Scope::Account)).await.err());
    note("states", store.states(Vec::new()).await.err());
    note("count_state", store.count_state(&Scope::Account, &EventType::new("k").unwrap()).await.err());
    note("usage", store.usage().await.err());
    note("snapshot", store.snapshot().await.err());
    note("maintain", store.maintain(Maintenance::Rotate, Progress::none()).await.err());
    note("change_keys", store.change_keys(KeyChange::Shred).await.err());
    let _ = (store.info(), store.changes());
    note("suspend", store.suspend().await.err());
    note("resume", store.resume().await.err());
    note("close", store.close().await.err());
    failed
}

/// The calls that a plain store in memory refuses.
const REFUSED: [(&str, ErrorKind); 2] =
    [("maintain", ErrorKind::NotSealed), ("change_keys", ErrorKind::NotSealed)];

#[tokio::test]
async fn everything_reaches_the_store_beneath() {
    type Way = fn(Arc<Recorder>) -> Box<dyn StorageAdapter>;
    let ways: [Way; 4] = [
        |store| Box::new(store),
        |store| Box::new(Idle(store)),
        |store| Box::new(Idle(store as Arc<dyn StorageAdapter>)),
        |store| Box::new(Arc::new(Idle(Box::new(store) as Box<dyn StorageAdapter>))),
    ];
    for way in ways {
        let beneath = Arc::new(Recorder::default());
        let store = way(beneath.clone());
        assert_eq!(ask_for_all(&store).await, REFUSED, "{store:?}");
        assert_eq!(*beneath.asked.lock().unwrap(), ALL, "{store:?}");
    }
}

#[tokio::test]
async fn what_is_excepted_does_not() {
    let beneath = Recorder::default();
    let store = Busy { store: &beneath, took: Mutex::default() };
    assert_eq!(ask_for_all(&store).await, REFUSED[..1]);
    assert_eq!(store.took.into_inner().unwrap(), ["change_keys", "close"]);
    let mut asked = beneath.asked.into_inner().unwrap();
    asked.splice(19..19, ["change_keys"]);
    asked.push("close");
    assert_eq!(asked, ALL);
}

#[tokio::test]
async fn what_is_refused_before_does_not() {
    let store = Recorder { refuses: true, ..Recorder::default() };
    let failed = ask_for_all(&store).await;
    let waits = ALL.iter().filter(|name| !["info", "changes"].contains(name));
    assert_eq!(failed, waits.map(|name| (*name, ErrorKind::Busy)).collect::<Vec<_>>());
    assert_eq!(
        store.store.usage().await.unwrap(),
        MemoryStore::new().usage().await.unwrap(),
        "it is open still"
    );
}

/// The change feed is the store's own, and an error comes as it is.
#[tokio::test]
async fn what_comes_back_is_the_store_s_own() {
    let store = Idle(MemoryStore::new());
    let mut changes = store.changes();
    let id = RoomId::new("!r").unwrap();
    let mut batch = WriteBatch::relaxed();
    batch.put_room(Room::new(id.clone(), Membership::Join));
    let commit = store.apply(batch).await.unwrap();
    assert!(
        matches!(changes.next().await, Some(Change::Commit { revision, .. }) if revision == commit.revision)
    );
    assert_eq!(store.room(&id).await.unwrap().unwrap().id, id);
    assert_eq!(store.info(), store.0.info());
    store.suspend().await.unwrap();
    let (here, beneath) = (store.room(&id).await.unwrap_err(), store.0.room(&id).await.unwrap_err());
    assert_eq!(here.to_string(), beneath.to_string());
    store.resume().await.unwrap();
    store.close().await.unwrap();
    assert_eq!(store.0.room(&id).await.unwrap_err().kind(), ErrorKind::Closed);
}
