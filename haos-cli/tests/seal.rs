//! Plain stores sealed, and sealed ones unsealed.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails so")]

mod common;

use std::process::{Command, Stdio};

use common::keys::{HEX, is_refused, plain, reads, secret, shows, store_files};
use common::{Run, World, syncs};

#[test]
fn sealed_and_unsealed() {
    for (new, open, bytes) in [
        ("--new-passphrase-file", "--passphrase-file", "red green blue"),
        ("--new-key-file", "--key-file", HEX),
    ] {
        let world = plain();
        let url = world.url();
        assert!(shows(&world));
        let file = secret(&world, "secret", bytes);
        let run = world.run(&["seal", &url, new, &file]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        assert!(run.stdout.contains("sealed:") && run.stdout.contains("may remain"), "{}", run.stdout);
        assert!(!shows(&world));
        is_refused(&world, &[]);
        reads(&world, &[open, &file]);
        world.run(&["seal", new, &file]).fails(4, &["sealed already", "haos rekey"]);

        world.run(&["unseal", &url, "--yes"]).fails(4, &["is sealed", "--key-file"]);
        world.run(&[open, &file, "unseal", &url]).fails(2, &["--yes"]);
        is_refused(&world, &[]);
        assert_eq!(world.json(&[open, &file, "unseal", &url, "--yes"])["sealed"], false);
        reads(&world, &[]);
        assert_eq!(world.json(&["seal", new, &file])["sealed"], true, "the store of --store");
        reads(&world, &[open, &file]);
    }
}

#[test]
fn sealing_says_what_is_missing() {
    let world = plain();
    let words = secret(&world, "words", "red");
    let before = store_files(&world);
    world.run(&["seal"]).fails(2, &["no terminal", "--new-passphrase-file"]);
    world.run(&["--passphrase-file", &words, "seal"]).fails(2, &["--new-passphrase-file"]);
    let both = world.run(&["seal", "--new-passphrase-file", &words, "--new-key-file", &words]);
    assert_eq!(both.code, 2);
    assert_eq!(store_files(&world), before);
    let none = World::new();
    let words = secret(&none, "words", "red");
    none.run(&["seal", "--new-passphrase-file", &words]).fails(4, &["there is no store at"]);
}

#[test]
fn a_store_in_use_is_not_converted() {
    let world = plain();
    let words = secret(&world, "words", "red");
    let reader = rusqlite::Connection::open(world.path("haos.db")).unwrap();
    reader.execute_batch("BEGIN; SELECT count(*) FROM room").unwrap();
    world.run(&["seal", "--new-passphrase-file", &words]).fails(5, &["close it everywhere"]);
    reads(&world, &[]);
    drop(reader);
    assert_eq!(world.run(&["seal", "--new-passphrase-file", &words]).code, 0);
    reads(&world, &["--passphrase-file", &words]);
}

#[test]
fn a_conversion_that_was_killed_goes_on() {
    let world = World::new();
    let file = world.file("a.jsonl", syncs(2000));
    assert_eq!(world.run(&["import", &file]).code, 0);
    let words = secret(&world, "words", "red");
    for ms in [30, 60, 90, 120, 150] {
        let mut command = world.command(&["--json", "seal", "--new-passphrase-file", &words]);
        let mut child = command.stdout(Stdio::null()).spawn().unwrap();
        let begun = std::time::Instant::now();
        while begun.elapsed().as_millis() < ms && child.try_wait().unwrap().is_none() {
            std::thread::yield_now();
        }
        child.kill().unwrap();
        if child.wait().unwrap().success() {
            break;
        }
        let run = world.run(&["--json", "rooms"]);
        if run.code == 0 {
            assert_eq!(run.lines()[0][0]["messages"], 2000);
        } else {
            run.fails(4, &["is sealed"]);
        }
    }
    let run = world.run(&["seal", "--new-passphrase-file", &words]);
    assert!(run.code == 0 || run.stderr.contains("sealed already"), "{}", run.stderr);
    assert_eq!(world.json(&["--passphrase-file", &words, "rooms"])[0]["messages"], 2000);
    assert_eq!(world.run(&["--passphrase-file", &words, "doctor", "--check"]).code, 0);
    assert!(!shows(&world));
}

#[test]
fn the_other_backend() {
    let world = World::new();
    let (file, words) = (world.file("a.jsonl", syncs(3)), secret(&world, "words", "red"));
    let url = format!("sled:{}", world.path("haos").display());
    let run = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_haos"));
        Run::from(command.args(args).env("HAOS_STORE", &url).stdin(Stdio::null()).output().unwrap())
    };
    run(&["rooms"]).fails(4, &["there is no store at", "haos import"]);
    assert_eq!(run(&["import", &file]).code, 0);
    assert_eq!(run(&["--json", "doctor"]).lines()[0]["backend"], "sled");
    assert_eq!(run(&["seal", "--new-passphrase-file", &words]).code, 0);
    run(&["rooms"]).fails(4, &["is sealed"]);
    let rooms = run(&["--json", "--passphrase-file", &words, "rooms"]);
    assert_eq!(rooms.lines()[0][0]["messages"], 3);
    assert_eq!(run(&["--passphrase-file", &words, "rotate"]).code, 0);
    assert_eq!(run(&["--passphrase-file", &words, "unseal", "--yes"]).code, 0);
    assert_eq!(run(&["--json", "rooms"]).lines()[0][0]["messages"], 3);
}
