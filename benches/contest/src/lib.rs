//! The common part of the benchmarks' contenders: the messages, the same in every run, and the loop in which
//! each of them, in a process of its own, does what it is told and tells how long that took.
//!
//! A process each, since two contenders may not be linked into one program (there is one SQLite in each), and so
//! that what one keeps in memory is its own.
//!
//! ```
//! use haos_contest::Data;
//! let data = Data::load(10);
//! assert_eq!(data.message(7).id, data.message(7).id);
//! ```

#![allow(clippy::expect_used, reason = "a benchmark may panic")]

mod busy;
mod contender;
mod data;
mod order;
mod screen;
mod serve;
mod system;

pub use contender::Contender;
pub use data::{Data, Made, room_id};
pub use order::{Order, Told};
pub use screen::{Filled, Lock, Screen, ScreenRoom};
pub use serve::{Turn, serve};
pub use system::{cpu_us, forget, memory};
