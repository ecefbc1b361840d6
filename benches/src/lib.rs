//! Benchmarks of the HAOS offline store, each with a floor in the same run.
//!
//! ```
//! use haos_benches::{Floor, Packed};
//! use haos_contest::{Order, Turn};
//!
//! let folder = tempfile::tempdir().expect("a folder");
//! let mut floor = Turn::<Floor<Packed>>::open(folder.path(), 10);
//! floor.obey(&Order::Bulk { messages: 1000, commit: 500 });
//! assert_eq!(floor.obey(&Order::Newest(3)).found, 3 * 50);
//! ```
//!
//! It is not a test: nothing here asserts a time. `cargo xtask bench` runs every contender in a process of its own,
//! in turns, and writes `docs/benchmarks.md`; `cargo bench` gives criterion's report of one contender after the
//! other. The bin `outbox` prints what a queued message costs, the bin `initial_sync` a whole account's first sync
//! beside matrix-js-sdk, the bin `first_screen` what opens it, beside matrix-sdk-ui. The bin `hot` runs one hot path, whose instructions `cargo xtask bench --check` counts.

#![allow(clippy::expect_used, reason = "a benchmark may panic")]

#[allow(clippy::unwrap_used, clippy::panic, reason = "a benchmark may panic")]
pub mod account;
#[allow(clippy::unwrap_used, clippy::panic, reason = "a contender may panic, and that ends the contest")]
mod contenders;
pub mod data;
pub mod measure;
mod outbox;

pub use contenders::*;
pub use data::{Scale, message, room_id};
pub use measure::{PASSES, at_share, head, machine, median, pair, row};
pub use outbox::{QueueFloor, draft, drain, fill, outbox};
