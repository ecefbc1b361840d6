use std::time::{Duration, Instant};

use haos_e2e::{Plain, Synapse, SynapseOptions, until};
use haos_matrix::{MatrixSession, Tokens};
use haos_queue::{ConnectionState, PauseReason};
use serde_json::{Value, json};

use super::world::{PASSWORD, Party, on_every_store};

const LEAST_MESSAGES: usize = 30;
const LEAST_REFRESHES: u64 = 3;

async fn tokens(party: &Party) -> Tokens {
    MatrixSession::load(&**party.device.client().store()).await.unwrap().unwrap().tokens.unwrap()
}

#[tokio::test]
#[ignore = "needs Synapse: cargo xtask e2e"]
async fn tokens_expire_and_nobody_notices() {
    let synapse = Synapse::start(short()).await.unwrap();
    on_every_store(async |kind| {
        let mut party = Party::new(&synapse, kind, "expiry").await;
        let room = party.room("Lobby").await;
        let first = tokens(&party).await;
        party.count("POST", "*/refresh");
        let started = Instant::now();
        party.device.start();
        let mut connection = party.device.client().connection();
        let never = |state: &ConnectionState| matches!(state, ConnectionState::Paused(_));
        let paused = tokio::spawn(async move { connection.wait_for(never).await.map(|state| state.clone()) });
        let mut written = Vec::new();
        while written.len() < LEAST_MESSAGES || party.counted() < LEAST_REFRESHES {
            written.push(format!("{}", written.len()));
            party.write(&room, written.last().unwrap()).await;
            party.device.until_delivered().await.unwrap();
        }
        assert!(!paused.is_finished(), "{}: it was paused", party.user);
        paused.abort();
        assert_eq!(party.texts(&room).await, written, "{}", party.user);
        // A token lives three seconds and is renewed in its second half: not more often, however slow this
        // machine is.
        let most = started.elapsed().as_secs() + 2;
        assert!(party.counted() <= most, "{}: {} refreshes", party.user, party.counted());
        let last = tokens(&party).await;
        assert!(last.access != first.access && last.refresh != first.refresh);
        party.device.stop().await.unwrap();
    })
    .await;
}

#[tokio::test]
#[ignore = "needs Synapse: cargo xtask e2e"]
async fn a_refresh_token_that_somebody_else_used_pauses_and_a_login_goes_on() {
    let synapse = Synapse::start(short()).await.unwrap();
    on_every_store(async |kind| {
        let mut party = Party::new(&synapse, kind, "void").await;
        let room = party.room("Lobby").await;
        let session = party.device.client().session();
        // A copy of the store on another machine, say.
        let Tokens { access, refresh, .. } = session.tokens.unwrap();
        let used = json!({ "refresh_token": refresh });
        let mut given: Value = party.plain.call("POST", &["refresh"], &used).await.unwrap();
        given["user_id"] = session.user.as_str().into();
        given["device_id"] = session.device.into();
        let copy = Plain::restore(synapse.address(), &given).unwrap();
        copy.send_text(room.as_str(), "t1", "copy").await.unwrap();
        given["access_token"] = access.into();
        let old = Plain::restore(synapse.address(), &given).unwrap();
        let void = async || old.call("GET", &["account", "whoami"], &Value::Null).await.is_err();
        until("the access token is void", void).await.unwrap();

        party.write(&room, "one").await;
        party.write(&room, "two").await;
        party.device.start();
        let out = [PauseReason::SoftLogout, PauseReason::LoggedOut].map(ConnectionState::Paused);
        let told = async || out.contains(&party.device.connection());
        party.device.until("the pause is told", told).await.unwrap();
        assert_eq!(party.device.rows().await.unwrap().len(), 2, "{}", party.user);
        // It stays so in another process.
        party.device.reopen().await.unwrap();
        party.device.start();
        party
            .device
            .until("the pause is told", async || out.contains(&party.device.connection()))
            .await
            .unwrap();
        assert_eq!(party.texts(&room).await, ["copy"]);

        party.device.login_again(&party.user, PASSWORD).await.unwrap();
        party.device.start();
        party.device.until_delivered().await.unwrap();
        assert_eq!(party.texts(&room).await, ["copy", "one", "two"], "{}", party.user);
        party.device.stop().await.unwrap();
    })
    .await;
}

fn short() -> SynapseOptions {
    SynapseOptions { access_token_life: Some(Duration::from_secs(3)), ..SynapseOptions::default() }
}
