//! Who can read what, and what the server learns.

use haos_matrix::compose;
use haos_queue::{About, PauseReason};
use haos_store_api::{Prune, RelationKind, WriteBatch};
use haos_stub::town::Town;
use serde_json::json;

use super::heal::reason;
use super::world::{Person, ROOM, room, two, until};

#[tokio::test]
async fn who_left_does_not_read_what_follows() {
    let (town, ada, bob) = two().await;
    ada.says("with bob").await;
    bob.until_reads(&["with bob"]).await;
    town.leave(ROOM, "bob");
    ada.until_member("@bob:x", "leave").await;
    ada.says("without bob").await;
    ada.until_sent().await;
    town.join(ROOM, "bob");
    ada.until_member("@bob:x", "join").await;
    ada.says("with bob again").await;
    until("bob reads again", async || bob.reads().await.contains(&"with bob again".to_owned())).await;
    assert_eq!(bob.reads().await, ["with bob", "with bob again"]);
    let unread: Vec<_> = bob.messages().await.iter().filter_map(reason).collect();
    assert_eq!(unread, ["no_key"], "it is there, and cannot be read");
    ada.until_reads(&["with bob", "without bob", "with bob again"]).await;
}

#[tokio::test]
async fn a_page_that_comes_again_changes_nothing_that_was_read() {
    let (_town, ada, bob) = two().await;
    for text in ["one", "two", "three"] {
        ada.says(text).await;
    }
    bob.until_reads(&["one", "two", "three"]).await;
    let before = bob.messages().await;
    let mut batch = WriteBatch::relaxed();
    batch.prune(Prune { room: room(), keep: 1, protect: Vec::new() });
    bob.client.store().apply(batch).await.unwrap();
    assert_eq!(bob.reads().await, ["three"]);
    let filled = bob.client.engine().backfill(&room(), None, 50).await.unwrap();
    assert!(filled.left.is_none(), "{:?}", filled.left);
    let after = bob.messages().await;
    let facts = |messages: &[haos_store_api::Message]| -> Vec<_> {
        messages
            .iter()
            .map(|message| {
                (message.id.clone(), message.kind.clone(), message.content.clone(), message.extra.clone())
            })
            .collect()
    };
    assert_eq!(facts(&after), facts(&before));
}

#[tokio::test]
async fn reactions_go_in_clear_and_edits_do_not() {
    let (town, ada, bob) = two().await;
    ada.says("first").await;
    bob.until_reads(&["first"]).await;
    ada.until_sent().await;
    let first =
        bob.messages().await.into_iter().find(|message| message.content.text("body").is_some()).unwrap();
    let about = About::Event(first.id.clone());
    bob.client.outbox().enqueue(compose::reaction(&room(), &about, "+1").unwrap()).await.unwrap();
    let content = json!({ "msgtype": "m.text", "body": "second" });
    ada.client.outbox().enqueue(compose::edit(&room(), &about, &content, None).unwrap()).await.unwrap();
    ada.until_sent().await;
    bob.until_sent().await;
    until("bob has the edit", async || {
        let is_edit = |message: &haos_store_api::Message| {
            message.kind.as_str() == "m.room.message"
                && message.relation.as_ref().is_some_and(|relation| relation.kind == RelationKind::Edit)
        };
        bob.messages().await.iter().any(is_edit)
    })
    .await;
    let kinds: Vec<_> = town
        .events(ROOM)
        .into_iter()
        .filter(|event| event["state_key"].is_null())
        .map(|event| event["type"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(kinds.iter().filter(|kind| *kind == "m.reaction").count(), 1);
    assert_eq!(kinds.iter().filter(|kind| *kind == "m.room.encrypted").count(), 2);
    let bodies = town.bodies("/send/");
    assert!(bodies.iter().all(|body| !String::from_utf8_lossy(body).contains("second")));
}

#[tokio::test]
async fn a_room_that_no_sync_has_told_of_gets_nothing_in_clear() {
    let town = Town::start();
    let (mut ada, bob) = (Person::new(&town, "ada").await, Person::new(&town, "bob").await);
    ada.only_sends().await;
    town.encrypted_room(ROOM, &["ada", "bob"]);
    ada.client.outbox().enqueue(compose::text(&room(), "early").unwrap()).await.unwrap();
    let outbox = ada.client.outbox();
    until("it waits for a sync", async || outbox.rows(None).await.unwrap()[0].error.is_some()).await;
    assert!(outbox.is_encrypted(&room()).await.unwrap(), "the server said so");
    assert!(town.bodies("/send/").is_empty());
    ada.runs();
    bob.until_reads(&["early"]).await;
    let sent = town.bodies("/send/");
    assert!(sent.iter().all(|body| !String::from_utf8_lossy(body).contains("early")));
}

#[tokio::test]
async fn no_404_of_somebody_else_says_that_a_room_is_not_encrypted() {
    let town = Town::start();
    let mut ada = Person::new(&town, "ada").await;
    ada.only_sends().await;
    town.encrypted_room(ROOM, &["ada", "bob"]);
    town.refuse("state/m.room.encryption", 3, 404, "M_UNRECOGNIZED");
    let outbox = ada.client.outbox();
    outbox.enqueue(compose::text(&room(), "early").unwrap()).await.unwrap();
    until("it is not sent", async || outbox.rows(None).await.unwrap()[0].error.is_some()).await;
    assert_eq!(town.bodies("/send/").len(), 0);
}

#[tokio::test]
async fn what_the_server_asks_for_is_waited_and_a_logout_pauses() {
    let (town, ada, bob) = two().await;
    town.refuse("keys/claim", 2, 429, "M_LIMIT_EXCEEDED");
    ada.says("slowly").await;
    bob.until_reads(&["slowly"]).await;
    ada.until_sent().await;
    town.join(ROOM, "cyd");
    let cyd = Person::new(&town, "cyd").await;
    ada.until_member("@cyd:x", "join").await;
    town.refuse("keys/claim", 100, 401, "M_UNKNOWN_TOKEN");
    ada.says("later").await;
    let outbox = ada.client.outbox();
    until("the account is paused", async || outbox.paused(None).await.unwrap().is_some()).await;
    assert_eq!(outbox.paused(None).await.unwrap(), Some(PauseReason::LoggedOut));
    assert_eq!(bob.reads().await, ["slowly"]);
    town.refuse("", 0, 0, "");
    outbox.resume(None).await.unwrap();
    bob.until_reads(&["slowly", "later"]).await;
    until("cyd reads it", async || cyd.reads().await.contains(&"later".to_owned())).await;
}
