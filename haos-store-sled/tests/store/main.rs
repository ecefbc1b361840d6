//! The sled store from outside: folders, threads, processes, damage.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod beside;
mod common;
mod convert;
mod damage;
mod full_disk;
mod kill;
mod lifecycle;
mod maintain;
mod open;
mod planted;
mod processes;
