//! What is shown beside the texts: threads, people, days, gaps and marks.

use haos_store_api::{EventId, Item, UserId};
use serde_json::{Value, json};

use super::super::gather::date;
use super::law::{ADA, ME, Shown, reaction, reply, text};
use super::*;

fn in_thread(root: &str, body: &str) -> Value {
    json!({ "type": "m.room.message", "content": { "msgtype": "m.text", "body": body, "m.relates_to": {
        "rel_type": "m.thread", "event_id": root, "is_falling_back": true,
        "m.in_reply_to": { "event_id": root } } } })
}

fn calls(mentions: Value) -> Value {
    json!({ "type": "m.room.message",
        "content": { "msgtype": "m.text", "body": "you there", "m.mentions": mentions } })
}

#[test]
fn dates() {
    for (days, expected) in [
        (0, "1970-01-01"),
        (-1, "1969-12-31"),
        (59, "1970-03-01"),
        (364, "1970-12-31"),
        (11_016, "2000-02-29"),
        (11_017, "2000-03-01"),
        (11_322, "2000-12-31"),
        (11_323, "2001-01-01"),
        (20_088, "2024-12-31"),
        (47_540, "2100-02-28"),
        (47_541, "2100-03-01"),
        (-135_081, "1600-02-29"),
        (-135_080, "1600-03-01"),
        (-719_469, "0000-02-29"),
    ] {
        assert_eq!(date(days), expected, "{days}");
    }
    for month in 1..=12_i64 {
        let days = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334][month as usize - 1];
        assert_eq!(date(20_454 + days), format!("2026-{month:02}-01"));
        assert_eq!(date(20_454 + days + 27), format!("2026-{month:02}-28"));
    }
}

#[tokio::test]
async fn a_thread_is_told_at_its_first_message_and_at_the_others() {
    let mut shown = Shown::new().await;
    shown.sync(&[(ADA, text("root")), (ADA, in_thread("$e1", "a")), (ADA, reply("$e1", "no part"))]).await;
    let (root, inside) = (shown.item(1).await, shown.item(2).await);
    let (root, inside) = (root.post().unwrap(), inside.post().unwrap());
    assert_eq!((root.thread, root.thread_root.clone()), (Some(ThreadSummary { count: 1 }), None));
    assert_eq!((inside.thread, inside.thread_root.clone()), (None, EventId::new("$e1").ok()));
    assert!(inside.reply.is_none(), "the answer is for those without threads");
    let answer = shown.item(3).await;
    assert!(answer.post().unwrap().thread_root.is_none());
    shown.sync(&[(ADA, in_thread("$e1", "b"))]).await;
    assert_eq!(shown.item(1).await.post().unwrap().thread, Some(ThreadSummary { count: 2 }));
}

#[tokio::test]
async fn a_quote_names_its_sender_wherever_the_message_stands() {
    let mut shown = Shown::new().await;
    let joins = json!({ "type": "m.room.member", "state_key": ADA,
        "content": { "membership": "join", "displayname": "Ada" } });
    shown.sync(&[(ADA, joins), (ADA, text("one")), (ME, reply("$e2", "answer"))]).await;
    assert_eq!(shown.posts().await.last().unwrap(), "answer <Ada: one>");
    shown.timeline.to_live(1).await;
    assert_eq!(shown.posts().await, ["answer <Ada: one>"]);
    shown.sync(&[(ME, text("mine")), (ADA, reply("$e4", "to me"))]).await;
    let quote = shown.item(2).await.post().unwrap().reply.clone().unwrap();
    let sender = quote.sender.unwrap();
    assert_eq!((sender.id.as_str(), sender.name), (ME, None));
}

#[tokio::test]
async fn who_is_called_is_told() {
    let mut shown = Shown::new().await;
    let (me, all) = (json!({ "user_ids": [ME] }), json!({ "room": true }));
    let nobody = json!({ "user_ids": [ADA] });
    shown.sync(&[(ADA, calls(me.clone())), (ADA, calls(all)), (ADA, calls(nobody)), (ME, calls(me))]).await;
    let mut told = Vec::new();
    for nr in 1..=4 {
        told.push(shown.item(nr).await.post().unwrap().mentions_me);
    }
    assert_eq!(told, [true, true, false, false], "nobody calls themself");
    shown.sync(&[(ADA, json!({ "type": "m.room.redaction", "redacts": "$e1", "content": {} }))]).await;
    assert!(!shown.item(1).await.post().unwrap().mentions_me, "it was taken back");
}

#[tokio::test]
async fn one_mark_stands_before_all_that_is_unread() {
    let mut shown = Shown::new().await;
    shown.world.read_upto = "$e1".to_owned();
    shown.sync(&[(ADA, text("one")), (ADA, text("two")), (ADA, text("three"))]).await;
    assert_eq!(shown.posts().await, ["one", "unread", "two", "three"]);
    shown.send("mine").await;
    shown.world.read_upto = "$e3".to_owned();
    shown.sync(&[]).await;
    assert_eq!(shown.posts().await, ["one", "two", "three", "mine [Waiting]"]);
    shown.sync(&[(ADA, text("four"))]).await;
    assert_eq!(shown.posts().await[3..], ["unread", "four", "mine [Waiting]"]);
}

