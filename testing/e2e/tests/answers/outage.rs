use futures_util::future::join_all;
use haos_e2e::{Fault, FaultKind, Rule, StoreKind, Synapse, SynapseOptions};
use haos_queue::ConnectionState;
use haos_store_api::PendingState;

use super::world::{Party, on_every_store, shared};

#[tokio::test]
#[ignore = "needs Synapse: cargo xtask e2e"]
async fn a_server_that_is_down_for_a_while() {
    let mut synapse = Synapse::start(SynapseOptions::default()).await.unwrap();
    let mut parties = join_all(StoreKind::ALL.map(async |kind| {
        let mut party = Party::new(&synapse, kind, "outage").await;
        let room = party.room("Lobby").await;
        party.device.start();
        party.write(&room, "before").await;
        party.device.until_delivered().await.unwrap();
        (party, room)
    }))
    .await;
    synapse.kill();
    for (party, room) in &parties {
        party.write(room, "during").await;
        let degraded = async || matches!(party.device.connection(), ConnectionState::Degraded { .. });
        party.device.until("the outage is told", degraded).await.unwrap();
    }
    synapse.resume().await.unwrap();
    for (party, room) in &mut parties {
        party.write(room, "after").await;
        party.device.until_delivered().await.unwrap();
        party.device.until_live().await.unwrap();
        assert_eq!(party.texts(room).await, ["before", "during", "after"], "{}", party.user);
        party.device.stop().await.unwrap();
    }
}

#[tokio::test]
#[ignore = "needs Synapse: cargo xtask e2e"]
async fn a_captive_portal_is_not_the_server() {
    let synapse = shared().await;
    on_every_store(async |kind| {
        let mut party = Party::new(synapse, kind, "portal").await;
        let room = party.room("Lobby").await;
        party.device.start();
        party.device.until_live().await.unwrap();
        // The network is another one from here on.
        party.proxy.offline(true).await.unwrap();
        party.proxy.set_rules([Rule::new(Fault::Portal)]);
        for body in ["one", "two", "three"] {
            party.write(&room, body).await;
        }
        party.proxy.offline(false).await.unwrap();
        for (fault, portal) in [(FaultKind::Portal, Fault::Portal), (FaultKind::Redirect, Fault::Redirect)] {
            party.proxy.set_rules([Rule::new(portal)]);
            party.device.until("the portal answers", async || party.proxy.fired(fault) >= 8).await.unwrap();
            assert_ne!(party.device.connection(), ConnectionState::Live);
            let rows = party.device.rows().await.unwrap();
            let waits = |state| matches!(state, PendingState::Queued | PendingState::Sending);
            assert!(rows.len() == 3 && rows.iter().all(|row| waits(row.state)), "{}: {rows:?}", party.user);
        }
        assert_eq!(party.texts(&room).await, Vec::<String>::new());
        party.proxy.set_rules([]);
        party.device.until_delivered().await.unwrap();
        party.device.until_live().await.unwrap();
        assert_eq!(party.texts(&room).await, ["one", "two", "three"], "{}", party.user);
        party.device.stop().await.unwrap();
    })
    .await;
}
