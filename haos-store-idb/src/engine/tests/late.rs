//! A load whose transaction began before what is in memory by the time it is answered.

use std::cell::RefCell;

use futures_util::FutureExt;
use haos_store_api::backend::{Codec, Keyring};
use haos_store_api::*;

use super::super::keys::Bucket;
use super::super::kv::{Answer, KEYRING, Kv, Span, Table};
use super::super::reload::{self, Loaded};
use super::super::view::Fault;
use super::contexts::{Db, message, puts, with_room};
use super::map::MapTx;
use super::store::{Folds, MapStore};

/// A transaction in which something happens elsewhere once the log was asked for.
struct Late<'m>(MapTx, RefCell<Option<Box<dyn FnOnce() + 'm>>>);

impl Kv for Late<'_> {
    fn named(&self, name: &'static str) -> Answer<Option<Vec<u8>>> {
        self.0.named(name)
    }

    fn get(&self, table: Table, key: &[u8]) -> Answer<Option<Vec<u8>>> {
        self.0.get(table, key)
    }

    fn range(&self, table: Table, span: &Span, limit: Option<u32>) -> Answer<Vec<Vec<u8>>> {
        self.0.range(table, span, limit)
    }

    fn keys(&self, table: Table, span: &Span, limit: Option<u32>) -> Answer<Vec<Vec<u8>>> {
        self.0.keys(table, span, limit)
    }

    fn last(&self, table: Table, span: &Span) -> Answer<Option<Vec<u8>>> {
        self.0.last(table, span)
    }

    fn log(&self, after: u64) -> Answer<Vec<Vec<u8>>> {
        let answer = self.0.log(after);
        if let Some(elsewhere) = self.1.take() {
            elsewhere();
        }
        answer
    }

    fn put(&self, table: Table, key: &[u8], value: &[u8]) -> Result<()> {
        self.0.put(table, key, value)
    }

    fn put_named(&self, name: &'static str, value: &[u8]) -> Result<()> {
        self.0.put_named(name, value)
    }

    fn delete_named(&self, name: &'static str) -> Result<()> {
        self.0.delete_named(name)
    }

    fn delete(&self, table: Table, key: &[u8]) -> Result<()> {
        self.0.delete(table, key)
    }

    fn clear(&self, table: Table, span: &Span) -> Result<()> {
        self.0.clear(table, span)
    }

    fn add(&self, record: &[u8]) -> Answer<u64> {
        self.0.add(record)
    }

    fn add_as(&self, number: u64, record: &[u8]) -> Result<()> {
        self.0.add_as(number, record)
    }

    fn trim(&self, last: u64) -> Result<()> {
        self.0.trim(last)
    }

    fn trim_from(&self, first: u64) -> Result<()> {
        self.0.trim_from(first)
    }
}

#[tokio::test]
async fn what_was_asked_before_a_fold_is_asked_again_after_it() -> Result<()> {
    let db = Db::default();
    let store = with_room(&db).await?;
    store.apply(puts(0..3)).await?;
    let room = Codec::plain().room_key(&message(0).room);
    let bucket = Bucket::of(message(0).position);
    let before = MapTx::new(db.lock().unwrap().clone(), None, u32::MAX);
    // A commit alone changes no table; a fold does.
    for (folds, expected) in [(false, Loaded::Done), (true, Loaded::Again)] {
        let elsewhere = || {
            if folds {
                store.fold().unwrap();
            }
            store.load(Vec::new()).unwrap();
        };
        let late = Late(
            MapTx::new(before.maps.borrow().clone(), None, u32::MAX),
            RefCell::new(Some(Box::new(elsewhere))),
        );
        let memory = store.memory();
        let wanted = vec![Fault::Buckets(room, bucket, bucket)];
        let loaded = reload::load(&late, &Codec::plain(), &memory, wanted).now_or_never().unwrap()?;
        assert_eq!(loaded, expected);
    }
    let slice = store.timeline(&message(0).room, Page::oldest(9)).await?;
    assert_eq!(slice.messages().count(), 3);
    Ok(())
}

/// A context that hears of changed keys seals with the new ones from its next commit on.
#[tokio::test]
async fn changed_keys_are_adopted_before_a_commit() -> Result<()> {
    let db = Db::default();
    let keyring = Keyring::create(&Secret::key([7; 32]), Default::default())?;
    let sealed = |codec| MapStore::open(Db::clone(&db), codec, Folds::Never);
    let one = sealed(Codec::sealed(keyring));
    let record = db.lock().unwrap().named[KEYRING].clone();
    let other = sealed(Codec::sealed(Keyring::unlock(&record, &Secret::key([7; 32]))?));
    let mut batch = WriteBatch::relaxed();
    batch.put_room(Room::new(message(0).room, Membership::Join));
    one.apply(batch).await?;
    other.apply(puts([0])).await?;
    one.maintain(Maintenance::Rotate, Progress::none()).await?;
    other.apply(puts([1])).await?;
    let record = db.lock().unwrap().named[KEYRING].clone();
    // Only the new key is left.
    let fresh = sealed(Codec::sealed(Keyring::unlock(&record, &Secret::key([7; 32]))?));
    for store in [&fresh, &one, &other] {
        let slice = store.timeline(&message(0).room, Page::oldest(9)).await?;
        assert_eq!((slice.messages().count(), store.info().damaged), (2, 0));
        assert_eq!(store.maintain(Maintenance::Check, Progress::none()).await?.findings, [""; 0]);
    }
    Ok(())
}
