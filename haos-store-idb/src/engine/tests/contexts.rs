//! Several contexts over one database.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use haos_store_api::backend::{Codec, Crc32};
use haos_store_api::*;

use super::super::head::Head;
use super::super::kv::Table;
use super::super::memory::{Memory, Taken};
use super::super::record::{Entry, Record};
use super::map::Maps;
use super::store::{Folds, MapStore};

pub(super) type Db = Arc<Mutex<Maps>>;

pub(super) fn message(n: u64) -> Message {
    Message {
        room: RoomId::new("!r").unwrap(),
        id: EventId::new(format!("$e{n}")).unwrap(),
        position: Position::FIRST.newer(n).unwrap(),
        sender: UserId::new("@ada:x").unwrap(),
        timestamp_ms: 0,
        kind: EventType::new("m.room.message").unwrap(),
        state_key: None,
        content: Json::empty(),
        relation: None,
        txn_id: None,
        redacted_by: None,
        provisional: false,
        extra: None,
    }
}

pub(super) fn open(db: &Db) -> MapStore {
    MapStore::open(Arc::clone(db), Codec::plain(), Folds::Never)
}

pub(super) fn puts(numbers: impl IntoIterator<Item = u64>) -> WriteBatch {
    let mut batch = WriteBatch::relaxed();
    for n in numbers {
        batch.put_message(message(n));
    }
    batch
}

pub(super) async fn with_room(db: &Db) -> Result<MapStore> {
    let store = open(db);
    let mut batch = WriteBatch::relaxed();
    batch.put_room(Room::new(message(0).room, Membership::Join));
    store.apply(batch).await?;
    Ok(store)
}

pub(super) async fn shown(store: &MapStore) -> Result<Vec<EventId>> {
    let slice = store.timeline(&message(0).room, Page::oldest(5000)).await?;
    Ok(slice.messages().map(|message| message.id.clone()).collect())
}

fn ids(numbers: impl IntoIterator<Item = u64>) -> Vec<EventId> {
    numbers.into_iter().map(|n| message(n).id).collect()
}

/// Shows the same in each store, and nothing is wrong with any.
async fn agree<'s>(
    stores: impl IntoIterator<Item = &'s MapStore>,
    numbers: impl IntoIterator<Item = u64> + Clone,
) -> Result<()> {
    for store in stores {
        assert_eq!(shown(store).await?, ids(numbers.clone()));
        assert_eq!(findings(store).await?, [""; 0]);
    }
    Ok(())
}

pub(super) async fn findings(store: &MapStore) -> Result<Vec<String>> {
    Ok(store.maintain(Maintenance::Check, Progress::none()).await?.findings)
}

#[tokio::test]
async fn what_another_context_wrote_is_seen() -> Result<()> {
    let db = Db::default();
    let stores = [with_room(&db).await?, open(&db)];
    let room = message(0).room;
    for n in 0..60 {
        // In turns of three, so that each finds its own commit before it and the other's.
        let [one, other] = [(n / 3) % 2, (n / 3 + 1) % 2].map(|nr| &stores[nr as usize]);
        one.apply(puts([n])).await?;
        assert!(!other.apply(puts([n])).await?.changed, "{n}");
        let mut taken = WriteBatch::relaxed();
        taken.put_message(Message { id: EventId::new("$other").unwrap(), ..message(n) });
        assert_eq!(other.apply(taken).await.unwrap_err().kind(), ErrorKind::Conflict, "{n}");
        if n % 7 == 3 {
            // Its place becomes free, and is taken again.
            let mut batch = WriteBatch::relaxed();
            batch.remove_message(room.clone(), message(n).id);
            other.apply(batch).await?;
            assert!(one.apply(puts([n])).await?.changed, "{n}");
        }
        if n % 11 == 5 {
            one.fold()?;
        }
    }
    agree(&stores, 0..60).await
}

