//! `haos backup`, `restore` and `move`: a store in one file, and in another one.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails so")]

mod common;

use std::process::{Command, Stdio};

use common::{Run, World, filled, id};
use serde_json::Value;

/// Runs the command on another store.
fn at(url: &str, args: &[&str]) -> Run {
    let mut command = Command::new(env!("CARGO_BIN_EXE_haos"));
    command.args(["--store", url]).args(args).env_remove("HAOS_STORE").stdin(Stdio::null());
    command.output().unwrap().into()
}

fn place(world: &World, name: &str) -> String {
    world.path(name).display().to_string()
}

/// What a store shows of a room.
fn shown(url: &str, room: &str) -> Value {
    let run = at(url, &["--json", "timeline", room, "--limit", "1000"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    run.lines().pop().unwrap()
}

fn ok(run: Run) -> Run {
    assert_eq!(run.code, 0, "{}", run.stderr);
    run
}

#[test]
fn a_backup_fills_a_store_of_any_kind() {
    let world = filled();
    let archive = place(&world, "chat.haos");
    let done = world.json(&["backup", &archive]);
    assert!(done["rows"]["messages"].as_u64().unwrap() > 100, "{done}");
    assert_eq!((&done["encrypted"], &done["session"]), (&false.into(), &false.into()));
    let again = world.run(&["backup", &archive]);
    assert_eq!(again.code, 3, "{}", again.stderr);
    assert!(again.stderr.contains("--replace"), "{}", again.stderr);

    let checked = ok(world.run(&["restore", "--check", &archive]));
    assert!(checked.stdout.contains("10 rooms"), "{}", checked.stdout);
    let room = id("rooms", "general");
    let before = shown(&world.url(), &room);
    for kind in ["sqlite", "sled"] {
        let url = format!("{kind}:{}", place(&world, &format!("copy.{kind}")));
        ok(at(&url, &["restore", &archive]));
        assert_eq!(shown(&url, &room), before, "{kind}");
        let twice = ok(at(&url, &["restore", &archive]));
        assert!(twice.stdout.contains("has all of it already"), "{}", twice.stdout);
    }
}

#[test]
fn an_encrypted_backup_needs_its_passphrase() {
    let world = filled();
    let (archive, words) = (place(&world, "chat.age"), world.file("words", "correct horse\n"));
    let wrong = world.file("wrong", "battery staple\n");
    for file in [&words, &wrong] {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    ok(world.run(&["backup", &archive, "--archive-passphrase-file", &words]));
    assert!(std::fs::read(&archive).unwrap().starts_with(b"age-encryption.org/v1"));
    let missing = world.run(&["restore", "--check", &archive]);
    assert!(missing.code == 3 && missing.stderr.contains("--archive-passphrase-file"), "{}", missing.stderr);
    let refused = world.run(&["restore", "--check", &archive, "--archive-passphrase-file", &wrong]);
    assert!(refused.code == 3 && refused.stderr.contains("another passphrase"), "{}", refused.stderr);
    ok(world.run(&["restore", "--check", &archive, "--archive-passphrase-file", &words]));
}

#[test]
fn a_second_backup_has_what_the_first_lacks() {
    let world = filled();
    let (full, more) = (place(&world, "1.haos"), place(&world, "2.haos"));
    ok(world.run(&["backup", &full]));
    ok(world.run(&["send", &id("rooms", "general"), "later"]));
    ok(world.run(&["backup", "--base", &full, &more]));
    let size = |file: &str| std::fs::metadata(file).unwrap().len();
    assert!(size(&more) * 3 < size(&full), "{} of {}", size(&more), size(&full));
    let alone = world.run(&["restore", "--check", &more]);
    assert!(alone.code == 3 && alone.stderr.contains("give its file too"), "{}", alone.stderr);

    // Unsent messages are held back until somebody says that the other store is gone.
    let url = format!("sqlite:{}", place(&world, "new.db"));
    ok(at(&url, &["restore", &full, &more]));
    let outbox = ok(at(&url, &["--json", "outbox"])).lines().pop().unwrap();
    assert!(outbox.to_string().contains("parked"), "{outbox}");
}

#[test]
fn what_is_no_archive_is_refused() {
    let world = filled();
    let text = world.file("text", "no archive at all");
    let refused = world.run(&["restore", &text]);
    assert_eq!(refused.code, 3, "{}", refused.stderr);
    let archive = place(&world, "a.haos");
    ok(world.run(&["backup", &archive]));
    let mut bytes = std::fs::read(&archive).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&archive, bytes).unwrap();
    let damaged = world.run(&["restore", "--check", &archive]);
    assert_eq!(damaged.code, 3, "{}", damaged.stderr);
}

#[test]
fn a_move_hands_the_outbox_over() {
    let world = filled();
    ok(world.run(&["send", &id("rooms", "general"), "on my way"]));
    let url = format!("sled:{}", place(&world, "new"));
    let done = world.json(&["move", &url]);
    assert_eq!((&done["moved"], &done["left"]), (&1.into(), &Value::Array(Vec::new())));
    let outbox = |url: &str| ok(at(url, &["--json", "outbox"])).stdout;
    assert!(outbox(&url).contains("on my way") && !outbox(&url).contains("parked"), "{}", outbox(&url));
    assert!(!outbox(&world.url()).contains("on my way"));
    let same = world.run(&["move", &world.url()]);
    assert_eq!(same.code, 2, "{}", same.stderr);
}
