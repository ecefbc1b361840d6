use std::collections::BTreeSet;

use futures_util::future::join_all;
use haos_e2e::{Device, Fault, FaultKind, Plain, Proxy, Rule, StoreKind, hurried};
use haos_store_api::{Membership, RoomQuery, StorageAdapterExt as _};

use super::world::{PASSWORD, messages, room, shared};

/// More than the first request for the list asks for.
const ROOMS: usize = 23;

#[tokio::test]
#[ignore = "needs Synapse: cargo xtask e2e"]
async fn the_list_of_rooms_comes_first() {
    let synapse = shared().await;
    let ada = Plain::register(synapse.address(), "collector", PASSWORD).await.unwrap();
    let names: Vec<_> = (0..ROOMS).map(|n| format!("Room {n}")).collect();
    for name in &names {
        ada.create_room(name, &[]).await.unwrap();
    }
    let names: BTreeSet<_> = names.into_iter().collect();
    join_all(StoreKind::ALL.map(async |kind| {
        let proxy = Proxy::start(synapse.address()).await.unwrap();
        // The classic sync does not come through: what is there is from the list.
        proxy.set_rules([Rule::new(Fault::ResetBefore).method("GET").path("*/v3/sync")]);
        let mut device = Device::login(kind, &proxy.url(), "collector", PASSWORD, hurried()).await.unwrap();
        device.start();
        let listed = async || {
            let rooms = device.client().store().rooms(RoomQuery::default()).await.unwrap();
            assert!(rooms.iter().all(|room| room.membership == Membership::Join));
            rooms.into_iter().filter_map(|room| room.name).collect::<BTreeSet<_>>()
        };
        device.until("the list is complete", async || listed().await == names).await.unwrap();
        assert_eq!(device.client().store().sync_token().await.unwrap(), None);
        proxy.set_rules([]);
        device.until_live().await.unwrap();
        assert_eq!(listed().await, names);
        assert!(device.client().store().sync_token().await.unwrap().is_some());
        device.stop().await.unwrap();
    }))
    .await;
}

/// Synapse keeps the answer to a first sync for two minutes, and gives it to whoever asks the same. A run to which that
/// never came ended; the next one has the list first, which is newer.
#[tokio::test]
#[ignore = "needs Synapse: cargo xtask e2e"]
async fn what_the_server_kept_from_before_the_list_turns_no_timeline_round() {
    let synapse = shared().await;
    let ada = Plain::register(synapse.address(), "forgetful", PASSWORD).await.unwrap();
    let lobby = room(&ada, "Lobby", &[]).await;
    let proxy = Proxy::start(synapse.address()).await.unwrap();
    proxy.set_rules([
        Rule::new(Fault::ResetBefore).method("POST").path("*/sync"),
        Rule::new(Fault::DropResponse).method("GET").path("*/v3/sync"),
    ]);
    let kind = StoreKind::Sqlite;
    let mut device = Device::login(kind, &proxy.url(), "forgetful", PASSWORD, hurried()).await.unwrap();
    device.start();
    device.until("a sync is lost", async || proxy.fired(FaultKind::DropResponse) > 0).await.unwrap();
    device.reopen().await.unwrap();
    assert_eq!(device.client().store().rooms(RoomQuery::default()).await.unwrap(), []);
    ada.send_text(lobby.as_str(), "t1", "one").await.unwrap();
    ada.send_text(lobby.as_str(), "t2", "two").await.unwrap();
    proxy.set_rules([]);
    device.start();
    device.until_live().await.unwrap();
    for gap in device.client().store().gaps(&lobby).await.unwrap() {
        device.client().engine().fill(&lobby, &gap).await.unwrap();
    }
    let there = ada.history(lobby.as_str()).await.unwrap();
    let there: Vec<_> = there.into_iter().map(|happening| happening.event_id).collect();
    let held = async || {
        let held = messages(&device, &lobby).await;
        held.into_iter().map(|message| message.id.to_string()).collect::<Vec<_>>()
    };
    device.until("all of it is here", async || held().await.len() == there.len()).await.unwrap();
    assert_eq!(held().await, there);
    device.stop().await.unwrap();
}
