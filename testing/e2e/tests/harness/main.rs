//! The harness itself, on a real Synapse: `cargo xtask e2e`.
#![allow(clippy::unwrap_used, reason = "a failure is a panic")]

mod clock;
mod faults;
mod limits;
mod outage;
mod truth;

use haos_e2e::{Plain, Synapse, SynapseOptions};

/// A server with one user.
async fn server(options: SynapseOptions) -> (Synapse, Plain) {
    let synapse = Synapse::start(options).await.unwrap();
    let ada = Plain::register(synapse.address(), "ada", "secret").await.unwrap();
    (synapse, ada)
}

/// A server with one user in a room of her own.
async fn lobby() -> (Synapse, Plain, String) {
    let (synapse, ada) = server(SynapseOptions::default()).await;
    let room = ada.create_room("Lobby", &[]).await.unwrap();
    (synapse, ada, room)
}

/// The texts of a room, as the server has them.
async fn texts(plain: &Plain, room: &str) -> Vec<String> {
    let messages = plain.messages(room).await.unwrap();
    messages.iter().map(|message| message.body().unwrap_or("?").to_owned()).collect()
}
