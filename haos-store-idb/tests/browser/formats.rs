//! Stores of released formats open, with every outbox row.

#[path = "../bodies/format.rs"]
mod bodies;

use haos_store_api::{Result, Secret, StorageAdapter};
use haos_store_idb::{IdbOptions, IdbStore};
use indexed_db_futures::database::Database;
use indexed_db_futures::internals::SystemRepr;
use indexed_db_futures::object_store::ObjectStore;
use indexed_db_futures::prelude::*;
use indexed_db_futures::transaction::TransactionMode;
use js_sys::Uint8Array;
use wasm_bindgen::JsValue;
use wasm_bindgen_test::wasm_bindgen_test;

use self::bodies::{check, records};

const PLAIN: &str = include_str!("../fixtures/format-2.txt");
const SEALED: &str = include_str!("../fixtures/format-2-sealed.txt");

/// The object stores of a database of format 2. Not taken from the crate, which may know better by now.
const STORES: [&str; 12] = [
    "meta",
    "log",
    "rooms",
    "gaps",
    "segments",
    "ids",
    "txns",
    "outbox",
    "outbox_ids",
    "media",
    "chunks",
    "state",
];

async fn restore(name: &str, text: &str) {
    IdbStore::delete(name).await.unwrap();
    let database = Database::open(name)
        .with_version(2_u32)
        .with_on_upgrade_needed(|_, db| {
            for store in STORES {
                db.create_object_store(store).with_auto_increment(store == "log").build()?;
            }
            Ok(())
        })
        .await
        .unwrap();
    let tx = database.transaction(STORES).with_mode(TransactionMode::Readwrite).build().unwrap();
    let js = |bytes: &[u8]| JsValue::from(Uint8Array::from(bytes));
    for record in records(text) {
        let store: ObjectStore<'_> = tx.object_store(&record.table).unwrap();
        let key = match record.table.as_str() {
            "meta" => JsValue::from_str(std::str::from_utf8(&record.key).unwrap()),
            "log" => JsValue::from_f64(u64::from_be_bytes(record.key.try_into().unwrap()) as f64),
            _ => js(&record.key),
        };
        drop(store.as_sys().put_with_key(&js(&record.value), &key).unwrap());
    }
    tx.commit().await.unwrap();
    database.close();
}

#[wasm_bindgen_test]
async fn a_store_of_format_2_is_whole() -> Result<()> {
    for (name, text, secret) in
        [("format-2", PLAIN, None), ("format-2-sealed", SEALED, Some(Secret::key([7; 32])))]
    {
        restore(name, text).await;
        let options = IdbOptions::new(name);
        let options = match secret {
            Some(secret) => options.secret(secret),
            None => options,
        };
        let store = IdbStore::open(options).await?;
        check(&store).await?;
        store.close().await?;
    }
    Ok(())
}
