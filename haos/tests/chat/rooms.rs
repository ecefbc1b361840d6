use haos::{Chat, Error, EventId, Membership, NewRoom, SavedDraft, TimelineItemKind, UserId};
use haos_store_api::{StorageAdapter as _, StorageAdapterExt as _};
use haos_stub::{Mood, Stub};
use serde_json::json;

use crate::world::{connected, known, lobby, logged_in, over, soon, until};
use haos_stub::server::Server;

fn bob() -> UserId {
    UserId::new("@bob:x").unwrap()
}

#[tokio::test]
async fn rooms_are_made_joined_and_left_on_the_server() {
    let server = Server::start(1);
    let chat = logged_in(&server).await;
    let new = NewRoom { name: Some("Tea".to_owned()), invite: vec![bob()], ..NewRoom::default() };
    let room = chat.create_room(&new).await.unwrap();
    assert_eq!(room.id(), &lobby());
    assert_eq!(chat.join("#lobby:x").await.unwrap().id(), &lobby());
    room.join().await.unwrap();
    room.invite(&bob()).await.unwrap();
    room.remove(&bob(), Some("too loud")).await.unwrap();
    room.leave().await.unwrap();
    let asked = server.asked();
    let what: Vec<_> = asked.iter().map(|(what, _)| what.as_str()).collect();
    assert_eq!(what, ["POST createRoom", "POST invite", "POST kick", "POST leave"]);
    assert_eq!(asked[0].1["name"], "Tea");
    assert_eq!(asked[2].1, json!({"user_id": "@bob:x", "reason": "too loud"}));
}

#[tokio::test]
async fn requests_need_a_login() {
    let chat = Chat::open("memory:").offline().await.unwrap();
    let room = chat.room(&lobby());
    for refused in
        [room.join().await, room.leave().await, room.invite(&bob()).await, room.remove(&bob(), None).await]
    {
        assert!(matches!(refused, Err(Error::NotLoggedIn)));
    }
    let error = room.info().await.unwrap_err();
    assert_eq!(error.to_string(), "the room !room:x is not here: it may come with the next sync");
}

#[tokio::test]
async fn reading_and_typing_are_told() {
    let server = Server::start(2);
    let chat = logged_in(&server).await;
    let room = chat.room(&lobby());
    let event = EventId::new("$e4").unwrap();
    room.mark_read(&event).await.unwrap();
    soon("the receipt", || server.asked().len() == 1).await;
    room.mark_read_privately(&event).await.unwrap();
    soon("the private receipt", || server.asked().len() == 2).await;
    room.typing(true).await.unwrap();
    soon("typing", || server.asked().len() == 3).await;
    room.typing(false).await.unwrap();
    soon("no typing", || server.asked().len() == 4).await;
    let bodies: Vec<_> = server.asked().into_iter().map(|(_, body)| body).collect();
    assert_eq!((&bodies[0]["m.read"], &bodies[1]["m.read.private"]), (&json!("$e4"), &json!("$e4")));
    assert_eq!((&bodies[2]["typing"], &bodies[3]["typing"]), (&json!(true), &json!(false)));
}

/// The server has the receipt, and no sync has told of it.
#[tokio::test]
async fn what_was_read_stays_read_once_the_server_has_the_receipt() {
    let server = Server::start(4);
    let chat = logged_in(&server).await;
    connected(&chat).await;
    let room = chat.room(&lobby());
    let timeline = room.timeline(20).await.unwrap();
    let unread = async || {
        let items = timeline.items().await.unwrap();
        let mark = items.iter().position(|item| matches!(item.kind, TimelineItemKind::ReadMarker));
        mark.map(|mark| match &items[mark + 1].kind {
            TimelineItemKind::Event(event) => event.event_id.to_string(),
            other => panic!("{other:?}"),
        })
    };
    for (event, next, is_private) in [("$e3", "$e4", false), ("$e4", "$e5", true)] {
        let event = EventId::new(event).unwrap();
        match is_private {
            true => room.mark_read_privately(&event).await.unwrap(),
            false => room.mark_read(&event).await.unwrap(),
        }
        assert_eq!(unread().await.as_deref(), Some(next), "it is in the outbox");
        let mut changes = chat.store().changes();
        while !chat.store().outbox().await.unwrap().is_empty() {
            changes.next().await.unwrap();
        }
        assert_eq!(unread().await.as_deref(), Some(next), "the server has it");
    }
}

