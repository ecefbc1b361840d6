//! The defects of the crate under the binding, so that a version that mends one is noticed: then the binding may do
//! with less. The tests of the binding show that it is free of each.

use std::cell::Cell;
use std::rc::Rc;

use indexed_db_futures::database::{Database, VersionChangeEvent};
use indexed_db_futures::error::OpenDbError;
use indexed_db_futures::prelude::*;
use indexed_db_futures::transaction::{Transaction, TransactionMode};
use wasm_bindgen_test::wasm_bindgen_test;

const ITEMS: &str = "items";

fn name() -> String {
    let random = (js_sys::Math::random() * 1e9).round();
    format!("defects-{}-{random}", js_sys::Date::now())
}

/// A database with the numbers 0 to 5 under themselves, 5 excluded.
async fn filled() -> (Database, String) {
    let name = name();
    let request = Database::open(name.clone()).with_version(1_u32).with_on_upgrade_needed(
        |_: VersionChangeEvent, db: Database| {
            db.create_object_store(ITEMS).build()?;
            Ok(())
        },
    );
    let database = request.await.unwrap();
    let tx = writer(&database);
    let store = tx.object_store(ITEMS).unwrap();
    for key in 0..5_u32 {
        store.put(key).with_key(key).primitive().unwrap().await.unwrap();
    }
    drop(store);
    tx.commit().await.unwrap();
    (database, name)
}

fn writer(database: &Database) -> Transaction<'_> {
    database.transaction(ITEMS).with_mode(TransactionMode::Readwrite).build().unwrap()
}

async fn count(database: &Database) -> u32 {
    let tx = database.transaction(ITEMS).build().unwrap();
    let store = tx.object_store(ITEMS).unwrap();
    store.count().primitive().unwrap().await.unwrap()
}

async fn finish(database: Database, name: &str) {
    database.close();
    Database::delete_by_name(name).unwrap().await.unwrap();
}

#[wasm_bindgen_test]
async fn crate_1_swaps_open_and_closed_ranges() {
    let (database, name) = filled().await;
    let tx = database.transaction(ITEMS).build().unwrap();
    let store = tx.object_store(ITEMS).unwrap();
    let open: u32 = store.count().with_query(..3_u32).primitive().unwrap().await.unwrap();
    let closed: u32 = store.count().with_query(..=3_u32).primitive().unwrap().await.unwrap();
    assert_eq!((open, closed), (4, 3));
    drop(store);
    drop(tx);
    finish(database, &name).await;
}

#[wasm_bindgen_test]
async fn crate_2_makes_an_empty_database_of_a_dropped_opening() {
    let name = name();
    let upgrade = |_: VersionChangeEvent, db: Database| {
        db.create_object_store(ITEMS).build()?;
        Ok(())
    };
    drop(Database::open(name.clone()).with_version(1_u32).with_on_upgrade_needed(upgrade).build().unwrap());
    let database =
        Database::open(name.clone()).with_version(1_u32).with_on_upgrade_needed(upgrade).await.unwrap();
    assert_eq!(database.object_store_names().count(), 0);
    // Nobody has the connection of the dropped one, so nobody can close it: the database cannot be deleted.
    database.close();
}

#[wasm_bindgen_test]
async fn crate_3_commits_an_upgrade_that_failed() {
    let name = name();
    let request = Database::open(name.clone()).with_version(1_u32).with_on_upgrade_needed_fut(
        |_: VersionChangeEvent, db: Database| async move {
            db.create_object_store(ITEMS).build()?;
            db.delete_object_store("none such")?;
            Ok(())
        },
    );
    let _ = request.await;
    let database = Database::open(name.clone()).await.unwrap();
    assert_eq!(database.object_store_names().count(), 1);
    database.close();
}

#[wasm_bindgen_test]
async fn crate_4_ends_a_transaction_for_a_key_that_is_taken() {
    let (database, name) = filled().await;
    let tx = writer(&database);
    let store = tx.object_store(ITEMS).unwrap();
    store.put(9_u32).with_key(9_u32).primitive().unwrap().await.unwrap();
    assert!(store.add(1_u32).with_key(1_u32).primitive().unwrap().await.is_err());
    let next = store.put(8_u32).with_key(8_u32).primitive();
    assert!(match next {
        Ok(next) => next.await.is_err(),
        Err(_) => true,
    });
    drop(store);
    drop(tx);
    assert_eq!(count(&database).await, 5);
    finish(database, &name).await;
}

#[wasm_bindgen_test]
async fn crate_5_calls_a_commit_failed_that_was_not() {
    let (database, name) = filled().await;
    let tx = writer(&database);
    let store = tx.object_store(ITEMS).unwrap();
    store.put(9_u32).with_key(9_u32).primitive().unwrap().await.unwrap();
    drop(store);
    assert_eq!(count(&database).await, 6);
    assert!(tx.commit().await.is_err());
    assert_eq!(count(&database).await, 6);
    finish(database, &name).await;
}

#[wasm_bindgen_test]
async fn crate_6_keeps_a_dropped_connection_open() {
    let (database, name) = filled().await;
    let again = database.clone();
    drop(database);
    let blocked = Rc::new(Cell::new(false));
    let seen = Rc::clone(&blocked);
    let request = Database::open(name.clone())
        .with_version(2_u32)
        .with_on_blocked(move |_| {
            seen.set(true);
            again.close();
            Ok(())
        })
        .with_on_upgrade_needed(|_: VersionChangeEvent, _: Database| Ok(()));
    let database = request.await.unwrap();
    assert!(blocked.get());
    finish(database, &name).await;
}

#[wasm_bindgen_test]
async fn crate_7_steps_one_too_far() {
    let (database, name) = filled().await;
    let tx = database.transaction(ITEMS).build().unwrap();
    let store = tx.object_store(ITEMS).unwrap();
    let mut cursor = store.open_cursor().await.unwrap().unwrap();
    assert_eq!(cursor.next_record::<u32>().await.unwrap(), Some(0));
    // It stands on 2 now, which a cursor that was not read before would give.
    cursor.advance_by(2).await.unwrap();
    assert_eq!(cursor.next_record::<u32>().await.unwrap(), Some(3));
    drop(cursor);
    drop(store);
    drop(tx);
    finish(database, &name).await;
}

/// A ninth: for every error that `open` throws, the crate says that the version is zero.
#[wasm_bindgen_test]
fn crate_9_has_one_error_for_all_that_open_throws() {
    let request = Database::open(name()).with_version(f64::NAN).build();
    assert_eq!(request.err(), Some(OpenDbError::VersionZero));
}
