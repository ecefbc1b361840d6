//! A range of binary keys.

use haos_store_api::Result;
use wasm_bindgen::JsValue;
use web_sys::IdbKeyRange;

use super::{number_to_js, to_js};
use crate::error::js_error;

/// An `IDBKeyRange` over binary keys, whose bounds are both explicit, or over the log's numbers.
pub(crate) struct Range(IdbKeyRange);

impl Range {
    /// Makes the range of one key alone.
    #[cfg(feature = "testing")]
    pub(crate) fn only(key: &[u8]) -> Result<Self> {
        Self::made(IdbKeyRange::only(&to_js(key)))
    }

    /// Makes the range from `low` to `high`, both included.
    pub(crate) fn bound(low: &[u8], high: &[u8]) -> Result<Self> {
        Self::bound_open(low, high, false, false)
    }

    /// Makes the range from `low` to `high`, an open end excluded.
    pub(crate) fn bound_open(low: &[u8], high: &[u8], low_open: bool, high_open: bool) -> Result<Self> {
        let (low, high) = (to_js(low), to_js(high));
        Self::made(IdbKeyRange::bound_with_lower_open_and_upper_open(&low, &high, low_open, high_open))
    }

    /// Makes the range of the numbers greater than `number`.
    pub(crate) fn above(number: u64) -> Result<Self> {
        Self::made(IdbKeyRange::lower_bound_with_open(&number_to_js(number), true))
    }

    /// Makes the range of the numbers up to `number`, included.
    pub(crate) fn up_to(number: u64) -> Result<Self> {
        Self::made(IdbKeyRange::upper_bound(&number_to_js(number)))
    }

    pub(super) fn as_js(&self) -> &JsValue {
        self.0.as_ref()
    }

    fn made(made: Result<IdbKeyRange, JsValue>) -> Result<Self> {
        made.map(Self).map_err(|e| js_error("range", &e))
    }
}
