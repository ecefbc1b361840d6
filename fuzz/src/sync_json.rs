//! Any bytes as a server's answers: they are read or refused, their content is applied or refused, and applying it
//! again changes nothing.

use haos_matrix::{Account, MatrixProtocol, parse_event, parse_messages, parse_sync};
use haos_queue::{Filled, SyncDelta, Synced, apply_page, apply_sync};
use haos_store_api::*;

use crate::block_on;

/// A joined room with one message and a gap below it, whose token is `t0`.
pub(crate) const START: &[u8] = br#"{"next_batch":"s0","rooms":{"join":{"!lobby":{"timeline":{"limited":true,
    "prev_batch":"t0","events":[{"event_id":"$start","sender":"@bob:localhost","type":"m.room.message",
    "origin_server_ts":1,"content":{"body":"start"}}]}}}}}"#;

/// The first byte chooses the form of the rest: answers of `/sync`, one a line and one after the other, a page of
/// `/messages`, or an event.
pub fn run(data: &[u8]) {
    let Some((choice, json)) = data.split_first() else { return };
    match choice % 4 {
        0 => block_on(syncs(json)),
        1 => block_on(page(json)),
        2 => drop(parse_messages(json, &lobby(), Direction::Newer)),
        _ => drop(parse_event(json)),
    }
}

pub(crate) fn lobby() -> RoomId {
    RoomId::new("!lobby").expect("a room id")
}

pub(crate) fn alice() -> Account {
    Account::of(UserId::new("@alice:localhost").expect("a user id"))
}

async fn syncs(lines: &[u8]) {
    let (store, account) = (MemoryStore::new(), alice());
    for line in lines.split(|byte| *byte == b'\n') {
        let Ok(delta) = parse_sync(line, &account) else { continue };
        let first = sync(&store, &delta).await;
        let held = Held::of(&store).await;
        let second = sync(&store, &delta).await;
        if names_a_room_twice(&delta) {
            continue;
        }
        match first {
            Ok(_) => assert_eq!(second, Ok(Synced::Unchanged), "applied twice"),
            Err(kind) => assert_eq!(second, Err(kind), "refused twice"),
        }
        assert_eq!(Held::of(&store).await, held, "after the second time");
    }
}

async fn sync(store: &MemoryStore, delta: &SyncDelta) -> std::result::Result<Synced, ErrorKind> {
    apply_sync(store, delta, alice().user.as_ref(), &MatrixProtocol).await.map_err(|e| e.kind())
}

/// Such an answer enters as two: the second time, the first of them undoes what the second said.
fn names_a_room_twice(delta: &SyncDelta) -> bool {
    let mut seen = std::collections::HashSet::new();
    !delta.rooms.iter().all(|room| seen.insert(&room.id))
}

async fn page(json: &[u8]) {
    let Ok(page) = parse_messages(json, &lobby(), Direction::Older) else { return };
    let (store, account) = (MemoryStore::new(), alice());
    let start = parse_sync(START, &account).expect("an answer");
    sync(&store, &start).await.expect("the start is applied");
    let gap = store.gaps(&lobby()).await.expect("gaps").remove(0);
    let fill = async || {
        let user = account.user.as_ref();
        apply_page(&store, &gap, &page, user, &MatrixProtocol).await.map_err(|e| e.kind())
    };
    let first = fill().await;
    let held = Held::of(&store).await;
    let second = fill().await;
    // If its end is the token of its request, a page fits its gap for ever.
    if page.end != gap.token {
        match first {
            Ok(_) => assert_eq!(second, Ok(Filled::Gone), "filled twice"),
            Err(kind) => assert_eq!(second, Err(kind), "refused twice"),
        }
        assert_eq!(Held::of(&store).await, held, "after the second time");
    }
}

/// A store's rows of an account.
#[derive(Debug, PartialEq)]
struct Held {
    account: Vec<StateEntry>,
    rooms: Vec<(Room, Vec<Item>, Vec<StateEntry>)>,
}

impl Held {
    async fn of(store: &MemoryStore) -> Self {
        let state = async |scope| store.state(StateQuery::all(scope)).await.expect("state");
        let mut rooms = Vec::new();
        for room in store.rooms(RoomQuery::default()).await.expect("rooms") {
            let slice = store.timeline(&room.id, Page::oldest(usize::MAX)).await.expect("a timeline");
            let entries = state(Scope::Room(room.id.clone())).await;
            rooms.push((room, slice.items, entries));
        }
        Self { account: state(Scope::Account).await, rooms }
    }
}
