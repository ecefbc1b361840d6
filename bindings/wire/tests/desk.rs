//! A chat behind its port, against a homeserver on the loopback.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::time::Duration;

use haos::{Chat, Diff};
use haos_stub::server::{ROOM, Server};
use haos_wire::{Desk, FileFacts, MediaWanted};
use serde_json::{Value, json};

async fn ask(desk: &Desk, call: Value) -> Value {
    let answer = desk.call(&call.to_string()).await;
    serde_json::from_str(&answer.unwrap_or_else(|failure| panic!("{call}: {failure}"))).unwrap()
}

async fn refused(desk: &Desk, call: Value) -> Value {
    serde_json::from_str(&desk.call(&call.to_string()).await.unwrap_err()).unwrap()
}

async fn desk() -> Desk {
    Desk::new(Chat::open("memory:").await.unwrap())
}

async fn login(desk: &Desk, server: &Server) {
    let login = json!({"call": "login", "server": server.url, "login": {"user": "me", "password": "x"}});
    assert_eq!(ask(desk, login).await["user"], "@me:x");
}

/// Follows a list until its mirror is as it is wanted.
async fn until(desk: &Desk, watch: &Value, list: &mut Vec<Value>, is_so: impl Fn(&[Value]) -> bool) {
    while !is_so(list) {
        let next = ask(desk, json!({"call": "next", "watch": watch}));
        let following = tokio::time::timeout(Duration::from_secs(20), next).await.expect("nothing follows");
        let steps: Vec<Diff<Value>> = serde_json::from_value(following["next"].clone()).unwrap();
        steps.into_iter().for_each(|step| step.apply(list).unwrap());
    }
}

fn bodies(items: &[Value]) -> Vec<&str> {
    items.iter().filter_map(|item| item["content"]["body"].as_str()).collect()
}

async fn timeline(desk: &Desk) -> (Value, Vec<Value>) {
    let of = json!({"list": "timeline", "room": ROOM, "limit": 20});
    let mut watching = ask(desk, json!({"call": "watch", "of": of})).await;
    let items = serde_json::from_value(watching["now"].take()).unwrap();
    (watching["watch"].take(), items)
}

#[tokio::test]
async fn a_mirror_that_takes_every_step_is_the_timeline() {
    let (server, desk) = (Server::start(3), desk().await);
    login(&desk, &server).await;
    let (watch, mut items) = timeline(&desk).await;
    until(&desk, &watch, &mut items, |items| bodies(items).contains(&"old 2")).await;
    let message = json!({"body": "mine", "mentions": ["@bob:x"]});
    let sent = ask(&desk, json!({"call": "send", "room": ROOM, "message": message, "txnId": "t1"})).await;
    assert_eq!(sent["txnId"], "t1");
    let is_sent = |item: &Value| item["type"] == "event" && item["txnId"] == "t1";
    until(&desk, &watch, &mut items, |items| items.iter().any(is_sent)).await;
    let mine = items.iter().find(|item| is_sent(item)).unwrap()["id"].clone();
    ask(&desk, json!({"call": "react", "watch": watch, "item": mine, "key": "👍"})).await;
    let has_reaction = |items: &[Value]| items.iter().any(|item| item["reactions"][0]["key"] == "👍");
    until(&desk, &watch, &mut items, has_reaction).await;
    ask(&desk, json!({"call": "edit", "watch": watch, "item": mine, "message": {"body": "better"}})).await;
    until(&desk, &watch, &mut items, |items| bodies(items).contains(&"better")).await;
    let (_, fresh) = timeline(&desk).await;
    assert_eq!(bodies(&fresh), bodies(&items));
}

#[tokio::test]
async fn a_message_that_is_sent_again_with_its_transaction_is_sent_once() {
    let (server, desk) = (Server::start(1), desk().await);
    login(&desk, &server).await;
    let (watch, mut items) = timeline(&desk).await;
    let send = json!({"call": "send", "room": ROOM, "message": {"body": "once"}, "txnId": "t1"});
    for _ in 0..2 {
        assert_eq!(ask(&desk, send.clone()).await["txnId"], "t1");
    }
    let is_there =
        |items: &[Value]| items.iter().any(|item| item["txnId"] == "t1" && item["type"] == "event");
    until(&desk, &watch, &mut items, is_there).await;
    // On the server as well as in the outbox.
    assert_eq!(ask(&desk, send).await["txnId"], "t1");
    assert_eq!(server.own().len(), 1);
    assert_eq!(bodies(&items).iter().filter(|body| **body == "once").count(), 1);
}

