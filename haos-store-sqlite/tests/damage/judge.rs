//! What has to hold of a store that was damaged and opened.

use std::collections::{BTreeMap, BTreeSet};

use haos_store_api::backend::files::beside;
use haos_store_api::*;
use haos_store_sqlite::SqliteStore;

use crate::make::{MIRROR, Made, OLD, options};

/// The sums of many rounds.
#[derive(Debug, Default)]
pub(crate) struct Sums {
    pub(crate) rounds: u64,
    pub(crate) recovered: u64,
    pub(crate) refused: u64,
    pub(crate) messages: u64,
    pub(crate) readable: u64,
    pub(crate) unsent: u64,
    pub(crate) unsent_readable: u64,
    pub(crate) tokens_dropped: u64,
    pub(crate) nameless: u64,
}

/// Opens a damaged file, and compares the store with what it held.
pub(crate) async fn judge(made: &Made, damaged: &[u8], pages: &BTreeSet<usize>, what: &str, sums: &mut Sums) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    std::fs::write(&path, damaged).unwrap();
    if let Some(mirror) = &made.mirror {
        std::fs::write(beside(&path, MIRROR), mirror).unwrap();
    }
    sums.rounds += 1;
    let hits =
        |table: &str| made.pages.get(table).is_some_and(|own| own.iter().any(|page| pages.contains(page)));
    let store = match SqliteStore::open(options(&path, made.sealed).check(true)).await {
        Ok(store) => store,
        Err(error) => {
            // The header says whose a file is and how new.
            assert!(pages.contains(&1), "{what}: {error:?}");
            assert!(std::fs::read(&path).unwrap() == damaged, "{what}: a refused file is changed");
            sums.refused += 1;
            return;
        }
    };
    let recovery = store.info().recovery;
    if made.sealed && hits("keyring") && made.mirror.is_none() && recovery.is_some() {
        return;
    }
    let found = found(&store, made, what).await;
    let unsent = store.pending(PendingQuery { skip_damaged: true, ..PendingQuery::default() }).await.unwrap();
    sums.messages += made.messages.len() as u64;
    sums.readable += found.messages.len() as u64;
    sums.unsent += made.pending.len() as u64;
    sums.unsent_readable += unsent.len() as u64;
    for (place, (message, own)) in &made.messages {
        if own.is_disjoint(pages) && pages.len() > 1 && !found.rooms.contains(&place.0) {
            // The file ends before anything that tells the room's id.
            sums.nameless += 1;
        } else if own.is_disjoint(pages) {
            assert_eq!(found.messages.get(place), Some(message), "{what}: {place:?}");
        }
    }
    for (seq, (row, own)) in &made.pending {
        if own.is_disjoint(pages) || made.mirror.is_some() {
            assert!(unsent.iter().any(|found| found == row), "{what}: unsent row {seq}");
        }
    }
    assert!(unsent.len() <= made.pending.len(), "{what}: what was cancelled is back");
    let places: BTreeSet<_> = made.messages.keys().collect();
    for (place, message) in &found.messages {
        assert!(!message.content.as_str().contains(OLD), "{what}: {place:?} is as it was once");
        // A flipped bit may change a plain row's column, which nothing is bound to.
        let is_damaged = !made.sealed && recovery.is_none();
        assert!(
            places.contains(place) || is_damaged || !pages.is_empty() && !made.sealed,
            "{what}: {place:?} is new"
        );
    }
    sums.recovered += u64::from(recovery.is_some());
    // Else its outbox was mended in place.
    if let Some((recovery, aside)) = recovery.as_ref().and_then(|told| Some((told, told.set_aside.as_ref()?)))
    {
        assert!(std::fs::read(aside).unwrap() == damaged, "{what}: what is set aside is changed");
        let token = store.sync_token().await.unwrap();
        sums.tokens_dropped += u64::from(token.is_none());
        holes_are_gaps(made, &found, token.is_some(), what);
        counts_are_true(made, recovery, &found, unsent.len(), pages, what);
    }
    store.close().await.unwrap();
    if recovery.is_some() {
        let store = SqliteStore::open(options(&path, made.sealed).check(true)).await.unwrap();
        assert_eq!(store.info().recovery, None, "{what}: it is told once");
        let report = store.maintain(Maintenance::Check, Progress::none()).await.unwrap();
        assert_eq!(report.findings, Vec::<String>::new(), "{what}");
        store.close().await.unwrap();
    }
}

