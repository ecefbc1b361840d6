//! Two people by the front door, each with a chat of their own that is killed, offline and put out of rooms while a
//! third one talks: what each sees by the steps alone is at rest what a fresh reading finds, the same for both, and what
//! the server says. `HAOS_E2E_ACTIONS` and `HAOS_E2E_SEED` change how much is done, and what.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failure is a panic")]

#[path = "../storm/chance.rs"]
mod chance;
mod check;
mod person;
mod rest;
mod scene;
mod script;
mod truth;

use script::Script;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Synapse: cargo xtask e2e"]
async fn at_rest_both_screens_are_equal_and_what_the_server_says() {
    let number = |name: &str, default: u64| {
        std::env::var(name).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name}={text}")))
    };
    let (actions, seed) = (number("HAOS_E2E_ACTIONS", 500) as usize, number("HAOS_E2E_SEED", 1));
    println!("{actions} actions of seed {seed}");
    let mut script = Script::begin(seed).await;
    script.play(actions).await;
    rest::check(script).await;
}
