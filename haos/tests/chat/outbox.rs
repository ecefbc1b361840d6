use haos::{Acted, Connection, Diff, Error, EventType, Json};
use haos_stub::{Mood, Stub};

use crate::world::{World, lobby, over, sent, soon, until};

#[tokio::test]
async fn what_waits_is_counted_and_listed_until_it_is_sent() {
    let stub = Stub::new(Mood::Down);
    let chat = over("memory:", &stub).await.unwrap();
    let room = chat.room(&lobby());
    let list = chat.outbox();
    let (mut mirror, mut steps) = list.subscribe().await.unwrap();
    assert!(mirror.is_empty());
    let mut ids = Vec::new();
    for text in ["one", "two", "three"] {
        ids.push(room.send(text).await.unwrap());
    }
    room.typing(true).await.unwrap();
    let now = until(chat.connection(), |now| matches!(now.connection, Connection::Degraded { .. })).await;
    assert_eq!(now.unsent, 3, "signs of typing do not count");
    let rows = list.now().await.unwrap();
    assert_eq!(rows.iter().map(|row| row.text.as_str()).collect::<Vec<_>>(), ["one", "two", "three"]);
    assert_eq!(rows.iter().map(|row| row.txn_id.clone()).collect::<Vec<_>>(), ids);
    stub.set(Mood::Up);
    chat.try_now();
    sent(&chat).await;
    let taken: Vec<_> = stub.taken(&lobby()).into_iter().filter(|taken| ids.contains(taken)).collect();
    assert_eq!(taken, ids);
    // A mirror that takes every step has what the list has.
    let rows = list.now().await.unwrap();
    while mirror[..] != rows[..] {
        let step = steps.next().await.unwrap().unwrap();
        step.into_iter().for_each(|step: Diff<_>| step.apply(&mut mirror).unwrap());
    }
    let json = serde_json::to_value(&rows[0]).unwrap();
    assert_eq!(
        (&json["status"], &json["text"], &json["room"]),
        (&"sent".into(), &"one".into(), &"!room:x".into())
    );
}

#[tokio::test]
async fn what_was_refused_is_retried_or_cancelled() {
    let stub = Stub::new(Mood::Refuses);
    let chat = over("memory:", &stub).await.unwrap();
    let room = chat.room(&lobby());
    let (first, second) = (room.send("first").await.unwrap(), room.send("second").await.unwrap());
    let list = chat.outbox();
    let mut steps = list.subscribe().await.unwrap().1;
    let parked = |row: &haos::OutboxRow| serde_json::to_value(row).unwrap()["status"] == "parked";
    while !list.now().await.unwrap().first().is_some_and(parked) {
        steps.next().await.unwrap();
    }
    assert!(list.now().await.unwrap()[0].error.as_deref().is_some_and(|error| error.contains("M_BAD")));
    stub.set(Mood::Up);
    chat.cancel(&first).await.unwrap();
    sent(&chat).await;
    assert_eq!(stub.taken(&lobby()), [second]);
    stub.set(Mood::Refuses);
    let third = room.send("third").await.unwrap();
    while !list.now().await.unwrap().iter().any(|row| row.txn_id == third && parked(row)) {
        steps.next().await.unwrap();
    }
    stub.set(Mood::Up);
    chat.retry(&third).await.unwrap();
    sent(&chat).await;
    assert_eq!(stub.count(), 2);
    assert_eq!(chat.retry_all().await.unwrap(), 0);
}

#[tokio::test]
async fn all_is_settled_when_only_the_user_can_go_on() {
    let stub = Stub::new(Mood::Refuses);
    let chat = over("memory:", &stub).await.unwrap();
    let room = chat.room(&lobby());
    room.send("first").await.unwrap();
    until(chat.connection(), |now| now.is_settled && now.unsent == 1).await;
    room.send("behind it").await.unwrap();
    until(chat.connection(), |now| now.is_settled && now.unsent == 2).await;
    let elsewhere = haos::RoomId::new("!other:x").unwrap();
    stub.set(Mood::Down);
    chat.room(&elsewhere).send("it is tried on").await.unwrap();
    let now = until(chat.connection(), |now| matches!(now.connection, Connection::Degraded { .. })).await;
    assert!(!now.is_settled);
    stub.set(Mood::Up);
    chat.try_now();
    let now = until(chat.connection(), |now| now.connection == Connection::Live && now.unsent == 2).await;
    assert!(!now.is_settled, "its echo is to come");
}

#[tokio::test]
async fn a_chat_that_is_held_sends_nothing_until_it_is_started_and_nothing_once_it_is_stopped() {
    let stub = Stub::new(Mood::Up);
    let chat = over("memory:", &stub).held().await.unwrap();
    let room = chat.room(&lobby());
    let (first, second) = (room.send("first").await.unwrap(), room.send("second").await.unwrap());
    let acted = room.redact(&first, None).await.unwrap();
    assert_eq!(acted, Acted::Done { maybe_sent: false });
    assert_eq!(chat.connection().now().await.unwrap().connection, Connection::Connecting);
    chat.start();
    sent(&chat).await;
    assert_eq!(stub.taken(&lobby()), std::slice::from_ref(&second));
    chat.stop().await;
    let third = room.send("third").await.unwrap();
    chat.try_now();
    assert_eq!(chat.outbox().now().await.unwrap().last().unwrap().txn_id, third);
    chat.close().await.unwrap();
    assert_eq!(stub.taken(&lobby()), [second]);
}

#[tokio::test]
async fn what_can_never_be_sent_is_refused_at_once() {
    let chat = over("memory:", &Stub::new(Mood::Up)).await.unwrap();
    let room = chat.room(&lobby());
    let error = room.send("x".repeat(70_000)).await.unwrap_err();
    assert!(matches!(error, Error::Unsendable(_)) && error.to_string().contains("shorten it"), "{error}");
    let raw = (EventType::new("org.example.dice").unwrap(), Json::new(r#"{"eyes":6}"#).unwrap());
    room.send(raw).await.unwrap();
    sent(&chat).await;
}

#[tokio::test]
async fn a_dropped_chat_loses_nothing() {
    let (world, stub) = (World::new(), Stub::new(Mood::Hangs));
    let chat = over(&world.url(), &stub).await.unwrap();
    let mut ids = Vec::new();
    for n in 0..5 {
        ids.push(chat.room(&lobby()).send(format!("message {n}")).await.unwrap());
    }
    soon("the first is on its way", || stub.calls() > 0).await;
    drop(chat);
    stub.set(Mood::Up);
    let chat = over(&world.url(), &stub).await.unwrap();
    // Others that follow the answer that never came are proven first, or sent under the same id.
    sent(&chat).await;
    assert_eq!(stub.taken(&lobby()), ids);
}