#[tokio::test]
async fn what_is_watched_no_longer_ends_the_call_that_waits() {
    let desk = desk().await;
    let watch = ask(&desk, json!({"call": "watch", "of": {"list": "outbox"}})).await["watch"].clone();
    let (next, ended) = tokio::join!(
        ask(&desk, json!({"call": "next", "watch": watch})),
        ask(&desk, json!({"call": "unwatch", "watch": watch})),
    );
    assert_eq!((next, ended), (Value::Null, Value::Null));
    assert_eq!(ask(&desk, json!({"call": "next", "watch": watch})).await, Value::Null);
}

#[tokio::test]
async fn a_value_that_is_null_is_told_from_the_end() {
    let desk = desk().await;
    let watching = ask(&desk, json!({"call": "watch", "of": {"list": "syncProgress"}})).await;
    assert_eq!(watching["now"], Value::Null);
    assert!(watching["watch"].is_u64());
}

#[tokio::test]
async fn every_call_that_fails_says_how_to_go_on() {
    let desk = desk().await;
    let watch = ask(&desk, json!({"call": "watch", "of": {"list": "outbox"}})).await["watch"].clone();
    let long = "x".repeat(300);
    for (call, code) in [
        (json!({"call": "logout"}), "not_logged_in"),
        (json!({"call": "join", "room": "#lobby:x"}), "not_logged_in"),
        (json!({"call": "room", "room": "!none:x"}), "not_found"),
        (json!({"call": "room", "room": long}), "invalid"),
        (json!({"call": "dance"}), "invalid"),
        (json!(7), "invalid"),
        (json!({"call": "older", "watch": watch, "want": 1}), "invalid"),
        (json!({"call": "more", "watch": watch, "want": 1}), "invalid"),
        (json!({"call": "older", "watch": 77, "want": 1}), "closed"),
        (json!({"call": "watch", "of": {"list": "upload", "txnId": "none"}}), "not_found"),
        (json!({"call": "login", "server": "http://127.0.0.1:9", "login": {"token": "t"}}), "unreachable"),
        (json!({"call": "setDraft", "room": "!none:x", "text": "hm"}), "not_found"),
    ] {
        let failure = refused(&desk, call.clone()).await;
        assert_eq!(failure["code"], code, "{call}: {failure}");
        assert!(failure["message"].as_str().is_some_and(|text| text.len() > 10), "{failure}");
        assert_eq!(failure["retryable"], code == "unreachable", "{failure}");
    }
    desk.close().await.unwrap();
    assert_eq!(refused(&desk, json!({"call": "watch", "of": {"list": "outbox"}})).await["code"], "closed");
}

#[tokio::test]
async fn a_file_goes_out_and_its_bytes_come_back() {
    let (server, desk) = (Server::start(1), desk().await);
    login(&desk, &server).await;
    let facts: FileFacts = serde_json::from_value(json!({"name": "a.txt", "caption": "look"})).unwrap();
    let done = desk.send_file(&ROOM.parse().unwrap(), b"the bytes".to_vec().into(), facts).await.unwrap();
    let of = json!({"list": "upload", "txnId": done.txn_id});
    let mut watching = ask(&desk, json!({"call": "watch", "of": of})).await;
    let (watch, mut progress) = (watching["watch"].take(), watching["now"].take());
    while progress["status"] != "sent" {
        progress = ask(&desk, json!({"call": "next", "watch": watch})).await["next"].take();
    }
    assert_eq!(progress["sentBytes"], progress["totalBytes"]);
    let own = server.own();
    assert_eq!(
        (&own[0]["content"]["filename"], &own[0]["content"]["body"]),
        (&json!("a.txt"), &json!("look"))
    );
    let wanted: MediaWanted = serde_json::from_value(json!({"uri": own[0]["content"]["url"]})).unwrap();
    let whole = desk.media(wanted).await.unwrap();
    assert_eq!((whole.bytes.as_slice(), whole.size), (&b"the bytes"[..], 9));
    for (start, end, bytes) in
        [(4, 6, &b"by"[..]), (4, 99, b"bytes"), (0, 0, b""), (9, 10, b""), (12, 13, b"")]
    {
        let wanted = json!({"uri": own[0]["content"]["url"], "start": start, "end": end});
        let part = desk.media(serde_json::from_value(wanted).unwrap()).await.unwrap();
        assert_eq!((part.bytes.as_slice(), part.size), (bytes, 9), "{start}..{end}");
    }
}

