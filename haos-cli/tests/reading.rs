//! The commands that read: for people and for programs.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails so")]

mod common;

use common::{World, filled, fixture, id};
use serde_json::{Value, json};

#[test]
fn rooms() {
    let world = filled();
    let run = world.run(&["rooms"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stdout.starts_with("ROOM "), "{}", run.stdout);
    for part in ["MEMBER", "UNREAD", "MESSAGES", "GAPS", "LAST ACTIVITY", "invite", "knock", "Z  !"] {
        assert!(run.stdout.contains(part), "no {part} in {}", run.stdout);
    }
    let rows = world.json(&["rooms"]);
    let rows = rows.as_array().unwrap();
    assert!(run.stdout.ends_with(&format!("{} rooms\n", rows.len())), "{}", run.stdout);
    let activity: Vec<i64> = rows.iter().map(|row| row["last_activity_ms"].as_i64().unwrap()).collect();
    assert!(activity.is_sorted_by(|a, b| a >= b), "{activity:?}");
    let general = rows.iter().find(|row| row["id"] == id("rooms", "general")).unwrap();
    assert_eq!(general["membership"], "join");
    assert!(general["messages"].as_u64().unwrap() > 50 && general["gaps"] == 0, "{general}");
    assert!(general["last_activity"].as_str().unwrap().ends_with('Z'));

    assert_eq!(world.json(&["rooms", "--limit", "2"]).as_array().unwrap().len(), 2);
    let space = id("rooms", "space");
    let children = world.json(&["rooms", "--space", &space]);
    assert!(!children.as_array().unwrap().is_empty());
    for child in children.as_array().unwrap() {
        assert!(child["spaces"].as_array().unwrap().contains(&json!(space)), "{child}");
    }
}

/// The item of a page that is this event.
fn item<'a>(page: &'a Value, event: &str) -> &'a Value {
    let items = page["items"].as_array().unwrap();
    items.iter().find(|item| item["event_id"] == event).unwrap_or_else(|| panic!("no {event} in {page}"))
}

#[test]
fn timeline_with_edits_reactions_and_redactions() {
    let world = filled();
    let room = id("rooms", "general");
    let page = world.json(&["timeline", &room, "--limit", "1000"]);
    assert_eq!(
        (&page["room_id"], &page["older"], &page["newer"]),
        (&json!(room), &Value::Null, &Value::Null)
    );
    let edited = item(&page, &id("events", "edited"));
    assert_eq!(edited["edited_by"], id("events", "edit2"));
    assert_ne!(edited["body"], edited["content"]["body"]);
    let reactions: Vec<&Value> = page["items"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|item| item["reactions"].as_array())
        .flatten()
        .collect();
    assert!(
        reactions.iter().any(|group| group["key"] == "👍" && group["senders"].as_array().unwrap().len() == 2)
    );
    assert!(!page["items"].as_array().unwrap().iter().any(|item| item["kind"] == "m.reaction"));
    let removed =
        page["items"].as_array().unwrap().iter().find(|item| !item["redacted_by"].is_null()).unwrap();
    assert_eq!(removed["content"], json!({}));

    let run = world.run(&["timeline", &room, "--limit", "1000"]);
    for part in ["@bob:localhost", " (edited)", "[👍 2]", "(removed)", "created the room"] {
        assert!(run.stdout.contains(part), "no {part} in {}", run.stdout);
    }
    assert!(run.stdout.chars().all(|c| c == '\n' || !c.is_control()));
}

