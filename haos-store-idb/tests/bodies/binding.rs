//! The binding is free of the defects of the crate under it.

use std::cell::Cell;
use std::future::Future;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use haos_store_api::{Durability, ErrorKind};
use js_sys::{Object, Reflect};

use super::raw;
use crate::error::Failure;
use crate::idb::{Database, Mode, Opening, Range, Store, Upgrade, bytes, to_js};

pub(super) const ITEMS: &str = "items";
pub(super) const NUMBERED: &str = "numbered";
pub(super) const WRITE: Mode = Mode::Write(Durability::Relaxed);

fn stores(upgrade: &Upgrade<'_>) -> Result<(), Failure> {
    upgrade.create_store(ITEMS, false)?;
    upgrade.create_store(NUMBERED, true)
}

pub(super) async fn opened(name: &str, version: u32) -> Database {
    let opening = Opening { name: name.to_owned(), version, upgrade: stores, blocked: || {} };
    Database::open(opening).await.map_err(|failure| failure.during("open")).unwrap()
}

pub(super) async fn fresh() -> (Database, String) {
    let name = raw::name("binding");
    (opened(&name, 1).await, name)
}

pub(super) async fn finish(database: Database, name: &str) {
    drop(database);
    raw::delete(name).await;
}

/// Puts the keys 0..n, with their own bytes as values.
pub(super) async fn fill(database: &Database, n: u8) {
    let tx = database.transaction(&[ITEMS], WRITE).unwrap();
    let store = tx.store(ITEMS).unwrap();
    for key in 0..n {
        store.put(&[key], &to_js(&[key])).unwrap();
    }
    tx.done().await.unwrap();
}

pub(super) fn reader(database: &Database) -> Store {
    database.transaction(&[ITEMS], Mode::Read).unwrap().store(ITEMS).unwrap()
}

async fn count(database: &Database, range: &Range) -> f64 {
    reader(database).count(Some(range)).unwrap().await.unwrap().as_f64().unwrap()
}

pub(super) async fn has(database: &Database, key: u8) -> bool {
    !reader(database).get(&[key]).unwrap().await.unwrap().is_undefined()
}

/// Defect 1: `..x` and `..=x` are swapped.
pub async fn ranges_have_the_ends_they_say() {
    let (database, name) = fresh().await;
    fill(&database, 5).await;
    let cases = [
        (Range::bound(&[0], &[3]), 4.0),
        (Range::bound_open(&[0], &[3], false, true), 3.0),
        (Range::bound_open(&[0], &[3], true, false), 3.0),
        (Range::bound_open(&[0], &[3], true, true), 2.0),
        (Range::only(&[3]), 1.0),
        (Range::only(&[9]), 0.0),
    ];
    for (range, expected) in cases {
        assert_eq!(count(&database, &range.unwrap()).await, expected);
    }
    assert_eq!(Range::bound(&[3], &[0]).err().unwrap().kind(), ErrorKind::Invalid);
    finish(database, &name).await;
}

/// Defect 2: a dropped opening leaves a database without stores.
pub async fn a_dropped_opening_makes_the_stores() {
    let name = raw::name("dropped");
    {
        let mut opening = Box::pin(opened(&name, 1));
        let polled = opening.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(polled, Poll::Pending));
    }
    let ran = Rc::new(Cell::new(false));
    let again = Rc::clone(&ran);
    let upgrade = move |_: &Upgrade<'_>| {
        again.set(true);
        Ok(())
    };
    let opening = Opening { name: name.clone(), version: 1, upgrade, blocked: || {} };
    let database = Database::open(opening).await.ok().unwrap();
    assert!(!ran.get(), "the first opening made it");
    assert!(database.has_store(ITEMS) && database.has_store(NUMBERED));
    finish(database, &name).await;
}

/// Defect 3: an upgrade that fails is committed.
pub async fn an_upgrade_that_fails_leaves_nothing() {
    let name = raw::name("failing");
    let upgrade = |upgrade: &Upgrade<'_>| {
        upgrade.create_store(ITEMS, false)?;
        Err(Failure::new(ErrorKind::Corrupt, "on purpose"))
    };
    let opening = Opening { name: name.clone(), version: 1, upgrade, blocked: || {} };
    let failure = Database::open(opening).await.err().unwrap();
    assert_eq!(failure.kind(), ErrorKind::Corrupt);
    assert!(!raw::exists(&name).await);

    drop(opened(&name, 1).await);
    let upgrade = |upgrade: &Upgrade<'_>| {
        upgrade.create_store("more", false)?;
        Err(Failure::new(ErrorKind::Corrupt, "on purpose"))
    };
    let opening = Opening { name: name.clone(), version: 2, upgrade, blocked: || {} };
    assert!(Database::open(opening).await.is_err());
    let (version, stores) = raw::look(&name).await;
    assert_eq!((version, stores.len()), (1.0, 2));
    raw::delete(&name).await;
}

