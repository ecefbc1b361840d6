//! A store with a history: rows that were removed, emptied and replaced have left stale pages.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use haos_store_api::backend::files::beside;
use haos_store_api::conformance::durable::{
    event_id, gap, media, message, pattern, pending, room, room_id, state,
};
use haos_store_api::*;
use haos_store_sqlite::{SqliteOptions, SqliteStore};
use rusqlite::Connection;

/// The end of the path of a store's mirror.
pub(crate) const MIRROR: &str = ".outbox";
/// The word in everything that was replaced or removed later.
pub(crate) const OLD: &str = "of old times";
pub(crate) const UNSENT: u64 = 20;
const ROOMS: u64 = 8;
const SMALL_ROOMS: u64 = 12;

/// A closed store, with what it holds and where.
pub(crate) struct Made {
    _folder: tempfile::TempDir,
    pub(crate) bytes: Vec<u8>,
    /// The second copy of the outbox; absent where it is gone too.
    pub(crate) mirror: Option<Vec<u8>>,
    pub(crate) sealed: bool,
    /// With the pages on which a row lies.
    pub(crate) messages: BTreeMap<(RoomId, Position), (Message, BTreeSet<usize>)>,
    pub(crate) pending: BTreeMap<u64, (Pending, BTreeSet<usize>)>,
    pub(crate) gaps: BTreeSet<(RoomId, Position)>,
    pub(crate) state: usize,
    pub(crate) media: usize,
    pub(crate) rooms: BTreeSet<RoomId>,
    /// The pages of each table or index.
    pub(crate) pages: BTreeMap<String, BTreeSet<usize>>,
}

pub(crate) fn options(path: &Path, sealed: bool) -> SqliteOptions {
    let options = SqliteOptions::new(path);
    if sealed { options.secret(Secret::key([7; 32])) } else { options }
}

