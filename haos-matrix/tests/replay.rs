//! Real captures, through the contract, into real stores: the order equals the server's, and applying
//! any response twice changes nothing.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::collections::BTreeMap;

use common::{alice, big, big_lines, file};
use haos_matrix::{Account, MatrixProtocol, parse_messages, parse_sync};
use haos_queue::{Filled, Synced, apply_page, apply_sync};
use haos_store_api::*;
use haos_store_sqlite::{SqliteOptions, SqliteStore};
use serde_json::Value;

async fn stores(folder: &tempfile::TempDir) -> [Box<dyn StorageAdapter>; 2] {
    let sqlite = SqliteStore::open(SqliteOptions::new(folder.path().join("replay.db"))).await.unwrap();
    [Box::new(MemoryStore::new()), Box::new(sqlite)]
}

async fn sync(store: &dyn StorageAdapter, json: &str, account: &Account) -> Synced {
    let delta = parse_sync(json.as_bytes(), account).unwrap();
    let done = apply_sync(store, &delta, account.user.as_ref(), &MatrixProtocol).await.unwrap();
    let again = apply_sync(store, &delta, account.user.as_ref(), &MatrixProtocol).await.unwrap();
    assert_eq!(again, Synced::Unchanged, "applied twice");
    done
}

/// Fills the gap that has the token; applied again, the gap is not there any more.
async fn fill(store: &dyn StorageAdapter, room: &RoomId, from: &str, json: &str) -> Filled {
    let page = parse_messages(json.as_bytes(), room, Direction::Older).unwrap();
    let gaps = store.gaps(room).await.unwrap();
    let Some(gap) = gaps.iter().find(|gap| gap.token.as_deref() == Some(from)) else {
        return Filled::Gone;
    };
    let done = apply_page(store, gap, &page, None, &MatrixProtocol).await.unwrap();
    let revision = store.room(room).await.unwrap().unwrap().revision;
    assert_eq!(apply_page(store, gap, &page, None, &MatrixProtocol).await.unwrap(), Filled::Gone);
    assert_eq!(store.room(room).await.unwrap().unwrap().revision, revision, "a late page changes nothing");
    done
}

/// Ids of a room's messages, oldest first, with `None` for a gap.
async fn timeline(store: &dyn StorageAdapter, room: &RoomId) -> Vec<Option<String>> {
    let mut page = Page::oldest(500);
    let mut ids = Vec::new();
    loop {
        let slice = store.timeline(room, page).await.unwrap();
        ids.extend(slice.items.iter().map(|item| item.as_message().map(|message| message.id.to_string())));
        match slice.newer().filter(|_| slice.more) {
            Some(next) => page = Page::newer_than(next, 500),
            None => return ids,
        }
    }
}

fn ids(events: &Value) -> Vec<Option<String>> {
    let events = events.as_array().unwrap().iter();
    events.map(|event| Some(event["event_id"].as_str().unwrap().to_owned())).collect()
}

fn joined(sync: &Value) -> impl Iterator<Item = (RoomId, &Value)> {
    sync["rooms"]["join"].as_object().into_iter().flatten().map(|(id, room)| (RoomId::new(id).unwrap(), room))
}

fn parse(json: &str) -> Value {
    serde_json::from_str(json).unwrap()
}