#[tokio::test]
async fn what_was_read_furthest_counts_told_to_the_server_or_not() {
    let mut shown = Shown::new().await;
    shown.world.read_upto = "$e1".to_owned();
    shown.sync(&[(ADA, text("one")), (ADA, text("two")), (ADA, text("three"))]).await;
    let draft = compose::read(&shown.world.room, &EventId::new("$e2").unwrap(), true).unwrap();
    shown.world.base.outbox.enqueue(draft).await.unwrap();
    assert_eq!(shown.posts().await, ["one", "two", "unread", "three"]);
    // Another device has read on.
    shown.world.read_upto = "$e3".to_owned();
    shown.sync(&[(ADA, text("four"))]).await;
    assert_eq!(shown.posts().await, ["one", "two", "three", "unread", "four"]);
    // Where neither is stored, the own word counts.
    shown.world.read_upto = "$elsewhere".to_owned();
    shown.sync(&[]).await;
    assert_eq!(shown.posts().await, ["one", "two", "unread", "three", "four"]);
    shown.timeline.to_live(2).await;
    assert_eq!(shown.posts().await, ["three", "four"]);
}

#[tokio::test]
async fn a_day_that_comes_again_has_an_id_of_its_own() {
    let mut shown = Shown::new().await;
    let texts = ["a", "b", "c", "d", "e", "f"].map(|body| (ADA, text(body)));
    shown.sync(&texts).await;
    shown.timeline.items().await.unwrap();
    let mut stored = shown.timeline.list.reader(|reader| reader.stored.clone()).await;
    let first = stored.messages().next().unwrap().timestamp_ms;
    // From a server whose clock is slow.
    if let Some(Item::Message(last)) = stored.items.last_mut() {
        last.timestamp_ms = first;
    }
    let items = stored.shown();
    let days = items.iter().filter(|item| matches!(item.kind, TimelineItemKind::Day { .. }));
    let ids: Vec<&str> = days.map(|item| &*item.id).collect();
    assert_eq!(ids, ["day-2026-11-18", "day-2026-11-19", "day-2026-11-18#2"]);
}

#[tokio::test]
async fn the_latest_readers_stand_first_and_a_few_of_very_many() {
    let mut shown = Shown::new().await;
    shown.sync(&[(ADA, text("one"))]).await;
    let read = |user: String, ts: u64| json!({ "type": "m.receipt", "content": { "$e1": { "m.read": { user: { "ts": ts } } } } });
    let receipts: Vec<Value> = (0..60).map(|nr| read(format!("@u{nr}:x"), nr)).collect();
    shown.world.sync(false, json!(receipts)).await;
    let item = shown.item(1).await;
    let TimelineItemKind::Event(event) = &item.kind else { panic!("it was sent") };
    assert_eq!(event.receipts.len(), 50);
    assert_eq!((&event.receipts[0].user.id, event.receipts[0].timestamp_ms), (&user("@u59:x"), Some(59)));
    assert_eq!(event.receipts[49].user.id, user("@u10:x"));
}

fn user(id: &str) -> UserId {
    UserId::new(id).unwrap()
}

#[tokio::test]
async fn a_gap_that_cannot_be_filled_tells_why() {
    let mut shown = Shown::new().await;
    for nr in 0..6 {
        shown.world.say(text(&nr.to_string()), ADA);
    }
    shown.world.sync(true, json!([])).await;
    assert_eq!(shown.posts().await, ["gap", "3", "4", "5"]);
    let items = shown.timeline.items().await.unwrap();
    let gap = items.iter().find(|item| matches!(item.kind, TimelineItemKind::Gap)).unwrap();
    assert_eq!(&*gap.id, "gap-$e4");
    let reach = shown.timeline.fill(gap).await.unwrap();
    assert!(!reach.is_end && reach.stopped.is_some_and(|why| why.contains("log in")));
    let elsewhere = TimelineItem { id: "gap-$none".into(), kind: TimelineItemKind::Gap };
    let reach = shown.timeline.fill(&elsewhere).await.unwrap();
    assert_eq!(reach, Reach { is_end: true, stopped: None }, "it was filled meanwhile");
    assert!(shown.timeline.older(3).await.unwrap().is_end, "all that is stored is shown");
}

#[tokio::test]
async fn reactions_of_others_are_not_ones_own() {
    let mut shown = Shown::new().await;
    shown.sync(&[(ADA, text("one")), (ADA, text("two")), (ADA, reaction("$e1", "👍"))]).await;
    shown.timeline.react(&*shown.item(2).await, "👍").await.unwrap();
    assert_eq!(shown.posts().await, ["one 👍1", "two 👍1!(Waiting)"]);
    shown.timeline.react(&*shown.item(1).await, "🎉").await.unwrap();
    assert_eq!(shown.posts().await[0], "one 👍1 🎉1!(Waiting)");
}
