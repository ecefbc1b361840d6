//! What the fence says, and what becomes of what is damaged, odd or doubled.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use async_trait::async_trait;
use haos_crypto::{Error, KeyStore};
use haos_store_api::{
    Commit, Error as StoreError, ErrorKind, EventType, MemoryStore, Result, Scope, StateEntry, StateKey,
    StateQuery, StorageAdapter, WriteBatch, forward_store, state_kind,
};
use matrix_sdk_crypto::Account;
use matrix_sdk_crypto::olm::{InboundGroupSession, SenderDataType};
use matrix_sdk_crypto::store::CryptoStore as _;
use matrix_sdk_crypto::store::types::{Changes, PendingChanges};
use ruma::{RoomId, room_id, user_id};

use crate::people::room;

async fn keys(store: &MemoryStore) -> KeyStore {
    KeyStore::open(Arc::new(store.clone())).await.unwrap()
}

pub(crate) fn account() -> Account {
    Account::with_device_id(user_id!("@a:example.org"), "PHONE".into())
}

pub(crate) async fn room_key(of: &Account, room: &RoomId) -> InboundGroupSession {
    of.create_group_session_pair_with_defaults(room).await.1
}

async fn put(keys: &KeyStore, name: &str) -> Result<(), Error> {
    keys.set_custom_value(name, name.into()).await
}

#[tokio::test]
async fn the_later_of_two_writers_is_stale_for_good() {
    let store = MemoryStore::new();
    let (one, two) = (keys(&store).await, keys(&store).await);
    put(&one, "a").await.unwrap();
    put(&one, "b").await.unwrap();
    assert!(!two.is_stale(), "it does not know");
    assert!(matches!(put(&two, "c").await, Err(Error::Stale)));
    assert!(two.is_stale() && !one.is_stale());
    assert!(matches!(put(&two, "c").await, Err(Error::Stale)));
    assert_eq!(two.get_custom_value("c").await.unwrap(), None, "nothing was stored, and it reads on");
    assert_eq!(two.get_custom_value("a").await.unwrap().as_deref(), Some(&b"a"[..]));
    let two = keys(&store).await;
    put(&two, "c").await.unwrap();
    assert!(matches!(put(&one, "d").await, Err(Error::Stale)), "now the other one is");
}

#[tokio::test]
async fn an_account_that_was_begun_anew_is_another() {
    let store = MemoryStore::new();
    let one = keys(&store).await;
    put(&one, "a").await.unwrap();
    let mut batch = WriteBatch::relaxed();
    for entry in store.state(StateQuery::all(Scope::Account)).await.unwrap() {
        assert!(entry.kind.as_str().starts_with(state_kind::KEYS));
        batch.remove_state(entry.scope, entry.kind, entry.key);
    }
    store.apply(batch).await.unwrap();
    // As many writes as the first has made: its number comes again, its mark does not.
    put(&keys(&store).await, "a").await.unwrap();
    assert!(matches!(put(&one, "b").await, Err(Error::Stale)));
}

#[tokio::test]
async fn leases_do_not_touch_the_fence() {
    let store = MemoryStore::new();
    let (one, two) = (keys(&store).await, keys(&store).await);
    assert_eq!(one.try_take_leased_lock(60_000, "l", "one").await.unwrap(), Some(1));
    assert_eq!(two.try_take_leased_lock(60_000, "l", "two").await.unwrap(), None);
    put(&two, "a").await.unwrap();
    assert!(!two.is_stale());
}

/// A store whose writes fail: 1 before, 2 after they are stored, 3 as 2 and for good.
#[derive(Debug, Default)]
struct Failing {
    store: MemoryStore,
    how: AtomicU8,
}

#[async_trait]
impl StorageAdapter for Failing {
    async fn apply(&self, batch: WriteBatch) -> Result<Commit> {
        let how = self.how.load(Ordering::Relaxed);
        if how != 1 {
            let commit = self.store.apply(batch).await?;
            if how == 0 {
                return Ok(commit);
            }
        }
        Err(StoreError::new(ErrorKind::Io, "apply", "on purpose"))
    }

    forward_store! { self => self.store; except apply }
}

