//! `haos export`: rooms for people.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails so")]

mod common;

use std::path::{Path, PathBuf};

use common::{filled, id};
use serde_json::Value;

/// The files below a folder whose names end so.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, ending));
        } else if path.to_string_lossy().ends_with(ending) {
            found.push(path);
        }
    }
    found
}

#[test]
fn all_rooms_as_pages() {
    let world = filled();
    let folder = world.path("chats");
    let run = world.run(&["export", &folder.display().to_string()]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stdout.contains("index.html in a browser"), "{}", run.stdout);
    let rooms = world.json(&["rooms"]).as_array().unwrap().len();
    assert_eq!(files(&folder, "/0001.html").len(), rooms);
    let index = std::fs::read_to_string(folder.join("index.html")).unwrap();
    assert_eq!(index.matches("<a href=").count(), rooms);
    for page in files(&folder, ".html") {
        let page = std::fs::read_to_string(page).unwrap();
        assert!(!page.contains("<script") && page.contains("script-src 'none'"));
    }
    let general =
        files(&folder, "/0001.html").into_iter().find(|path| path.to_string_lossy().contains("general"));
    let general = std::fs::read_to_string(general.unwrap()).unwrap();
    assert!(general.contains("<b title=\"@alice:localhost\">Alice 🌻</b>"), "names are those of members");
    let again = world.run(&["export", &folder.display().to_string()]);
    assert_eq!(again.code, 3, "{}", again.stderr);
    assert!(again.stderr.contains("not empty"), "{}", again.stderr);
}

#[test]
fn one_room_as_json_with_filters() {
    let world = filled();
    let (room, folder) = (id("rooms", "general"), world.path("json"));
    let place = folder.display().to_string();
    let done =
        world.json(&["export", &place, "--room", &room, "--format", "json", "--sender", "@alice:localhost"]);
    let [file] = files(&folder, ".json").try_into().unwrap();
    let document: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    assert_eq!((&document["room"]["id"], &done["rooms"]), (&Value::from(room.clone()), &Value::from(1)));
    let items = document["items"].as_array().unwrap();
    assert!(!items.is_empty() && items.iter().all(|item| item["sender"] == "@alice:localhost"), "{items:?}");
    assert_eq!(done["messages"].as_u64(), Some(items.len() as u64));

    let none = world.json(&[
        "export",
        &world.path("none").display().to_string(),
        "--room",
        &room,
        "--format",
        "markdown",
        "--until",
        "1990-01-01",
    ]);
    assert_eq!(none["messages"], 0);
    let wrong = world.run(&["export", "x", "--from", "yesterday"]);
    assert_eq!(wrong.code, 2, "{}", wrong.stderr);
    let unknown = world.run(&["export", &world.path("u").display().to_string(), "--room", "nowhere"]);
    assert_eq!((unknown.code, world.path("u").exists()), (3, false), "{}", unknown.stderr);
}
