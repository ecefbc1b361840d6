//! Messages that may have been sent, past the time in which the server knows their transaction ids: on a
//! real Synapse, `cargo xtask e2e`.
#![allow(clippy::unwrap_used, reason = "a failure is a panic")]

mod doubt;
mod jump;
mod logout;
