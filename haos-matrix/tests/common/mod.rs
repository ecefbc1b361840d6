//! The captures of a real homeserver, and how the tests look at them.
#![allow(clippy::unwrap_used, clippy::panic, dead_code, reason = "each test uses its part, and panics")]

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use haos_matrix::{Account, parse_messages, parse_sync};
use haos_queue::{BackfillPage, Event, RoomDelta, SyncDelta};
use haos_store_api::{Direction, RoomId, StateEntry, UserId};
use serde_json::Value;

pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/matrix")
}

pub(crate) fn alice() -> Account {
    Account::of(UserId::new("@alice:localhost").unwrap())
}

/// A file without the whitespace between its tokens: the captures are indented, a server's answers are not.
pub(crate) fn file(path: &str) -> String {
    compact(&std::fs::read_to_string(folder().join(path)).unwrap())
}

pub(crate) fn compact(json: &str) -> String {
    let (mut inside, mut escaped) = (false, false);
    json.chars()
        .filter(|char| {
            let keep = inside || !char.is_ascii_whitespace();
            inside ^= *char == '"' && !escaped;
            escaped = *char == '\\' && !escaped;
            keep
        })
        .collect()
}

/// A compressed file of `big`.
pub(crate) fn big(name: &str) -> String {
    let bytes = std::fs::read(folder().join("big").join(name)).unwrap();
    String::from_utf8(zstd::decode_all(bytes.as_slice()).unwrap()).unwrap()
}

/// The lines of a file of `big`: `response` of each as text, and the whole line.
pub(crate) fn big_lines(name: &str) -> Vec<(String, Value)> {
    #[derive(serde::Deserialize)]
    struct Line<'a> {
        #[serde(borrow)]
        response: &'a serde_json::value::RawValue,
    }
    let text = big(name);
    let read = |line| {
        let raw: Line<'_> = serde_json::from_str(line).unwrap();
        (raw.response.get().to_owned(), serde_json::from_str(line).unwrap())
    };
    text.lines().map(read).collect()
}

/// The names of the JSON files of a folder.
pub(crate) fn names(under: &str) -> Vec<String> {
    let mut names: Vec<_> = std::fs::read_dir(folder().join(under))
        .unwrap()
        .map(|entry| format!("{under}/{}", entry.unwrap().file_name().to_str().unwrap()))
        .filter(|name| name.ends_with(".json"))
        .collect();
    names.sort();
    names
}

pub(crate) fn sync(name: &str) -> SyncDelta {
    parse_sync(file(&format!("sync/{name}.json")).as_bytes(), &alice()).unwrap()
}

pub(crate) fn page(name: &str, room: &str) -> BackfillPage {
    let json = file(&format!("messages/{name}.json"));
    parse_messages(json.as_bytes(), &RoomId::new(room).unwrap(), Direction::Older).unwrap()
}

/// A name of `ids.json`, such as `rooms/general`.
pub(crate) fn id(path: &str) -> String {
    static IDS: OnceLock<Value> = OnceLock::new();
    let ids = IDS.get_or_init(|| serde_json::from_str(&file("ids.json")).unwrap());
    ids.pointer(&format!("/{path}")).and_then(Value::as_str).unwrap_or_else(|| panic!("{path}")).to_owned()
}

pub(crate) fn room<'d>(delta: &'d SyncDelta, id: &str) -> &'d RoomDelta {
    delta.rooms.iter().find(|room| room.id.as_str() == id).unwrap_or_else(|| panic!("no room {id}"))
}

pub(crate) fn event<'d>(room: &'d RoomDelta, id: &str) -> &'d Event {
    room.timeline.iter().find(|event| event.id.as_str() == id).unwrap_or_else(|| panic!("no event {id}"))
}

/// The last entry of a kind and key.
pub(crate) fn entry<'d>(entries: &'d [StateEntry], kind: &str, key: &str) -> &'d StateEntry {
    let found = entries.iter().rev().find(|entry| entry.kind.as_str() == kind && entry.key.as_str() == key);
    found.unwrap_or_else(|| panic!("no entry {kind} {key}"))
}

/// Everything of a delta that was set aside.
pub(crate) fn set_aside(state: &[StateEntry]) -> Vec<&StateEntry> {
    state.iter().filter(|entry| entry.kind.as_str() == "haos.unreadable").collect()
}

/// How much of an answer could not be read and is not among it.
pub(crate) fn left_out(delta: &SyncDelta) -> u64 {
    let entry = delta.account.iter().find(|entry| entry.kind.as_str() == "haos.left_out");
    entry.map_or(0, |entry| entry.value.parse().unwrap())
}

pub(crate) fn unreadable(delta: &SyncDelta) -> Vec<&StateEntry> {
    let rooms = delta.rooms.iter().flat_map(|room| &room.state);
    rooms.chain(&delta.account).filter(|entry| entry.kind.as_str() == "haos.unreadable").collect()
}

pub(crate) fn events(delta: &SyncDelta) -> usize {
    delta.rooms.iter().map(|room| room.timeline.len()).sum()
}
