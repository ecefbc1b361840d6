use std::net::TcpListener;

use futures_util::StreamExt as _;
use haos::{Chat, Connection, Credentials, Error, PauseReason};
use haos_queue::{Draft, Outbox};
use haos_store_api::{EventType, Json, Scope, StateEntry, StateKey, WriteBatch, state_kind};
use haos_stub::{Mood, Stub};

use crate::world::{World, connected, lobby, logged_in, over, password, sent, soon, until};
use haos_stub::server::{Server, serve};

#[tokio::test]
async fn a_login_brings_the_rooms_and_sends_what_waits() {
    let (world, server) = (World::new(), Server::start(3));
    let chat = Chat::open(&world.url()).name("a test").await.unwrap();
    assert_eq!(chat.account(), None);
    chat.room(&lobby()).send("written before").await.unwrap();
    let account = chat.login(&server.url, password()).await.unwrap();
    assert_eq!((account.user.as_str(), account.is_logged_in), ("@me:x", true));
    assert_eq!(account.server.as_deref(), Some(server.url.as_str()));
    connected(&chat).await;
    sent(&chat).await;
    soon("the message is on the server", || server.own().len() == 1).await;
    assert_eq!(chat.room(&lobby()).info().await.unwrap().name.as_deref(), Some("Lobby"));
    assert_eq!(chat.sync_progress().now().await.unwrap(), None);
    assert!(format!("{chat:?}").contains("@me:x") && !format!("{chat:?}").contains("secret"));
    chat.close().await.unwrap();
    let chat = Chat::open(&world.url()).await.unwrap();
    assert_eq!(chat.account(), Some(account), "no login is needed again");
    connected(&chat).await;
}

#[tokio::test]
async fn after_a_logout_a_login_goes_on() {
    let server = Server::start(1);
    let chat = logged_in(&server).await;
    connected(&chat).await;
    chat.logout().await.unwrap();
    assert!(!chat.account().unwrap().is_logged_in);
    let paused = Connection::Paused { cause: PauseReason::LoggedOut, reason: "logged out".to_owned() };
    until(chat.connection(), |now| now.connection == paused).await;
    assert!(matches!(chat.logout().await, Err(Error::NotLoggedIn)));
    chat.room(&lobby()).send("while logged out").await.unwrap();
    chat.login(&server.url, Credentials::token("t")).await.unwrap();
    connected(&chat).await;
    sent(&chat).await;
    assert_eq!(server.own().len(), 1);
}

#[tokio::test]
async fn a_login_is_forgotten_without_a_request() {
    let server = Server::start(1);
    let chat = logged_in(&server).await;
    connected(&chat).await;
    chat.forget_login().await.unwrap();
    assert!(!chat.account().unwrap().is_logged_in);
    until(chat.connection(), |now| matches!(now.connection, Connection::Paused { .. })).await;
    assert!(server.asked().is_empty(), "{:?}", server.asked());
    assert!(matches!(chat.forget_login().await, Err(Error::NotLoggedIn)));
}

#[tokio::test]
async fn a_store_of_somebody_else_is_refused_and_stays_theirs() {
    let server = Server::start(0);
    let chat = Chat::open("memory:").await.unwrap();
    let mut batch = WriteBatch::strict();
    batch.put_state(StateEntry {
        scope: Scope::Account,
        kind: EventType::new(state_kind::OWN_USER).unwrap(),
        key: StateKey::new("").unwrap(),
        event_id: None,
        value: Json::of("@other:x").unwrap(),
    });
    chat.store().apply(batch).await.unwrap();
    let error = chat.login(&server.url, password()).await.unwrap_err();
    assert!(
        matches!(&error, Error::OtherUser { held, given } if held.as_str() == "@other:x" && given.as_str() == "@me:x")
    );
    assert!(error.to_string().contains("open another store for @me:x"), "{error}");
    assert_eq!(server.asked()[0].0, "POST logout", "the session that nobody will use is ended");
    assert_eq!(chat.account(), None);
}

/// A server that gives every login this answer.
fn answering(status: u16, body: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            serve(stream, |_, _, _| (status, body.as_bytes().to_vec()));
        }
    });
    url
}

#[tokio::test]
async fn a_login_that_fails_says_what_to_do() {
    let chat = Chat::open("memory:").await.unwrap();
    let forbidden = answering(403, r#"{"errcode":"M_FORBIDDEN","error":"no"}"#);
    let error = chat.login(&forbidden, password()).await.unwrap_err();
    assert!(
        matches!(error, Error::LoginRefused(_)) && error.to_string().contains("check the user"),
        "{error}"
    );
    let hasty = answering(429, r#"{"errcode":"M_LIMIT_EXCEEDED","retry_after_ms":2500}"#);
    let error = chat.login(&hasty, password()).await.unwrap_err();
    assert!(
        matches!(error, Error::Busy { wait_ms: 2500 }) && error.to_string().ends_with("in 3 s"),
        "{error}"
    );
    let nobody = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let error = chat.login(&nobody, password()).await.unwrap_err();
    assert!(
        matches!(error, Error::Unreachable(_)) && error.to_string().contains("check the network"),
        "{error}"
    );
    let error = chat.login("ftp://x", password()).await.unwrap_err();
    assert!(matches!(error, Error::Address(_)), "{error}");
    assert_eq!(chat.account(), None);
}

#[tokio::test]
async fn a_backend_of_the_applications_logs_in_by_itself() {
    let chat = over("memory:", &Stub::new(Mood::Up)).await.unwrap();
    let account = chat.account().unwrap();
    assert_eq!((account.user.as_str(), account.server, account.is_logged_in), ("@me:x", None, true));
    assert!(matches!(chat.login("x", password()).await, Err(Error::Unsupported("login"))));
    assert!(matches!(chat.join("#a:x").await, Err(Error::Unsupported(_))));
}

#[tokio::test]
async fn a_stream_of_the_connection_begins_with_it_now() {
    let chat = over("memory:", &Stub::new(Mood::Up)).await.unwrap();
    let connection = chat.connection();
    let mut stream = Box::pin(connection.into_stream());
    let mut now = stream.next().await.unwrap().unwrap();
    while now.connection != Connection::Live {
        now = stream.next().await.unwrap().unwrap();
    }
    let json = serde_json::to_value(&now).unwrap();
    assert_eq!(json, serde_json::json!({"state": "live", "unsent": 0, "isSettled": true}));
    chat.close().await.unwrap();
    while stream.next().await.is_some() {}
}

#[tokio::test]
async fn drafts_of_other_crates_go_through_the_outbox_as_well() {
    let stub = Stub::new(Mood::Up);
    let chat = over("memory:", &stub).await.unwrap();
    let outbox: &Outbox = chat.outbox_handle();
    let draft = Draft::new(lobby(), EventType::new("x").unwrap(), Json::empty()).priority(1);
    outbox.enqueue(draft).await.unwrap();
    sent(&chat).await;
    assert_eq!(stub.count(), 1);
}