#[tokio::test]
async fn a_draft_is_kept_and_removed() {
    let (server, desk) = (Server::start(1), desk().await);
    login(&desk, &server).await;
    let (watch, mut items) = timeline(&desk).await;
    until(&desk, &watch, &mut items, |items| !items.is_empty()).await;
    let draft = json!({"call": "draft", "room": ROOM});
    assert_eq!(ask(&desk, draft.clone()).await, Value::Null);
    ask(&desk, json!({"call": "setDraft", "room": ROOM, "text": "hm", "replyTo": "$e3"})).await;
    assert_eq!(ask(&desk, draft.clone()).await, json!({"text": "hm", "replyTo": "$e3", "editOf": null}));
    ask(&desk, json!({"call": "setDraft", "room": ROOM, "text": "so"})).await;
    assert_eq!(ask(&desk, draft.clone()).await, json!({"text": "so", "replyTo": null, "editOf": null}));
    ask(&desk, json!({"call": "clearDraft", "room": ROOM})).await;
    assert_eq!(ask(&desk, draft).await, Value::Null);
}

#[tokio::test]
async fn what_a_program_keeps_is_one_commit_and_the_outbox_holds_what_it_sends() {
    let desk = desk().await;
    let room = "!somewhere:x";
    let text = |name: &str, text: &str| json!({"kind": "part", "name": name, "text": text});
    // Deeper than an event may be, and with half a surrogate pair.
    let deep = format!("{}{}", "[".repeat(300), "]".repeat(300));
    let held = json!({
        "txnId": "t1", "room": room, "kind": "m.room.message", "content": {"body": "mine"}, "createdMs": 7,
    });
    let put = [text("a", &deep), text("b", "two"), text("", "\u{fffd}")];
    ask(&desk, json!({"call": "keep", "put": put, "hold": [held]})).await;
    let wanted = json!([{"kind": "part"}, {"kind": "part", "name": "b"}, {"kind": "none"}]);
    let mut lists = ask(&desk, json!({"call": "kept", "of": wanted})).await;
    assert_eq!(lists[0].as_array().unwrap().len(), 3);
    assert_eq!(lists[1], json!([{"name": "b", "text": "two"}]));
    assert_eq!(lists[2], json!([]));
    let a = lists[0].as_array_mut().unwrap().iter().find(|kept| kept["name"] == "a").unwrap().clone();
    assert_eq!(a["text"], deep);
    assert_eq!(ask(&desk, json!({"call": "heldBack", "room": room})).await, json!([held]));
    assert_eq!(ask(&desk, json!({"call": "heldBack", "room": "!other:x"})).await, json!([]));

    // Nothing of a commit that breaks the contract is kept.
    let long = json!({"kind": "part", "name": "x".repeat(300), "text": ""});
    let failure = refused(&desk, json!({"call": "keep", "put": [text("b", "three"), long]})).await;
    assert_eq!(failure["code"], "invalid");
    let remove = json!([{"kind": "part", "name": "a"}]);
    ask(&desk, json!({"call": "keep", "remove": remove, "release": ["t1"]})).await;
    let kept = ask(&desk, json!({"call": "kept", "of": [{"kind": "part"}]})).await;
    let names: Vec<_> = kept[0].as_array().unwrap().iter().map(|kept| kept["text"].clone()).collect();
    assert_eq!(names.len(), 2);
    assert!(names.contains(&json!("two")));
    assert_eq!(ask(&desk, json!({"call": "heldBack", "room": room})).await, json!([]));
}
