use std::collections::BTreeSet;

use futures_util::future::join_all;
use haos_e2e::{Device, Fault, Plain, Proxy, Rule, StoreKind, hurried};
use haos_store_api::{Membership, RoomQuery, StorageAdapterExt as _};

use super::world::{PASSWORD, shared};

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
