//! Bad files for `haos import`: a typed error with file and line, and nothing lost.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails so")]

mod common;

use std::fs::File;
use std::io::Write as _;

use common::{World, event, sync, syncs};
use serde_json::json;

/// Two good lines, a bad one, a good one.
fn spoiled(world: &World, bad: &[u8]) -> String {
    let good = syncs(4);
    let lines: Vec<&str> = good.lines().collect();
    let mut bytes = format!("{}\n{}\n", lines[0], lines[1]).into_bytes();
    bytes.extend_from_slice(bad);
    bytes.extend_from_slice(format!("\n{}\n", lines[3]).as_bytes());
    world.file("in.jsonl", bytes)
}

/// The error names the line, what came before is kept, and the corrected file goes on there.
#[track_caller]
fn resumable(bad: &[u8], flags: &[&str], has: &str) {
    let world = World::new();
    let file = spoiled(&world, bad);
    let run = world.run(&[&["import"], flags, &[&file]].concat());
    run.fails(3, &["in.jsonl:3: ", has, "all before it is imported"]);
    assert_eq!(world.json(&["rooms"])[0]["messages"], 2);
    world.file("in.jsonl", syncs(4));
    let resumed = world.json(&["import", &file]);
    assert_eq!((&resumed["skipped"], &resumed["events"]), (&json!(2), &json!(2)));
}

