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