#[test]
fn pages_of_a_timeline_join() {
    let world = filled();
    let room = id("rooms", "general");
    let ids = |page: &Value| -> Vec<String> {
        let items = page["items"].as_array().unwrap();
        items.iter().map(|item| item["event_id"].as_str().unwrap().to_owned()).collect()
    };
    let all = ids(&world.json(&["timeline", &room, "--limit", "1000"]));
    let mut page = world.json(&["timeline", &room, "--limit", "7"]);
    let mut back = ids(&page);
    while let Some(cursor) = page["older"].as_str().map(str::to_owned) {
        page = world.json(&["timeline", &room, "--limit", "7", "--before", &cursor]);
        back.splice(0..0, ids(&page));
    }
    assert_eq!(back, all);
    page = world.json(&["timeline", &room, "--limit", "7", "--oldest"]);
    let mut forth = ids(&page);
    while let Some(cursor) = page["newer"].as_str().map(str::to_owned) {
        page = world.json(&["timeline", &room, "--limit", "7", "--after", &cursor]);
        forth.extend(ids(&page));
    }
    assert_eq!(forth, all);
    let event = &all[all.len() / 2];
    let around = ids(&world.json(&["timeline", &room, "--around", event, "--limit", "5"]));
    assert!(around.contains(event) && around.len() <= 5, "{around:?}");
    let run = world.run(&["timeline", &room, "--around", event, "--limit", "5"]);
    assert!(
        run.stdout.contains("older: --before '") && run.stdout.contains("newer: --after '"),
        "{}",
        run.stdout
    );
}

#[test]
fn gaps_show_as_lines() {
    let world = filled();
    assert_eq!(world.run(&["import", &fixture("sync/incr_09_limited_gap.json")]).code, 0);
    let busy = id("rooms", "busy");
    let run = world.run(&["timeline", &busy]);
    assert!(run.stdout.contains("⋯ gap: older messages not fetched ⋯"), "{}", run.stdout);
    let page = world.json(&["timeline", &busy]);
    let gaps: Vec<&Value> =
        page["items"].as_array().unwrap().iter().filter(|item| item["type"] == "gap").collect();
    assert!(gaps.len() == 1 && gaps[0]["token"].is_string(), "{gaps:?}");
    let rooms = world.json(&["rooms"]);
    assert!(rooms.as_array().unwrap().iter().any(|row| row["id"] == json!(busy) && row["gaps"] == 1));
}

#[test]
fn a_room_by_its_name() {
    let world = filled();
    let rooms = world.json(&["rooms"]);
    let named = rooms.as_array().unwrap().iter().find(|row| row["name"].is_string()).unwrap();
    let name = named["name"].as_str().unwrap();
    assert_eq!(world.json(&["timeline", name])["room_id"], named["id"]);
    world.run(&["timeline", "!"]).fails(3, &["means", "rooms, write more of it"]);
    world.run(&["timeline", "no such room"]).fails(3, &["haos rooms"]);
    world.run(&["timeline", name, "--around", "$nothing"]).fails(3, &["$nothing"]);
    assert_eq!(world.run(&["timeline", name, "--before", "x"]).code, 2);
}

#[test]
fn text_cannot_steer_the_terminal() {
    let world = World::new();
    let mut response = common::sync("s1", &["$1"]);
    let evil = "\u{1b}]0;owned\u{7}line one\nline two\u{202e}\u{9b}31m";
    response["rooms"]["join"]["!a"]["timeline"]["events"][0]["content"]["body"] = json!(evil);
    response["rooms"]["join"]["!a"]["state"] = json!({"events": [{"event_id": "$n", "type": "m.room.name",
        "state_key": "", "sender": "@u:x", "content": {"name": "\u{1b}[2Jroom"}}]});
    let file = world.file("a.json", response.to_string());
    assert_eq!(world.run(&["import", &file]).code, 0);
    for args in [&["timeline", "!a"][..], &["show", "!a"], &["show", "!a", "$1"], &["rooms"]] {
        let run = world.run(args);
        assert_eq!(run.code, 0, "{}", run.stderr);
        let bad = |c: char| c != '\n' && (c.is_control() || c == '\u{202e}');
        assert!(!run.stdout.contains(bad), "{args:?}: {:?}", run.stdout);
    }
    assert!(world.run(&["timeline", "!a"]).stdout.contains("]0;ownedline one\n    line two31m"));
}

