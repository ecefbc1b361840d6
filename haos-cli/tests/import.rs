//! Good files for `haos import`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails so")]

mod common;

use common::{World, event, fixture, id, sync, syncs};
use serde_json::json;

const BIG: [&str; 3] =
    ["big/initial_sync_limit20.json.zst", "big/messages_pages.jsonl.zst", "big/incremental_syncs.jsonl.zst"];

#[test]
fn a_whole_account_for_people() {
    let world = World::new();
    let run = world.run(&["import", &fixture(BIG[0]), &fixture(BIG[1])]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stdout.contains("1 response, 800 new events, 40 gaps opened, 0 closed"), "{}", run.stdout);
    assert!(
        run.stdout.contains("255 responses, 19,599 new events, 0 gaps opened, 40 closed"),
        "{}",
        run.stdout
    );
    assert!(run.stdout.contains("total: 256 responses in "), "{}", run.stdout);
    assert!(run.stdout.contains(" events/s); 40 gaps opened, 40 closed"), "{}", run.stdout);
}

#[test]
fn a_whole_account_for_programs_and_again() {
    let world = World::new();
    let files = BIG.map(fixture);
    let [initial, pages, syncs] = &files;
    let run = world.run(&["--json", "import", initial, pages, syncs]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let lines = run.lines();
    assert_eq!(lines.iter().filter(|line| line["type"] == "progress").count(), 756);
    assert_eq!(lines.iter().filter(|line| line["type"] == "file").count(), 3);
    let summary = lines.last().unwrap();
    assert_eq!(summary["type"], "summary");
    assert_eq!((&summary["files"], &summary["responses"]), (&json!(3), &json!(756)));
    assert_eq!(summary["events"], 22_603);
    assert_eq!((&summary["gaps_opened"], &summary["gaps_closed"]), (&json!(151), &json!(40)));
    assert!(summary["seconds"].as_f64().unwrap() > 0.0 && summary["bytes"].as_u64().unwrap() > 1 << 20);
    assert!(summary["events_per_second"].as_u64().unwrap() > 0);

    let revision = world.revision();
    let again = world.json(&["import", initial, pages, syncs]);
    assert_eq!((&again["responses"], &again["skipped"]), (&json!(0), &json!(756)));
    assert_eq!(world.revision(), revision, "what is done is not touched");
    let forced = world.json(&["import", "--again", "--quiet", initial, pages, syncs]);
    assert_eq!(
        (&forced["responses"], &forced["events"], &forced["held"]),
        (&json!(756), &json!(0), &json!(255))
    );
    assert_eq!((&forced["gaps_opened"], &forced["gaps_closed"]), (&json!(0), &json!(0)));
}

#[test]
fn bare_pages_close_the_gap_of_a_limited_sync() {
    let world = World::new();
    let room = id("rooms", "busy");
    let mut files = vec![fixture("sync/initial_all_limit1000.json")];
    let folder = std::path::Path::new(&files[0]).parent().unwrap().to_owned();
    let mut later: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path().display().to_string())
        .filter(|path| path.contains("incr_0"))
        .collect();
    later.sort();
    files.append(&mut later);
    let synced = world.run(
        &[&["--json", "import", "-q"], &files.iter().map(String::as_str).collect::<Vec<_>>()[..]].concat(),
    );
    assert_eq!(synced.lines().last().unwrap()["gaps_opened"], 1, "{}", synced.stderr);
    let pages = [0, 1, 2].map(|n| fixture(&format!("messages/gap_busy_page{n}.json")));
    let filled = world.json(&["import", "--room", &room, &pages[0], &pages[1], &pages[2]]);
    assert_eq!((&filled["events"], &filled["gaps_closed"]), (&json!(145), &json!(1)));
}

#[test]
fn pages_without_a_gap_wait_for_their_sync() {
    let world = World::new();
    let mut limited = sync("s1", &["$3"]);
    limited["rooms"]["join"]["!a"]["timeline"]["limited"] = json!(true);
    limited["rooms"]["join"]["!a"]["timeline"]["prev_batch"] = json!("p1");
    let initial = world.file("initial.json", limited.to_string());
    let page = |from: &str, end: Option<&str>, id: &str| {
        let mut page = json!({"room_id": "!a", "from": from, "response": {"chunk": [event(id)]}});
        page["response"]["end"] = json!(end);
        if end.is_none() {
            page["response"].as_object_mut().unwrap().remove("end");
        }
        page
    };
    let text = format!("{}\n{}\n", page("p1", Some("p2"), "$2"), page("p2", None, "$1"));
    let pages = world.file("pages.jsonl", text);

    let run = world.run(&["import", &pages]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stdout.contains("2 pages left out: the store has no gap for them"), "{}", run.stdout);
    world.run(&["import", "--strict", &pages]).fails(3, &["2 pages left out", "import the sync"]);

    assert_eq!(world.json(&["import", &initial])["gaps_opened"], 1);
    let filled = world.json(&["import", "--strict", &pages]);
    assert_eq!((&filled["events"], &filled["gaps_closed"]), (&json!(2), &json!(1)));
    let done = world.json(&["import", &pages]);
    assert_eq!((&done["responses"], &done["skipped"]), (&json!(0), &json!(2)));
    let held = world.json(&["import", "--again", "--strict", &pages]);
    assert_eq!((&held["held"], &held["unplaced"]), (&json!(2), &json!(0)));
}

#[test]
fn a_file_that_grew_or_was_compressed_goes_on() {
    let world = World::new();
    let all = syncs(6);
    let lines: Vec<&str> = all.lines().collect();
    let file = world.file("live.jsonl", lines[..3].join("\n"));
    assert_eq!(world.json(&["import", &file])["events"], 3);
    world.file("live.jsonl", lines[..4].join("\n"));
    let grown = world.json(&["import", &file]);
    assert_eq!((&grown["skipped"], &grown["events"]), (&json!(3), &json!(1)));
    let packed = world.file("live.jsonl.zst", zstd::encode_all(all.as_bytes(), 3).unwrap());
    let rest = world.json(&["import", &packed]);
    assert_eq!((&rest["skipped"], &rest["events"]), (&json!(4), &json!(2)));
}

#[test]
fn the_kind_is_found_by_shape_not_by_name() {
    let world = World::new();
    // One response over one line needs no other name, and zstd shows in the bytes.
    let file =
        world.file("response.txt", zstd::encode_all(sync("s1", &["$1"]).to_string().as_bytes(), 3).unwrap());
    assert_eq!(world.json(&["import", &file])["events"], 1);
    let pretty = world.file("pretty.json", serde_json::to_string_pretty(&sync("s2", &["$2"])).unwrap());
    assert_eq!(world.json(&["import", &pretty])["events"], 1);
}

#[test]
fn the_own_user_is_remembered() {
    let world = World::new();
    let file = world.file("a.jsonl", syncs(1));
    assert_eq!(world.run(&["import", "--user", "@me:x", &file]).code, 0);
    assert_eq!(world.run(&["import", &file]).code, 0);
    assert_eq!(world.run(&["import", "--user", "@me:x", &file]).code, 0);
    world.run(&["import", "--user", "@you:x", &file]).fails(4, &["@me:x", "@you:x", "--store"]);
}

#[test]
fn a_store_in_memory() {
    let file = fixture(BIG[0]);
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_haos"))
        .args(["--store", "memory:", "--json", "import", "-q", &file])
        .output()
        .unwrap();
    assert_eq!(common::Run::from(output).lines().last().unwrap()["events"], 800);
}