/// Defect 4: writing a key twice ends the transaction.
pub async fn a_key_may_be_put_twice() {
    let (database, name) = fresh().await;
    let tx = database.transaction(&[ITEMS], WRITE).unwrap();
    let store = tx.store(ITEMS).unwrap();
    store.put(&[1], &to_js(b"first")).unwrap();
    store.put(&[1], &to_js(b"second")).unwrap();
    tx.done().await.unwrap();
    let value = reader(&database).get(&[1]).unwrap().await.unwrap();
    assert_eq!(bytes(&value).unwrap(), b"second");
    finish(database, &name).await;
}

/// Defect 5: a transaction that committed by itself is reported as failed.
pub async fn a_transaction_that_committed_by_itself_is_done() {
    let (database, name) = fresh().await;
    let tx = database.transaction(&[ITEMS], WRITE).unwrap();
    tx.store(ITEMS).unwrap().put(&[1], &to_js(b"x")).unwrap();
    // A reader waits for the writer before it, so that is over when the reader has its answer.
    assert!(has(&database, 1).await);
    tx.done().await.unwrap();

    let tx = database.transaction(&[ITEMS], WRITE).unwrap();
    tx.store(ITEMS).unwrap().put(&[2], &to_js(b"x")).unwrap();
    assert!(has(&database, 2).await);
    drop(tx);
    assert!(has(&database, 2).await);
    finish(database, &name).await;
}

/// Defect 5, the other half: a transaction that is dropped before it is done never happened.
pub async fn a_dropped_transaction_is_undone() {
    let (database, name) = fresh().await;
    let tx = database.transaction(&[ITEMS], WRITE).unwrap();
    let store = tx.store(ITEMS).unwrap();
    store.put(&[1], &to_js(b"x")).unwrap();
    let answer = store.get(&[1]).unwrap();
    drop(tx);
    let error = answer.await.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Busy);
    assert!(store.put(&[2], &to_js(b"x")).is_err());
    assert!(!has(&database, 1).await);

    let tx = database.transaction(&[ITEMS], WRITE).unwrap();
    tx.store(ITEMS).unwrap().put(&[1], &to_js(b"x")).unwrap();
    tx.abort();
    assert_eq!(tx.done().await.err().unwrap().kind(), ErrorKind::Busy);
    assert!(!has(&database, 1).await);
    finish(database, &name).await;
}

/// Defect 6: a dropped connection stays open, and blocks every upgrade.
pub async fn a_dropped_connection_is_closed() {
    let (database, name) = fresh().await;
    drop(database);
    let blocked = Rc::new(Cell::new(false));
    let seen = Rc::clone(&blocked);
    let opening = Opening {
        name: name.clone(),
        version: 2,
        upgrade: |_: &Upgrade<'_>| Ok(()),
        blocked: move || seen.set(true),
    };
    let database = Database::open(opening).await.ok().unwrap();
    assert!(!blocked.get());
    finish(database, &name).await;
}

/// Defect 7: stepping over records is off by one. Nothing here steps: one call answers.
pub async fn the_last_value_is_the_last() {
    let (database, name) = fresh().await;
    fill(&database, 5).await;
    let store = reader(&database);
    let last = store.last_value(&Range::bound(&[0], &[9]).unwrap()).unwrap();
    let inner = store.last_value(&Range::bound_open(&[0], &[3], false, true).unwrap()).unwrap();
    let none = store.last_value(&Range::bound(&[7], &[9]).unwrap()).unwrap();
    assert_eq!(bytes(&last.await.unwrap()).unwrap(), [4]);
    assert_eq!(bytes(&inner.await.unwrap()).unwrap(), [2]);
    assert!(none.await.unwrap().is_undefined());
    finish(database, &name).await;
}

/// Defect 8: the reason of an abort is lost.
pub async fn an_abort_tells_its_reason() {
    let name = raw::name("reason");
    let (made, _) = raw::open(&name, 1).await;
    made.close();
    raw::add_unique_index(&name, 2).await;
    let database = opened(&name, 2).await;
    let tx = database.transaction(&["foreign"], WRITE).unwrap();
    let store = tx.store("foreign").unwrap();
    for key in 0..3 {
        let value = Object::new();
        Reflect::set(&value, &"once".into(), &"the same".into()).unwrap();
        store.put(&[key], &value).unwrap();
    }
    let error = tx.done().await.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(std::error::Error::source(&error).unwrap().to_string().starts_with("ConstraintError"));
    let reader = database.transaction(&["foreign"], Mode::Read).unwrap().store("foreign").unwrap();
    assert_eq!(reader.count(None).unwrap().await.unwrap(), 0);
    finish(database, &name).await;
}
