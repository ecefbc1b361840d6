use std::collections::BTreeSet;

use futures_util::future::join_all;
use haos_e2e::Plain;
use haos_store_api::{EventType, Membership, Scope, StateQuery};

use super::world::{PASSWORD, Party, on_every_store, room, shared};

#[tokio::test]
#[ignore = "needs Synapse: cargo xtask e2e"]
async fn members_come_on_demand_and_then_from_the_store() {
    let synapse = shared().await;
    let owner = Plain::register(synapse.address(), "host", PASSWORD).await.unwrap();
    let crowd = room(&owner, "Crowd", &[]).await;
    let mut everybody = BTreeSet::from([owner.user_id().to_owned()]);
    for n in 0..6 {
        let silent = Plain::register(synapse.address(), &format!("silent-{n}"), PASSWORD).await.unwrap();
        owner.invite(crowd.as_str(), silent.user_id()).await.unwrap();
        silent.join(crowd.as_str()).await.unwrap();
        everybody.insert(silent.user_id().to_owned());
    }
    on_every_store(async |kind| {
        let mut party = Party::new(synapse, kind, "newcomer").await;
        owner.invite(crowd.as_str(), party.plain.user_id()).await.unwrap();
        party.device.client().homeserver().join(crowd.as_str(), &[]).await.unwrap();
        // So much that whoever came before is out of sight.
        join_all((0..25).map(async |n| {
            owner.send_text(crowd.as_str(), &format!("{}-{n}", kind.name()), "…").await.unwrap();
        }))
        .await;
        party.device.start();
        party.until_membership(&crowd, Membership::Join).await;
        let engine = party.device.client().engine();
        let query = StateQuery::kind(Scope::Room(crowd.clone()), EventType::new("m.room.member").unwrap());
        let before = party.device.client().store().state(query).await.unwrap().len();
        assert!(before < everybody.len(), "{}: {before} are there unasked", party.user);
        // Others are still joining; the list is whole as of one moment.
        let whole = async || engine.members(&crowd).await.unwrap().complete;
        party.device.until("all members are here", whole).await.unwrap();
        let list = engine.members(&crowd).await.unwrap();
        let all: BTreeSet<_> = list.entries.iter().map(|entry| entry.key.to_string()).collect();
        assert!(all.is_superset(&everybody) && all.contains(party.plain.user_id()), "{all:?}");
        party.proxy.offline(true).await.unwrap();
        let again = engine.members(&crowd).await.unwrap();
        assert!(again.complete && again.stopped.is_none() && again.entries.len() >= list.entries.len());
        party.device.stop().await.unwrap();
    })
    .await;
}
