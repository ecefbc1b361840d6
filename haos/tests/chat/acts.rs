use haos::{Acted, Chat, Error, EventId, FileInfo, Text, TxnId};
use haos_store_api::PendingQuery;
use serde_json::{Value, json};

use crate::world::lobby;

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
