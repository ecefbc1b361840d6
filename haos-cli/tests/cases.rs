//! Small inputs on which clients go wrong, through the command: what must come out of each is in
//! `fixtures/README.md`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails so")]

mod common;

use std::path::Path;

use common::World;
use serde_json::{Value, json};

/// A store that has read the lines of a case as `@me:x`.
fn imported(case: &str) -> World {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../fixtures/cases/{case}.jsonl"));
    let world = World::new();
    let run = world.run(&["import", "--user", "@me:x", &path.display().to_string()]);
    assert_eq!(run.code, 0, "{case}: {}", run.stderr);
    world
}

/// The rooms as the list shows them.
fn rooms(world: &World) -> Vec<Value> {
    world.json(&["rooms"]).as_array().unwrap().clone()
}

fn room(world: &World) -> Value {
    let [room] = &rooms(world)[..] else { panic!("one room was expected") };
    room.clone()
}

#[test]
fn names() {
    for (case, name) in [
        ("alias-renamed", json!("#new:x")),
        ("alias-removed", Value::Null),
        ("alias-set-later", json!("#new:x")),
        ("alias-redacted", Value::Null),
        ("name-emptied-alias-stored", json!("#a:x")),
        ("dm-heroes", json!("Bob")),
    ] {
        assert_eq!(room(&imported(case))["name"], name, "{case}");
    }
}

#[test]
fn a_redacted_child_leaves_its_space() {
    let world = imported("space-child-redacted");
    assert_eq!(world.json(&["rooms", "--space", "!space:x"]), json!([]));
    assert_eq!(rooms(&world).len(), 2, "the rooms themselves stay");
}

#[test]
fn memberships() {
    let unread = |world: &World| {
        let room = room(world);
        (room["membership"].clone(), room["unread"].clone(), room["highlights"].clone())
    };
    assert_eq!(unread(&imported("badge-after-leave")), (json!("leave"), json!(0), json!(0)));
    assert_eq!(room(&imported("leave-and-invite-synapse-order"))["membership"], "invite");
    // The same answer with its sections the other way round.
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/cases/leave-and-invite-synapse-order.jsonl");
    let text = std::fs::read_to_string(path).unwrap();
    let (first, second) = text.split_once('\n').unwrap();
    let mut answer: Value = serde_json::from_str(second).unwrap();
    let rooms = answer["rooms"].take();
    let rooms = format!(r#"{{"leave":{},"invite":{}}}"#, rooms["leave"], rooms["invite"]);
    let world = World::new();
    let turned = format!("{first}\n{{\"next_batch\":\"s2\",\"rooms\":{rooms}}}\n");
    assert_eq!(world.run(&["import", "--user", "@me:x", &world.file("turned.jsonl", turned)]).code, 0);
    assert_eq!(room(&world)["membership"], "invite");
}

#[test]
fn activity() {
    let invited = rooms(&imported("invite-sorted-last"));
    assert_eq!(
        (&invited[0]["id"], &invited[0]["last_activity_ms"]),
        (&json!("!inv:x"), &json!(1_795_930_000_000_i64))
    );

    let clock = || std::time::UNIX_EPOCH.elapsed().unwrap().as_millis() as i64;
    let before = clock();
    let world = imported("timestamps");
    let (rooms, after) = (rooms(&world), clock());
    let activity =
        |id: &str| rooms.iter().find(|room| room["id"] == id).unwrap()["last_activity_ms"].as_i64().unwrap();
    for far in ["!future:x", "!y2462:x"] {
        assert!((before..=after).contains(&activity(far)), "{far}: {}", activity(far));
    }
    // Without a time of its own, a room is as old as its creation.
    assert_eq!((activity("!neg:x"), activity("!zero:x")), (1_700_000_000_000, 1_700_000_000_000));
    let (now, said) = (after, [1_795_930_001_000_i64, 1_795_930_000_000, 1_795_930_000_500]);
    let expected = said.map(|time| time.min(now));
    let found = [activity("!now:x"), activity("!str:x"), activity("!float:x")];
    assert!(
        found.iter().zip(expected).all(|(found, said)| (before.min(said)..=said).contains(found)),
        "{found:?}"
    );
}

#[test]
fn surrogates() {
    let world = imported("surrogates");
    assert_eq!(room(&world)["name"], "Team \u{fffd}");
    let page = world.json(&["timeline", "!r:x"]);
    let item = |id: &str| {
        let items = page["items"].as_array().unwrap();
        items.iter().find(|item| item["event_id"] == id).unwrap().clone()
    };
    assert_eq!(item("$k")["body"], "key before me is a lone surrogate");
    assert_eq!(item("$b")["body"], "cut emoji \u{fffd}");
    assert_eq!(item("$f")["body"], "fine");
    assert_eq!(item("$f")["content"]["formatted_body"], "cut \u{fffd}");
    assert_eq!(item("$f")["reactions"][0]["key"], "\u{fffd}");
    let shown = world.run(&["timeline", "!r:x"]).stdout;
    assert!(shown.contains("key before me") && shown.contains("cut emoji \u{fffd}"), "{shown}");
}
