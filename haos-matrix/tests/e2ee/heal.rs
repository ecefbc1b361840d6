//! Messages that cannot be read at once.

use haos_matrix::{KeyRequest, KeyVerb, ORIGINAL, Server as _, UNREAD};
use haos_store_api::{Change, Json, Message, Touched};
use haos_stub::town::Town;
use serde_json::json;

use super::world::{Person, ROOM, room, two, until};

/// Why a message cannot be read.
pub(crate) fn reason(message: &Message) -> Option<String> {
    message.extra.as_ref()?.member(UNREAD)?.text("reason")
}

#[tokio::test]
async fn what_came_before_its_key_is_read_as_soon_as_that_comes() {
    let (town, ada, bob) = two().await;
    town.keep_back(true);
    ada.says("one").await;
    ada.says("two").await;
    ada.until_sent().await;
    let unread = async || {
        let messages = bob.messages().await;
        messages.iter().filter(|message| reason(message).as_deref() == Some("no_key")).count()
    };
    until("two messages wait", async || unread().await == 2).await;
    assert_eq!(bob.reads().await, [""; 0]);
    let ids: Vec<_> = bob
        .messages()
        .await
        .into_iter()
        .filter(|message| reason(message).is_some())
        .map(|message| message.id)
        .collect();
    let mut changes = bob.client.store().changes();
    town.keep_back(false);
    bob.until_reads(&["one", "two"]).await;
    let mut told = Vec::new();
    while told.len() < 2 {
        match changes.next().await {
            Some(Change::Commit { touched, .. }) => {
                told.extend(touched.iter().flat_map(|touched| match touched {
                    Touched::Messages(of, events) if *of == room() => events.to_vec(),
                    _ => Vec::new(),
                }))
            }
            other => panic!("{other:?}"),
        }
    }
    told.sort();
    assert_eq!(told, ids, "the feed tells which messages changed");
    for message in bob.messages().await.iter().filter(|message| ids.contains(&message.id)) {
        let original = message.extra.as_ref().unwrap().member(ORIGINAL).unwrap();
        assert!(original.member("content").unwrap().text("ciphertext").is_some());
        assert_eq!(reason(message), None);
    }
}

#[tokio::test]
async fn the_same_ciphertext_under_another_id_is_no_message() {
    let (town, ada, bob) = two().await;
    ada.says("pay 5").await;
    bob.until_reads(&["pay 5"]).await;
    let sent = town.events(ROOM).into_iter().find(|event| event["type"] == "m.room.encrypted").unwrap();
    let copy = town.inject(ROOM, "ada", "m.room.encrypted", sent["content"].clone());
    let found = async || bob.messages().await.into_iter().find(|message| message.id.as_str() == copy);
    until("the copy is stored", async || found().await.is_some()).await;
    assert_eq!(reason(&found().await.unwrap()).as_deref(), Some("replayed"));
    ada.says("pay 6").await;
    bob.until_reads(&["pay 5", "pay 6"]).await;
}

#[tokio::test]
async fn a_key_that_is_refused_says_why() {
    let (town, ada, bob) = two().await;
    ada.says("first").await;
    bob.until_reads(&["first"]).await;
    let sent = town.events(ROOM).into_iter().find(|event| event["type"] == "m.room.encrypted").unwrap();
    let mut content = sent["content"].clone();
    content["session_id"] = json!("another session");
    let unread = town.inject(ROOM, "ada", "m.room.encrypted", content.clone());
    let message = async || bob.messages().await.into_iter().find(|message| message.id.as_str() == unread);
    let why = async || message().await.as_ref().and_then(reason);
    until("its key is missing", async || why().await.as_deref() == Some("no_key")).await;
    let withheld = json!({
        "algorithm": "m.megolm.v1.aes-sha2", "code": "m.unverified", "reason": "no", "room_id": ROOM,
        "sender_key": content["sender_key"], "session_id": "another session",
    });
    let body = json!({ "messages": { "@bob:x": { bob.session().await.device: withheld } } });
    let path = ["v3", "sendToDevice", "m.room_key.withheld", "t1"].map(str::to_owned).to_vec();
    let request = KeyRequest {
        name: "withheld",
        verb: KeyVerb::Put,
        path,
        version: None,
        body: Json::of(&body).unwrap(),
    };
    ada.client.homeserver().call(&request).await.unwrap();
    until("the reason is known", async || why().await.as_deref() == Some("withheld")).await;
    let extra = message().await.unwrap().extra.unwrap();
    assert_eq!(extra.member(UNREAD).unwrap().text("code").as_deref(), Some("m.unverified"));
}

#[tokio::test]
async fn a_ciphertext_in_somebody_elses_name_is_no_message() {
    let town = Town::start();
    town.encrypted_room(ROOM, &["ada", "bob", "eve"]);
    let (ada, bob) = (Person::new(&town, "ada").await, Person::new(&town, "bob").await);
    town.keep_back(true);
    ada.says("secret").await;
    ada.until_sent().await;
    let sent = town.events(ROOM).into_iter().find(|event| event["type"] == "m.room.encrypted").unwrap();
    let forged = town.inject(ROOM, "eve", "m.room.encrypted", sent["content"].clone());
    town.keep_back(false);
    until("the message is read", async || bob.reads().await.contains(&"secret".to_owned())).await;
    let message =
        async || bob.messages().await.into_iter().find(|message| message.id.as_str() == forged).unwrap();
    until("the forged one is judged", async || {
        matches!(reason(&message().await).as_deref(), Some("invalid" | "replayed"))
    })
    .await;
    assert_eq!(bob.reads().await, ["secret"]);
}
