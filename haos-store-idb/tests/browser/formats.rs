//! Stores of released formats open, with every outbox row.

#[path = "../bodies/format.rs"]
mod bodies;

use haos_store_api::{Result, Secret, StorageAdapter};
use haos_store_idb::{IdbOptions, IdbStore};
use indexed_db_futures::KeyPath;
use indexed_db_futures::database::Database;
use indexed_db_futures::internals::SystemRepr;
use indexed_db_futures::object_store::ObjectStore;
use indexed_db_futures::prelude::*;
use indexed_db_futures::transaction::TransactionMode;
use js_sys::{Array, Object, Reflect, Uint8Array};
use wasm_bindgen::JsValue;
use wasm_bindgen_test::wasm_bindgen_test;

use self::bodies::{check, records};

const PLAIN: &str = include_str!("../fixtures/format-1.txt");
const SEALED: &str = include_str!("../fixtures/format-1-sealed.txt");

/// The object stores of a database of format 1. Not taken from the crate, which may know better by now.
const STORES: [&str; 8] = ["meta", "rooms", "timeline", "outbox", "outbox_ids", "media", "chunks", "state"];

async fn restore(name: &str, text: &str) {
    IdbStore::delete(name).await.unwrap();
    let database = Database::open(name)
        .with_version(1_u32)
        .with_on_upgrade_needed(|_, db| {
            for store in STORES {
                let made = db.create_object_store(store).build()?;
                if store == "timeline" {
                    made.create_index("ids", KeyPath::One("ids")).with_multi_entry(true).build()?;
                }
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
            _ => js(&record.key),
        };
        let value = if record.ids.is_empty() {
            js(&record.value)
        } else {
            let object = Object::new();
            let ids: Array = record.ids.iter().map(|id| JsValue::from_str(id)).collect();
            Reflect::set(&object, &"ids".into(), &ids).unwrap();
            Reflect::set(&object, &"data".into(), &js(&record.value)).unwrap();
            object.into()
        };
        drop(store.as_sys().put_with_key(&value, &key).unwrap());
    }
    tx.commit().await.unwrap();
    database.close();
}

#[wasm_bindgen_test]
async fn a_store_of_format_1_is_whole() -> Result<()> {
    for (name, text, secret) in
        [("format-1", PLAIN, None), ("format-1-sealed", SEALED, Some(Secret::key([7; 32])))]
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
