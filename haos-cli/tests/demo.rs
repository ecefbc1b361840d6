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
        "7. Offline",
        "20 things acknowledged in 4 rooms",
        "blocked: the edit of “Bring coats.”",
        "nothing lost: 17 messages with 2 uploads",
        "of 17 messages on the server",
        "the outbox is empty",
        "17 messages: every one there, once",
        "“Milk, eggs, flour”, taken back: never arrived",
        "212,000 bytes, uploaded once",
        "no gap; outbox empty",
        "“Bring coats and hats.” (edited)",
        "17 messages written offline and delivered once, in order",
    ] {
        assert!(run.stdout.contains(part), "no {part} in {}", run.stdout);
    }
    for name in ["chat.db", "outbox.db"] {
        assert!(folder.join(name).is_file(), "a named folder is kept, with its {name}");
    }
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
    let outbox = &figures["outbox"];
    assert_eq!(outbox["written"], 20);
    assert_eq!(outbox["delivered"], 17);
    assert_eq!(outbox["media_bytes"], 212_000);
    let count = |name: &str| outbox[name].as_u64().unwrap();
    assert!(count("kills") >= 3 && count("offline_attempts") > 0, "{figures}");
    for fault in ["lost", "answers_lost", "proxy_errors", "rate_limited", "slow"] {
        assert!(count(fault) > 0, "{fault} never fired: {figures}");
    }
}

#[test]
fn its_processes_are_no_command() {
    let help = World::new().run(&["--help"]);
    assert!(help.stdout.contains("demo") && !help.stdout.contains("demo-part"), "{}", help.stdout);
}
