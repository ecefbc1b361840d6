//! Logging in and out, finding the server.

use std::sync::Arc;

use haos_matrix::{
    Client, ClientOptions, ConnectError, Credentials, Homeserver, HttpOptions, Login, MatrixSession,
};
use haos_queue::{Answer, PauseReason, Transport as _, Verdict};
use haos_store_api::*;

use crate::support::*;

fn visitor(server: &Server) -> Homeserver {
    Homeserver::connect(&server.url(), Arc::new(Clock::default()), HttpOptions::default()).unwrap()
}

const WELCOME: &str = r#"{"user_id":"@ada:h","device_id":"ADEV","access_token":"syt_new","refresh_token":"syr_new","expires_in_ms":60000,"home_server":"h"}"#;

#[tokio::test]
async fn a_login_asks_for_its_device_and_for_tokens_that_are_renewed() {
    let server = Server::new(|_| json(WELCOME)).await;
    let credentials = Credentials::Password { user: "ada".to_owned(), password: "geheim".to_owned() };
    let login = Login { credentials, device: Some("ADEV".to_owned()), device_name: Some("haos".to_owned()) };
    assert!(!format!("{login:?}").contains("geheim"));
    let session = guarded(visitor(&server).login(&login)).await.unwrap();
    assert_eq!((session.homeserver.clone(), session.device.as_str()), (server.url(), "ADEV"));
    let tokens = session.tokens.unwrap();
    assert_eq!((tokens.access.as_str(), tokens.refresh.as_deref()), ("syt_new", Some("syr_new")));
    assert_eq!(tokens.expires_at_ms, Some(60_000), "counted from the clock, which stands at 0");
    let seen = server.only();
    assert_eq!((seen.line.as_str(), seen.token()), ("POST /_matrix/client/v3/login", None));
    let asked: serde_json::Value = serde_json::from_str(seen.text()).unwrap();
    let expected = serde_json::json!({
        "type": "m.login.password",
        "identifier": { "type": "m.id.user", "user": "ada" },
        "password": "geheim",
        "device_id": "ADEV",
        "initial_device_display_name": "haos",
        "refresh_token": true,
    });
    assert_eq!(asked, expected);
}

#[tokio::test]
async fn a_client_that_logs_in_again_trusts_no_transaction_id_of_before() {
    let server = Server::new(|_| json(&WELCOME.replace("@ada:h", "@ada:example.org"))).await;
    let store = Arc::new(MemoryStore::new());
    session(&server, None).save(&*store).await.unwrap();
    let row = |id: &str| Pending {
        txn_id: TxnId::new(id).unwrap(),
        device: Some("ADEV".to_owned()),
        first_attempt_ms: Some(1),
        ..row("m.room.message", "{}")
    };
    let mut batch = WriteBatch::strict();
    batch.put_pending(Pending { ambiguous: true, ..row("doubtful") });
    batch.put_pending(Pending { state: PendingState::Sending, ..row("sending") });
    batch.put_pending(row("refused"));
    store.apply(batch).await.unwrap();
    let (host, options, url) = (Arc::new(Clock::default()), ClientOptions::default(), server.url());
    let credentials = Credentials::Token("sso".to_owned());
    let login = Client::login(store.clone(), host, &url, credentials, None, &options);
    let client = guarded(login).await.unwrap();
    assert_eq!(client.session().tokens.unwrap().access, "syt_new");
    let rows = store.pending(PendingQuery::default()).await.unwrap();
    let devices: Vec<_> = rows.iter().map(|row| row.device.as_deref()).collect();
    assert_eq!(devices, [None, None, Some("ADEV")], "what was refused is surely not there");
}