#[test]
fn truncated_json() {
    resumable(br#"{"since":"s2","response":{"next_batch":"s3","rooms"#, &[], "ends too early");
}

#[test]
fn no_json() {
    resumable(b"<html>502 Bad Gateway</html>", &[], "");
    resumable(br#"{"since":"s2", oops}"#, &[], "not JSON at column 16");
}

#[test]
fn another_shape() {
    resumable(b"[1, 2]", &[], "neither a /sync response");
    resumable(br#"{"errcode":"M_UNKNOWN_TOKEN"}"#, &[], "neither a /sync response");
    resumable(br#"{"since":"s2","response":{"rooms":{}}}"#, &[], "next_batch");
    resumable(br#"{"since":"s2","response":{"next_batch":"s3","rooms":{"join":[]}}}"#, &[], "rooms.join");
}

#[test]
fn invalid_utf8() {
    resumable(b"{\"since\":\"s2\",\"response\":{\"next_batch\":\"s\xff\"}}", &[], "not UTF-8 at byte 42");
}

#[test]
fn a_line_over_the_limit() {
    let line = json!({"since": "s2", "response": {"next_batch": "s3", "x": "y".repeat(4096)}}).to_string();
    resumable(line.as_bytes(), &["--max-line", "2KiB"], "more than 2.0 KiB");
}

#[test]
fn a_line_of_200_mb() {
    let world = World::new();
    let file = world.file("in.jsonl", syncs(1));
    let mut append = File::options().append(true).open(world.path("in.jsonl")).unwrap();
    append.write_all(br#"{"next_batch":""#).unwrap();
    // Sparse: 200 MB of NUL without a line end.
    append.set_len(200_000_000).unwrap();
    let run = world.run(&["import", &file]);
    run.fails(
        3,
        &["in.jsonl:2: ", "more than 64.0 MiB", "--max-line", "the one response before it is imported"],
    );
}

#[test]
fn compressed_bombs() {
    let world = World::new();
    let bomb = |line_end: u8| {
        let mut encoder = zstd::Encoder::new(Vec::new(), 3).unwrap();
        encoder.write_all(br#"{"next_batch":""#).unwrap();
        for _ in 0..200 {
            encoder.write_all(&vec![b'x'; 1_000_000]).unwrap();
        }
        encoder.write_all(&[line_end]).unwrap();
        encoder.finish().unwrap()
    };
    let packed = bomb(b'\n');
    assert!(packed.len() < 1 << 20);
    let lines = world.file("bomb.jsonl.zst", &packed);
    world.run(&["import", &lines]).fails(3, &["bomb.jsonl.zst:1: ", "more than 64.0 MiB"]);
    let whole = world.file("bomb.json.zst", &packed);
    world.run(&["import", "--max-file", "100MiB", &whole]).fails(3, &["more than 100.0 MiB", "--max-file"]);
}

/// Gigabytes of blank lines, and a document of zeros: bytes of the file, and nothing to import.
#[test]
fn compressed_nothing() {
    let world = World::new();
    let packed = |byte: u8, megabytes: usize| {
        let mut encoder = zstd::Encoder::new(Vec::new(), 3).unwrap();
        for _ in 0..megabytes {
            encoder.write_all(&vec![byte; 1 << 20]).unwrap();
        }
        encoder.finish().unwrap()
    };
    let blank = world.file("blank.jsonl.zst", packed(b'\n', 64));
    world.run(&["import", &blank]).fails(3, &["blank.jsonl.zst:", "more than 16.0 MiB", "blank lines"]);
    let zeros = world.file("zeros.json.zst", packed(b'0', 300));
    world.run(&["import", &zeros]).fails(3, &["more than 256.0 MiB", "--max-file"]);
    let lines = world.file("lines.jsonl", syncs(100));
    world.run(&["import", "--max-file", "2KiB", &lines]).fails(3, &["lines.jsonl:", "2.0 KiB", "--max-file"]);
}

/// A million of what is no event: no more memory than the file's, and one entry if it is wanted.
#[test]
fn a_million_zeros() {
    let world = World::new();
    let zeros = vec!["0"; 1_000_000].join(",");
    let line =
        format!(r#"{{"next_batch":"s1","rooms":{{"join":{{"!a":{{"timeline":{{"events":[{zeros}]}}}}}}}}}}"#);
    let file = world.file("in.jsonl", &line);
    world.run(&["import", &file]).fails(3, &["in.jsonl:1: ", "more than 500,000 entries", "--max-entries"]);
    let done = world.json(&["import", "--max-entries", "2000000", &file]);
    assert_eq!(done["left_out"], 999_999);
    assert_eq!(world.json(&["show", "!a"])["state"]["haos.unreadable"], 1);
}

#[test]
fn a_compressed_file_that_was_cut_off() {
    let world = World::new();
    let packed = zstd::encode_all(syncs(2000).as_bytes(), 3).unwrap();
    let file = world.file("a.jsonl.zst", &packed[..packed.len() / 2]);
    world.run(&["import", &file]).fails(3, &["a.jsonl.zst:", "cut off"]);
    let file = world.file("a.jsonl.zst", &packed);
    assert_eq!(world.run(&["import", &file]).code, 0);
    assert_eq!(world.json(&["rooms"])[0]["messages"], 2000);
}

#[test]
fn a_document_that_was_cut_off_says_its_line() {
    let world = World::new();
    let text = serde_json::to_string_pretty(&sync("s1", &["$1"])).unwrap();
    let file = world.file("a.json", &text[..text.len() - 10]);
    world
        .run(&["import", &file])
        .fails(3, &["a.json:", "ends too early", "nothing of this file was imported"]);
    let file = world.file("b.json", format!("{text}\n{text}"));
    world.run(&["import", &file]).fails(3, &[".jsonl"]);
}

#[test]
fn what_is_no_file_of_responses() {
    let world = World::new();
    let folder = world.path("").display().to_string();
    world.run(&["import", &folder]).fails(3, &["is a folder", "name the files in it"]);
    world.run(&["import", "nowhere.jsonl"]).fails(3, &["nowhere.jsonl does not exist"]);
    let empty = world.file("empty.jsonl", "");
    world.run(&["import", &empty]).fails(3, &["is empty"]);
    assert!(!world.path("haos.db").exists(), "no store is made for nothing");
    let blank = world.file("blank.jsonl", "\n\n  \n");
    world.run(&["import", &blank]).fails(3, &["no responses"]);
    #[cfg(unix)]
    world.run(&["import", "/dev/null"]).fails(3, &["no regular file"]);
}

#[test]
fn ids_that_are_too_long_lose_nothing() {
    let world = World::new();
    let long = format!("${}", "x".repeat(300));
    let mut response = sync("s1", &["$1", "$2", "$3"]);
    response["rooms"]["join"]["!a"]["timeline"]["events"][1]["event_id"] = json!(long);
    response["rooms"]["join"][format!("!{}", "y".repeat(300))] =
        json!({"timeline": {"events": [event("$4")]}});
    let file = world.file("a.json", response.to_string());
    assert_eq!(world.json(&["import", &file])["events"], 2);
    let room = world.json(&["show", "!a"]);
    assert_eq!(room["messages"], 2);
    assert_eq!(room["state"]["haos.unreadable"], 1, "{room}");
    // The room is set aside in the account's scope, which `sqlite3` can read, too.
    let store = rusqlite::Connection::open(world.path("haos.db")).unwrap();
    let found: u32 = store
        .query_row("SELECT count(*) FROM state WHERE instr(payload, ?1) > 0", ["y".repeat(300)], |row| {
            row.get(0)
        })
        .unwrap();
    assert_eq!(found, 1);
}

#[test]
fn a_stale_sync_writes_nothing() {
    let world = World::new();
    let first = world.file("a.jsonl", syncs(3));
    assert_eq!(world.run(&["import", &first]).code, 0);
    let revision = world.revision();
    let line = json!({"since": "s9", "response": sync("s10", &["$9"])});
    let stale = world.file("b.jsonl", line.to_string());
    world.run(&["import", &stale]).fails(3, &["b.jsonl:1: ", "\"s9\"", "\"s3\"", "nothing was written"]);
    assert_eq!(world.revision(), revision);
}

#[test]
fn a_page_has_to_say_where_it_belongs() {
    let world = World::new();
    let bare = world.file("a.json", json!({"chunk": [event("$1")], "start": "t"}).to_string());
    world.run(&["import", &bare]).fails(3, &["--room"]);
    let homeless = world.file("b.json", json!({"room_id": "!a", "response": {"chunk": []}}).to_string());
    world.run(&["import", &homeless]).fails(3, &["`from`"]);
}
