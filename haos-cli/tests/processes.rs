//! Kills, closed pipes, exit codes and help.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails so")]

mod common;

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use common::{Run, World, fixture, syncs};
use serde_json::Value;

#[test]
fn an_import_that_was_killed_goes_on() {
    let world = World::new();
    let file = world.file("a.jsonl", syncs(4000));
    let mut kills = 0;
    for at in [300, 1300, 2300] {
        let mut child = world.command(&["--json", "import", &file]).stdout(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        for line in stdout.lines() {
            let told: Value = serde_json::from_str(&line.unwrap()).unwrap();
            if told["type"] == "progress" && told["line"].as_u64().unwrap() >= at {
                break;
            }
        }
        child.kill().unwrap();
        kills += u32::from(!child.wait().unwrap().success());
        let held = world.json(&["rooms"])[0]["messages"].as_u64().unwrap();
        assert!(held >= at, "{held} of {at}");
        assert_eq!(world.run(&["doctor", "--check"]).code, 0);
    }
    assert!(kills >= 1);
    let rest = world.json(&["import", &file]);
    let (skipped, events) = (rest["skipped"].as_u64().unwrap(), rest["events"].as_u64().unwrap());
    assert!(skipped >= 2300 && skipped + events == 4000, "{rest}");
    let page = world.json(&["timeline", "!a", "--limit", "4000"]);
    let ids: Vec<&str> =
        page["items"].as_array().unwrap().iter().map(|item| item["event_id"].as_str().unwrap()).collect();
    let wanted: Vec<String> = (0..4000).map(|n| format!("${n}")).collect();
    assert!(ids == wanted, "not each event once, in order");
}

#[test]
fn a_closed_pipe_is_no_failure() {
    let world = World::new();
    let initial = fixture("big/initial_sync_limit20.json.zst");
    assert_eq!(world.run(&["import", &initial]).code, 0);
    for args in [&["rooms"][..], &["--json", "rooms"], &["timeline", "Room 0 r"], &["doctor"]] {
        let mut child = world.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let run = Run::from(child.wait_with_output().unwrap());
        assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{args:?}");
    }
}

#[test]
fn an_import_outlives_its_listener() {
    let world = World::new();
    let file = world.file("a.jsonl", syncs(500));
    let mut child = world.command(&["--json", "import", &file]).stdout(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert!(child.wait().unwrap().success());
    assert_eq!(world.json(&["rooms"])[0]["messages"], 500);
}

#[test]
fn wrong_use_is_exit_code_2() {
    let world = World::new();
    for args in [
        &["import"][..],
        &["nonsense"],
        &["timeline", "!a", "--limit", "0"],
        &["import", "x", "--max-line", "0"],
    ] {
        assert_eq!(world.run(args).code, 2, "{args:?}");
    }
    let both = world.run(&["timeline", "!a", "--oldest", "--around", "$1"]);
    assert_eq!(both.code, 2);
}

#[test]
fn the_help_has_the_exit_codes() {
    let world = World::new();
    let help = world.run(&["--help"]).stdout;
    for part in [
        "haos import",
        "HAOS_STORE",
        "Exit codes:",
        "0  done",
        "2  wrong use",
        "3  bad input",
        "5  the store is busy",
    ] {
        assert!(help.contains(part), "no {part} in {help}");
    }
    for command in [
        "import",
        "rooms",
        "timeline",
        "show",
        "doctor",
        "compact",
        "views",
        "seal",
        "unseal",
        "rekey",
        "rotate",
        "shred",
        "login",
        "logout",
        "sync",
        "send",
        "reply",
        "edit",
        "react",
        "redact",
        "send-file",
        "outbox",
        "read",
        "backfill",
        "join",
        "leave",
        "members",
        "media",
    ] {
        assert!(help.contains(command), "{command}");
        assert_eq!(world.run(&[command, "--help"]).code, 0);
    }
}
