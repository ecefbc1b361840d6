//! Benchmarks of the HAOS offline store, each with a floor in the same run.
//!
//! ```
//! use haos_benches::{Scale, message};
//! let scale = Scale { messages: 10, rooms: 2 };
//! assert_eq!(message(3, scale), message(3, scale));
//! ```
//!
//! It is not a test: nothing here asserts a time. `cargo bench` gives criterion's report;
//! `cargo run --release -p haos-benches --bin ratios` prints the ratios to the floor, the two taking
//! turns; the bin `sealed` prints the ratios of sealed stores to plain ones, the bin `outbox` what a queued
//! message costs, the bin `initial_sync` a whole account's first sync beside matrix-js-sdk.

#![allow(clippy::expect_used, reason = "a benchmark may panic")]

mod data;
mod floor;
mod measure;
mod outbox;

pub use data::{Scale, message, room_id};
pub use floor::{Floor, FloorMessage};
pub use measure::{PASSES, cpu, head, pair, row};
pub use outbox::{Instant, QueueFloor, draft, drain, fill, outbox};
