use haos::{Acted, Chat, Error, EventId, FileInfo, Text, TxnId, UserId};
use haos_store_api::{EventType, Json, Message, PendingQuery, Position, Relation, RelationKind, WriteBatch};
use haos_stub::server::Server;
use serde_json::{Value, json};

use crate::world::{connected, lobby, logged_in};

/// The content of an unsent message.
async fn content(chat: &Chat, txn_id: &TxnId) -> Value {
    let query = PendingQuery { txn_id: Some(txn_id.clone()), ..PendingQuery::default() };
    let rows = chat.store().pending(query).await.unwrap();
    rows[0].content.parse().unwrap()
}

fn followed(acted: Acted) -> TxnId {
    match acted {
        Acted::Followed(row) => row.txn_id,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_is_unsent_changes_in_place_and_an_answer_stays_one() {
    let chat = Chat::open("memory:").offline().await.unwrap();
    let room = chat.room(&lobby());
    let event = EventId::new("$hers").unwrap();
    let answer = room.send(Text::new("yse").reply_to(&event)).await.unwrap();
    assert_eq!(room.edit(&answer, "yes").await.unwrap(), Acted::Done { maybe_sent: false });
    let now = content(&chat, &answer).await;
    assert_eq!(
        (&now["body"], &now["m.relates_to"]),
        (&json!("yes"), &json!({"m.in_reply_to": {"event_id": "$hers"}}))
    );
    // So it is where a timeline shows it.
    let timeline = room.timeline(5).await.unwrap();
    let items = timeline.items().await.unwrap();
    timeline.edit(items.last().unwrap(), "yes!").await.unwrap();
    let now = content(&chat, &answer).await;
    assert_eq!((&now["body"], now["m.relates_to"].is_object()), (&json!("yes!"), true));
    let reaction = room.react(&answer, "👍").await.unwrap();
    assert!(matches!(room.edit(&reaction, "x").await, Err(Error::NotPossible(_))));
    assert_eq!(room.redact(&answer, Some("typo")).await.unwrap(), Acted::Done { maybe_sent: false });
    assert!(matches!(room.redact(&answer, None).await, Err(Error::Gone)));
    assert!(matches!(room.edit(&answer, "again").await, Err(Error::Gone)));
}

#[tokio::test]
async fn what_is_sent_is_followed() {
    let chat = Chat::open("memory:").offline().await.unwrap();
    let (room, event) = (chat.room(&lobby()), EventId::new("$mine").unwrap());
    let edit = followed(room.edit(&event, "better").await.unwrap());
    let edit = content(&chat, &edit).await;
    assert_eq!((&edit["m.new_content"]["body"], &edit["body"]), (&json!("better"), &json!("* better")));
    assert_eq!(edit["m.relates_to"]["event_id"], "$mine");
    let reaction = room.react(&event, "🎉").await.unwrap();
    assert_eq!(content(&chat, &reaction).await["m.relates_to"]["key"], "🎉");
    let redaction = followed(room.redact(&event, Some("blurred")).await.unwrap());
    assert_eq!(content(&chat, &redaction).await, json!({"reason": "blurred"}));
}

#[tokio::test]
async fn a_file_has_no_text_to_edit() {
    let chat = Chat::open("memory:").offline().await.unwrap();
    let room = chat.room(&lobby());
    room.send_file(vec![7], FileInfo::guess().name("a.txt")).await.unwrap();
    let timeline = room.timeline(5).await.unwrap();
    let items = timeline.items().await.unwrap();
    let error = timeline.edit(items.last().unwrap(), "x").await.unwrap_err();
    assert_eq!(error.to_string(), "only texts can be edited: take it back and send another");
}

/// Stores a message of somebody in the lobby.
async fn said(chat: &Chat, at: u64, sender: &str, content: Value) -> EventId {
    let mut batch = WriteBatch::relaxed();
    let id = EventId::new(format!("$s{at}")).unwrap();
    let message = Message {
        room: lobby(),
        id: id.clone(),
        position: Position::FIRST.newer(1000 + at).unwrap(),
        sender: UserId::new(sender).unwrap(),
        timestamp_ms: 1,
        kind: EventType::new("m.room.message").unwrap(),
        state_key: None,
        relation: relation(&content),
        content: Json::of(&content).unwrap(),
        txn_id: None,
        redacted_by: None,
        provisional: false,
        extra: None,
    };
    batch.put_message(message);
    chat.store().apply(batch).await.unwrap();
    id
}

fn relation(content: &Value) -> Option<Relation> {
    let target = content["m.relates_to"]["m.in_reply_to"]["event_id"].as_str()?;
    Some(Relation { kind: RelationKind::Reply, target: EventId::new(target).unwrap(), key: None })
}

/// A chat of somebody who is logged in and sends nothing.
async fn silent(server: &Server) -> Chat {
    let chat = logged_in(server).await;
    connected(&chat).await;
    chat.stop().await;
    chat
}

#[tokio::test]
async fn an_answer_calls_the_sender_of_what_it_answers() {
    let server = Server::start(1);
    let chat = silent(&server).await;
    let room = chat.room(&lobby());
    let me = chat.account().unwrap().user;
    let text = json!({ "msgtype": "m.text", "body": "hi", "m.mentions": { "user_ids": ["@eve:x"] } });
    let hers = said(&chat, 1, "@ada:x", text.clone()).await;
    let own = said(&chat, 2, me.as_str(), text).await;
    let (unknown, bob) = (EventId::new("$unknown").unwrap(), UserId::new("@bob:x").unwrap());
    let unsent = room.send("first").await.unwrap();
    let ada = json!({ "user_ids": ["@ada:x"] });
    let answer = || Text::new("x");
    for (text, calls) in [
        (answer(), json!({})),
        (answer().reply_to(&hers), ada.clone()),
        (answer().mention(&bob).reply_to(&hers), json!({ "user_ids": ["@ada:x", "@bob:x"] })),
        (answer().mention_room().reply_to(&hers), json!({ "user_ids": ["@ada:x"], "room": true })),
        (answer().notice().in_thread(&own).reply_to(&hers), ada.clone()),
        // It answers nobody: that is for readers without threads.
        (answer().in_thread(&hers), json!({})),
        (answer().reply_to(&own), json!({})),
        (answer().reply_to(&unknown), json!({})),
        (answer().reply_to(&unsent), json!({})),
    ] {
        let sent = room.send(text.clone()).await.unwrap();
        assert_eq!(content(&chat, &sent).await["m.mentions"], calls, "{text:?}");
    }
    // What somebody made by hand is sent as it is.
    let by_hand = json!({ "body": "x", "m.relates_to": { "m.in_reply_to": { "event_id": hers.as_str() } } });
    let kind = EventType::new("m.room.message").unwrap();
    let sent = room.send((kind, Json::of(&by_hand).unwrap())).await.unwrap();
    assert_eq!(content(&chat, &sent).await, by_hand);
    chat.close().await.unwrap();
}

#[tokio::test]
async fn an_edited_answer_goes_on_to_call_whom_it_called_and_calls_nobody_again() {
    let server = Server::start(1);
    let chat = silent(&server).await;
    let room = chat.room(&lobby());
    let me = chat.account().unwrap().user;
    let hers = said(&chat, 1, "@ada:x", json!({ "msgtype": "m.text", "body": "hi" })).await;
    let ada = json!({ "user_ids": ["@ada:x"] });
    let reply = |mentions: Value| json!({ "msgtype": "m.text", "body": "yse", "m.mentions": mentions, "m.relates_to": { "m.in_reply_to": { "event_id": hers.as_str() } } });
    let calling = said(&chat, 2, me.as_str(), reply(ada.clone())).await;
    let silent = said(&chat, 3, me.as_str(), reply(json!({}))).await;
    let bob = UserId::new("@bob:x").unwrap();
    for (answer, text, all, new) in [
        (&calling, Text::new("yes"), ada.clone(), json!({})),
        (
            &calling,
            Text::new("yes").mention(&bob),
            json!({ "user_ids": ["@ada:x", "@bob:x"] }),
            json!({ "user_ids": ["@bob:x"] }),
        ),
        (&silent, Text::new("yes"), json!({}), json!({})),
    ] {
        let edit = content(&chat, &followed(room.edit(answer, text).await.unwrap())).await;
        assert_eq!((&edit["m.new_content"]["m.mentions"], &edit["m.mentions"]), (&all, &new), "{answer}");
    }
    let unsent = room.send(Text::new("yse").reply_to(&hers)).await.unwrap();
    room.edit(&unsent, "yes").await.unwrap();
    let now = content(&chat, &unsent).await;
    assert_eq!((&now["body"], &now["m.mentions"]), (&json!("yes"), &ada));
    chat.close().await.unwrap();
}
