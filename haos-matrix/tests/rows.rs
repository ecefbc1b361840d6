//! The rows of rooms after the answers that came, in whatever order a server writes them.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says so by panicking")]

mod common;

use haos_matrix::{Account, MatrixProtocol, parse_sync};
use haos_queue::apply_sync;
use haos_store_api::{
    Membership, MemoryStore, Page, Revision, Room, RoomId, RoomQuery, Scope, StateQuery, StorageAdapter as _,
    StorageAdapterExt as _, Unread, UserId,
};
use serde_json::{Value, json};

const NOW_MS: i64 = 1_800_000_000_000;

fn me() -> UserId {
    UserId::new("@me:x").unwrap()
}

/// Applies the rooms of an answer that came at `now_ms`.
async fn sync(store: &MemoryStore, now_ms: i64, rooms: Value) {
    let next = format!("s{:?}", store.sync_token().await.unwrap());
    let body = json!({ "next_batch": next, "rooms": rooms }).to_string();
    let mut delta = parse_sync(body.as_bytes(), &Account::of(me())).unwrap();
    delta.arrived_ms = Some(now_ms);
    apply_sync(store, &delta, Some(&me()), &MatrixProtocol).await.unwrap();
    let rooms = store.rooms(RoomQuery::default()).await.unwrap();
    delta.arrived_ms = Some(now_ms + 1000);
    apply_sync(store, &delta, Some(&me()), &MatrixProtocol).await.unwrap();
    assert_eq!(store.rooms(RoomQuery::default()).await.unwrap(), rooms, "applied again, and later");
}

async fn row(store: &MemoryStore, id: &str) -> Room {
    store.room(&RoomId::new(id).unwrap()).await.unwrap().unwrap()
}

/// The rooms in their order.
async fn order(store: &MemoryStore) -> Vec<String> {
    store.rooms(RoomQuery::default()).await.unwrap().iter().map(|room| room.id.to_string()).collect()
}

fn event(id: &str, time: impl Into<Value>, kind: &str, content: Value) -> Value {
    json!({"event_id": id, "sender": "@bob:x", "type": kind, "origin_server_ts": time.into(), "content": content})
}

fn message(id: &str, time: impl Into<Value>) -> Value {
    event(id, time, "m.room.message", json!({"msgtype": "m.text", "body": id}))
}

fn member(user: &str, time: i64, membership: &str) -> Value {
    let mut event =
        event(&format!("$m{user}{time}"), time, "m.room.member", json!({"membership": membership}));
    event["state_key"] = user.into();
    event
}

fn said(events: &[Value]) -> Value {
    json!({ "timeline": { "events": events } })
}

#[tokio::test]
async fn no_time_pins_a_room() {
    for time in [json!(9_007_199_254_740_991_i64), json!(1e300), json!("9007199254740991"), json!(NOW_MS + 1)]
    {
        let store = MemoryStore::new();
        let rooms = json!({"!now": said(&[message("$a", NOW_MS - 5)]), "!future": said(&[message("$b", time.clone())])});
        sync(&store, NOW_MS, json!({ "join": rooms })).await;
        assert_eq!(order(&store).await, ["!future", "!now"], "{time}: as of now when it came");
        assert_eq!(row(&store, "!future").await.last_activity_ms, NOW_MS);
        sync(&store, NOW_MS + 10, json!({"join": {"!now": said(&[message("$c", NOW_MS + 9)])}})).await;
        assert_eq!(order(&store).await, ["!now", "!future"], "{time}");
    }
    for time in [json!(-62_135_596_800_001_i64), json!(-1e300), json!(i64::MIN), json!("x"), json!(0)] {
        let store = MemoryStore::new();
        sync(&store, NOW_MS, json!({"join": {"!r": said(&[message("$a", time.clone())])}})).await;
        assert_eq!(row(&store, "!r").await.last_activity_ms, 0, "{time}");
    }
}

#[tokio::test]
async fn nor_does_a_time_of_a_room_that_is_told_twice() {
    let store = MemoryStore::new();
    let (left, joined) = (said(&[message("$a", i64::MAX)]), said(&[message("$b", NOW_MS - 1)]));
    let rooms = json!({"leave": {"!r": left}, "join": {"!r": joined}});
    let body = json!({ "next_batch": "s", "rooms": rooms }).to_string();
    let mut delta = parse_sync(body.as_bytes(), &Account::of(me())).unwrap();
    delta.arrived_ms = Some(NOW_MS);
    apply_sync(&store, &delta, Some(&me()), &MatrixProtocol).await.unwrap();
    let found = row(&store, "!r").await;
    assert_eq!((found.membership, found.last_activity_ms), (Membership::Join, NOW_MS));
}

