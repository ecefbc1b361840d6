//! Everything at once: two users on three devices write while every kind of fault befalls their requests,
//! clients are killed and the server restarts. Every other room is encrypted. Then the server has each message once
//! and in order, and every client has what the server has, and can read it. `HAOS_E2E_MESSAGES`, `HAOS_E2E_ROOMS`, `HAOS_E2E_KILLS`,
//! `HAOS_E2E_RESTARTS` and `HAOS_E2E_SEED` change the size.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failure is a panic")]

mod chance;
mod check;
mod device;
mod kills;
mod scene;
mod size;
mod storm;
mod weather;
mod worker;
mod writer;

use size::Size;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Synapse: cargo xtask e2e"]
async fn each_message_exactly_once_and_every_timeline_as_the_server_has_it() {
    storm::run(Size::of_environment()).await;
}
