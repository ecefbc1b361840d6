use std::time::Duration;

use haos_e2e::Plain;
use serde_json::json;

use super::lobby;

#[tokio::test]
#[ignore = "needs Synapse: cargo xtask e2e"]
async fn the_history_has_everything_in_order() {
    let (synapse, ada, room) = lobby().await;
    let bob = Plain::register(synapse.address(), "bob", "secret").await.unwrap();
    assert_eq!(bob.user_id(), format!("@bob:{}", synapse.server_name()));
    ada.invite(&room, bob.user_id()).await.unwrap();
    bob.join(&room).await.unwrap();
    let mut sent = Vec::new();
    for n in 0..60 {
        let who = if n % 3 == 0 { &bob } else { &ada };
        let (txn, body) = (format!("t{n}"), format!("message {n}"));
        let id = who.send_text(&room, &txn, &body).await.unwrap();
        sent.push((id, who.user_id(), txn, body));
    }
    let again = ada.send_text(&room, "t1", "message 1").await.unwrap();
    assert_eq!(again, sent[1].0);

    let messages = ada.messages(&room).await.unwrap();
    assert_eq!(messages.len(), sent.len());
    for (message, (id, sender, txn, body)) in messages.iter().zip(&sent) {
        assert_eq!((&message.event_id, &*message.sender), (id, *sender));
        assert_eq!(message.body(), Some(&**body));
        // A device is told the transactions of its own.
        assert_eq!(message.txn_id.as_ref(), (*sender == ada.user_id()).then_some(txn));
    }
    let history = ada.history(&room).await.unwrap();
    let (first, members) = (&history[0], history.iter().filter(|event| event.kind == "m.room.member"));
    assert_eq!((&*first.kind, first.state_key.as_deref()), ("m.room.create", Some("")));
    let members: Vec<_> = members.map(|event| event.content["membership"].as_str().unwrap()).collect();
    assert_eq!(members, ["join", "invite", "join"]);
}

#[tokio::test]
#[ignore = "needs Synapse: cargo xtask e2e"]
async fn state_membership_and_redactions_are_told() {
    let (synapse, ada, room) = lobby().await;
    let bob = Plain::register(synapse.address(), "bob", "secret").await.unwrap();
    ada.invite(&room, bob.user_id()).await.unwrap();
    bob.join(&room).await.unwrap();
    let said = bob.send_text(&room, "t1", "oh no").await.unwrap();
    ada.redact(&room, &said, "t2").await.unwrap();
    ada.set_state(&room, "m.room.topic", "", &json!({ "topic": "quiet" })).await.unwrap();
    ada.kick(&room, bob.user_id()).await.unwrap();
    assert_eq!(bob.send_text(&room, "t3", "sorry").await.unwrap_err().status(), Some(403));

    let messages = ada.messages(&room).await.unwrap();
    assert_eq!((messages.len(), messages[0].body()), (1, None));
    let state = ada.state(&room).await.unwrap();
    let find = |kind: &str, key: &str| {
        state.iter().find(|event| event["type"] == kind && event["state_key"] == key).unwrap()["content"]
            .clone()
    };
    assert_eq!(find("m.room.topic", ""), json!({ "topic": "quiet" }));
    assert_eq!(find("m.room.member", bob.user_id())["membership"], "leave");
    let before = ada.sync(None, Duration::ZERO).await.unwrap();
    assert!(before["rooms"]["join"][&room].is_object());
    ada.leave(&room).await.unwrap();
    let after = ada.sync(before["next_batch"].as_str(), Duration::ZERO).await.unwrap();
    assert!(after["rooms"]["leave"][&room].is_object(), "{after}");
}
