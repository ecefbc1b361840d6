//! One object store within a transaction.

use std::rc::Rc;

use haos_store_api::Result;
use wasm_bindgen::JsValue;
use web_sys::{IdbCursorDirection, IdbObjectStore, IdbRequest};

use super::events::Events;
use super::request::Part;
use super::{DbRequest, Range, number_to_js, to_js};

/// An object store of a transaction. Every call here is fired at once.
#[derive(Clone)]
pub(crate) struct Store {
    store: IdbObjectStore,
    events: Rc<Events>,
}

impl Store {
    pub(super) fn new(store: IdbObjectStore, events: Rc<Events>) -> Self {
        Self { store, events }
    }

    /// Puts a value under a binary key. A failure that the browser reports later is the transaction's.
    pub(crate) fn put(&self, key: &[u8], value: &JsValue) -> Result<()> {
        self.fired(self.store.put_with_key(value, &to_js(key)))
    }

    /// Puts a value under a name.
    pub(crate) fn put_named(&self, key: &str, value: &JsValue) -> Result<()> {
        self.fired(self.store.put_with_key(value, &JsValue::from_str(key)))
    }

    /// Removes one key; does nothing if it is absent.
    pub(crate) fn delete(&self, key: &[u8]) -> Result<()> {
        self.fired(self.store.delete(&to_js(key)))
    }

    /// Removes a name; does nothing if it is absent.
    pub(crate) fn delete_named(&self, key: &str) -> Result<()> {
        self.fired(self.store.delete(&JsValue::from_str(key)))
    }

    /// Removes the keys of a range.
    pub(crate) fn delete_range(&self, range: &Range) -> Result<()> {
        self.fired(self.store.delete(range.as_js()))
    }

    /// Adds a value to a store that gives numbers; the answer is its number.
    pub(crate) fn add(&self, value: &JsValue) -> Result<DbRequest> {
        self.asked(self.store.add(value))
    }

    /// Adds a value under a number.
    pub(crate) fn add_as(&self, number: u64, value: &JsValue) -> Result<()> {
        self.fired(self.store.add_with_key(value, &number_to_js(number)))
    }

    /// Reads the value under a binary key; undefined if absent.
    pub(crate) fn get(&self, key: &[u8]) -> Result<DbRequest> {
        self.asked(self.store.get(&to_js(key)))
    }

    /// Reads the value under a name; undefined if absent.
    pub(crate) fn get_named(&self, key: &str) -> Result<DbRequest> {
        self.asked(self.store.get(&JsValue::from_str(key)))
    }

    /// Reads the values of a range in the order of their keys, at most `limit`, as an array.
    pub(crate) fn get_all(&self, range: Option<&Range>, limit: Option<u32>) -> Result<DbRequest> {
        let query = query(range);
        match limit {
            // To IndexedDB, 0 is no limit.
            Some(0) => Ok(DbRequest::ready(js_sys::Array::new().into())),
            Some(limit) => self.asked(self.store.get_all_with_key_and_limit(query, limit)),
            None => self.asked(self.store.get_all_with_key(query)),
        }
    }

    /// Reads the keys of a range in order, at most `limit`, as an array.
    pub(crate) fn get_all_keys(&self, range: Option<&Range>, limit: Option<u32>) -> Result<DbRequest> {
        let query = query(range);
        match limit {
            Some(0) => Ok(DbRequest::ready(js_sys::Array::new().into())),
            Some(limit) => self.asked(self.store.get_all_keys_with_key_and_limit(query, limit)),
            None => self.asked(self.store.get_all_keys_with_key(query)),
        }
    }

    /// Counts the keys of a range.
    #[cfg(feature = "testing")]
    pub(crate) fn count(&self, range: Option<&Range>) -> Result<DbRequest> {
        self.asked(self.store.count_with_key(query(range)))
    }

    /// Reads the value of the greatest key of a range; undefined if the range is empty.
    pub(crate) fn last_value(&self, range: &Range) -> Result<DbRequest> {
        let prev = IdbCursorDirection::Prev;
        let request = self.store.open_cursor_with_range_and_direction(range.as_js(), prev);
        Ok(DbRequest::new(&self.events, request.map_err(|e| self.refused(&e))?, Part::CursorValue))
    }

    fn asked(&self, request: Result<IdbRequest, JsValue>) -> Result<DbRequest> {
        Ok(DbRequest::new(&self.events, request.map_err(|e| self.refused(&e))?, Part::Whole))
    }

    fn fired(&self, request: Result<IdbRequest, JsValue>) -> Result<()> {
        request.map(drop).map_err(|e| self.refused(&e))
    }

    fn refused(&self, e: &JsValue) -> haos_store_api::Error {
        self.events.refused(e)
    }
}

/// Converts a range for IndexedDB; an absent one is everything.
fn query(range: Option<&Range>) -> &JsValue {
    const EVERYTHING: &JsValue = &JsValue::UNDEFINED;
    range.map_or(EVERYTHING, Range::as_js)
}
