use haos::Text;
use haos::content::Content;
use haos_e2e::StoreKind;
use haos_store_api::EventId;
use serde_json::json;

use crate::own::text;
use crate::world::Scene;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Synapse: cargo xtask e2e"]
async fn texts_are_read_both_ways() {
    let Scene { own, peer, room, .. } = Scene::set("texts", StoreKind::SealedSqlite).await;
    let mut said = Vec::new();
    for round in 0..4 {
        let (theirs, ours) = (format!("theirs {round} 🎈"), format!("ours {round} é"));
        peer.says(&room, &theirs).await;
        let read = own.until_reads(&room, &theirs).await;
        assert_eq!((read.post.sender.id.as_str(), read.post.kind.as_str()), (peer.user(), "m.room.message"));
        own.says(&room, &ours).await;
        let read = peer.until_reads(&room, &ours).await;
        assert_eq!((&*read.sender, &*read.kind), (own.user(), "m.room.message"));
        said.extend([theirs, ours]);
    }
    assert_eq!(own.bodies(&room).await, said);
    assert_eq!(peer.bodies(&room).await, said);
    assert!(peer.reads(&room).await.iter().all(|read| read.failure.is_none()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Synapse: cargo xtask e2e"]
async fn edits_replies_and_reactions_of_the_peer_show() {
    let Scene { own, peer, room, .. } = Scene::set("theirs", StoreKind::Sqlite).await;
    let first = peer.says(&room, "first").await;
    let question = own.says(&room, "a question").await;
    peer.until_reads(&room, "a question").await;
    peer.edits(&room, &first, "first, edited").await;
    peer.answers(&room, &question, "an answer").await;
    peer.reacts(&room, &question, "👍").await;
    let gone = peer.says(&room, "taken back").await;
    own.until_reads(&room, "taken back").await;
    peer.redacts(&room, &gone).await;

    let edited = own.until_reads(&room, "first, edited").await;
    assert_eq!(edited.event_id.as_str(), first);
    assert!(edited.post.edited.is_some());
    let answer = own.until_reads(&room, "an answer").await;
    let quote = answer.post.reply.unwrap();
    assert_eq!((quote.event_id.as_str(), quote.text.as_deref()), (&*question, Some("a question")));
    let reacted = own
        .until_has(&room, "a reaction", |event| {
            event.event_id.as_str() == question && !event.post.reactions.is_empty()
        })
        .await;
    let reaction = &reacted.post.reactions[0];
    assert_eq!((&*reaction.key, reaction.senders[0].as_str()), ("👍", peer.user()));
    let empty = own
        .until_has(&room, "nothing of it", |event| event.event_id.as_str() == gone && event.post.is_redacted);
    assert_eq!(text(&empty.await.post), None);
    assert_eq!(own.bodies(&room).await, ["first, edited", "a question", "an answer"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Synapse: cargo xtask e2e"]
async fn edits_replies_and_reactions_reach_the_peer() {
    let Scene { own, peer, room, .. } = Scene::set("ours", StoreKind::Sled).await;
    let question = peer.says(&room, "a question").await;
    own.until_reads(&room, "a question").await;
    let ours = own.says(&room, "ours").await;
    let id = |event: &str| EventId::new(event).unwrap();
    let handle = own.room(&room);
    handle.edit(&id(&ours), "ours, edited").await.unwrap();
    handle.send(Text::new("an answer").reply_to(&id(&question))).await.unwrap();
    handle.react(&id(&question), "🎈").await.unwrap();
    let gone = own.says(&room, "taken back").await;
    peer.until_reads(&room, "taken back").await;
    handle.redact(&id(&gone), None).await.unwrap();
    own.until_delivered().await;

    let edit = peer
        .until_has(&room, "an edit", |read| {
            read.failure.is_none() && read.content["m.new_content"]["body"] == "ours, edited"
        })
        .await;
    // What relates to what is told to the server, which counts and gathers by it.
    assert_eq!(edit.relation, json!({ "rel_type": "m.replace", "event_id": ours }));
    assert_eq!((&*edit.wire_kind, &*edit.sender), ("m.room.encrypted", own.user()));
    let answer = peer.until_reads(&room, "an answer").await;
    assert_eq!(answer.relation, json!({ "m.in_reply_to": { "event_id": question } }));
    // In clear, as every client has it.
    let reaction = peer.until_has(&room, "a reaction", |read| read.kind == "m.reaction").await;
    assert_eq!(reaction.wire_kind, "m.reaction");
    assert_eq!(reaction.relation, json!({ "rel_type": "m.annotation", "event_id": question, "key": "🎈" }));
    peer.until_has(&room, "nothing of it", |read| read.event == gone && read.body.is_none()).await;
    // Its own screen shows the same.
    let shown = own.events(&room).await;
    let one = shown.iter().find(|event| event.event_id.as_str() == ours).unwrap();
    assert_eq!(text(&one.post), Some("ours, edited"));
    let other = shown.iter().find(|event| text(&event.post) == Some("an answer")).unwrap();
    assert_eq!(other.post.reply.as_ref().unwrap().text.as_deref(), Some("a question"));
    let unreadable = shown.iter().filter(|event| matches!(event.post.content, Content::Encrypted { .. }));
    assert_eq!(unreadable.count(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Synapse: cargo xtask e2e"]
async fn a_conversation_asks_for_keys_at_its_beginning_alone() {
    let Scene { own, peer, room, .. } = Scene::set("asks", StoreKind::SealedSqlite).await;
    own.says(&room, "the first").await;
    peer.until_reads(&room, "the first").await;
    let count = || own.proxy.recorded().iter().filter(|sent| is_about_keys(&sent.head)).count();
    let before = count();
    let messages = 30;
    for n in 0..messages {
        own.room(&room).send(format!("ours {n}").as_str()).await.unwrap();
        if n % 5 == 0 {
            peer.says(&room, &format!("theirs {n}")).await;
        }
    }
    own.until_delivered().await;
    peer.until_reads(&room, &format!("ours {}", messages - 1)).await;
    let heads: Vec<_> = own.proxy.recorded().into_iter().map(|sent| sent.head).collect();
    let asked: Vec<_> =
        heads.iter().filter(|head| is_about_keys(head)).filter_map(|head| head.lines().next()).collect();
    assert!(count() - before <= 2, "{before} at the beginning, then {:#?}", &asked[before..]);
}

/// Tells if a request is for keys, or brings them.
fn is_about_keys(head: &str) -> bool {
    let first = head.lines().next().unwrap_or_default();
    first.contains("/keys/") || first.contains("/sendToDevice/")
}