#[tokio::test]
async fn a_clock_that_was_wrong() {
    let store = MemoryStore::new();
    sync(&store, 5, json!({"join": {"!r": said(&[message("$a", NOW_MS)])}})).await;
    assert_eq!(row(&store, "!r").await.last_activity_ms, NOW_MS, "a clock that was never set says nothing");
    sync(&store, NOW_MS + 1000, json!({"join": {"!r": said(&[message("$b", NOW_MS + 900)])}})).await;
    sync(&store, NOW_MS + 500, json!({"join": {"!r": said(&[message("$c", NOW_MS + 400)])}})).await;
    assert_eq!(row(&store, "!r").await.last_activity_ms, NOW_MS + 500, "what was too late comes down again");
}

#[tokio::test]
async fn what_bumps_a_room() {
    let about =
        |kind: &str| json!({"body": "x", "m.relates_to": {"rel_type": kind, "event_id": "$a", "key": "x"}});
    let mut redaction = event("$r", 40, "m.room.redaction", json!({}));
    redaction["redacts"] = "$a".into();
    let mut state = event("$s", 50, "m.room.topic", json!({"topic": "x"}));
    state["state_key"] = "".into();
    for (event, bumps) in [
        (event("$t", 10, "m.room.message", about("m.thread")), true),
        (event("$e", 20, "m.room.message", about("m.replace")), false),
        (event("$x", 30, "m.reaction", about("m.annotation")), false),
        (redaction, false),
        (state, false),
        (member("@me:x", 60, "join"), false),
    ] {
        let store = MemoryStore::new();
        sync(&store, NOW_MS, json!({"join": {"!r": said(&[message("$a", 1)])}})).await;
        let time = event["origin_server_ts"].as_i64().unwrap();
        sync(&store, NOW_MS, json!({"join": {"!r": said(std::slice::from_ref(&event))}})).await;
        assert_eq!(row(&store, "!r").await.last_activity_ms, if bumps { time } else { 1 }, "{event}");
    }
}

#[tokio::test]
async fn a_membership_begins() {
    let unread = json!({"notification_count": 3, "highlight_count": 1});
    let some = Unread { notifications: 3, highlights: 1 };
    let store = MemoryStore::new();
    let mut joined = said(&[message("$a", 1000)]);
    joined["unread_notifications"] = unread.clone();
    joined["state"] = json!({"events": [member("@me:x", 5000, "join")]});
    sync(&store, NOW_MS, json!({ "join": { "!r": joined } })).await;
    let found = row(&store, "!r").await;
    assert_eq!((found.unread, found.last_activity_ms), (some, 1000), "a first sync: that may be a new name");

    sync(&store, NOW_MS, json!({"leave": {"!r": {"unread_notifications": unread}}})).await;
    assert_eq!(row(&store, "!r").await.unread, Unread::default());
    let invite = json!({"invite_state": {"events": [member("@me:x", 7000, "invite")]}});
    sync(&store, NOW_MS, json!({ "invite": { "!r": invite } })).await;
    let found = row(&store, "!r").await;
    assert_eq!((found.membership, found.last_activity_ms), (Membership::Invite, 7000));
    sync(&store, NOW_MS, json!({"join": {"!r": said(&[member("@me:x", 8000, "join")])}})).await;
    assert_eq!(row(&store, "!r").await.last_activity_ms, 8000);
    sync(&store, NOW_MS, json!({"leave": {"!r": said(&[member("@me:x", 9000, "ban")])}})).await;
    let found = row(&store, "!r").await;
    assert_eq!((found.membership, found.last_activity_ms), (Membership::Ban, 8000));

    sync(&store, NOW_MS, json!({"join": {"!new": said(&[member("@me:x", 9500, "join")])}})).await;
    assert_eq!(row(&store, "!new").await.last_activity_ms, 9500, "joined elsewhere");
    let mut untold = member("@me:x", 1, "invite");
    untold.as_object_mut().unwrap().remove("origin_server_ts");
    sync(&store, NOW_MS, json!({"invite": {"!inv": {"invite_state": {"events": [untold]}}}})).await;
    assert_eq!(row(&store, "!inv").await.last_activity_ms, NOW_MS, "it says nothing: when it came");
}

