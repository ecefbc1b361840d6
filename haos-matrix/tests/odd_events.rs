//! One odd event never blocks a response, and is never dropped.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says so by panicking")]

mod common;

use common::{alice, entry, unreadable};
use haos_matrix::{Account, MatrixProtocol, parse_event, parse_messages, parse_sync};
use haos_queue::{RoomDelta, SyncDelta, apply_sync};
use haos_store_api::{Direction, Membership, MemoryStore, RelationKind, RoomId, Scope, StorageAdapter as _};

fn read(json: &str) -> SyncDelta {
    parse_sync(json.as_bytes(), &alice()).unwrap()
}

/// A sync with one joined room.
fn joined(body: &str) -> (RoomDelta, SyncDelta) {
    let delta = read(&format!(r#"{{"next_batch":"s","rooms":{{"join":{{"!a":{body}}}}}}}"#));
    (delta.rooms[0].clone(), delta)
}

#[test]
fn events_without_ids() {
    let good = r#"{"event_id":"$a","sender":"@a","type":"t","content":{}}"#;
    let bad = [
        r#"{"sender":"@a","type":"t","content":{}}"#,
        r#"{"event_id":"$b","type":"t","content":{}}"#,
        r#"{"event_id":"$b","sender":"@a","content":{ "x" : 1e99}}"#,
        r#"{"event_id":"\ud800","sender":"@a","type":"t"}"#,
        "7",
        "null",
    ];
    let events = [bad[..3].join(","), good.to_owned(), bad[3..].join(",")].join(",");
    let timeline = format!(r#"{{"timeline":{{"events":[{events}]}}}}"#);
    let (room, delta) = joined(&timeline);
    assert_eq!(room.timeline.len(), 1);
    let aside = unreadable(&delta);
    let kept: Vec<&str> = aside.iter().map(|entry| entry.value.as_str()).collect();
    assert_eq!(kept, bad.map(|event| event.replace(r"\ud800", r"\ufffd")));
    assert_eq!(aside[0].scope, Scope::Room(room.id.clone()));
    assert_eq!(joined(&timeline).1, delta, "the same keys again");

    let page = format!(r#"{{"chunk":[{events}],"state":[{{"type":"x"}}]}}"#);
    let page = parse_messages(page.as_bytes(), &room.id, Direction::Newer).unwrap();
    assert_eq!((page.events.len(), page.state.len()), (1, 7));
    assert_eq!(page.state[0], *aside[0]);
}

/// Whatever is nested deeper than stores take is kept as a text, wherever it came.
#[test]
fn depth_is_kept_as_text() {
    let nested = |depth: usize| format!("{}1{}", r#"{"a":"#.repeat(depth), "}".repeat(depth));
    let event = |content: &str, more: &str| {
        format!(r#"{{"event_id":"$a","sender":"@a","type":"m.tag"{more},"content":{content}}}"#)
    };
    let deep = nested(10_000);
    let good = event("{}", "");
    let message = event(&deep, "");
    let (room, delta) = joined(&format!(
        r#"{{"timeline":{{"events":[{message},{good}]}},"state":{{"events":[{}]}},"account_data":{{"events":[{message}]}}}}"#,
        event(&deep, r#","state_key":"""#)
    ));
    assert_eq!(room.timeline.len(), 1);
    let texts: Vec<String> = unreadable(&delta).iter().map(|entry| entry.value.parse().unwrap()).collect();
    assert_eq!(texts.len(), 2);
    assert!(
        texts.contains(&message) && texts.iter().all(|text| text.contains(&deep)),
        "nothing of it is lost"
    );
    let tags = room.state.iter().find(|entry| entry.kind.as_str() == "m.tag").unwrap();
    assert_eq!(tags.value.parse::<String>().unwrap(), deep);

    // The event around a content takes a level, and a value that is deep at its end is content no more.
    let (room, _) = joined(&format!(r#"{{"timeline":{{"events":[{}]}}}}"#, event(&nested(99), "")));
    assert_eq!(room.timeline[0].content.as_str(), nested(99));
}

#[test]
fn times_are_read_leniently() {
    for (time, read, kept) in [
        ("7", 7, None),
        ("7.9", 7, Some("7.9")),
        ("-7", -7, None),
        ("1e300", (1 << 53) - 1, Some("1e300")),
        ("\"7\"", 7, Some("\"7\"")),
        ("7.0", 7, Some("7.0")),
        ("\"x\"", 0, Some("\"x\"")),
        ("null", 0, None),
    ] {
        let json = format!(
            r#"{{"event_id":"$a","sender":"@a","type":"t","origin_server_ts":{time},"content":{{}}}}"#
        );
        let event = parse_event(json.as_bytes()).unwrap();
        assert_eq!(event.timestamp_ms, read, "{time}");
        let extra = event.extra.and_then(|extra| extra.member("origin_server_ts"));
        assert_eq!(extra.as_ref().map(|json| json.as_str()), kept, "{time}");
    }
    let missing = parse_event(br#"{"event_id":"$a","sender":"@a","type":"t"}"#).unwrap();
    assert_eq!((missing.timestamp_ms, missing.content.as_str(), missing.extra), (0, "{}", None));
}

#[test]
fn the_rest_of_an_event() {
    let event = parse_event(
        br#"{"event_id":"$a","sender":"@a","type":"t","content":{"n":123456789012345678901234567890,"a":1.50},
            "zebra":{"b": 1,"a":2},"age":1,"room_id":"!a","user_id":"@a","prev_content":{"x":1},"redacts":"$z",
            "unsigned":{"age":1,"membership":"join","m.relations":{},"transaction_id":"t1","new":[1.0],
                        "redacted_because":{"event_id":"$r","content":{}}}}"#,
    )
    .unwrap();
    assert_eq!(event.content.as_str(), r#"{"n":123456789012345678901234567890,"a":1.50}"#);
    assert_eq!(
        event.extra.unwrap().as_str(),
        r#"{"redacts":"$z","unsigned":{"new":[1.0]},"zebra":{"b": 1,"a":2}}"#
    );
    assert_eq!(event.redacted_by.unwrap().as_str(), "$r");
    assert_eq!(event.txn_id.unwrap().as_str(), "t1");
}

#[test]
fn what_state_replaced_is_kept_if_it_could_be_taken_back() {
    let read = |rest: &str| {
        let head = r#""event_id":"$a","sender":"@a","type":"m.room.topic","content":{}"#;
        parse_event(format!("{{{head},{rest}}}").as_bytes()).unwrap()
    };
    let copy = r#""prev_content":{"topic":"x"}"#;
    let sync = read(&format!(r#""state_key":"","unsigned":{{{copy},"replaces_state":"$old"}}"#));
    let relation = sync.relation.clone().unwrap();
    assert_eq!(
        (relation.kind, relation.target.as_str()),
        (RelationKind::Other("replaces_state".into()), "$old")
    );
    let page = read(&format!(r#""state_key":"",{copy},"replaces_state":"$old","unsigned":{{}}"#));
    assert_eq!(page, sync, "as pages have it");
    for rest in [
        format!(r#""unsigned":{{{copy},"replaces_state":"$old"}}"#),
        format!(r#""state_key":"","unsigned":{{{copy}}}"#),
        format!(r#""state_key":"",{copy},"replaces_state":7"#),
    ] {
        let event = read(&rest);
        assert_eq!(event.relation, None, "{rest}");
        let extra = event.extra.map_or(String::new(), |extra| extra.as_str().to_owned());
        assert!(!extra.contains("topic"), "{extra}");
    }
    let nothing = read(r#""state_key":"","unsigned":{"replaces_state":"$old"}"#);
    assert_eq!(nothing.relation, None, "it repeats nothing");
}

#[test]
fn rooms_and_sections_of_odd_shape() {
    let long = "x".repeat(256);
    let delta = read(&format!(
        r#"{{"next_batch":"s","account_data":[1],"device_lists":7,"rooms":{{"wave":{{"!w":{{}}}},
            "join":{{"":{{"timeline":{{}}}},"{long}":1,"!a":"odd","!b":{{"timeline":[],"state":{{"events":7}}}}}}}}}}"#
    ));
    assert_eq!(delta.rooms.iter().map(|room| room.state.len()).collect::<Vec<_>>(), [1, 2]);
    let values: Vec<_> = unreadable(&delta).iter().map(|entry| entry.value.as_str().to_owned()).collect();
    assert_eq!(values.len(), 8);
    assert_eq!(values[0], r#"{"room":"odd"}"#);
    assert_eq!(values[1], r#"{"state":{"events":7}}"#);
    assert!(values.contains(&r#"{"join":{"":{"timeline":{}}}}"#.to_owned()));
    assert!(values.contains(&r#"{"wave":{"!w":{}}}"#.to_owned()));
}

#[test]
fn the_server_writes_nothing_of_the_library_s() {
    let event =
        |kind| format!(r#"{{"event_id":"$a","sender":"@a","type":"{kind}","state_key":"","content":{{}}}}"#);
    for kind in ["haos.draft", "m.fully_read", "m.tag"] {
        let event = event(kind);
        let (room, _) =
            joined(&format!(r#"{{"timeline":{{"events":[{event}]}},"state":{{"events":[{event}]}}}}"#));
        assert_eq!((room.timeline.len(), room.state.len()), (1, 1));
        assert_eq!(room.state[0].kind.as_str(), "haos.unreadable");
    }
    let delta = read(
        r#"{"next_batch":"s","account_data":{"events":[{"type":"haos.sync_token","content":"s99"},{"type":"x"}]}}"#,
    );
    assert_eq!(unreadable(&delta).len(), 2);
}

#[test]
fn what_a_device_is_told_once() {
    let json = r#"{"next_batch":"s5","to_device":{"events":[{"type":"m.room_key","content":{"k":1}},{"type":"x"}]},
        "device_lists":{"changed":["@b:x"],"left":["@c:x"]},"device_one_time_keys_count":{"signed_curve25519":3}}"#;
    let delta = read(json);
    let kinds: Vec<_> = delta.account.iter().map(|entry| entry.kind.as_str()).collect();
    assert_eq!(kinds, ["haos.to_device", "haos.to_device", "haos.device_list", "haos.device_list"]);
    assert!(delta.account[0].key < delta.account[1].key, "in their order");
    assert_eq!(delta.account[0].value.as_str(), r#"{"type":"m.room_key","content":{"k":1}}"#);
    assert_eq!(entry(&delta.account, "haos.device_list", "@c:x").value.as_str(), r#"{"left":true}"#);
    assert_eq!(read(json), delta);
    let later = read(&json.replace("s5", "s6"));
    assert_ne!(later.account[0].key, delta.account[0].key, "two equal events are two");
}

/// The name that a joined room has in a store afterwards.
async fn name_of(body: &str) -> Option<String> {
    let store = MemoryStore::new();
    let (room, delta) = joined(body);
    apply_sync(&store, &delta, alice().user.as_ref(), &MatrixProtocol).await.unwrap();
    store.room(&room.id).await.unwrap().unwrap().name
}

#[tokio::test]
async fn memberships_and_names() {
    let ban = r#"{"next_batch":"s","rooms":{"leave":{"!a":{"state":{"events":[{"event_id":"$a","sender":"@m",
        "type":"m.room.member","state_key":"@alice:localhost","content":{"membership":"ban"}}]}}}}}"#;
    assert_eq!(read(ban).rooms[0].membership, Membership::Ban);
    let unknown = parse_sync(ban.as_bytes(), &Account::default()).unwrap();
    assert_eq!(unknown.rooms[0].membership, Membership::Leave);

    let state = |kind: &str, content: &str| {
        format!(
            r#"{{"event_id":"${kind}","sender":"@m","type":"{kind}","state_key":"","content":{content}}}"#
        )
    };
    let alias = state("m.room.canonical_alias", r##"{"alias":"#a:x"}"##);
    let create = state("m.room.create", r#"{"type":7}"#);
    for (events, name) in [
        (vec![&alias], Some("#a:x")),
        (vec![&alias, &create], Some("#a:x")),
        (vec![&alias, &state("m.room.name", "{}")], Some("#a:x")),
        (vec![&alias, &create, &state("m.room.name", r#"{"name":"n"}"#)], Some("n")),
        (vec![&state("m.room.name", r#"{"name":7}"#)], None),
        (vec![&state("m.room.name", r#"{"name":" "}"#)], None),
    ] {
        let events: Vec<&str> = events.into_iter().map(String::as_str).collect();
        let found = name_of(&format!(r#"{{"state":{{"events":[{}]}}}}"#, events.join(","))).await;
        assert_eq!(found.as_deref(), name, "{events:?}");
    }
}

#[tokio::test]
async fn state_after_counts_alone() {
    let name = |id: &str, name: &str| {
        format!(
            r#"{{"event_id":"{id}","sender":"@m","type":"m.room.name","state_key":"","content":{{"name":"{name}"}}}}"#
        )
    };
    let timeline = format!(r#""timeline":{{"events":[{}]}}"#, name("$t", "timeline"));
    let before = format!(r#"{{{timeline},"state":{{"events":[{}]}}}}"#, name("$s", "before"));
    assert_eq!(name_of(&before).await.as_deref(), Some("timeline"));
    for after in ["state_after", "org.matrix.msc4222.state_after"] {
        let body = format!(r#"{{{timeline},"{after}":{{"events":[{}]}}}}"#, name("$s", "after"));
        assert_eq!(name_of(&body).await.as_deref(), Some("after"));
        let (room, _) = joined(&body);
        assert_eq!((room.timeline.len(), room.state.len()), (1, 1));
    }
}

#[tokio::test]
async fn spaces_come_and_go() {
    let link = |kind: &str, key: &str, content: &str| {
        format!(
            r#"{{"event_id":"$e{key}","sender":"@m","type":"{kind}","state_key":"{key}","content":{content}}}"#
        )
    };
    let room = |events: &[String]| format!(r#"{{"state":{{"events":[{}]}}}}"#, events.join(","));
    let (here, nowhere) = (r#"{"via":["x"]}"#, r#"{"via":[]}"#);
    let space = [
        link("m.space.child", "!c", here),
        link("m.space.child", "!d", "{}"),
        link("m.space.child", "", here),
        link("m.space.child", "!e", nowhere),
    ];
    let claim = room(&[link("m.space.parent", "!a", here)]);
    // Whichever comes first: the space's own word has precedence over what a room claims.
    let answers = [
        [format!(r#""!a":{}"#, room(&space)), format!(r#""!b":{claim},"!c":{{}},"!d":{claim},"!e":{claim}"#)],
        [format!(r#""!b":{claim},"!c":{{}},"!d":{claim},"!e":{claim}"#), format!(r#""!a":{}"#, room(&space))],
    ];
    for answers in answers {
        let store = MemoryStore::new();
        for rooms in answers {
            let delta = read(&format!(r#"{{"next_batch":"s","rooms":{{"join":{{{rooms}}}}}}}"#));
            apply_sync(&store, &delta, alice().user.as_ref(), &MatrixProtocol).await.unwrap();
        }
        let inside = async |room: &str| {
            let room = store.room(&RoomId::new(room).unwrap()).await.unwrap().unwrap();
            room.spaces.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!((inside("!b").await, inside("!c").await), (vec!["!a".into()], vec!["!a".to_owned()]));
        assert!(inside("!d").await.is_empty() && inside("!e").await.is_empty());
    }
}

#[tokio::test]
async fn half_a_character_takes_nothing_with_it() {
    let event = |id: &str, kind: &str, content: &str| {
        format!(r#"{{"event_id":"{id}","sender":"@m","type":"{kind}","state_key":"","content":{content}}}"#)
    };
    let events = [
        event("$n", "m.room.name", r#"{"name":"Team \ud83d"}"#),
        event("$a", "m.a", r#"{"\ud83d":1,"body":"beside"}"#),
        event("$b", "m.b", r#"{"body":"cut \udc00\u0000 \ud83d\ude00","deep":{"\ud800":["\ud800"]}}"#),
    ];
    let body = format!(r#"{{"timeline":{{"events":[{}]}}}}"#, events.join(","));
    let (room, delta) = joined(&body);
    assert!(unreadable(&delta).is_empty());
    let text = |at: usize| room.timeline[at].content.text("body");
    assert_eq!(text(1).as_deref(), Some("beside"));
    assert_eq!(text(2).as_deref(), Some("cut \u{fffd}\0 😀"));
    for event in &room.timeline {
        assert!(event.content.parse::<serde_json::Value>().is_ok());
        assert!(
            serde_json::from_str::<serde_json::Value>(event.content.as_str()).is_ok(),
            "for every reader"
        );
    }
    assert_eq!(name_of(&body).await.as_deref(), Some("Team \u{fffd}"));
    assert_eq!(parse_event(events[1].as_bytes()).unwrap().content, room.timeline[1].content);
}

#[test]
fn counts_as_servers_write_them() {
    for (text, count) in
        [("3", 3), ("3.0", 3), ("\"3\"", 3), ("3e0", 3), ("-3", 0), ("1e99", i64::MAX as u64)]
    {
        let unread = format!(r#"{{"unread_notifications":{{"notification_count":{text}}}}}"#);
        assert_eq!(joined(&unread).0.unread.unwrap().notifications, count, "{text}");
    }
    assert_eq!(joined(r#"{"unread_notifications":{"notification_count":"many"}}"#).0.unread, None);
}