fn long(text: &str, n: u64) -> Json {
    let length = if n % 25 == 7 { 9000 } else { 100 + n * 37 % 800 };
    let body = format!("{text} {n} ").repeat(length as usize / (text.len() + 4) + 1);
    Json::new(format!(r#"{{"body":"{body}"}}"#)).unwrap()
}

fn sent(name: &str, n: u64, step: u64, text: &str) -> Message {
    Message { content: long(text, n), ..message(name, &format!("{name}-{n}"), 1000 + n * step) }
}

/// Fills a store; what is of old times goes again.
async fn fill(store: &SqliteStore) {
    let rooms: Vec<String> = (0..ROOMS).map(|n| format!("r{n}")).collect();
    let mut batch = WriteBatch::strict();
    batch.put_room(room("gone"));
    for n in 0..200 {
        batch.put_message(sent("gone", n, 1, OLD));
    }
    store.apply(batch).await.unwrap();
    for (nth, name) in rooms.iter().enumerate() {
        let step = 1 + nth as u64 % 3;
        let mut batch = WriteBatch::strict();
        batch.put_room(Room { topic: Some("talk ".repeat(60)), ..room(name) });
        batch.put_state(state(Scope::Room(room_id(name)), "m.room.name", "", r#"{"name":"x"}"#));
        for n in 0..60 {
            let early = sent(name, n, step, OLD);
            batch.put_message(Message { position: early.position.older(900).unwrap(), ..early });
        }
        for n in 60..300 {
            let text = if n % 9 == 0 { OLD } else { "text" };
            batch.put_message(sent(name, n, step, text));
        }
        batch.put_gap(gap(name, 1000 + 299 * step + 5, "older"));
        batch.put_message(message(name, &format!("{name}-last"), 1000 + 299 * step + 9));
        store.apply(batch).await.unwrap();
    }
    let mut batch = WriteBatch::strict();
    for n in 0..SMALL_ROOMS {
        let name = format!("s{n}");
        batch.put_room(room(&name));
        batch.put_state(state(Scope::Room(room_id(&name)), "m.room.name", "", r#"{"name":"y"}"#));
        for m in 0..3 {
            batch.put_message(sent(&name, m, 2, "text"));
        }
    }
    for n in 0..500 {
        let value = format!(r#"{{"name":"{OLD} {}"}}"#, "z".repeat(80));
        let scope = Scope::Room(room_id(&rooms[n % 8]));
        batch.put_state(state(scope, "m.room.member", &format!("@u{n}:x"), &value));
    }
    batch.put_state(state(Scope::Account, "haos.sync_token", "", r#""s1""#));
    for n in 0..6 {
        batch.put_media(media(&format!("m{n}")), pattern(150_000 + n));
        batch.put_media(media(&format!("small{n}")), pattern(500 + n));
    }
    for n in 0..UNSENT + 10 {
        batch.put_pending(pending("r0", &format!("t{n}")));
    }
    store.apply(batch).await.unwrap();
    let mut batch = WriteBatch::strict();
    batch.remove_room(room_id("gone"));
    for name in &rooms {
        batch.prune(Prune { room: room_id(name), keep: 241, protect: Vec::new() });
        for n in (60..300).filter(|n| n % 9 == 0) {
            let (target, by) = (event_id(&format!("{name}-{n}")), event_id("by"));
            batch.redact(Redact { room: room_id(name), target, by, content: Json::empty() });
        }
    }
    for n in 0..500 {
        let scope = Scope::Room(room_id(&rooms[n % 8]));
        batch.put_state(state(scope, "m.room.member", &format!("@u{n}:x"), &format!(r#"{{"name":"n{n}"}}"#)));
    }
    for n in UNSENT..UNSENT + 10 {
        batch.remove_pending(TxnId::new(format!("t{n}")).unwrap());
    }
    batch.remove_media(media("m5").key);
    store.apply(batch).await.unwrap();
}

pub(crate) async fn make(sealed: bool) -> Made {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    let store = SqliteStore::open(options(&path, sealed)).await.unwrap();
    fill(&store).await;
    let mut made = Made {
        bytes: Vec::new(),
        mirror: None,
        sealed,
        messages: BTreeMap::new(),
        pending: BTreeMap::new(),
        gaps: BTreeSet::new(),
        state: 0,
        media: 0,
        rooms: BTreeSet::new(),
        pages: BTreeMap::new(),
        _folder: folder,
    };
    let mut query = StateQuery::all(Scope::Account);
    made.state += store.state(query.clone()).await.unwrap().len();
    for room in store.rooms(RoomQuery::default()).await.unwrap() {
        for item in store.timeline(&room.id, Page::oldest(usize::MAX)).await.unwrap().items {
            let place = (room.id.clone(), item.position());
            match item {
                Item::Message(message) => {
                    made.messages.insert(place, (message, BTreeSet::new()));
                }
                _ => {
                    made.gaps.insert(place);
                }
            }
        }
        query.scope = Scope::Room(room.id.clone());
        made.state += store.state(query.clone()).await.unwrap().len();
        made.rooms.insert(room.id);
    }
    for row in store.pending(PendingQuery::default()).await.unwrap() {
        made.pending.insert(row.seq, (row, BTreeSet::new()));
    }
    made.media = store.media_index(MediaQuery::default()).await.unwrap().len();
    store.close().await.unwrap();
    locate(&path, &mut made);
    made.bytes = std::fs::read(&path).unwrap();
    made.mirror = Some(std::fs::read(beside(&path, MIRROR)).unwrap());
    assert!(made.messages.values().all(|(message, _)| !message.content.as_str().contains(OLD)));
    made
}

/// Finds the pages of each row, as SQLite itself tells them.
fn locate(path: &PathBuf, made: &mut Made) {
    let conn = Connection::open(path).unwrap();
    let mut statement = conn.prepare("SELECT name, path, pageno, pagetype, ncell FROM dbstat").unwrap();
    let mut leaves: BTreeMap<String, BTreeMap<String, (usize, usize)>> = BTreeMap::new();
    let mut overflow = Vec::new();
    let mut rows = statement.query(()).unwrap();
    while let Some(row) = rows.next().unwrap() {
        let (name, path, page): (String, String, u32) =
            (row.get(0).unwrap(), row.get(1).unwrap(), row.get(2).unwrap());
        let page = page as usize;
        made.pages.entry(name.clone()).or_default().insert(page);
        match row.get::<_, String>(3).unwrap().as_str() {
            "leaf" => drop(
                leaves.entry(name).or_default().insert(path, (page, row.get::<_, u32>(4).unwrap() as usize)),
            ),
            "overflow" => overflow.push((name, path, page)),
            _ => {}
        }
    }
    // The rows of a table in the order of its leaves: a leaf's path and the number within it name a row.
    let places = |table: &str| -> Vec<BTreeSet<usize>> {
        let leaves = leaves.get(table).cloned().unwrap_or_default();
        let mut places = Vec::new();
        for (path, (page, cells)) in leaves {
            for cell in 0..cells {
                let chain = format!("{path}{cell:03x}+");
                let more =
                    overflow.iter().filter(|(name, path, _)| name == table && path.starts_with(&chain));
                places.push(more.map(|(_, _, page)| *page).chain([page]).collect());
            }
        }
        places
    };
    let ids = |sql: &str| -> Vec<i64> {
        let mut statement = conn.prepare(sql).unwrap();
        statement.query_map((), |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    let seqs = ids("SELECT seq FROM pending ORDER BY seq");
    for (seq, pages) in seqs.into_iter().zip(places("pending")) {
        made.pending.get_mut(&(seq as u64)).unwrap().1 = pages;
    }
    // Rooms were numbered in the order in which they were made; their first messages tell which is which.
    let found = ids("SELECT pos FROM message ORDER BY pos");
    let mut numbers: BTreeMap<i64, RoomId> = BTreeMap::new();
    for (name, nr) in made.rooms.iter().zip(ids_of_rooms(&conn, &made.rooms)) {
        numbers.insert(nr, name.clone());
    }
    for (pos, pages) in found.into_iter().zip(places("message")) {
        let position = Position::new(pos as u64 & ((1 << 40) - 1)).unwrap();
        made.messages.get_mut(&(numbers[&(pos >> 40)].clone(), position)).unwrap().1 = pages;
    }
}

/// Returns the rooms' numbers, in the order in which [`fill`] made them.
fn ids_of_rooms(conn: &Connection, rooms: &BTreeSet<RoomId>) -> Vec<i64> {
    let mut statement = conn.prepare("SELECT nr FROM room ORDER BY nr").unwrap();
    let numbers: Vec<i64> = statement.query_map((), |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let order: Vec<RoomId> = (0..ROOMS)
        .map(|n| room_id(&format!("r{n}")))
        .chain((0..SMALL_ROOMS).map(|n| room_id(&format!("s{n}"))))
        .collect();
    let nr_of = |id: &RoomId| numbers[order.iter().position(|other| other == id).unwrap()];
    rooms.iter().map(nr_of).collect()
}
