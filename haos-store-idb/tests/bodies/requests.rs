//! The binding does what its docs say.

use std::future::Future;
use std::task::{Context, Waker};

use futures_util::future::join_all;
use haos_store_api::{Durability, ErrorKind};
use js_sys::{Array, Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};

use super::binding::{ITEMS, MARKED, WRITE, fill, finish, fresh, has, reader};
use crate::idb::{Mode, Range, bytes, to_js};

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

    let tx = database.transaction(&[ITEMS, MARKED], Mode::Write(Durability::Strict)).unwrap();
    let (items, marked) = (tx.store(ITEMS).unwrap(), tx.store(MARKED).unwrap());
    items.delete(&[0]).unwrap();
    items.delete(&[0]).unwrap();
    [1, 2, 3, 4].iter().for_each(|key| items.delete(&[*key]).unwrap());
    items.put_named("head", &JsValue::from_str("a value")).unwrap();
    for (key, ids) in [(1, ["a", "b"]), (2, ["b", "c"])] {
        let value = Object::new();
        let ids: Array = ids.iter().map(|id| JsValue::from_str(id)).collect();
        Reflect::set(&value, &"ids".into(), &ids).unwrap();
        marked.put(&[key], &value).unwrap();
    }
    let named = items.get_named("head").unwrap();
    let marks = join_all(["a", "b", "c", "d"].map(|id| marked.keys_of("ids", id).unwrap())).await;
    assert_eq!(named.await.unwrap().as_string().unwrap(), "a value");
    let marks: Vec<_> = marks.into_iter().map(|keys| list(&keys.unwrap())).collect();
    assert_eq!(marks, [vec![vec![1]], vec![vec![1], vec![2]], vec![vec![2]], vec![]]);
    tx.done().await.unwrap();
    assert_eq!(reader(&database).count(None).unwrap().await.unwrap(), 2);
    assert!(marked.keys_of("ids", "a").is_err());
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
    assert!(tx.store(MARKED).is_err());
    tx.done().await.unwrap();
    database.close();
    let closed = database.transaction(&[ITEMS], Mode::Read).err().unwrap();
    assert_eq!(closed.kind(), ErrorKind::Closed);
    assert!(bytes(&JsValue::from_str("text")).is_none());
    finish(database, &name).await;
}