#[tokio::test]
async fn who_types_is_told_as_long_as_it_is_so() {
    let server = Server::start(1);
    let chat = logged_in(&server).await;
    connected(&chat).await;
    let room = chat.room(&lobby());
    assert!(room.typing_users().now().await.unwrap().is_empty());
    server.types(&["@bob:x", "@me:x"]);
    assert_eq!(until(room.typing_users(), |users| !users.is_empty()).await, [bob()]);
    server.types(&[]);
    until(room.typing_users(), Vec::is_empty).await;
    server.types(&["@bob:x"]);
    until(room.typing_users(), |users| !users.is_empty()).await;
    chat.forget_login().await.unwrap();
    until(room.typing_users(), Vec::is_empty).await;
}

#[tokio::test]
async fn members_come_from_the_server_once() {
    let server = Server::start(1);
    let chat = logged_in(&server).await;
    connected(&chat).await;
    let members = chat.room(&lobby()).members().await.unwrap();
    assert!(members.is_complete && members.problem.is_none(), "{members:?}");
    let me = &members.members[0];
    assert_eq!((me.profile.id.as_str(), me.profile.name.as_deref()), ("@me:x", Some("Me")));
    assert_eq!(me.membership, Membership::Join);
    let json = serde_json::to_value(&members).unwrap();
    assert_eq!(json["members"][0]["membership"], "join");
}

#[tokio::test]
async fn without_a_login_members_are_those_that_the_store_knows() {
    let chat = over("memory:", &Stub::new(Mood::Up)).await.unwrap();
    let members = chat.room(&lobby()).members().await.unwrap();
    assert!(members.members.is_empty() && !members.is_complete);
    assert!(members.problem.is_some());
}

#[tokio::test]
async fn a_draft_keeps_its_text_and_what_it_is_about() {
    let chat = Chat::open("memory:").offline().await.unwrap();
    let draft = chat.room(&lobby()).draft();
    assert_eq!(draft.get().await.unwrap(), None);
    let event = EventId::new("$one").unwrap();
    draft.clear().await.unwrap();
    assert!(matches!(draft.set("half a").await, Err(Error::NotFound { .. })), "of no such room");
    known(&chat, &lobby()).await;
    draft.set("half a").await.unwrap();
    draft.reply_to(Some(&event)).await.unwrap();
    let saved = SavedDraft { text: "half a".to_owned(), reply_to: Some(event.clone()), edit_of: None };
    assert_eq!(draft.get().await.unwrap(), Some(saved));
    draft.set("").await.unwrap();
    draft.reply_to(None).await.unwrap();
    assert_eq!(draft.get().await.unwrap(), None, "about nothing, and empty");
    let edit = SavedDraft { text: "whole".to_owned(), reply_to: None, edit_of: Some(event.clone()) };
    let mut changes = chat.store().changes();
    draft.put(&edit).await.unwrap();
    assert_eq!(draft.get().await.unwrap(), Some(edit));
    assert!(changes.try_next().is_some());
    assert!(changes.try_next().is_none(), "it is one commit");
    draft.put(&SavedDraft::default()).await.unwrap();
    assert_eq!(draft.get().await.unwrap(), None);
    draft.edit_of(Some(&event)).await.unwrap();
    assert_eq!(draft.get().await.unwrap().unwrap().edit_of, Some(event));
    draft.clear().await.unwrap();
    assert_eq!(draft.get().await.unwrap(), None);
}
