use std::time::Duration;

use haos_e2e::{Plain, Rate, SynapseOptions};
use serde_json::json;

use super::server;

#[tokio::test]
#[ignore = "needs Synapse: cargo xtask e2e"]
async fn rates_and_sizes_are_limited_where_the_options_say() {
    let options = SynapseOptions {
        message_rate: Some(Rate { per_second: 0.01, burst: 2 }),
        max_upload_bytes: Some(1000),
        ..SynapseOptions::default()
    };
    let (_synapse, ada) = server(options).await;
    let room = ada.create_room("Lobby", &[]).await.unwrap();
    let mut outcomes = Vec::new();
    for n in 0..8 {
        let sent = ada.send_text(&room, &format!("t{n}"), "hello").await;
        outcomes.extend(sent.err().and_then(|error| error.errcode().map(str::to_owned)));
    }
    assert!((6..=7).contains(&outcomes.len()), "{outcomes:?}");
    assert!(outcomes.iter().all(|errcode| errcode == "M_LIMIT_EXCEEDED"), "{outcomes:?}");
    ada.upload("small.bin", &[0; 1000]).await.unwrap();
    let refused = ada.upload("large.bin", &[0; 1001]).await.unwrap_err();
    assert_eq!((refused.status(), refused.errcode()), (Some(413), Some("M_TOO_LARGE")));
}

#[tokio::test]
#[ignore = "needs Synapse: cargo xtask e2e"]
async fn a_token_lives_as_long_as_the_options_say() {
    let options = SynapseOptions {
        access_token_life: Some(Duration::from_secs(3600)),
        movable_clock: true,
        ..SynapseOptions::default()
    };
    let (mut synapse, ada) = server(options).await;
    let login = json!({
        "type": "m.login.password",
        "identifier": { "type": "m.id.user", "user": "ada" },
        "password": "secret",
        "refresh_token": true,
    });
    let session = ada.call("POST", &["login"], &login).await.unwrap();
    let life_ms = session["expires_in_ms"].as_u64().unwrap();
    assert!((1..=3_600_000).contains(&life_ms), "{life_ms}");
    let short = Plain::restore(synapse.address(), &session).unwrap();
    short.create_room("Lobby", &[]).await.unwrap();
    synapse.advance_clock(Duration::from_secs(3601)).unwrap();
    let refused = short.create_room("Lobby", &[]).await.unwrap_err();
    assert_eq!((refused.status(), refused.errcode()), (Some(401), Some("M_UNKNOWN_TOKEN")));
    assert!(refused.to_string().contains(r#""soft_logout":true"#), "{refused}");
    let refresh = json!({ "refresh_token": session["refresh_token"] });
    let answer = ada.call("POST", &["refresh"], &refresh).await.unwrap();
    assert!(answer["access_token"].is_string());
    // A session without a refresh token does not end.
    ada.create_room("Lobby", &[]).await.unwrap();
    ada.logout().await.unwrap();
    assert_eq!(ada.create_room("Lobby", &[]).await.unwrap_err().status(), Some(401));
}
