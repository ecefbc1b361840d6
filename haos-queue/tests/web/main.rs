//! The queue in a browser, in whatever context this runs, over the memory store: two outboxes over one store stand
//! for two contexts, which share locks and channels as two pages do.
#![cfg(all(target_arch = "wasm32", target_os = "unknown"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod background;
mod context;
mod example;
mod lead;
mod page;
mod send;
