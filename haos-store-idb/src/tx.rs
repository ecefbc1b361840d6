//! The engine's transaction, over the browser's.

use std::cell::OnceCell;

use futures_util::FutureExt;
use futures_util::future::ready;
use haos_store_api::{Error, ErrorKind, Result};
use js_sys::{Array, Object, Reflect};
use wasm_bindgen::JsValue;

use crate::engine::kv::{Answer, Kv, Span, Table};
use crate::idb::{DbRequest, Range, Store, Transaction, bytes, to_js};
use crate::schema;

/// The member with the bytes of a record that is found by its ids.
const DATA: &str = "data";

/// A transaction over the object stores that it meets.
pub(crate) struct IdbTx<'t> {
    tx: &'t Transaction,
    meta: OnceCell<Store>,
    stores: [OnceCell<Store>; Table::ALL.len()],
}

impl<'t> IdbTx<'t> {
    pub(crate) fn new(tx: &'t Transaction) -> Self {
        Self { tx, meta: OnceCell::new(), stores: Default::default() }
    }

    fn in_meta<T>(&self, ask: impl FnOnce(&Store) -> Result<T>) -> Result<T> {
        within(&self.meta, self.tx, schema::META, ask)
    }

    fn in_table<T>(&self, table: Table, ask: impl FnOnce(&Store) -> Result<T>) -> Result<T> {
        within(&self.stores[table as usize], self.tx, table.name(), ask)
    }
}

fn within<T>(
    cell: &OnceCell<Store>,
    tx: &Transaction,
    name: &str,
    ask: impl FnOnce(&Store) -> Result<T>,
) -> Result<T> {
    match cell.get() {
        Some(store) => ask(store),
        None => {
            let store = tx.store(name)?;
            ask(cell.get_or_init(|| store))
        }
    }
}

/// Turns a fired request into its answer, decoded by `read`.
fn answer<T: 'static>(fired: Result<DbRequest>, read: fn(JsValue) -> Result<T>) -> Answer<T> {
    match fired {
        Ok(request) => request.map(move |value| read(value?)).boxed_local(),
        Err(error) => ready(Err(error)).boxed_local(),
    }
}

fn damaged() -> Error {
    Error::new(ErrorKind::Corrupt, "read", "a record is no bytes: run `Maintenance::Check` on the store")
}

/// Reads the bytes of a value, or those within a record that is found by its ids.
fn value(value: &JsValue) -> Result<Vec<u8>> {
    if let Some(bytes) = bytes(value) {
        return Ok(bytes);
    }
    let data = Reflect::get(value, &JsValue::from_str(DATA)).map_err(|_| damaged())?;
    bytes(&data).ok_or_else(damaged)
}

fn maybe(found: JsValue) -> Result<Option<Vec<u8>>> {
    if found.is_undefined() { Ok(None) } else { value(&found).map(Some) }
}

fn all(found: JsValue) -> Result<Vec<Vec<u8>>> {
    Array::from(&found).iter().map(|found| value(&found)).collect()
}

fn range(span: &Span) -> Result<Range> {
    Range::bound(&span.low, &span.high)
}

impl Kv for IdbTx<'_> {
    fn named(&self, name: &'static str) -> Answer<Option<Vec<u8>>> {
        answer(self.in_meta(|store| store.get_named(name)), maybe)
    }

    fn get(&self, table: Table, key: &[u8]) -> Answer<Option<Vec<u8>>> {
        answer(self.in_table(table, |store| store.get(key)), maybe)
    }

    fn range(&self, table: Table, span: &Span, limit: Option<u32>) -> Answer<Vec<Vec<u8>>> {
        answer(self.in_table(table, |store| store.get_all(Some(&range(span)?), limit)), all)
    }

    fn keys(&self, table: Table, span: &Span, limit: Option<u32>) -> Answer<Vec<Vec<u8>>> {
        answer(self.in_table(table, |store| store.get_all_keys(Some(&range(span)?), limit)), all)
    }

    fn last_key(&self, span: &Span) -> Answer<Option<Vec<u8>>> {
        answer(self.in_table(Table::Timeline, |store| store.last_key(&range(span)?)), maybe)
    }

    fn last(&self, span: &Span) -> Answer<Option<Vec<u8>>> {
        answer(self.in_table(Table::Timeline, |store| store.last_value(&range(span)?)), maybe)
    }

    fn holders(&self, entry: &str) -> Answer<Vec<Vec<u8>>> {
        answer(self.in_table(Table::Timeline, |store| store.keys_of(schema::IDS, entry)), all)
    }

    fn held(&self, entry: &str) -> Answer<Vec<Vec<u8>>> {
        answer(self.in_table(Table::Timeline, |store| store.values_of(schema::IDS, entry)), all)
    }

    fn put(&self, table: Table, key: &[u8], value: &[u8]) -> Result<()> {
        self.in_table(table, |store| store.put(key, &to_js(value)))
    }

    fn put_indexed(&self, key: &[u8], ids: &[String], value: &[u8]) -> Result<()> {
        let record = Object::new();
        let names: Array = ids.iter().map(|id| JsValue::from_str(id)).collect();
        let set = |name: &str, value: &JsValue| {
            Reflect::set(&record, &JsValue::from_str(name), value)
                .map_err(|_| Error::new(ErrorKind::Other, "apply", "a record could not be made"))
        };
        set(schema::IDS, &names)?;
        set(DATA, &to_js(value))?;
        self.in_table(Table::Timeline, |store| store.put(key, &record))
    }

    fn put_named(&self, name: &'static str, value: &[u8]) -> Result<()> {
        self.in_meta(|store| store.put_named(name, &to_js(value)))
    }

    fn delete(&self, table: Table, key: &[u8]) -> Result<()> {
        self.in_table(table, |store| store.delete(key))
    }
}
