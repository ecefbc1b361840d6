//! The demo: its own checks are the test.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails so")]

mod common;

use common::World;

#[test]
fn it_passes() {
    let world = World::new();
    let folder = world.path("demo");
    let run = world.run(&["demo", "--dir", folder.to_str().unwrap()]);
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    assert!(run.stdout.ends_with("PASS\n"), "{}", run.stdout);
    for part in [
        "killed process",
        "whole responses only",
        "20,399 events of the history",
        "111 gaps",
        "kills survived",
    ] {
        assert!(run.stdout.contains(part), "no {part} in {}", run.stdout);
    }
    assert!(folder.join("chat.db").is_file(), "a named folder is kept");
    assert!(!world.path("haos.db").exists(), "its store is its own");
    world.run(&["demo", "--dir", folder.to_str().unwrap()]).fails(3, &["not empty"]);
}

#[test]
fn its_figures() {
    let figures = World::new().json(&["demo"]);
    assert_eq!(figures["pass"], true);
    assert_eq!(figures["events"], 22_603);
    assert_eq!(figures["rooms"], 52);
    assert_eq!(figures["gaps"], 111);
    assert!(figures["kills"].as_u64().unwrap() >= 2, "{figures}");
}