#[tokio::test]
async fn a_write_without_an_answer_is_no_other_s() {
    let store = Arc::new(Failing::default());
    let keys = KeyStore::open(store.clone()).await.unwrap();
    put(&keys, "a").await.unwrap();
    for how in [1, 2, 2, 1] {
        store.how.store(how, Ordering::Relaxed);
        assert!(matches!(put(&keys, "b").await, Err(Error::Store(_))));
        assert!(!keys.is_stale());
        store.how.store(0, Ordering::Relaxed);
        put(&keys, "c").await.unwrap();
    }
    // But if another one wrote since, it is one too late.
    store.how.store(2, Ordering::Relaxed);
    put(&keys, "d").await.unwrap_err();
    store.how.store(0, Ordering::Relaxed);
    put(&KeyStore::open(store.clone()).await.unwrap(), "e").await.unwrap();
    assert!(matches!(put(&keys, "f").await, Err(Error::Stale)));
}

#[tokio::test]
async fn another_key_of_a_session_is_to_be_backed_up_again() {
    let (store, account) = (MemoryStore::new(), account());
    let keys = keys(&store).await;
    let key = room_key(&account, room()).await;
    keys.save_inbound_group_sessions(vec![key.clone()], None).await.unwrap();
    keys.mark_inbound_group_sessions_as_backed_up("1", &[(room(), key.session_id())]).await.unwrap();
    assert_eq!(keys.inbound_group_sessions_for_backup("1", 9).await.unwrap().len(), 0);
    let marked = keys.get_inbound_group_session(room(), key.session_id()).await.unwrap().unwrap();
    keys.save_inbound_group_sessions(vec![marked], None).await.unwrap();
    assert_eq!(keys.inbound_group_sessions_for_backup("1", 9).await.unwrap().len(), 0, "it is the same key");
    keys.save_inbound_group_sessions(vec![key], None).await.unwrap();
    assert_eq!(keys.inbound_group_sessions_for_backup("1", 9).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_session_that_is_shared_in_two_rooms_is_two_keys() {
    let (store, account) = (MemoryStore::new(), account());
    let keys = keys(&store).await;
    let here = room_key(&account, room()).await;
    let mut pickle = here.pickle().await;
    pickle.room_id = room_id!("!other:example.org").to_owned();
    let there = InboundGroupSession::from_pickle(pickle).unwrap();
    keys.save_inbound_group_sessions(vec![here.clone(), there.clone()], None).await.unwrap();
    let of = async |trust| {
        let found = keys.get_inbound_group_sessions_for_device_batch(here.sender_key(), trust, None, 9).await;
        found.unwrap().len()
    };
    assert_eq!(of(SenderDataType::UnknownDevice).await, 2);
    keys.mark_inbound_group_sessions_as_backed_up("1", &[(here.room_id(), here.session_id())]).await.unwrap();
    let left = keys.inbound_group_sessions_for_backup("1", 9).await.unwrap();
    assert_eq!(left.iter().map(|key| key.room_id()).collect::<Vec<_>>(), [there.room_id()]);
    assert_eq!(keys.get_inbound_group_sessions().await.unwrap().len(), 2);
}

#[tokio::test]
async fn ids_that_a_store_does_not_take_are_kept_all_the_same() {
    let (store, account) = (MemoryStore::new(), account());
    let keys = keys(&store).await;
    let long = RoomId::parse(format!("!{}:example.org", "r".repeat(230))).unwrap();
    let key = room_key(&account, &long).await;
    keys.save_inbound_group_sessions(vec![key.clone()], None).await.unwrap();
    assert_eq!(keys.get_inbound_group_sessions_by_room_id(&long).await.unwrap(), [key]);
    put(&keys, "nul\0").await.unwrap();
    assert!(keys.get_custom_value("nul\0").await.unwrap().is_some());
}

#[tokio::test]
async fn a_newer_value_is_refused_by_name() {
    let store = MemoryStore::new();
    let keys = keys(&store).await;
    let account = account();
    keys.save_pending_changes(PendingChanges { account: Some(account) }).await.unwrap();
    let mut batch = WriteBatch::relaxed();
    let entry = StateEntry {
        scope: Scope::Account,
        kind: EventType::new(format!("{}own", state_kind::KEYS)).unwrap(),
        key: StateKey::new("account").unwrap(),
        event_id: None,
        value: haos_store_api::Json::new(r#"{"v":9,"d":[]}"#).unwrap(),
    };
    batch.put_state(entry);
    store.apply(batch).await.unwrap();
    assert!(matches!(keys.load_account().await, Err(Error::Newer(9))));
}

#[tokio::test]
async fn what_is_closed_refuses() {
    let keys = keys(&MemoryStore::new()).await;
    keys.close().await.unwrap();
    assert!(matches!(keys.load_account().await, Err(Error::Closed)));
    assert!(matches!(keys.save_changes(Changes::default()).await, Err(Error::Closed)));
    keys.reopen().await.unwrap();
    assert!(keys.load_account().await.unwrap().is_none());
}
