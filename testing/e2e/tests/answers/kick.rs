use haos_e2e::Plain;
use haos_store_api::{Membership, ParkReason, PendingState};

use super::world::{PASSWORD, Party, on_every_store, room, shared};

#[tokio::test]
#[ignore = "needs Synapse: cargo xtask e2e"]
async fn what_a_kick_stopped_goes_on_after_an_invitation() {
    let synapse = shared().await;
    on_every_store(async |kind| {
        let mut party = Party::new(synapse, kind, "kicked").await;
        let owner =
            Plain::register(synapse.address(), &format!("kicker-{}", kind.name()), PASSWORD).await.unwrap();
        let guest = party.plain.user_id().to_owned();
        let lobby = room(&owner, "Lobby", &[&guest]).await;
        let side = party.room("Side").await;
        let homeserver = party.device.client().homeserver().clone();
        homeserver.join(lobby.as_str(), &[]).await.unwrap();
        party.device.start();
        party.until_membership(&lobby, Membership::Join).await;

        // It happens while the device is offline, so that it does not know.
        party.proxy.offline(true).await.unwrap();
        owner.kick(lobby.as_str(), &guest).await.unwrap();
        let [first, second] = [party.write(&lobby, "one").await, party.write(&lobby, "two").await];
        party.write(&side, "aside").await;
        party.proxy.offline(false).await.unwrap();
        let forbidden = PendingState::Parked(ParkReason::Forbidden);
        let parked = async || {
            let rows = party.device.rows().await.unwrap();
            rows.len() == 2 && rows[0].state == forbidden
        };
        party.device.until("the room is held up, and it alone", parked).await.unwrap();
        party.until_membership(&lobby, Membership::Leave).await;
        assert_eq!(party.texts(&side).await, ["aside"]);
        let outbox = party.device.client().outbox();
        let blockers = outbox.blockers(&lobby).await.unwrap();
        assert_eq!(blockers.iter().map(|row| &row.txn_id).collect::<Vec<_>>(), [&first.txn_id]);
        let rows = party.device.rows().await.unwrap();
        assert_eq!((&rows[1].txn_id, rows[1].state), (&second.txn_id, PendingState::Queued));

        owner.invite(lobby.as_str(), &guest).await.unwrap();
        party.until_membership(&lobby, Membership::Invite).await;
        assert_eq!(party.device.rows().await.unwrap()[0].state, forbidden, "an invitation is not enough");
        homeserver.join(lobby.as_str(), &[]).await.unwrap();
        party.device.until_delivered().await.unwrap();
        assert_eq!(party.texts(&lobby).await, ["one", "two"], "{}", party.user);
        assert_eq!(outbox.blockers(&lobby).await.unwrap(), []);
        party.device.stop().await.unwrap();
    })
    .await;
}