#[tokio::test]
async fn a_login_with_a_token_and_nothing_else() {
    let server =
        Server::new(|_| json(r#"{"user_id":"@ada:h","device_id":"NEW","access_token":"syt_new"}"#)).await;
    let login = Login { credentials: Credentials::Token("sso".to_owned()), device: None, device_name: None };
    let session = guarded(visitor(&server).login(&login)).await.unwrap();
    assert_eq!((session.device.as_str(), session.tokens.unwrap().refresh), ("NEW", None));
    let asked: serde_json::Value = serde_json::from_str(server.only().text()).unwrap();
    assert_eq!(asked, serde_json::json!({ "type": "m.login.token", "token": "sso", "refresh_token": true }));
}

#[tokio::test]
async fn a_login_may_be_sent_to_another_url_but_not_to_a_less_safe_one() {
    for (told, expected) in [
        ("https://hs.h/", Some("https://hs.h")),
        ("http://127.0.0.2:7", Some("http://127.0.0.2:7")),
        // The server is on the loopback: from there, tokens would go over a network as they are.
        ("http://hs.h", None),
        ("http://localhost.evil.example", None),
        ("x", None),
    ] {
        let welcome = WELCOME.replacen(
            '{',
            &format!(r#"{{"well_known":{{"m.homeserver":{{"base_url":"{told}"}}}},"#),
            1,
        );
        let server = Server::new(move |_| json(&welcome)).await;
        let login =
            Login { credentials: Credentials::Token("x".to_owned()), device: None, device_name: None };
        let session = guarded(visitor(&server).login(&login)).await.unwrap();
        assert_eq!(session.homeserver, expected.map_or(server.url(), str::to_owned));
    }
}

#[tokio::test]
async fn a_wrong_password_says_so() {
    let server =
        Server::new(|_| refused(403, r#"{"errcode":"M_FORBIDDEN","error":"Invalid username or password"}"#))
            .await;
    let login = Login { credentials: Credentials::Token("x".to_owned()), device: None, device_name: None };
    let answer = guarded(visitor(&server).login(&login)).await.unwrap_err();
    assert_eq!(answer, Answer::Refused(refusal(403, "M_FORBIDDEN")));
}

#[tokio::test]
async fn flows_and_whoami() {
    let server = Server::new(|seen| match seen.line.ends_with("/login") {
        true => {
            json(r#"{"flows":[{"type":"m.login.password"},{"type":"m.login.sso","identity_providers":[]}]}"#)
        }
        false => json(r#"{"user_id":"@ada:example.org","device_id":"ADEV","is_guest":false}"#),
    })
    .await;
    let flows = guarded(visitor(&server).login_flows()).await.unwrap();
    assert_eq!(flows, ["m.login.password", "m.login.sso"]);
    let me = guarded(Home::to(&server).await.http.whoami()).await.unwrap();
    assert_eq!((me.user.as_str(), me.device.as_deref()), ("@ada:example.org", Some("ADEV")));
}

#[tokio::test]
async fn a_logout_forgets_the_tokens_and_a_login_on_the_device_goes_on() {
    let server = Server::new(|_| json(r#"{"event_id":"$sent"}"#)).await;
    let home = Home::to(&server).await;
    guarded(home.http.logout()).await.unwrap();
    assert_eq!(server.only().line, "POST /_matrix/client/v3/logout");
    let stored = MatrixSession::load(&*home.store).await.unwrap().unwrap();
    assert_eq!((stored.device.as_str(), stored.tokens), ("ADEV", None));

    let out = home.http.send(&row("m.room.message", "{}")).await;
    assert_eq!(out.verdict(false), Verdict::Pause(PauseReason::LoggedOut));
    server.only();

    session(&server, None).save(&*home.store).await.unwrap();
    assert_eq!(guarded(home.http.send(&row("m.room.message", "{}"))).await, Answer::Accepted(event("$sent")));
}

#[tokio::test]
async fn a_logout_that_nobody_hears_keeps_the_tokens() {
    let server = Server::new(|_| Reaction::Close).await;
    let home = Home::to(&server).await;
    assert_eq!(guarded(home.http.logout()).await, Err(Answer::NoAnswer));
    assert!(home.stored().await.is_some());
    MatrixSession::forget_tokens(&*home.store).await.unwrap();
    MatrixSession::forget_tokens(&*home.store).await.unwrap();
    assert_eq!(home.stored().await, None);
}

#[tokio::test]
async fn a_session_that_had_ended_is_logged_out() {
    let server = Server::new(|_| refused(401, r#"{"errcode":"M_UNKNOWN_TOKEN","soft_logout":false}"#)).await;
    let home = Home::to(&server).await;
    guarded(home.http.logout()).await.unwrap();
    assert_eq!(home.stored().await, None);
}

#[tokio::test]
async fn a_visitor_has_no_session() {
    let server = Server::new(|_| json("{}")).await;
    let answer = visitor(&server).send(&row("m.room.message", "{}")).await;
    assert_eq!(answer.verdict(false), Verdict::Pause(PauseReason::LoggedOut));
    assert_eq!(server.lines(), Vec::<String>::new());
    let mistake = Homeserver::connect("example.org", Arc::new(Clock::default()), HttpOptions::default());
    assert!(matches!(mistake, Err(ConnectError::Url { .. })));
}

async fn discovered(
    script: impl Fn(&Seen) -> Reaction + Send + Sync + 'static,
) -> (Server, Result<String, Answer>) {
    let server = Server::new(script).await;
    let url = server.url();
    let found = Homeserver::discover(&url, Arc::new(Clock::default()), HttpOptions::default());
    let found = guarded(found).await;
    assert_eq!(server.lines()[0], "GET /.well-known/matrix/client");
    (server, found)
}

#[tokio::test]
async fn a_server_says_where_its_homeserver_is() {
    let known = r#"{"m.homeserver":{"base_url":"https://matrix.example.org/"},"m.identity_server":{}}"#;
    let (_, found) = discovered(move |_| json(known)).await;
    assert_eq!(found.as_deref(), Ok("https://matrix.example.org"));

    let (server, found) = discovered(|_| html(404)).await;
    assert_eq!(found, Ok(server.url()), "it is its own");

    for odd in [
        "{}",
        "[]",
        r#"{"m.homeserver":{"base_url":"matrix.example.org"}}"#,
        r#"{"m.homeserver":{"base_url":7}}"#,
        r#"{"m.homeserver":{"base_url":"http://localhost.evil.example"}}"#,
    ] {
        assert_eq!(discovered(move |_| json(odd)).await.1, Err(Answer::Unreadable), "{odd}");
    }
    assert_eq!(discovered(|_| html(200)).await.1, Err(Answer::Unreadable));
    assert_eq!(discovered(|_| Reaction::Close).await.1, Err(Answer::NoAnswer));

    let (server, found) = discovered(move |seen| match seen.line.contains("well-known") {
        true => {
            let headers = vec![("Location", "/elsewhere".to_owned())];
            Reaction::Answer { status: 302, headers, body: Vec::new() }
        }
        false => json(known),
    })
    .await;
    assert_eq!((found.is_ok(), server.lines().len()), (true, 2), "redirects are followed here");
}
