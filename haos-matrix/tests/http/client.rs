//! The client as a whole: logins on stores that have a past, stores that sleep.

use std::sync::Arc;

use haos_matrix::{Client, ClientError, ClientOptions, Credentials, MatrixSession, SESSION, compose};
use haos_queue::pressure::{Clear, clear};
use haos_queue::{Lead, PauseReason, TokioHost};
use haos_store_api::*;

use crate::support::*;

/// A homeserver on which anybody is who they say, and nothing happens.
async fn easy() -> Server {
    Server::new(|seen| {
        if seen.line == "POST /_matrix/client/v3/login" {
            let user = if seen.text().contains("bob") { "bob" } else { "ada" };
            return json(&format!(
                r#"{{"user_id":"@{user}:example.org","device_id":"DEV","access_token":"syt_{user}"}}"#
            ));
        }
        match &seen.line {
            line if line.ends_with("/versions") => json(r#"{"versions":["v1.11"]}"#),
            line if line.contains("/send/") => json(r#"{"event_id":"$sent"}"#),
            line if line.ends_with("/filter") => json(r#"{"filter_id":"1"}"#),
            line if line.contains("/state/") => refused(404, r#"{"errcode":"M_NOT_FOUND"}"#),
            _ => json(r#"{"next_batch":"s1"}"#),
        }
    })
    .await
}

async fn login(server: &Server, store: Arc<MemoryStore>, user: &str) -> Result<Client, ClientError> {
    let credentials = Credentials::Password { user: user.to_owned(), password: "x".to_owned() };
    let host = Arc::new(TokioHost);
    Client::login(store, host, &server.url(), credentials, None, &ClientOptions::default()).await
}

#[tokio::test]
async fn a_session_that_cannot_be_read_is_replaced_by_a_login() {
    let server = easy().await;
    let store = Arc::new(MemoryStore::new());
    let mut batch = WriteBatch::strict();
    batch.put_state(StateEntry {
        scope: Scope::Account,
        kind: EventType::new(SESSION).unwrap(),
        key: StateKey::new("").unwrap(),
        event_id: None,
        value: Json::new(r#"{"of":"another age"}"#).unwrap(),
    });
    store.apply(batch).await.unwrap();
    let client = guarded(login(&server, store.clone(), "ada")).await.unwrap();
    assert_eq!(MatrixSession::load(&*store).await.unwrap(), Some(client.session()));
}

/// A message of ada is never sent in bob's name, whatever was cleared in between.
#[tokio::test]
async fn a_cleared_store_is_still_somebodys() {
    let server = easy().await;
    let store = Arc::new(MemoryStore::new());
    let ada = guarded(login(&server, store.clone(), "ada")).await.unwrap();
    ada.outbox().enqueue(compose::text(&room("!lobby"), "mine").unwrap()).await.unwrap();
    clear(&*store, Clear::AllButOutbox).await.unwrap();
    let refused = guarded(login(&server, store.clone(), "bob")).await;
    assert!(matches!(refused, Err(ClientError::OtherUser { .. })), "{refused:?}");
    assert_eq!(MatrixSession::load(&*store).await.unwrap(), Some(ada.session()));
    guarded(login(&server, store.clone(), "ada")).await.unwrap();
    clear(&*store, Clear::EverythingAndUnsent).await.unwrap();
    guarded(login(&server, store, "bob")).await.unwrap();
}

#[tokio::test]
async fn what_the_user_paused_stays_paused() {
    let server = easy().await;
    let store = Arc::new(MemoryStore::new());
    let client = guarded(login(&server, store.clone(), "ada")).await.unwrap();
    client.outbox().pause(None, PauseReason::User).await.unwrap();
    guarded(client.logout()).await.unwrap();
    assert_eq!(client.session().tokens, None);
    let client = guarded(login(&server, store, "ada")).await.unwrap();
    assert_eq!(client.outbox().paused(None).await.unwrap(), Some(PauseReason::User));
}

/// As a phone does: the run ends with `Closed`, and another goes on where it was.
#[tokio::test]
async fn a_store_that_sleeps_ends_the_run_and_another_goes_on() {
    let server = easy().await;
    let store = Arc::new(MemoryStore::new());
    let client = guarded(login(&server, store.clone(), "ada")).await.unwrap();
    for n in 0..3 {
        let running = tokio::spawn(client.run(Lead::Alone));
        let hello = compose::text(&room("!lobby"), "mine").unwrap();
        client.outbox().enqueue(hello).await.unwrap();
        let mut changes = store.changes();
        let sent = async {
            while client
                .outbox()
                .rows(None)
                .await
                .unwrap()
                .iter()
                .filter(|row| row.event_id.is_some())
                .count()
                <= n
            {
                changes.next().await.unwrap();
            }
        };
        guarded(sent).await;
        store.suspend().await.unwrap();
        // The next answer finds the store asleep.
        let ended = guarded(running).await.unwrap();
        assert_eq!(ended.unwrap_err().kind(), ErrorKind::Closed);
        store.resume().await.unwrap();
    }
    let sends = server.lines().iter().filter(|line| line.contains("/send/")).count();
    assert_eq!(sends, 3);
}
