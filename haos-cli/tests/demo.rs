//! The demo: its own checks are the test.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails so")]

mod common;

use common::World;
use common::keys::secret;
use common::one_login::OneLogin;
use serde_json::json;

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

#[test]
fn a_homeserver_needs_somebody_who_sends() {
    let world = World::new();
    let run = |args: &[&str]| world.run(&[&["demo"], args].concat());
    let url = "http://127.0.0.1:1";
    for args in [
        &["--homeserver", url][..],
        &["--register"],
        &["--keep-rooms"],
        &["--homeserver", url, "--password-file", "x", "--register"],
        &["--homeserver", url, "--user", "me", "--register"],
        &["--homeserver", url, "--user", "me"],
    ] {
        run(args).fails(2, &["--"]);
    }
    run(&["--homeserver", "ftp://x", "--register"]).fails(3, &["neither https nor http"]);
    run(&["--homeserver", "https://127.0.0.1:1", "--register"]).fails(3, &["without TLS", "--password-file"]);
    let missing = world.path("missing").display().to_string();
    run(&["--homeserver", url, "--user", "me", "--password-file", &missing]).fails(3, &["cannot be read"]);
}

#[test]
fn whoever_is_not_let_in_is_told_and_can_try_again() {
    let world = World::new();
    let password = secret(&world, "password", "geheim\n");
    let folder = world.path("demo").display().to_string();
    let run = |url: &str, who: &[&str]| {
        let run = world.run(&[&["demo", "--dir", &folder, "--homeserver", url], who].concat());
        assert!(!run.stdout.contains("1. First sync"), "told first: {}", run.stdout);
        run
    };
    let me = ["--user", "me", "--password-file", &password];
    let forbidden = || OneLogin::start("403 Forbidden", json!({"errcode": "M_FORBIDDEN", "error": "no"}));

    let server = forbidden();
    run(&server.url, &me).fails(3, &[&server.url, "403 M_FORBIDDEN", "check the user, the password"]);
    server.asked.join().unwrap();
    run(&server.url, &me).fails(5, &[&server.url, "was not reached", "try again"]);
    run(&server.url, &["--register"]).fails(5, &[&server.url, "was not reached", "try again"]);

    let server = forbidden();
    run(&server.url, &["--register"]).fails(3, &["lets nobody register (403 M_FORBIDDEN)", "--user NAME"]);
    assert!(server.asked.join().unwrap().starts_with("POST /_matrix/client/v3/register "));
    let mail = json!({"flows": [{"stages": ["m.login.email.identity"]}], "session": "s"});
    let server = OneLogin::start("401 Unauthorized", mail);
    run(&server.url, &["--register"]).fails(3, &["wants m.login.email.identity", "--user NAME"]);
    server.asked.join().unwrap();
}
