//! What the front door costs beside the bare reads of the same run: opening a timeline and the list of rooms, a sync to
//! a room that is shown, and the memory of what is shown.
//!
//! `cargo run --release -p haos-benches --bin front [timelines] [lists] [syncs] [memory]`, all of them unless named.
#![allow(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

use std::sync::Arc;
use std::time::Instant;

use haos::live::rooms::RoomFilter;
use haos::{Chat, RoomId, UserId};
use haos_benches::data::{Scale, message, room_id};
use haos_benches::measure;
use haos_queue::{PlainProtocol, RoomDelta, SyncDelta, apply_sync};
use haos_store_api::{
    EventId, EventType, Json, Membership, Page, Pending, PendingQuery, Relation, RelationKind, RelationQuery,
    Room, RoomQuery, Scope, StateEntry, StateKey, StateQuery, StorageAdapter, WriteBatch, state_kind,
};

#[global_allocator]
static ALLOCATED: peak_alloc::PeakAlloc = peak_alloc::PeakAlloc;

/// Messages of the room whose timeline is opened.
const MESSAGES: usize = 20_000;
/// Shown items.
const SHOWN: usize = 50;
/// Messages of a sync.
const NEWS: usize = 5;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    println!("{}", measure::machine());
    measure::head(["bare, us", "front door, us"]);
    let named: Vec<String> = std::env::args().skip(1).collect();
    let is_wanted = |name: &str| named.is_empty() || named.iter().any(|wanted| wanted == name);
    if is_wanted("timelines") {
        timelines().await;
    }
    for rooms in [100, 10_000].into_iter().filter(|_| is_wanted("lists")) {
        lists(rooms).await;
    }
    if is_wanted("syncs") {
        syncs().await;
    }
    if is_wanted("memory") {
        memory().await;
    }
}

struct Bench {
    chat: Chat,
    _folder: tempfile::TempDir,
}

impl Bench {
    async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("s.db").display());
        let chat = Chat::open(&url).offline().await.unwrap();
        let mut batch = WriteBatch::relaxed();
        batch.put_state(entry(Scope::Account, state_kind::OWN_USER, "", "\"@user0:example.org\""));
        chat.store().apply(batch).await.unwrap();
        Self { chat, _folder: folder }
    }

    fn store(&self) -> Arc<dyn StorageAdapter> {
        self.chat.store().clone()
    }

    /// Puts messages into rooms, of which their first sender is a member, with a reaction to every tenth and an edit of every twentieth.
    async fn fill(&self, messages: usize, rooms: usize) {
        let scale = Scale { messages, rooms };
        for chunk in (0..messages).collect::<Vec<_>>().chunks(2000) {
            let mut batch = WriteBatch::relaxed();
            for n in chunk {
                let mut message = message(*n, scale);
                let target = match n / rooms % 20 {
                    11 => Some((RelationKind::Reaction, 1)),
                    12 => Some((RelationKind::Edit, 10)),
                    _ => None,
                };
                if let Some((kind, back)) = target
                    && let Some(target) = n.checked_sub(back * rooms)
                {
                    let target = haos_benches::data::message(target, scale);
                    let key = (kind == RelationKind::Reaction).then(|| "👍".to_owned());
                    if kind == RelationKind::Edit {
                        message.sender = target.sender;
                        message.content =
                            Json::new(r#"{"m.new_content":{"msgtype":"m.text","body":"edited"}}"#).unwrap();
                    }
                    message.relation = Some(Relation { kind, target: target.id, key });
                }
                if n < &rooms {
                    let mut room = Room::new(room_id(*n), Membership::Join);
                    room.name = Some(format!("room {n}"));
                    room.last_activity_ms = *n as i64 * 7919 % 100_000;
                    batch.put_room(room);
                }
                // The last of each room.
                if messages - n <= rooms {
                    batch.put_state(member(Scope::Room(message.room.clone()), &message.sender));
                }
                batch.put_message(message);
            }
            self.store().apply(batch).await.unwrap();
        }
    }

    /// Lets the senders be members.
    async fn join(&self, room: &RoomId) {
        let mut batch = WriteBatch::relaxed();
        for n in 0..97 {
            let user = UserId::new(format!("@user{n}:example.org")).unwrap();
            batch.put_state(member(Scope::Room(room.clone()), &user));
        }
        self.store().apply(batch).await.unwrap();
    }
}