/// A commit that is folded at once leaves nothing in the log that others could take up.
#[tokio::test]
async fn a_large_commit_is_seen() -> Result<()> {
    let db = Db::default();
    let stores = [with_room(&db).await?, open(&db)];
    stores[1].apply(puts([0, 1, 2])).await?;
    assert_eq!(shown(&stores[0]).await?, ids(0..3));
    stores[1].apply(puts(3..3000)).await?;
    assert_eq!(db.lock().unwrap().log.len(), 1, "it was folded");
    assert!(!stores[0].apply(puts([2999])).await?.changed);
    for store in &stores {
        assert_eq!(store.message(&message(0).room, &message(1234).id).await?, Some(message(1234)));
    }
    agree(&stores, 0..3000).await
}

#[test]
fn what_was_read_before_a_fold_is_not_taken_up_after_it() {
    let mut memory = Memory::default();
    memory.begin(Head { folded: 4, ..Head::default() });
    let take = |memory: &mut Memory, number, entry| {
        assert_eq!(memory.know(Record { number, head: Head::default(), entry }), Taken::Done);
    };
    take(&mut memory, 5, Entry::Commit(Default::default()));
    take(&mut memory, 6, Entry::Commit(Default::default()));
    assert!(memory.agrees(4) && memory.agrees(6), "commits alone change no table");
    assert!(!memory.agrees(7), "of what it has not caught up with");
    take(&mut memory, 7, Entry::Folded(5));
    take(&mut memory, 8, Entry::Commit(Default::default()));
    assert!(!memory.agrees(6) && memory.agrees(7) && memory.agrees(8));
    take(&mut memory, 9, Entry::Reset);
    assert!(!memory.agrees(8) && memory.agrees(9));
}

/// No browser is known to leave a hole in the numbers; one that does is slower, and nothing else.
#[tokio::test]
async fn numbers_with_a_hole_do_for_commits_and_folds() -> Result<()> {
    let db = Db::default();
    let stores = [with_room(&db).await?, open(&db)];
    for n in 0..30 {
        db.lock().unwrap().given += n % 3;
        let store = &stores[n as usize % 2];
        assert!(store.apply(puts([n])).await?.changed);
        if n % 7 == 0 {
            store.fold()?;
        }
    }
    agree([&stores[0], &stores[1], &open(&db)], 0..30).await
}

/// A record of the log that cannot be read is a finding, and costs its own commit alone.
#[tokio::test]
async fn a_damaged_record_of_the_log_costs_its_commit() -> Result<()> {
    let db = Db::default();
    let store = with_room(&db).await?;
    for n in 0..5 {
        store.apply(puts([n])).await?;
    }
    *db.lock().unwrap().log.get_mut(&4).unwrap().last_mut().unwrap() ^= 1;
    let store = open(&db);
    assert_eq!(store.info().damaged, 1);
    assert_eq!(shown(&store).await?, ids([0, 1, 3, 4]));
    assert!(store.apply(puts([2])).await?.changed, "a sync brings it again");
    let findings = findings(&store).await?;
    assert!(findings.iter().any(|finding| finding.starts_with("log: ")), "{findings:?}");
    assert_eq!(shown(&open(&db)).await?, ids(0..5));
    Ok(())
}

/// What a partial fold leaves in the log is still over what it took.
#[tokio::test]
async fn a_fold_stops_where_it_would_change_too_much() -> Result<()> {
    let db = Db::default();
    let store = with_room(&db).await?;
    // Apart, so that each is a bucket of its own; the first place of all changes again and again.
    for n in 0..600 {
        store.apply(puts([n * 40])).await?;
        if n % 50 == 0 {
            let mut batch = WriteBatch::relaxed();
            batch.remove_message(message(0).room, message(n * 40).id);
            store.apply(batch).await?;
        }
    }
    let before = shown(&store).await?;
    let other = open(&db);
    assert_eq!(shown(&other).await?, before);
    let first = store.fold_once()?;
    assert!(first.more && first.records > 500, "{first:?}");
    assert!(db.lock().unwrap().log.len() > 80, "the others are left");
    assert_eq!(shown(&open(&db)).await?, before);
    store.maintain(Maintenance::Compact, Progress::none()).await?;
    for store in [&store, &other, &open(&db)] {
        assert_eq!(shown(store).await?, before);
        assert_eq!(store.count(&message(0).room, None).await?, before.len() as u64);
        assert_eq!(findings(store).await?, [""; 0]);
    }
    Ok(())
}

