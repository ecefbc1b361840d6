//! No secret in what is logged, shown, or asked for by url.

use haos_matrix::{Credentials, Homeserver, HttpOptions, Login, MatrixSession, Server as _, SyncRequest};
use haos_queue::Transport as _;
use haos_store_api::*;

use crate::support::*;

const SECRETS: [&str; 7] = ["syt_", "syr_", "geheim", "sso_", "Bearer", "since_", "body_"];

fn assert_clean(what: &str, text: &str) {
    for secret in SECRETS {
        assert!(!text.contains(secret), "{what} tells {secret}: {text}");
    }
}

#[tokio::test]
async fn nothing_tells_a_secret() {
    let log = Log::default();
    let _guard = tracing::subscriber::set_default(log.clone());
    let server = Server::new(|seen| match (&*seen.line, seen.token()) {
        (line, _) if line.ends_with("/refresh") => {
            json(r#"{"access_token":"syt_two","refresh_token":"syr_two"}"#)
        }
        (line, _) if line.ends_with("/login") => {
            json(r#"{"user_id":"@a:h","device_id":"D","access_token":"syt_x"}"#)
        }
        (_, Some("syt_one")) => refused(401, r#"{"errcode":"M_UNKNOWN_TOKEN","soft_logout":true}"#),
        (line, _) if line.contains("/sync") => Reaction::Close,
        _ => json(r#"{"event_id":"$sent"}"#),
    })
    .await;
    let session = session(&server, Some("syr_one"));
    let home = Home::of(&session, HttpOptions::default()).await;
    guarded(async {
        home.http.send(&row("m.room.message", r#"{"body":"body_1"}"#)).await;
        let since = Some("since_1".to_owned());
        home.http.sync(&SyncRequest { since, ..SyncRequest::default() }).await.unwrap_err();
        home.http.logout().await.unwrap();
        for credentials in [
            Credentials::Password { user: "ada".to_owned(), password: "geheim".to_owned() },
            Credentials::Token("sso_1".to_owned()),
        ] {
            let login = Login { credentials, device: None, device_name: None };
            assert_clean("a login", &format!("{login:?}"));
            let there =
                Homeserver::connect(&server.url(), home.clock.clone(), HttpOptions::default()).unwrap();
            let session = there.login(&login).await.unwrap();
            assert_clean("a session", &format!("{session:?} {:?} {there:?}", session.tokens));
        }
    })
    .await;
    assert_clean("a homeserver", &format!("{:?}", home.http));
    let text = log.text();
    assert!(text.contains("haos::http"), "something was logged: {text}");
    assert_clean("the log", &text);
    for line in server.lines() {
        assert!(!line.contains("syt_") && !line.contains("syr_"), "{line}");
    }
}

#[tokio::test]
async fn a_damaged_session_is_not_quoted() {
    let store = MemoryStore::new();
    let mut batch = WriteBatch::relaxed();
    batch.put_state(StateEntry {
        scope: Scope::Account,
        kind: EventType::new(haos_matrix::SESSION).unwrap(),
        key: StateKey::new("").unwrap(),
        event_id: None,
        value: Json::new(r#"{"homeserver":"h","user":"@a:h","device":"D","tokens":"syt_one"}"#).unwrap(),
    });
    store.apply(batch).await.unwrap();
    let error = MatrixSession::load(&store).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert_clean("an error", &format!("{error} {error:?}"));
}
