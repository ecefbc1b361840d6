//! Every capture is read whole: exact counts, nothing set aside, the same event from every endpoint.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says so by panicking")]

mod common;

use std::collections::HashMap;
use std::time::Instant;

use common::{alice, big, big_lines, compact, events, file, names, set_aside, unreadable};
use haos_matrix::{Account, parse_event, parse_messages, parse_sync};
use haos_queue::{Event, SyncDelta};
use haos_store_api::{Direction, EventId, Json, RoomId, UserId};
use serde_json::Value;
use serde_json::value::RawValue;

fn timeline_events(response: &Value) -> usize {
    let rooms = response["rooms"].as_object().into_iter().flat_map(|sections| sections.values());
    let rooms = rooms.flat_map(|section| section.as_object().unwrap().values());
    rooms.map(|room| room["timeline"]["events"].as_array().map_or(0, Vec::len)).sum()
}

fn read(json: &str) -> SyncDelta {
    let delta = parse_sync(json.as_bytes(), &alice()).unwrap();
    let unreadable = unreadable(&delta);
    assert!(unreadable.is_empty(), "{}", unreadable[0].value.as_str());
    delta
}

#[test]
fn every_sync() {
    let names = names("sync");
    assert_eq!(names.len(), 27);
    for name in names {
        let json = file(&name);
        let response: Value = serde_json::from_str(&json).unwrap();
        let delta = read(&json);
        assert_eq!(events(&delta), timeline_events(&response), "{name}");
        assert_eq!(delta.next.as_deref(), response["next_batch"].as_str(), "{name}");
    }
}

#[test]
fn every_page() {
    let room = RoomId::new(common::id("rooms/general")).unwrap();
    let counts = names("messages").into_iter().filter_map(|name| {
        let json = file(&name);
        let response: Value = serde_json::from_str(&json).unwrap();
        let chunk = response.get("chunk")?.as_array().unwrap().len();
        let read = parse_messages(json.as_bytes(), &room, Direction::Older).unwrap();
        assert!(set_aside(&read.state).is_empty(), "{name}");
        assert_eq!(read.events.len(), chunk, "{name}");
        assert_eq!(read.end.as_deref(), response.get("end").and_then(Value::as_str), "{name}");
        Some(chunk)
    });
    assert_eq!(counts.sum::<usize>(), 3 * 50 + 69 + 30 + 4 + 1);
}

#[test]
fn the_big_account() {
    let context = Account::default();
    for (name, rooms, count) in
        [("initial_sync_unlimited.json.zst", 40, 20_399), ("initial_sync_limit20.json.zst", 40, 800)]
    {
        let json = big(name);
        let started = Instant::now();
        let delta = parse_sync(json.as_bytes(), &context).unwrap();
        println!("{name}: {} bytes in {:?}", json.len(), started.elapsed());
        assert_eq!((delta.rooms.len(), events(&delta)), (rooms, count));
        assert!(unreadable(&delta).is_empty());
    }

    let pages = big_lines("messages_pages.jsonl.zst");
    let mut count = 0;
    for (json, line) in &pages {
        let room = RoomId::new(line["room_id"].as_str().unwrap()).unwrap();
        let read = parse_messages(json.as_bytes(), &room, Direction::Older).unwrap();
        assert!(set_aside(&read.state).is_empty());
        count += read.events.len();
    }
    assert_eq!((pages.len(), count), (255, 19_599));

    let syncs = big_lines("incremental_syncs.jsonl.zst");
    let deltas: Vec<_> =
        syncs.iter().map(|(json, _)| parse_sync(json.as_bytes(), &context).unwrap()).collect();
    let limited = |delta: &SyncDelta| delta.rooms.iter().filter(|room| room.limited).count();
    assert_eq!((deltas.len(), deltas.iter().map(events).sum::<usize>()), (500, 2_604));
    assert_eq!(deltas.iter().map(limited).sum::<usize>(), 151);
    assert_eq!(deltas.iter().map(|delta| unreadable(delta).len()).sum::<usize>(), 0);
    for (before, (_, line)) in deltas.iter().zip(&syncs[1..]) {
        assert_eq!(before.next.as_deref(), line["since"].as_str(), "the syncs follow one another");
    }
}

/// Without what two answers may differ in: the sender's transaction id, and a redaction in between.
/// Some captures of `big` were written with `\u` escapes, which the store keeps; here they are read.
fn comparable(event: &Event, redacted: bool) -> Event {
    let unescaped = |json: &Json| {
        let read = || Json::of(&json.parse::<Value>().unwrap()).unwrap();
        if json.as_str().contains("\\u") { read() } else { json.clone() }
    };
    let mut event = event.clone();
    event.content = unescaped(&event.content);
    event.extra = event.extra.as_ref().map(unescaped);
    event.txn_id = None;
    if redacted {
        event.redacted_by = None;
        event.relation = None;
        event.content = Json::empty();
    }
    event
}

/// Counts the events that come more than once, each equal to its first.
fn same_events(all: impl IntoIterator<Item = Event>) -> usize {
    let mut seen: HashMap<EventId, Event> = HashMap::new();
    let mut again = 0;
    for event in all {
        let Some(first) = seen.get(&event.id) else {
            seen.insert(event.id.clone(), event);
            continue;
        };
        again += 1;
        let redacted = first.redacted_by != event.redacted_by;
        let (left, right) = (comparable(first, redacted), comparable(&event, redacted));
        let texts =
            |event: &Event| (event.content.clone(), event.extra.as_ref().map(|e| e.as_str().to_owned()));
        assert_eq!(left, right, "{:?} and {:?}", texts(&left), texts(&right));
    }
    again
}

#[test]
fn an_event_is_the_same_from_every_endpoint() {
    let room = RoomId::new(common::id("rooms/general")).unwrap();
    let mut all = Vec::new();
    for name in names("sync") {
        all.extend(read(&file(&name)).rooms.into_iter().flat_map(|room| room.timeline));
    }
    for name in names("messages") {
        let json = file(&name);
        if json.contains("\"chunk\"") {
            all.extend(parse_messages(json.as_bytes(), &room, Direction::Older).unwrap().events);
        } else {
            let context: HashMap<String, Box<RawValue>> = serde_json::from_str(&json).unwrap();
            all.push(parse_event(context["event"].get().as_bytes()).unwrap());
        }
    }
    assert_eq!(same_events(all), 342);

    let context = Account::default();
    let mut all = Vec::new();
    for json in [big("initial_sync_unlimited.json.zst"), big("initial_sync_limit20.json.zst")] {
        let delta = parse_sync(json.as_bytes(), &context).unwrap();
        all.extend(delta.rooms.into_iter().flat_map(|room| room.timeline));
    }
    for (json, _) in big_lines("messages_pages.jsonl.zst") {
        all.extend(parse_messages(json.as_bytes(), &room, Direction::Older).unwrap().events);
    }
    assert_eq!(same_events(all), 800 + 19_599);
}

#[test]
fn the_same_input_gives_the_same_delta() {
    let user = Account::of(UserId::new("@alice:localhost").unwrap());
    let json = std::fs::read(common::folder().join("sync/initial_all_limit1000.json")).unwrap();
    assert_eq!(parse_sync(&json, &user).unwrap(), parse_sync(&json, &user).unwrap());
    let text = compact(std::str::from_utf8(&json).unwrap());
    assert_eq!(events(&parse_sync(text.as_bytes(), &user).unwrap()), 156);
}
