//! The SQLite store from outside: files, threads, processes, damage, full disks.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;
mod convert;
mod damage;
mod durable;
mod format;
mod full_disk;
mod maintain;
mod open;
mod processes;
mod refused;
mod schema;
mod shell;
mod stale_log;