#[tokio::test]
async fn one_room_in_several_sections() {
    let leave = said(&[member("@me:x", 10, "leave")]);
    let invite = json!({"invite_state": {"events": [member("@me:x", 20, "invite")]}});
    let knock = json!({"knock_state": {"events": [member("@me:x", 20, "knock")]}});
    let join = said(&[message("$a", 30)]);
    let all = [("leave", &leave), ("knock", &knock), ("invite", &invite), ("join", &join)];
    for (at, (older, first)) in all.iter().enumerate() {
        for (newer, second) in &all[at + 1..] {
            let sections =
                [format!(r#""{older}":{{"!r":{first}}}"#), format!(r#""{newer}":{{"!r":{second}}}"#)];
            let read = |a: usize, b: usize| {
                let rooms = format!("{},{}", sections[a], sections[b]);
                let body = format!(r#"{{"next_batch":"s","rooms":{{{rooms}}}}}"#);
                parse_sync(body.as_bytes(), &Account::of(me())).unwrap()
            };
            let delta = read(0, 1);
            assert_eq!(delta, read(1, 0), "{older} and {newer}");
            let store = MemoryStore::new();
            apply_sync(&store, &delta, Some(&me()), &MatrixProtocol).await.unwrap();
            let membership: Membership = serde_json::from_value(json!(newer)).unwrap();
            assert_eq!(row(&store, "!r").await.membership, membership, "{older} and {newer}");
            assert_eq!(delta.rooms.len(), if (*older, *newer) == ("leave", "join") { 2 } else { 1 });
        }
    }
    // Twice the same section: the later events come later, whichever is written first.
    let early = said(&[message("$a", 1)]);
    let late = said(&[message("$b", 2)]);
    let twice = |a: &Value, b: &Value| {
        let body = format!(r#"{{"next_batch":"s","rooms":{{"join":{{"!r":{a},"!r":{b}}}}}}}"#);
        parse_sync(body.as_bytes(), &Account::of(me())).unwrap()
    };
    assert_eq!(twice(&early, &late), twice(&late, &early));
    assert_eq!(twice(&late, &early).rooms[1].timeline[0].id.as_str(), "$b");
}

/// JSON with the members of every object in another order.
fn shuffled(value: &Value, chance: &mut u64) -> String {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            for at in (1..members.len()).rev() {
                *chance =
                    chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                members.swap(at, (*chance >> 33) as usize % (at + 1));
            }
            let member =
                |(key, value): (&String, &Value)| format!("{}:{}", json!(key), shuffled(value, chance));
            let members: Vec<_> = members.into_iter().map(member).collect();
            format!("{{{}}}", members.join(","))
        }
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(|item| shuffled(item, chance)).collect();
            format!("[{}]", items.join(","))
        }
        other => other.to_string(),
    }
}

/// All that a store holds, without the order in which JSON is written.
async fn meaning(store: &MemoryStore) -> Vec<String> {
    let value = |json: &haos_store_api::Json| json.parse::<Value>().unwrap();
    let mut all = Vec::new();
    let mut scopes = vec![Scope::Account];
    for room in store.rooms(RoomQuery::default()).await.unwrap() {
        for item in store.timeline(&room.id, Page::oldest(usize::MAX)).await.unwrap().items {
            let Some(message) = item.as_message() else {
                all.push(format!("{item:?}"));
                continue;
            };
            let (content, extra) = (value(&message.content), message.extra.as_ref().map(value));
            all.push(
                format!("{message:?} {content} {extra:?}").replace(&format!("{:?}", message.content), ""),
            );
        }
        scopes.push(Scope::Room(room.id.clone()));
        all.push(format!("{:?}", Room { revision: Revision::ZERO, ..room }));
    }
    for scope in scopes {
        for entry in store.state(StateQuery::all(scope)).await.unwrap() {
            // Named after a hash of the text.
            let key = if entry.kind.as_str() == "haos.to_device" { "" } else { entry.key.as_str() };
            all.push(format!(
                "{:?} {} {key} {:?} {}",
                entry.scope,
                entry.kind,
                entry.event_id,
                value(&entry.value)
            ));
        }
    }
    all
}

#[tokio::test]
async fn the_order_of_members_means_nothing() {
    let mut runs: Vec<(Account, Vec<String>)> = vec![];
    for case in std::fs::read_dir(common::folder().join("../cases")).unwrap() {
        let text = std::fs::read_to_string(case.unwrap().path()).unwrap();
        let text = haos_store_api::without_lone_surrogates(&text).into_owned();
        runs.push((Account::of(me()), text.lines().map(str::to_owned).collect()));
    }
    let captures =
        common::names("sync").into_iter().filter(|name| name.contains("initial") || name.contains("incr_0"));
    runs.extend(captures.map(|name| (common::alice(), vec![common::file(&name)])));
    assert!(runs.len() > 25);
    for (account, answers) in runs {
        let mut first = None;
        for mut chance in 0..6_u64 {
            let store = MemoryStore::new();
            for answer in &answers {
                let body = match chance {
                    0 => answer.clone(),
                    _ => shuffled(&serde_json::from_str(answer).unwrap(), &mut chance),
                };
                let mut delta = parse_sync(body.as_bytes(), &account).unwrap();
                delta.arrived_ms = Some(NOW_MS);
                apply_sync(&store, &delta, account.user.as_ref(), &MatrixProtocol).await.unwrap();
            }
            let found = meaning(&store).await;
            assert_eq!(first.get_or_insert_with(|| found.clone()), &found, "{}", answers[0]);
        }
    }
}