/// A part of a timeline that was dropped stays so, though an earlier record was folded and the drop was not.
#[tokio::test]
async fn a_drop_in_the_log_is_over_what_a_fold_took() -> Result<()> {
    let db = Db::default();
    let store = with_room(&db).await?;
    for n in 0..600 {
        store.apply(puts([n * 40])).await?;
    }
    let mut batch = WriteBatch::relaxed();
    batch.remove_room(message(0).room).put_room(Room::new(message(0).room, Membership::Join));
    batch.put_message(message(7)).put_message(message(80));
    store.apply(batch).await?;
    let other = open(&db);
    assert!(store.fold_once()?.more, "the drop is left in the log");
    for store in [&store, &other, &open(&db)] {
        assert_eq!(shown(store).await?, ids([7, 80]));
        assert_eq!(store.message(&message(0).room, &message(40).id).await?, None);
    }
    store.fold()?;
    agree([&store, &other, &open(&db)], [7, 80]).await
}

/// A record that a later version of this library wrote is not folded away by one that cannot read it.
#[tokio::test]
async fn a_record_of_a_later_version_stays_in_the_log() -> Result<()> {
    let db = Db::default();
    let store = with_room(&db).await?;
    store.apply(puts([0])).await?;
    let mut later = db.lock().unwrap().log[&2].clone();
    later.truncate(later.len() - 4);
    later[0] += 1;
    later.extend(Crc32::of(&later).to_be_bytes());
    db.lock().unwrap().log.insert(2, later);
    assert_eq!(store.fold_once().unwrap_err().kind(), ErrorKind::NewerSchema);
    assert_eq!(store.apply(puts(1..3000)).await.unwrap_err().kind(), ErrorKind::NewerSchema);
    assert_eq!(db.lock().unwrap().log.len(), 2);
    Ok(())
}

/// A fold puts new ids behind a damaged block of them, and over no other one.
#[tokio::test]
async fn a_damaged_block_of_ids_costs_its_own() -> Result<()> {
    let db = Db::default();
    let store = with_room(&db).await?;
    // Two full blocks and a part of one.
    store.apply(puts(0..2500)).await?;
    store.fold()?;
    let last = |db: &Db| {
        let mut db = db.lock().unwrap();
        let (key, value) = db.tables.get_mut(&Table::Ids).unwrap().iter_mut().next_back().unwrap();
        (key.clone(), std::mem::take(value))
    };
    let (key, mut value) = last(&db);
    value.pop();
    db.lock().unwrap().tables.get_mut(&Table::Ids).unwrap().insert(key, value);
    let store = open(&db);
    store.apply(puts([2500])).await?;
    store.fold()?;
    let store = open(&db);
    let room = message(0).room;
    let mut lost = 0;
    for n in 0..=2500 {
        lost += u64::from(store.message(&room, &message(n).id).await?.is_none());
    }
    assert_eq!(lost, 2500 - 2048, "those of the damaged block");
    assert!(store.message(&room, &message(2500).id).await?.is_some());
    Ok(())
}

#[tokio::test]
async fn a_fold_that_is_killed_at_any_write_changes_nothing() -> Result<()> {
    let mut killed = 0;
    loop {
        let db = Db::default();
        let store = with_room(&db).await?;
        store.apply(puts(0..70)).await?;
        store.fold()?;
        store.apply(puts([100, 5000])).await?;
        let mut batch = puts([71]);
        batch.remove_message(message(0).room, message(9).id);
        store.apply(batch).await?;
        let before = db.lock().unwrap().all();
        store.writes.store(killed, Ordering::Relaxed);
        let folded = store.fold_once();
        store.writes.store(u32::MAX, Ordering::Relaxed);
        let left = (0..70).filter(|n| *n != 9).chain([71, 100, 5000]);
        if folded.is_err() {
            assert_eq!(db.lock().unwrap().all(), before, "{killed}");
        }
        agree([&store, &open(&db)], left.clone()).await?;
        store.fold()?;
        agree([&store, &open(&db)], left).await?;
        if folded.is_ok() {
            break;
        }
        killed += 1;
    }
    // Buckets, ids, room, outdated records, counters.
    assert!(killed >= 8, "{killed}");
    Ok(())
}
