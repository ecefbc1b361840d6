//! The wall clock, and one that nobody sets.

use js_sys::Date;

use crate::js::{call, global};

/// Milliseconds since 1970 by this device's clock, which may be wrong and may be set back.
pub fn now_ms() -> i64 {
    // A double holds whole milliseconds exactly for the next 280,000 years.
    Date::now() as i64
}

/// Milliseconds since this context began, by a clock that only goes on. While the machine sleeps, some browsers
/// stop it.
pub fn steady_ms() -> u64 {
    let api = "performance.now";
    let shown = global("performance").and_then(|performance| call(api, &performance, "now", &[]).ok());
    // Every browser has it; without it, the wall clock must do.
    shown.and_then(|ms| ms.as_f64()).unwrap_or_else(Date::now) as u64
}