fn member(scope: Scope, user: &UserId) -> StateEntry {
    let event =
        format!(r#"{{"sender":"{user}","content":{{"membership":"join","displayname":"The {user}"}}}}"#);
    entry(scope, "m.room.member", user.as_str(), &event)
}

fn entry(scope: Scope, kind: &str, key: &str, value: &str) -> StateEntry {
    StateEntry {
        scope,
        kind: EventType::new(kind).unwrap(),
        key: StateKey::new(key).unwrap(),
        event_id: None,
        value: Json::new(value).unwrap(),
    }
}

/// Reads what a timeline is made of: the outbox, a page, what relates to it, and who its senders are.
async fn bare_timeline(store: &dyn StorageAdapter, room: &RoomId) -> usize {
    let rows: Vec<Pending> =
        store.pending(PendingQuery { room: Some(room.clone()), ..PendingQuery::default() }).await.unwrap();
    let slice = store.timeline(room, Page::newest(SHOWN + SHOWN / 10)).await.unwrap();
    let targets: Vec<EventId> = slice.messages().map(|message| message.id.clone()).collect();
    let query = RelationQuery { room: room.clone(), targets, kind: None, limit: usize::MAX };
    let related = store.related(query).await.unwrap();
    let senders: std::collections::BTreeSet<&UserId> =
        slice.messages().map(|message| &message.sender).collect();
    let mut known = 0;
    for sender in senders {
        let key = StateKey::new(sender.as_str()).unwrap();
        let query = StateQuery::one(Scope::Room(room.clone()), EventType::new("m.room.member").unwrap(), key);
        known += store.state(query).await.unwrap().len();
    }
    rows.len() + slice.items.len() + related.len() + known
}

async fn timelines() {
    let bench = Bench::open().await;
    bench.fill(MESSAGES, 1).await;
    let room = room_id(0);
    bench.join(&room).await;
    let store = bench.store();
    let mut times = (Vec::new(), Vec::new());
    for _ in 0..measure::PASSES {
        let (mut bare, mut front) = (Vec::new(), Vec::new());
        for _ in 0..100 {
            let start = Instant::now();
            assert!(bare_timeline(&*store, &room).await > SHOWN);
            bare.push(start.elapsed().as_secs_f64() * 1e6);
            let start = Instant::now();
            let timeline = bench.chat.room(&room).timeline(SHOWN).await.unwrap();
            assert!(timeline.items().await.unwrap().len() >= SHOWN);
            front.push(start.elapsed().as_secs_f64() * 1e6);
        }
        times.0.push(measure::median(&mut bare));
        times.1.push(measure::median(&mut front));
    }
    measure::row(&format!("first {SHOWN} items of {MESSAGES}"), times, "1.5");
    bench.chat.close().await.unwrap();
}

/// Reads what a list is made of: a page of rooms, and the newest message of each.
async fn bare_list(store: &dyn StorageAdapter) -> usize {
    let rooms = store.rooms(RoomQuery::latest(SHOWN)).await.unwrap();
    let mut messages = 0;
    for room in &rooms {
        messages += store.timeline(&room.id, Page::newest(1)).await.unwrap().items.len();
    }
    messages
}

async fn lists(rooms: usize) {
    let bench = Bench::open().await;
    bench.fill(4 * rooms, rooms).await;
    let store = bench.store();
    let mut times = (Vec::new(), Vec::new());
    for _ in 0..measure::PASSES {
        let (mut bare, mut front) = (Vec::new(), Vec::new());
        for _ in 0..50 {
            let start = Instant::now();
            assert_eq!(bare_list(&*store).await, SHOWN);
            bare.push(start.elapsed().as_secs_f64() * 1e6);
            let start = Instant::now();
            assert_eq!(bench.chat.rooms(RoomFilter::joined()).now().await.unwrap().len(), SHOWN);
            front.push(start.elapsed().as_secs_f64() * 1e6);
        }
        times.0.push(measure::median(&mut bare));
        times.1.push(measure::median(&mut front));
    }
    measure::row(&format!("list of {SHOWN} rooms of {rooms}"), times, "2");
    bench.chat.close().await.unwrap();
}

/// Applies syncs of a few messages, first to a room that nobody watches, then to one that is shown, until its steps are
/// here.
async fn syncs() {
    let bench = Bench::open().await;
    bench.fill(2000, 1).await;
    let room = room_id(0);
    bench.join(&room).await;
    let store = bench.store();
    let mut next = 0;
    let mut times = (Vec::new(), Vec::new());
    let mut steps_too = Vec::new();
    for _ in 0..measure::PASSES {
        let (mut bare, mut watched, mut told) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..60 {
            let delta = news(&room, &mut next);
            let start = Instant::now();
            apply_sync(&*store, &delta, None, &PlainProtocol).await.unwrap();
            bare.push(start.elapsed().as_secs_f64() * 1e6);
        }
        let timeline = bench.chat.room(&room).timeline(SHOWN).await.unwrap();
        let (_, mut diffs) = timeline.subscribe().await.unwrap();
        for _ in 0..60 {
            let delta = news(&room, &mut next);
            let start = Instant::now();
            apply_sync(&*store, &delta, None, &PlainProtocol).await.unwrap();
            watched.push(start.elapsed().as_secs_f64() * 1e6);
            assert!(!diffs.next().await.unwrap().unwrap().is_empty());
            told.push(start.elapsed().as_secs_f64() * 1e6);
        }
        times.0.push(measure::median(&mut bare));
        times.1.push(measure::median(&mut watched));
        steps_too.push(measure::median(&mut told));
    }
    let bare = times.0.clone();
    measure::row(&format!("sync of {NEWS} messages, commit"), times, "1.3");
    measure::row("the same, until its steps are here", (bare, steps_too), "1.3");
    bench.chat.close().await.unwrap();
}

/// Subscribes to the timelines of rooms, and tells what each keeps beside the items that it shows.
async fn memory() {
    const ROOMS: usize = 100;
    let bench = Bench::open().await;
    bench.fill(400 * ROOMS, ROOMS).await;
    for room in 0..ROOMS {
        bench.join(&room_id(room)).await;
    }
    // What the first reading leaves behind is the store's: caches, statements, threads.
    bench.chat.room(&room_id(0)).timeline(SHOWN).await.unwrap().items().await.unwrap();
    let before = ALLOCATED.current_usage();
    let mut shown = Vec::with_capacity(ROOMS);
    for room in 0..ROOMS {
        let timeline = bench.chat.room(&room_id(room)).timeline(SHOWN).await.unwrap();
        let (items, diffs) = timeline.subscribe().await.unwrap();
        shown.push((timeline, items, diffs));
    }
    let subscribed = ALLOCATED.current_usage() - before;
    let before = ALLOCATED.current_usage();
    let items: Vec<Vec<_>> = shown
        .iter()
        .map(|(_, items, _)| items.iter().map(|item| Box::new((**item).clone())).collect())
        .collect();
    let copied = ALLOCATED.current_usage() - before;
    let each = |bytes: usize| bytes as f64 / ROOMS as f64 / 1024.0;
    let count = items.iter().map(Vec::len).sum::<usize>() / ROOMS;
    println!(
        "a subscribed room of {count} items{:>22.1} KiB, its items {:.1} KiB, beside them {:.1} KiB (goal: 64)",
        each(subscribed),
        each(copied),
        each(subscribed - copied),
    );
    drop((items, shown));
    bench.chat.close().await.unwrap();
}

fn news(room: &RoomId, next: &mut usize) -> SyncDelta {
    let scale = Scale { messages: 1 << 30, rooms: 1 };
    let events = (0..NEWS).map(|_| {
        *next += 1;
        let message = message(100_000 + *next, scale);
        haos_queue::Event {
            id: message.id,
            sender: message.sender,
            timestamp_ms: message.timestamp_ms,
            kind: message.kind,
            state_key: None,
            content: message.content,
            relation: None,
            txn_id: None,
            redacted_by: None,
            extra: None,
        }
    });
    let mut delta = RoomDelta::new(room.clone(), Membership::Join);
    delta.timeline = events.collect();
    SyncDelta { next: Some(format!("s{next}")), rooms: vec![delta], ..SyncDelta::default() }
}
