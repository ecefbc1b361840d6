//! The engine's transaction, over the browser's.

use std::cell::OnceCell;

use futures_util::FutureExt;
use futures_util::future::ready;
use haos_store_api::{Error, ErrorKind, Result};
use js_sys::Array;
use wasm_bindgen::JsValue;

use crate::engine::kv::{Answer, Kv, Span, Table};
use crate::idb::{DbRequest, Range, Store, Transaction, bytes, number, to_js};
use crate::schema;

/// A transaction over the object stores that it meets.
pub(crate) struct IdbTx<'t> {
    tx: &'t Transaction,
    meta: OnceCell<Store>,
    log: OnceCell<Store>,
    stores: [OnceCell<Store>; Table::ALL.len()],
}

impl<'t> IdbTx<'t> {
    pub(crate) fn new(tx: &'t Transaction) -> Self {
        Self { tx, meta: OnceCell::new(), log: OnceCell::new(), stores: Default::default() }
    }

    fn in_meta(&self) -> Result<&Store> {
        within(&self.meta, self.tx, schema::META)
    }

    fn in_log(&self) -> Result<&Store> {
        within(&self.log, self.tx, schema::LOG)
    }

    fn in_table(&self, table: Table) -> Result<&Store> {
        within(&self.stores[table as usize], self.tx, table.name())
    }
}

fn within<'s>(cell: &'s OnceCell<Store>, tx: &Transaction, name: &str) -> Result<&'s Store> {
    match cell.get() {
        Some(store) => Ok(store),
        None => {
            let store = tx.store(name)?;
            Ok(cell.get_or_init(|| store))
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

fn value(value: &JsValue) -> Result<Vec<u8>> {
    bytes(value).ok_or_else(damaged)
}

fn maybe(found: JsValue) -> Result<Option<Vec<u8>>> {
    if found.is_undefined() { Ok(None) } else { value(&found).map(Some) }
}

fn all(found: JsValue) -> Result<Vec<Vec<u8>>> {
    Array::from(&found).iter().map(|found| value(&found)).collect()
}

fn given(found: JsValue) -> Result<u64> {
    number(&found).ok_or_else(damaged)
}

fn range(span: &Span) -> Result<Range> {
    Range::bound(&span.low, &span.high)
}

impl Kv for IdbTx<'_> {
    fn named(&self, name: &'static str) -> Answer<Option<Vec<u8>>> {
        answer(self.in_meta().and_then(|store| store.get_named(name)), maybe)
    }

    fn get(&self, table: Table, key: &[u8]) -> Answer<Option<Vec<u8>>> {
        answer(self.in_table(table).and_then(|store| store.get(key)), maybe)
    }

    fn range(&self, table: Table, span: &Span, limit: Option<u32>) -> Answer<Vec<Vec<u8>>> {
        let fired = self.in_table(table).and_then(|store| store.get_all(Some(&range(span)?), limit));
        answer(fired, all)
    }

    fn keys(&self, table: Table, span: &Span, limit: Option<u32>) -> Answer<Vec<Vec<u8>>> {
        let fired = self.in_table(table).and_then(|store| store.get_all_keys(Some(&range(span)?), limit));
        answer(fired, all)
    }

    fn last(&self, table: Table, span: &Span) -> Answer<Option<Vec<u8>>> {
        answer(self.in_table(table).and_then(|store| store.last_value(&range(span)?)), maybe)
    }

    fn log(&self, after: u64) -> Answer<Vec<Vec<u8>>> {
        let fired = self.in_log().and_then(|store| store.get_all(Some(&Range::above(after)?), None));
        answer(fired, all)
    }

    fn put(&self, table: Table, key: &[u8], value: &[u8]) -> Result<()> {
        self.in_table(table)?.put(key, &to_js(value))
    }

    fn put_named(&self, name: &'static str, value: &[u8]) -> Result<()> {
        self.in_meta()?.put_named(name, &to_js(value))
    }

    fn delete_named(&self, name: &'static str) -> Result<()> {
        self.in_meta()?.delete_named(name)
    }

    fn delete(&self, table: Table, key: &[u8]) -> Result<()> {
        self.in_table(table)?.delete(key)
    }

    fn clear(&self, table: Table, span: &Span) -> Result<()> {
        self.in_table(table)?.delete_range(&range(span)?)
    }

    fn add(&self, record: &[u8]) -> Answer<u64> {
        answer(self.in_log().and_then(|store| store.add(&to_js(record))), given)
    }

    fn add_as(&self, number: u64, record: &[u8]) -> Result<()> {
        self.in_log()?.add_as(number, &to_js(record))
    }

    fn trim(&self, last: u64) -> Result<()> {
        self.in_log()?.delete_range(&Range::up_to(last)?)
    }

    fn trim_from(&self, first: u64) -> Result<()> {
        self.in_log()?.delete_range(&Range::above(first.saturating_sub(1))?)
    }
}