#[test]
fn show_a_room_and_a_message() {
    let world = filled();
    let (room, event) = (id("rooms", "general"), id("events", "edited"));
    let run = world.run(&["show", &room]);
    for part in ["id  ", "topic", "membership     join", "state entries:", "m.room.member"] {
        assert!(run.stdout.contains(part), "no {part} in {}", run.stdout);
    }
    let shown = world.json(&["show", &room]);
    assert!(shown["state"]["m.room.member"].as_u64().unwrap() >= 2 && shown["revision"].is_u64(), "{shown}");

    let run = world.run(&["show", &room, &event]);
    for part in ["event  ", "sender", "content", "related to it:", "edit  "] {
        assert!(run.stdout.contains(part), "no {part} in {}", run.stdout);
    }
    let shown = world.json(&["show", &room, &event]);
    assert_eq!((&shown["event_id"], &shown["room_id"]), (&json!(event), &json!(room)));
    let edits =
        shown["related"].as_array().unwrap().iter().filter(|other| other["relation"]["kind"] == "edit");
    assert_eq!(edits.count(), 2);
    world.run(&["show", &room, "$nothing"]).fails(3, &["$nothing"]);
}

#[test]
fn doctor_and_compact() {
    let world = filled();
    let run = world.run(&["doctor", "--check"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    for part in [
        "backend      sqlite, format ",
        "persistent   yes",
        "COLLECTION",
        "messages",
        "no gaps",
        "outbox is empty",
        ": sound",
    ] {
        assert!(run.stdout.contains(part), "no {part} in {}", run.stdout);
    }
    let doctor = world.json(&["doctor"]);
    assert_eq!(
        (&doctor["backend"], &doctor["check"], &doctor["recovery"]),
        (&json!("sqlite"), &Value::Null, &Value::Null)
    );
    assert_eq!(doctor["version"], env!("CARGO_PKG_VERSION"));
    let rows = |name: &str| {
        let found =
            doctor["collections"].as_array().unwrap().iter().find(|fields| fields["name"] == name).unwrap();
        found["rows"].as_u64().unwrap()
    };
    assert_eq!((rows("messages"), rows("gaps"), rows("pending")), (156, 0, 0));
    assert_eq!(world.json(&["doctor", "--check"])["check"]["healthy"], true);
    assert!(world.json(&["compact"])["total_bytes"].as_u64().unwrap() > 0);
    assert!(world.run(&["compact"]).stdout.contains("given back"));
}

#[test]
fn views_for_a_sqlite_shell() {
    let world = filled();
    let count = |sql: &str| -> i64 {
        let store = rusqlite::Connection::open(world.path("haos.db")).unwrap();
        store.query_row(sql, (), |row| row.get(0)).unwrap()
    };
    assert_eq!(count("SELECT count(*) FROM sqlite_schema WHERE type = 'view'"), 0);
    let made = world.json(&["views"]);
    for view in made["views"].as_array().unwrap() {
        count(&format!("SELECT count(*) FROM {}", view.as_str().unwrap()));
    }
    assert_eq!(count("SELECT count(*) FROM messages"), 156);
    assert!(world.run(&["views"]).stdout.contains("FROM messages"), "once more changes nothing");
    assert!(world.json(&["doctor", "--check"])["check"]["healthy"] == true);
}

#[test]
fn an_unhealthy_store_fails_the_check() {
    let world = filled();
    let store = rusqlite::Connection::open(world.path("haos.db")).unwrap();
    // A counter that is off is what a check is for.
    let changed =
        store.execute("UPDATE message SET payload = '{' WHERE rowid = (SELECT max(rowid) FROM message)", ());
    assert_eq!(changed.unwrap(), 1);
    drop(store);
    let run = world.run(&["doctor", "--check"]);
    run.fails(4, &["finding"]);
    assert!(run.stdout.contains("finding: ") && run.stdout.contains("not sound"), "{}", run.stdout);
}
