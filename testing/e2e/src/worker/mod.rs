//! A client under test in a process of its own, which can be killed: what it is told and what it says.
//!
//! `haos-e2e-client` is one device of one user on one store. It reads lines of JSON from its standard input
//! and writes lines of JSON to its standard output. It ends when its input does, and so with whoever
//! started it. [`Worker`] is the other end of both.
//!
//! The first line in is a [`WorkerPlan`]: store, homeserver, user, times. The process takes the leader's
//! lock beside the store, opens the store, goes on with the session in it or logs in, again and again until
//! that works, begins to send and to sync (`Lead::Alone`), and says
//! `{"ready":{"user":…,"device":…,"resumed":true}}`. What fails for good before that ends it, after
//! `{"failed":"…"}`.
//!
//! Every later line in is a command with a number, and is answered by one line with that number:
//! `{"id":7,"do":"write","room":"!a","body":"hello"}` by `{"id":7,"done":{…}}` or `{"id":7,"error":"…"}`.
//! Writes are made in the order in which they come, and each is answered after its row is durable: what is
//! answered must survive any kill. Commands that wait (`settle`, `fill`, `media`) run beside the others.
//!
//! | `do` | and | done |
//! |---|---|---|
//! | `write` | `room`, `body` | `txn_id`, `seq` |
//! | `reply`, `react`, `edit` | `room`, `to`, `body` | the same; `to`: `{"event":"$…"}` or `{"txn":"…"}` |
//! | `redact` | `room`, `to` | the same |
//! | `file` | `room`, `path`, `mime`?, `thumbnail`? (a path) | the same, and the local `uri` |
//! | `rows` | | `rows`: the outbox ([`OutboxRow`]) |
//! | `state` | | `connection`, as Rust shows it, and `live` |
//! | `settle` | | when it is live, nothing is unsent and the server has no news |
//! | `fill` | | `pages`: when no room that is joined has a gap |
//! | `dump` | `path` | writes a [`Dump`] there |
//! | `media` | `uri`, `start`?, `end`?, `into`? (a path) | `size`, `length`, `stored` (before the call) |
//! | `clock` | `offset_ms` | from now on the clock of the client is off by so much |
//! | `stop` | | it has stopped and closed the store, and ends |
//!
//! A command that waits ends with an error that says what was missing once the plan's `limit_ms` is over.

mod act;
mod client;
mod command;
mod dump;
mod handle;
mod plan;
mod serve;
mod wait;

pub(crate) use self::act::{id, odd};
pub use self::command::{To, WorkerCommand};
pub use self::dump::{Dump, Entry, OutboxRow};
pub use self::handle::{Worker, Written};
pub use self::plan::WorkerPlan;
pub use self::serve::serve;
pub(crate) use self::serve::{Obedient, run};
