//! IndexedDB as futures: every request is fired where it is made, a future only waits for its answer.
//!
//! `indexed_db_futures` opens databases and makes stores and indexes. Three things it cannot serve, and they
//! go straight to the browser through `web-sys`:
//!
//! - *Transactions.* Its own borrow their database, so none can outlive the call that made it, and an abort's
//!   reason is lost on the way. Ours reads `transaction.error`, and only `oncomplete` is success.
//! - *Requests.* It allocates a channel and a closure for each; here one closure serves a transaction with all
//!   its requests, and a write has none, for its failure is the transaction's.
//! - *Ranges.* `..x` and `..=x` are swapped there; a [`Range`] has two explicit bounds.
//!
//! The crate's known defects are tested in `tests/bodies/defects.rs`, and this module's freedom from them in
//! `tests/bodies/binding.rs`.

mod database;
mod delete;
mod events;
mod open;
mod range;
mod request;
mod store;
mod transaction;
mod value;

pub(crate) use database::{Database, End};
pub(crate) use delete::delete_database;
pub(crate) use open::{Opening, Upgrade};
pub(crate) use range::Range;
pub(crate) use request::DbRequest;
pub(crate) use store::Store;
pub(crate) use transaction::{Mode, Transaction};
pub(crate) use value::{bytes, number, number_to_js, to_js};
