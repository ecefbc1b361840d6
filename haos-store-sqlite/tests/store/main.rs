//! The SQLite store from outside: files, threads, processes, damage, full disks.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod beside;
mod common;
mod convert;
mod damage;
mod format;
mod full_disk;
mod kill;
mod lifecycle;
mod maintain;
mod open;
mod planted;
mod processes;
mod refused;
mod schema;
mod shell;
mod stale_log;