#[tokio::test]
async fn the_small_account() {
    let folder = tempfile::tempdir().unwrap();
    for store in stores(&folder).await {
        let store = store.as_ref();
        let initial = file("sync/initial_limit20_lazy.json");
        sync(store, &initial, &alice()).await;
        let mut expected: BTreeMap<RoomId, Vec<Option<String>>> = BTreeMap::new();
        let mut seen = |json: &str| {
            let json = parse(json);
            for section in ["join", "leave"] {
                for (id, room) in json["rooms"][section].as_object().into_iter().flatten() {
                    let events = expected.entry(RoomId::new(id).unwrap()).or_default();
                    let new: Vec<_> = ids(&room["timeline"]["events"])
                        .into_iter()
                        .filter(|id| !events.contains(id))
                        .collect();
                    if room["timeline"]["limited"] == true
                        && new.len() == ids(&room["timeline"]["events"]).len()
                    {
                        events.push(None);
                    }
                    events.extend(new);
                }
            }
        };
        seen(&initial);
        let mut names: Vec<_> = common::names("sync").into_iter().filter(|n| n.contains("incr_")).collect();
        names.sort();
        assert_eq!(names.len(), 21);
        for name in names {
            let json = file(&name);
            sync(store, &json, &alice()).await;
            seen(&json);
        }
        for (room, expected) in &expected {
            assert_eq!(&timeline(store, room).await, expected, "{room}");
        }

        // The gap of the busy room, filled by three pages. The third meets what is stored.
        let gap = parse(&file("sync/incr_09_limited_gap.json"));
        let (busy, room) = joined(&gap).next().unwrap();
        let mut from = room["timeline"]["prev_batch"].as_str().unwrap().to_owned();
        let mut fetched = Vec::new();
        for page in 0..3 {
            let json = file(&format!("messages/gap_busy_page{page}.json"));
            assert_eq!(fill(store, &busy, &from, &json).await, Filled::Applied);
            fetched.extend(ids(&parse(&json)["chunk"]));
            from = parse(&json)["end"].as_str().unwrap().to_owned();
        }
        fetched.reverse();
        let mut filled = expected[&busy].clone();
        let at = filled.iter().rposition(Option::is_none).unwrap();
        let known: Vec<_> = filled[..at].to_vec();
        filled.splice(at..=at, fetched.into_iter().filter(|id| !known.contains(id)));
        assert_eq!(timeline(store, &busy).await, filled);

        let room = |n: &str| RoomId::new(common::id(&format!("rooms/{n}"))).unwrap();
        let general = store.room(&room("general")).await.unwrap().unwrap();
        assert_eq!(general.membership, Membership::Join);
        let dm = store.room(&room("dm")).await.unwrap().unwrap();
        assert!(dm.last_activity_ms > 1_795_362_700_000);
    }
}

#[tokio::test]
async fn every_sync_imports_into_an_empty_store() {
    for name in common::names("sync") {
        let store = MemoryStore::new();
        let json = file(&name);
        sync(&store, &json, &alice()).await;
        for (room, answer) in joined(&parse(&json)) {
            let mut expected = ids(&answer["timeline"]["events"]);
            let part = &answer["timeline"];
            // Nothing is stored that the events could join, and the room was made before.
            let goes_on = part["prev_batch"].is_string()
                && part["events"].get(0).is_some_and(|event| event["type"] != "m.room.create");
            if part["limited"] == true || goes_on {
                expected.insert(0, None);
            }
            assert_eq!(timeline(&store, &room).await, expected, "{name} {room}");
        }
    }
}

/// 20 events a room, 255 pages for the rest, then 500 incremental syncs.
#[tokio::test]
async fn the_big_account() {
    let truth = parse(&big("initial_sync_unlimited.json.zst"));
    let folder = tempfile::tempdir().unwrap();
    for store in stores(&folder).await {
        let store = store.as_ref();
        sync(store, &big("initial_sync_limit20.json.zst"), &Account::default()).await;
        for (response, line) in big_lines("messages_pages.jsonl.zst") {
            let room = RoomId::new(line["room_id"].as_str().unwrap()).unwrap();
            let done = fill(store, &room, line["from"].as_str().unwrap(), &response).await;
            assert_eq!(done, Filled::Applied);
        }
        let mut expected = BTreeMap::new();
        let mut total = 0;
        for (room, answer) in joined(&truth) {
            let events = ids(&answer["timeline"]["events"]);
            assert_eq!(timeline(store, &room).await, events, "{room}");
            total += events.len();
            expected.insert(room, events);
        }
        assert_eq!(total, 20_399);

        for (response, _) in big_lines("incremental_syncs.jsonl.zst") {
            sync(store, &response, &Account::default()).await;
            for (room, answer) in joined(&parse(&response)) {
                let all = expected.entry(room).or_default();
                let shown = ids(&answer["timeline"]["events"]);
                let new: Vec<_> = shown.iter().filter(|id| !all.contains(id)).cloned().collect();
                if answer["timeline"]["limited"] == true && new.len() == shown.len() {
                    all.push(None);
                }
                all.extend(new);
            }
        }
        for (room, events) in &expected {
            assert_eq!(&timeline(store, room).await, events, "{room}");
        }
    }
}
