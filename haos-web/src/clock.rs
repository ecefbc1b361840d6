//! The wall clock.

/// Milliseconds since 1970 by this device's clock, which may be wrong and may be set back.
pub fn now_ms() -> i64 {
    // A double holds whole milliseconds exactly for the next 280,000 years.
    js_sys::Date::now() as i64
}
