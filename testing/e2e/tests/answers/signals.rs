use std::time::Duration;

use haos_e2e::{Plain, until};
use haos_matrix::compose;
use haos_store_api::{EventId, Membership};
use serde_json::Value;

use super::world::{PASSWORD, Party, on_every_store, room, shared};

/// Syncs until `found` says yes to an event of `section` of the room.
async fn hears(plain: &Plain, room: &str, section: &str, found: impl Fn(&Value) -> bool) {
    let mut since: Option<String> = None;
    let heard = async || {
        let sync = plain.sync(since.as_deref(), Duration::from_secs(2)).await.unwrap();
        since = sync["next_batch"].as_str().map(str::to_owned);
        let events = sync["rooms"]["join"][room][section]["events"].as_array();
        events.is_some_and(|events| events.iter().any(&found))
    };
    until(&format!("{} hears of it in {section}", plain.user_id()), heard).await.unwrap();
}

#[tokio::test]
#[ignore = "needs Synapse: cargo xtask e2e"]
async fn receipts_markers_and_typing_arrive() {
    let synapse = shared().await;
    on_every_store(async |kind| {
        let mut party = Party::new(synapse, kind, "reader").await;
        let other = format!("writer-{}", kind.name());
        let other = Plain::register(synapse.address(), &other, PASSWORD).await.unwrap();
        let reader = party.plain.user_id().to_owned();
        let lobby = room(&other, "Lobby", &[&reader]).await;
        party.device.client().homeserver().join(lobby.as_str(), &[]).await.unwrap();
        let event = other.send_text(lobby.as_str(), "t1", "read me").await.unwrap();
        party.device.start();
        party.until_membership(&lobby, Membership::Join).await;
        let outbox = party.device.client().outbox();
        let upto = EventId::new(event.clone()).unwrap();
        outbox.enqueue(compose::read(&lobby, &upto, false).unwrap()).await.unwrap();
        outbox.enqueue(compose::typing(&lobby, true).unwrap()).await.unwrap();
        let read = |heard: &Value| heard["content"][&event]["m.read"][&reader].is_object();
        hears(&other, lobby.as_str(), "ephemeral", read).await;
        let types = |heard: &Value| {
            let users = heard["content"]["user_ids"].as_array();
            heard["type"] == "m.typing" && users.is_some_and(|users| users.contains(&reader.as_str().into()))
        };
        hears(&other, lobby.as_str(), "ephemeral", types).await;
        let marked =
            |heard: &Value| heard["type"] == "m.fully_read" && heard["content"]["event_id"] == event.as_str();
        hears(&party.plain, lobby.as_str(), "account_data", marked).await;
        party.device.until_delivered().await.unwrap();
        party.device.stop().await.unwrap();
    })
    .await;
}
