use haos_e2e::Plain;
use haos_store_api::{EventId, Membership, RoomId};
use serde_json::json;

use super::world::{PASSWORD, Party, messages, on_every_store, room, shared};

async fn owner(party: &Party) -> Plain {
    let name = format!("owner-{}", party.user);
    Plain::register(shared().await.address(), &name, PASSWORD).await.unwrap()
}

#[tokio::test]
#[ignore = "needs Synapse: cargo xtask e2e"]
async fn invited_in_out_in_again_and_banned() {
    let synapse = shared().await;
    on_every_store(async |kind| {
        let mut party = Party::new(synapse, kind, "guest").await;
        let owner = owner(&party).await;
        let guest = party.plain.user_id().to_owned();
        party.device.start();
        party.device.until_live().await.unwrap();
        let homeserver = party.device.client().homeserver().clone();
        let lobby = room(&owner, "Lobby", &[&guest]).await;
        party.until_membership(&lobby, Membership::Invite).await;
        let stored = party.device.client().store().room(&lobby).await.unwrap().unwrap();
        assert_eq!(stored.name.as_deref(), Some("Lobby"), "an invitation says to what");
        homeserver.join(lobby.as_str(), &[]).await.unwrap();
        party.until_membership(&lobby, Membership::Join).await;
        let first = owner.send_text(lobby.as_str(), "t1", "welcome").await.unwrap();
        party
            .device
            .until("the welcome is here", async || party.stored(&lobby).await == ["welcome"])
            .await
            .unwrap();

        owner.redact(lobby.as_str(), &first, "t2").await.unwrap();
        let first = EventId::new(first).unwrap();
        let emptied = async || {
            let all = messages(&party.device, &lobby).await;
            let found = all.iter().find(|message| message.id == first).unwrap();
            found.redacted_by.is_some() && found.content.as_str() == "{}"
        };
        party.device.until("a redaction by somebody else empties it", emptied).await.unwrap();

        homeserver.leave(&lobby).await.unwrap();
        party.until_membership(&lobby, Membership::Leave).await;
        owner.send_text(lobby.as_str(), "t3", "unseen").await.unwrap();
        owner.invite(lobby.as_str(), &guest).await.unwrap();
        party.until_membership(&lobby, Membership::Invite).await;
        homeserver.join(lobby.as_str(), &[]).await.unwrap();
        party.until_membership(&lobby, Membership::Join).await;
        owner.send_text(lobby.as_str(), "t4", "welcome back").await.unwrap();
        let back = async || party.stored(&lobby).await.last().is_some_and(|body| body == "welcome back");
        party.device.until("the second welcome is here", back).await.unwrap();

        let ban = json!({ "user_id": guest, "reason": "enough" });
        owner.call("POST", &["rooms", lobby.as_str(), "ban"], &ban).await.unwrap();
        party.until_membership(&lobby, Membership::Ban).await;
        assert!(party.stored(&lobby).await.contains(&"welcome back".to_owned()), "what was read stays");
        party.device.stop().await.unwrap();
    })
    .await;
}

#[tokio::test]
#[ignore = "needs Synapse: cargo xtask e2e"]
async fn a_room_that_was_upgraded_points_to_its_successor() {
    let synapse = shared().await;
    on_every_store(async |kind| {
        let mut party = Party::new(synapse, kind, "upgraded").await;
        let owner = owner(&party).await;
        let old = room(&owner, "Old", &[party.plain.user_id()]).await;
        let homeserver = party.device.client().homeserver().clone();
        homeserver.join(old.as_str(), &[]).await.unwrap();
        party.device.start();
        party.until_membership(&old, Membership::Join).await;
        let engine = party.device.client().engine();
        assert_eq!(engine.successor(&old).await.unwrap(), None);
        let version = json!({ "new_version": "11" });
        let answer = owner.call("POST", &["rooms", old.as_str(), "upgrade"], &version).await.unwrap();
        let new = RoomId::new(answer["replacement_room"].as_str().unwrap()).unwrap();
        let succeeded = async || engine.successor(&old).await.unwrap() == Some(new.clone());
        party.device.until("the old room names the new one", succeeded).await.unwrap();
        owner.invite(new.as_str(), party.plain.user_id()).await.unwrap();
        party.until_membership(&new, Membership::Invite).await;
        homeserver.join(new.as_str(), &[]).await.unwrap();
        party.until_membership(&new, Membership::Join).await;
        assert_eq!(engine.predecessor(&new).await.unwrap(), Some(old.clone()));
        party.device.stop().await.unwrap();
    })
    .await;
}
