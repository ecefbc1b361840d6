use haos_e2e::Plain;
use haos_queue::{ConnectionState, PauseReason};
use serde_json::json;

use super::world::{PASSWORD, Party, on_every_store, shared};

#[tokio::test]
#[ignore = "needs Synapse: cargo xtask e2e"]
async fn a_logout_from_elsewhere_keeps_everything_and_a_login_goes_on() {
    let synapse = shared().await;
    on_every_store(async |kind| {
        let mut party = Party::new(synapse, kind, "logout").await;
        let room = party.room("Lobby").await;
        party.device.start();
        party.write(&room, "before").await;
        party.device.until_delivered().await.unwrap();
        party.plain.call("POST", &["logout", "all"], &json!({})).await.unwrap();
        let out = ConnectionState::Paused(PauseReason::LoggedOut);
        for body in ["one", "two", "three"] {
            party.write(&room, body).await;
        }
        party.device.until("the logout is told", async || party.device.connection() == out).await.unwrap();
        // Another process sees it as well, and reads what there is.
        party.device.reopen().await.unwrap();
        party.device.start();
        party.device.until("the logout is told", async || party.device.connection() == out).await.unwrap();
        let rows = party.device.rows().await.unwrap();
        assert!(rows.len() == 3 && rows.iter().all(|row| row.attempts == 0), "{}: {rows:?}", party.user);
        assert_eq!(party.stored(&room).await, ["before"]);

        let before = party.device.client().session();
        party.device.login_again(&party.user, PASSWORD).await.unwrap();
        assert!(party.device.client().session().is_same_device(&before));
        party.device.start();
        party.device.until_delivered().await.unwrap();
        party.device.until_live().await.unwrap();
        party.plain = Plain::login(synapse.address(), &party.user, PASSWORD, None).await.unwrap();
        assert_eq!(party.texts(&room).await, ["before", "one", "two", "three"], "{}", party.user);
        assert_eq!(party.stored(&room).await, ["before", "one", "two", "three"]);
        party.device.stop().await.unwrap();
    })
    .await;
}
