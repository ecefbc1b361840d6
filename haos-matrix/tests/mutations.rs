//! Mutated real responses, and arbitrary ones: never a panic, and no event of a readable one is lost.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says so by panicking")]

mod common;

use common::{alice, file, names, set_aside, unreadable};
use haos_matrix::{parse_event, parse_messages, parse_sync};
use haos_queue::SyncDelta;
use haos_store_api::{Direction, RoomId, StateEntry};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Anything that JSON can be, with the member names that matter often among the keys.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        ".{0,12}".prop_map(Value::from),
        Just(Value::from("x".repeat(300))),
    ];
    leaf.prop_recursive(6, 48, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((any_name(), inner), 0..7)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn any_name() -> impl Strategy<Value = String> {
    const NAMES: [&str; 34] = [
        "next_batch",
        "rooms",
        "join",
        "invite",
        "leave",
        "knock",
        "!r:x",
        "timeline",
        "state",
        "invite_state",
        "state_after",
        "events",
        "event_id",
        "sender",
        "type",
        "state_key",
        "content",
        "origin_server_ts",
        "unsigned",
        "redacts",
        "m.relates_to",
        "m.in_reply_to",
        "rel_type",
        "account_data",
        "ephemeral",
        "to_device",
        "device_lists",
        "summary",
        "unread_notifications",
        "chunk",
        "end",
        "limited",
        "membership",
        "",
    ];
    prop_oneof![4 => prop::sample::select(NAMES.to_vec()).prop_map(str::to_owned), 1 => ".{0,8}"]
}

/// Paths to every value of a response.
fn pointers(value: &Value) -> Vec<String> {
    fn walk(value: &Value, path: &str, all: &mut Vec<String>) {
        let step = |name: &str| format!("{path}/{}", name.replace('~', "~0").replace('/', "~1"));
        all.push(path.to_owned());
        match value {
            Value::Object(members) => members.iter().for_each(|(name, value)| walk(value, &step(name), all)),
            Value::Array(items) => {
                items.iter().enumerate().for_each(|(at, value)| walk(value, &step(&at.to_string()), all));
            }
            _ => {}
        }
    }
    let mut all = Vec::new();
    walk(value, "", &mut all);
    all
}

/// Puts `by` in the place of the value at `path`, or takes the member away.
fn mutate(value: &mut Value, path: &str, by: Option<Value>) {
    let (parent, name) = path.rsplit_once('/').unwrap_or_default();
    let name = name.replace("~1", "/").replace("~0", "~");
    match (value.pointer_mut(parent), by) {
        (Some(Value::Object(members)), Some(by)) => drop(members.insert(name, by)),
        (Some(Value::Object(members)), None) => drop(members.remove(&name)),
        (Some(Value::Array(items)), Some(by)) => items[name.parse::<usize>().unwrap()] = by,
        (Some(Value::Array(items)), None) => drop(items.remove(name.parse().unwrap())),
        _ => {}
    }
}

/// Asserts that each event of a list is among what was read or set aside.
fn all_there(events: &Value, read: &[haos_queue::Event], aside: &[&StateEntry]) {
    let aside: Vec<&str> = aside.iter().map(|entry| entry.value.as_str()).collect();
    for event in events.as_array().into_iter().flatten() {
        let text = event.to_string();
        match parse_event(text.as_bytes()) {
            Ok(parsed) => assert!(read.contains(&parsed), "lost {text}"),
            Err(_) => assert!(aside.contains(&text.as_str()), "lost {text}"),
        }
    }
}

/// Asserts that a sync's events all arrived, or were set aside.
fn nothing_lost(response: &Value, delta: &SyncDelta) {
    let aside = unreadable(delta);
    for name in ["join", "invite", "knock", "leave"] {
        for (id, body) in response["rooms"][name].as_object().into_iter().flatten() {
            let Some(room) = delta.rooms.iter().find(|room| room.id.as_str() == id) else {
                assert!(RoomId::new(id).is_err() && !aside.is_empty(), "lost the room {id}");
                continue;
            };
            all_there(&body["timeline"]["events"], &room.timeline, &aside);
            let timeline = body["timeline"]["events"].as_array().map_or(0, Vec::len);
            let in_timeline = unread(&body["timeline"]["events"]);
            assert_eq!(timeline, room.timeline.len() + in_timeline);
            for section in ["state", "invite_state", "knock_state", "state_after", "account_data"] {
                let stored = |event: &Value| room.state.iter().any(|entry| is_of(entry, event));
                for event in body[section]["events"].as_array().into_iter().flatten() {
                    assert!(stored(event), "lost {event}");
                }
            }
        }
    }
    for section in ["account_data", "to_device"] {
        let count = response[section]["events"].as_array().map_or(0, Vec::len);
        assert!(delta.account.len() >= count, "lost of {section}");
    }
}

/// Tells if the entry is the event, its content, or what took its place later in the response.
fn is_of(entry: &StateEntry, event: &Value) -> bool {
    let name = |member: &str| event[member].as_str().unwrap_or_default();
    let same = |text: String| entry.value.as_str() == text;
    same(event.to_string())
        || event.get("content").is_some_and(|content| same(content.to_string()))
        || (entry.kind.as_str(), entry.key.as_str()) == (name("type"), name("state_key"))
}

/// How many of the events cannot be read.
fn unread(events: &Value) -> usize {
    let unread = |event: &&Value| parse_event(event.to_string().as_bytes()).is_err();
    events.as_array().map_or(0, |events| events.iter().filter(unread).count())
}

fn responses(under: &str) -> Vec<Value> {
    names(under).iter().map(|name| serde_json::from_str(&file(name)).unwrap()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn mutated_syncs(
        response in prop::sample::select(responses("sync")),
        mutations in prop::collection::vec((any::<prop::sample::Index>(), prop::option::of(any_json())), 1..4),
    ) {
        let mut response = response;
        for (index, by) in mutations {
            let paths = pointers(&response);
            mutate(&mut response, index.get::<String>(&paths), by);
        }
        if let Ok(delta) = parse_sync(response.to_string().as_bytes(), &alice()) {
            nothing_lost(&response, &delta);
        } else {
            let shaped = |value: &Value| value.is_object() || value.is_null();
            let sections = response["rooms"].as_object();
            prop_assert!(
                response["next_batch"].as_str().is_none_or(str::is_empty) || !shaped(&response["rooms"])
                    || sections.is_some_and(|sections| sections.values().any(|section| !shaped(section))),
                "refused without need"
            );
        }
    }

    #[test]
    fn mutated_pages(
        response in prop::sample::select(responses("messages")),
        mutations in prop::collection::vec((any::<prop::sample::Index>(), prop::option::of(any_json())), 1..4),
    ) {
        let mut response = response;
        for (index, by) in mutations {
            let paths = pointers(&response);
            mutate(&mut response, index.get::<String>(&paths), by);
        }
        let room = RoomId::new("!r").unwrap();
        if let Ok(read) = parse_messages(response.to_string().as_bytes(), &room, Direction::Older) {
            all_there(&response["chunk"], &read.events, &set_aside(&read.state));
        }
    }

    #[test]
    fn arbitrary_json(body in any_json(), rooms in any_json(), room in any_json(), event in any_json()) {
        let room_id = RoomId::new("!r").unwrap();
        let timeline = json!({"next_batch": "s", "rooms": {"join": {"!r": {"timeline": {"events": [event]}}}}});
        let bodies = [
            timeline,
            json!({"next_batch": "s", "rooms": {"join": {"!r": room}, "leave": {"!s": room}, "invite": {"!t": room}}}),
            json!({"next_batch": "s", "rooms": rooms, "account_data": room, "to_device": room, "device_lists": room}),
            body,
        ];
        for body in bodies {
            let text = body.to_string();
            if let Ok(delta) = parse_sync(text.as_bytes(), &alice()) {
                nothing_lost(&body, &delta);
            }
            let _ = parse_messages(text.as_bytes(), &room_id, Direction::Older);
            let _ = parse_event(text.as_bytes());
        }
    }

    #[test]
    fn arbitrary_bytes(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let _ = parse_sync(&bytes, &alice());
        let _ = parse_event(&bytes);
    }
}