/// What a store shows.
struct Found {
    messages: BTreeMap<(RoomId, Position), Message>,
    gaps: BTreeSet<(RoomId, Position)>,
    rooms: BTreeSet<RoomId>,
}

async fn found(store: &SqliteStore, made: &Made, what: &str) -> Found {
    let rooms = store.rooms(RoomQuery::default()).await.unwrap_or_default();
    let rooms = rooms.into_iter().map(|room| room.id).collect();
    let mut found = Found { messages: BTreeMap::new(), gaps: BTreeSet::new(), rooms };
    for room in &made.rooms {
        let slice = store.timeline(room, Page::oldest(usize::MAX)).await;
        let slice = slice.unwrap_or_else(|error| panic!("{what}: {room}: {error:?}"));
        for item in slice.items {
            let place = (room.clone(), item.position());
            match item {
                Item::Message(message) => drop(found.messages.insert(place, message)),
                _ => drop(found.gaps.insert(place)),
            }
        }
    }
    found
}

/// Between the neighbours of each lost message stands a gap, or the next sync begins again.
fn holes_are_gaps(made: &Made, found: &Found, has_token: bool, what: &str) {
    for (room, at) in made.messages.keys() {
        if found.messages.contains_key(&(room.clone(), *at)) {
            continue;
        }
        let of_room = |(other, _): &(RoomId, Position)| other == room;
        let here = (room.clone(), *at);
        let older = found.messages.keys().filter(|place| of_room(place)).rfind(|place| **place < here);
        let newer = found.messages.keys().filter(|place| of_room(place)).find(|place| **place > here);
        let Some(newer) = newer else {
            assert!(!has_token, "{what}: {here:?} would never come again");
            continue;
        };
        let is_between = |gap: &&(RoomId, Position)| older.is_none_or(|older| older < *gap) && *gap < newer;
        let is_marked = found.gaps.iter().filter(|place| of_room(place)).any(|gap| is_between(&gap));
        assert!(is_marked, "{what}: no gap tells of {here:?}");
    }
    // A gap that is lost is one again, between the same neighbours.
    for (room, at) in &made.gaps {
        let older = found.messages.keys().rfind(|(other, place)| other == room && place < at);
        let newer = found.messages.keys().find(|(other, place)| other == room && place > at);
        let is_there = found.gaps.iter().any(|(other, place)| {
            other == room
                && older.is_none_or(|older| older.1 < *place)
                && newer.is_none_or(|newer| *place < newer.1)
        });
        assert!(is_there || !has_token, "{what}: the gap at {at} of {room} is lost unseen");
    }
}

fn counts_are_true(
    made: &Made,
    recovery: &Recovery,
    found: &Found,
    unsent: usize,
    pages: &BTreeSet<usize>,
    what: &str,
) {
    let of = |of| recovery.collections.iter().find(|(other, _)| *other == of).unwrap().1;
    let messages = of(Collection::Messages);
    assert_eq!(messages.rows, found.messages.len() as u64, "{what}: {recovery:?}");
    let rows = (recovery.salvaged, recovery.unreadable);
    assert_eq!(rows.0, unsent as u64, "{what}: {recovery:?}");
    assert_eq!((of(Collection::Pending).rows, of(Collection::Pending).unreadable), rows);
    let totals = [
        (Collection::Messages, made.messages.len()),
        (Collection::Pending, made.pending.len()),
        (Collection::Rooms, made.rooms.len()),
        (Collection::State, made.state),
        (Collection::Media, made.media),
    ];
    let hit = |name: &str| made.pages[name].iter().any(|page| pages.contains(page));
    for (collection, total) in totals {
        let CarriedOver { rows, unreadable } = of(collection);
        assert!(rows + unreadable <= total as u64, "{what}: {collection:?} {recovery:?}");
        let names = match collection {
            Collection::Messages => "message_by_key",
            Collection::Pending => "pending_by_key",
            Collection::Rooms => "room_by_key",
            Collection::State => "state_by_place",
            _ => "media_by_key",
        };
        // An index that is whole tells how many there were.
        if !hit(names) && !hit("sqlite_schema") {
            assert_eq!(rows + unreadable, total as u64, "{what}: {collection:?} {recovery:?}");
        }
    }
}
