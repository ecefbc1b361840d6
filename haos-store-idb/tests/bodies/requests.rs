//! The binding does what its docs say.

use std::future::Future;
use std::task::{Context, Waker};

use futures_util::future::join_all;
use haos_store_api::{Durability, ErrorKind};
use js_sys::Array;
use wasm_bindgen::{JsCast, JsValue};

use super::binding::{ITEMS, NUMBERED, WRITE, fill, finish, fresh, has, opened, reader};
use crate::idb::{Mode, Range, bytes, number, to_js};

fn list(values: &JsValue) -> Vec<Vec<u8>> {
    values.unchecked_ref::<Array>().iter().map(|value| bytes(&value).unwrap()).collect()
}

/// Every call of a store answers as documented.
pub async fn a_store_answers() {
    let (database, name) = fresh().await;
    fill(&database, 6).await;
    let store = reader(&database);
    let some = Range::bound(&[1], &[4]).unwrap();
    let answers = join_all([
        store.get_all(Some(&some), None).unwrap(),
        store.get_all(Some(&some), Some(2)).unwrap(),
        store.get_all(None, Some(0)).unwrap(),
        store.get_all_keys(Some(&some), Some(3)).unwrap(),
        store.get_all_keys(None, None).unwrap(),
    ]);
    let answers: Vec<_> = answers.await.into_iter().map(|answer| list(&answer.unwrap())).collect();
    let keys = |range: std::ops::Range<u8>| range.map(|key| vec![key]).collect::<Vec<_>>();
    assert_eq!(answers, [keys(1..5), keys(1..3), keys(0..0), keys(1..4), keys(0..6)]);

    let tx = database.transaction(&[ITEMS], Mode::Write(Durability::Strict)).unwrap();
    let items = tx.store(ITEMS).unwrap();
    items.delete(&[0]).unwrap();
    items.delete(&[0]).unwrap();
    items.delete_range(&Range::bound(&[1], &[4]).unwrap()).unwrap();
    items.put_named("head", &JsValue::from_str("a value")).unwrap();
    let named = items.get_named("head").unwrap();
    assert_eq!(named.await.unwrap().as_string().unwrap(), "a value");
    tx.done().await.unwrap();
    assert_eq!(reader(&database).count(None).unwrap().await.unwrap(), 2);
    assert!(items.get_named("head").is_err());
    finish(database, &name).await;
}

/// The log relies on it: no number is given twice once it was committed, also if its value is deleted, and each is the
/// one after the last. Those of an aborted transaction are given again.
pub async fn numbers_follow_one_another() {
    let (database, name) = fresh().await;
    let add = async |count: u64| {
        let tx = database.transaction(&[NUMBERED], WRITE).unwrap();
        let store = tx.store(NUMBERED).unwrap();
        let given: Vec<_> = (0..count).map(|n| store.add(&to_js(&[n as u8])).unwrap()).collect();
        let given: Vec<_> =
            join_all(given).await.into_iter().map(|nr| number(&nr.unwrap()).unwrap()).collect();
        (tx, given)
    };
    let (tx, given) = add(3).await;
    assert_eq!(given, [1, 2, 3]);
    tx.done().await.unwrap();
    let (tx, given) = add(2).await;
    assert_eq!(given, [4, 5]);
    tx.abort();
    let (tx, given) = add(1).await;
    assert_eq!(given, [4], "those of an aborted transaction");
    tx.store(NUMBERED).unwrap().delete_range(&Range::up_to(4).unwrap()).unwrap();
    tx.done().await.unwrap();
    drop(database);
    let database = opened(&name, 1).await;
    let tx = database.transaction(&[NUMBERED], WRITE).unwrap();
    let store = tx.store(NUMBERED).unwrap();
    let added = store.add(&to_js(&[9])).unwrap();
    assert_eq!(
        number(&added.await.unwrap()),
        Some(5),
        "all before it are deleted, and the database was closed"
    );
    store.add_as(8, &to_js(&[8])).unwrap();
    let after = store.get_all(Some(&Range::above(5).unwrap()), None).unwrap();
    assert_eq!(list(&after.await.unwrap()), [[8]]);
    tx.done().await.unwrap();
    let tx = database.transaction(&[NUMBERED], WRITE).unwrap();
    tx.store(NUMBERED).unwrap().add_as(8, &to_js(&[7])).unwrap();
    assert!(tx.done().await.is_err(), "a number that is taken");
    finish(database, &name).await;
}

/// Answers belong to their requests, in any order of waiting, and also if some are dropped.
pub async fn many_requests_at_once() {
    let (database, name) = fresh().await;
    fill(&database, 200).await;
    let store = reader(&database);
    let mut requests: Vec<_> = (0..200).map(|key| (key, store.get(&[key]).unwrap())).collect();
    requests.retain(|(key, _)| key % 3 != 0);
    requests.reverse();
    let answers = join_all(requests.into_iter().map(|(key, request)| async move { (key, request.await) }));
    for (key, answer) in answers.await {
        assert_eq!(bytes(&answer.unwrap()).unwrap(), [key]);
    }
    // One after the other: the transaction lives as long as each answer is followed by a request.
    let store = reader(&database);
    for key in 0..20 {
        assert_eq!(bytes(&store.get(&[key]).unwrap().await.unwrap()).unwrap(), [key]);
    }
    finish(database, &name).await;
}

/// Nobody waits, and nothing is thrown at a dropped handler.
pub async fn requests_may_be_forgotten() {
    let (database, name) = fresh().await;
    for key in 0..5 {
        let store = reader(&database);
        drop(store.get(&[key]).unwrap());
        let tx = database.transaction(&[ITEMS], WRITE).unwrap();
        let store = tx.store(ITEMS).unwrap();
        store.put(&[key], &to_js(b"x")).unwrap();
        drop(store.get(&[key]).unwrap());
        drop(store);
        // Polled once and then left alone: the commit goes on.
        let mut done = Box::pin(tx.done());
        assert!(done.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    for key in 0..5 {
        assert!(has(&database, key).await);
    }
    finish(database, &name).await;
}

/// The browser receives the durability of a commit.
pub async fn durability_is_asked_for() {
    let (database, name) = fresh().await;
    for (durability, expected) in [(Durability::Strict, "strict"), (Durability::Relaxed, "relaxed")] {
        let tx = database.transaction(&[ITEMS], Mode::Write(durability)).unwrap();
        assert_eq!(tx.durability().as_deref(), Some(expected));
        tx.done().await.unwrap();
    }
    finish(database, &name).await;
}

/// A refusal is an error with a kind, from any source.
pub async fn refusals_are_errors() {
    let (database, name) = fresh().await;
    let missing = database.transaction(&["no such store"], Mode::Read).err().unwrap();
    assert_eq!(missing.kind(), ErrorKind::Corrupt);
    let reader = reader(&database);
    assert_eq!(reader.put(&[1], &to_js(b"x")).err().unwrap().kind(), ErrorKind::Other);
    let tx = database.transaction(&[ITEMS], WRITE).unwrap();
    let store = tx.store(ITEMS).unwrap();
    let function = js_sys::Function::new_no_args("");
    assert_eq!(store.put(&[1], &function).err().unwrap().kind(), ErrorKind::Other);
    assert!(tx.store(NUMBERED).is_err());
    tx.done().await.unwrap();
    database.close();
    let closed = database.transaction(&[ITEMS], Mode::Read).err().unwrap();
    assert_eq!(closed.kind(), ErrorKind::Closed);
    assert!(bytes(&JsValue::from_str("text")).is_none());
    finish(database, &name).await;
}
