//! The sled store from outside: folders, threads, processes, damage.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;
mod damage;
mod durable;
mod maintain;
mod open;
mod processes;
mod rights;
