//! Stores that cannot be used: each its own message and exit code, and nothing changed.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails so")]

mod common;

use common::{World, syncs};

/// The store's file as it is.
fn bytes(world: &World) -> Vec<u8> {
    std::fs::read(world.path("haos.db")).unwrap()
}

fn filled() -> (World, String) {
    let world = World::new();
    let file = world.file("a.jsonl", syncs(3));
    assert_eq!(world.run(&["import", &file]).code, 0);
    (world, file)
}

#[test]
fn none_there() {
    let world = World::new();
    for args in [&["rooms"][..], &["timeline", "!a"], &["show", "!a"], &["doctor"], &["compact"]] {
        world.run(args).fails(4, &["there is no store at", "haos import"]);
    }
    assert!(!world.path("haos.db").exists());
}

#[test]
fn a_random_file_renamed() {
    let (world, file) = filled();
    let noise: Vec<u8> = (0..20_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    std::fs::write(world.path("haos.db"), &noise).unwrap();
    world.run(&["rooms"]).fails(4, &["choose another path"]);
    world.run(&["import", &file]).fails(4, &["choose another path"]);
    assert_eq!(bytes(&world), noise);
}

#[test]
fn the_database_of_another_application() {
    let (world, file) = filled();
    std::fs::remove_file(world.path("haos.db")).unwrap();
    let other = rusqlite::Connection::open(world.path("haos.db")).unwrap();
    other.execute_batch("CREATE TABLE notes (text); PRAGMA user_version = 3").unwrap();
    drop(other);
    let before = bytes(&world);
    world.run(&["import", &file]).fails(4, &["another application"]);
    assert_eq!(bytes(&world), before);
}

#[test]
fn a_newer_schema() {
    let (world, file) = filled();
    let store = rusqlite::Connection::open(world.path("haos.db")).unwrap();
    store.execute_batch("PRAGMA user_version = 999; PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    drop(store);
    let before = bytes(&world);
    for args in [&["rooms"][..], &["doctor", "--check"], &["import", &file]] {
        world.run(args).fails(4, &["format 999", "update the application"]);
    }
    assert_eq!(bytes(&world), before);
}

#[test]
fn a_damaged_store_is_set_aside_and_said_so() {
    let (world, file) = filled();
    let mut damaged = bytes(&world);
    let len = damaged.len();
    damaged[100..len].fill(0xa5);
    std::fs::write(world.path("haos.db"), &damaged).unwrap();
    let run = world.run(&["doctor"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stderr.contains("set aside at") && run.stdout.contains("set aside at"), "{}", run.stderr);
    assert!(run.stderr.contains("import your files again"), "{}", run.stderr);
    assert_eq!(std::fs::read(world.path("haos.db.damaged-1/haos.db")).unwrap(), damaged);
    let doctor = world.json(&["doctor"]);
    assert_eq!(doctor["recovery"], serde_json::Value::Null, "it is told once");
    assert_eq!(doctor["set_aside"][0], world.path("haos.db.damaged-1").display().to_string());
    assert_eq!(world.json(&["import", &file])["events"], 3, "the records of imports are gone with the rest");
}

#[test]
#[cfg(target_os = "linux")]
fn folders_that_cannot_be_written() {
    let (_world, file) = filled();
    for url in ["sqlite:/proc/haos.db", "sqlite:/sys/haos.db", "sqlite:/nowhere/haos.db"] {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_haos"))
            .args(["--store", url, "import", &file])
            .output()
            .unwrap();
        common::Run::from(output).fails(4, &["open: "]);
    }
}

#[test]
fn urls_that_are_none() {
    let (_world, file) = filled();
    for (url, has) in [("haos.db", "sqlite:PATH"), ("idb:x", "for browsers"), ("sqlite:", "needs a path")] {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_haos"))
            .args(["import", &file])
            .env("HAOS_STORE", url)
            .output()
            .unwrap();
        common::Run::from(output).fails(4, &[has]);
    }
}

#[test]
fn a_store_that_another_process_holds() {
    let (world, _) = filled();
    let holder = rusqlite::Connection::open(world.path("haos.db")).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    let more = world.file("b.jsonl", syncs(4));
    world.run(&["import", &more]).fails(5, &["try again"]);
    holder.execute_batch("ROLLBACK").unwrap();
    assert_eq!(world.json(&["import", &more])["events"], 1);
}
