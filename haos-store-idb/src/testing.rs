//! The bodies of the browser tests of this crate's private parts. Not an interface.

#![allow(missing_docs, reason = "each is a test, named by its subject")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may panic")]

#[path = "../tests/bodies/binding.rs"]
pub mod binding;
#[path = "../tests/bodies/lifecycle.rs"]
pub mod lifecycle;
#[path = "../tests/bodies/lost.rs"]
pub mod lost;
#[path = "../tests/bodies/raw.rs"]
mod raw;
#[path = "../tests/bodies/requests.rs"]
pub mod requests;
