//! What a load brings, and what a commit takes up: a mistake there is no wrong answer, and costs others' time.

use haos_store_api::backend::Codec;
use haos_store_api::*;

use super::super::changes::{Changes as Written, Run};
use super::super::commit::{self, Draft, Outcome};
use super::super::head::Head;
use super::super::keys::{Bucket, Segment};
use super::super::memory::{Memory, Next, Taken};
use super::super::record::{Entry, Record, mark};
use super::super::row::tests::row;
use super::super::view::{Fault, View};
use super::contexts::{Db, message, open, puts, with_room};

fn bucket(n: u64) -> Bucket {
    Bucket::of(message(n).position)
}

fn draft(memory: &Memory, batch: &WriteBatch) -> Draft {
    match commit::prepare(memory, &Codec::plain(), batch) {
        Ok(Outcome::Draft(draft)) => *draft,
        other => panic!("{other:?}"),
    }
}

fn entry(n: u64) -> WriteBatch {
    let mut batch = WriteBatch::relaxed();
    let room = Room::new(message(0).room, Membership::Join);
    batch.put_room(Room { name: Some(n.to_string()), ..room });
    batch
}

/// Returns a memory after record 4, which knows all of the tables: nothing.
fn empty(batch: &WriteBatch) -> Memory {
    let mut memory = Memory::default();
    memory.begin(Head { folded: 4, ..Head::default() });
    for _ in 0..9 {
        let Ok(Outcome::Lacks(faults)) = commit::prepare(&memory, &Codec::plain(), batch) else { break };
        for fault in faults {
            match fault {
                Fault::Get(table, key) => memory.tables.note(table, key, None),
                Fault::Scan(table, span) => memory.tables.note_range(table, span, Vec::new()),
                other => panic!("{other:?}"),
            }
        }
    }
    memory
}

#[test]
fn a_memory_without_a_beginning_decides_nothing() {
    let nothing = commit::prepare(&Memory::default(), &Codec::plain(), &WriteBatch::relaxed());
    assert!(matches!(nothing, Ok(Outcome::Lacks(faults)) if faults.is_empty()));
}

#[test]
fn a_commit_is_taken_up_once() {
    let mut memory = empty(&entry(1));
    let [first, late] = [1, 2].map(|n| draft(&memory, &entry(n)));
    assert_eq!((first.first, first.has_chunks()), (5, false));
    commit::written(&mut memory, first);
    assert_eq!((memory.number, memory.tail.commits), (Some(5), 1));
    let revision = memory.head.revision;
    commit::written(&mut memory, late);
    assert_eq!((memory.number, memory.tail.commits, memory.head.revision), (Some(5), 1, revision));

    let late = draft(&empty(&entry(3)), &entry(3));
    let mut memory = Memory::default();
    commit::written(&mut memory, late);
    assert_eq!((memory.number, memory.tail.commits), (None, 0));
}

#[test]
fn the_tail_knows_its_size() {
    let room = backend::Key::from_bytes([1; 16]);
    let mut memory = Memory::default();
    memory.begin(Head::default());
    let mut know = |number, entry| {
        memory.know(Record { number, head: Head::default(), entry });
        memory.tail.bytes
    };
    let mut written = Written::default();
    written.put_row(&room, row(30));
    written.rows.insert((room, row(31).at), None);
    assert_eq!(know(1, Entry::Commit(written.into())), 96 + 30 + 96);
    let mut written = Written::default();
    written.records.insert((super::super::kv::Table::Rooms, vec![4; 16]), Some(vec![4; 40].into()));
    written.records.insert((super::super::kv::Table::Rooms, vec![5; 16]), None);
    written.records.insert((super::super::kv::Table::Chunks, vec![5; 16]), Some(vec![5; 40].into()));
    written.put_row(&room, row(20));
    let second = 16 + 40 + 16 + 96 + 20;
    assert_eq!(know(2, Entry::Commit(written.into())), 96 + 30 + 96 + second);
    assert_eq!(know(3, Entry::Folded(1)), second);
    assert_eq!(know(4, Entry::Folded(3)), 0);
}

#[tokio::test]
async fn the_newest_say_whether_anything_is_above() -> Result<()> {
    let db = Db::default();
    let store = with_room(&db).await?;
    store.apply(puts([0, 1, 40, 100])).await?;
    store.fold()?;
    let key = Codec::plain().room_key(&message(0).room);
    let (low, high) = (bucket(40), bucket(100));
    for (newest, is_all) in [(low, false), (high, true)] {
        let store = open(&db);
        store.load(vec![Fault::Newest(key, low, newest)])?;
        let memory = store.memory();
        let memory = memory.borrow();
        assert!(memory.tables.spans(&key, low, newest) && !memory.tables.spans(&key, bucket(0), newest));
        assert_eq!(memory.tables.spans(&key, low, Bucket::NEWEST), is_all);
        let store = open(&db);
        store.load(vec![Fault::Buckets(key, low, newest)])?;
        assert!(!store.memory().borrow().tables.spans(&key, low, Bucket::NEWEST));
    }
    Ok(())
}

#[tokio::test]
async fn a_bucket_of_several_segments_is_read_as_a_whole() -> Result<()> {
    let db = Db::default();
    let store = with_room(&db).await?;
    let mut batch = puts([0, 100]);
    for n in 40..45 {
        batch.put_message(Message { content: Json::of(&"x".repeat(40 << 10)).unwrap(), ..message(n) });
    }
    store.apply(batch).await?;
    store.fold()?;
    let key = Codec::plain().room_key(&message(0).room);
    // From the large bucket, and from one above it, by how many segments are asked for.
    for (from, segments, oldest) in [
        (44, 1, 40),
        (44, 4, 40),
        (44, 5, 40),
        (44, 6, 0),
        (100, 1, 100),
        (100, 5, 100),
        (100, 6, 40),
        (100, 9, 0),
    ] {
        let store = open(&db);
        store.load(vec![Fault::Older(key, bucket(from), segments)])?;
        let memory = store.memory();
        let tables = &memory.borrow().tables;
        let known = |n| tables.bucket(&key, bucket(n)).map(|rows| rows.len());
        let expected = |n: u64, count| (oldest <= n && n <= from).then_some(count);
        assert_eq!(known(0), expected(0, 1), "{from}, {segments}");
        assert_eq!(known(44), if oldest <= 40 { Some(5) } else { None }, "{from}, {segments}");
        assert_eq!(known(100), expected(100, 1), "{from}, {segments}");
        let is_all = matches!(tables.next(&key, Direction::Older, bucket(0)), Next::Found(..));
        assert_eq!(is_all, oldest == 0, "{from}, {segments}");
        assert_eq!(tables.spans(&key, Bucket::OLDEST, bucket(from)), oldest == 0, "{from}, {segments}");
    }
    Ok(())
}

#[test]
fn newer_messages_are_looked_for_nearby_first() {
    let mut memory = Memory::default();
    memory.begin(Head::default());
    let key = backend::Key::from_bytes([1; 16]);
    let at = message(5).position;
    let lacking = |memory: &Memory| {
        let view = View::new(memory);
        assert!(view.page(&key, Direction::Newer, at, 40).is_err());
        view.end().1
    };
    let near = Fault::Newest(key, bucket(5), bucket(5).newer_by(3));
    assert_eq!(lacking(&memory), [near]);
    memory.tables.note_buckets(&key, bucket(5), bucket(5).newer_by(3), Vec::new());
    assert_eq!(lacking(&memory), [Fault::Directory(key)]);
}

#[test]
fn who_reads_on_is_given_more_each_time() {
    let [key, other] = [1, 2].map(|byte| backend::Key::from_bytes([byte; 16]));
    let lacking = |memory: &Memory| {
        let view = View::new(memory);
        assert!(view.page(&key, Direction::Older, row(3200).at, 3201).is_err());
        view.end().1
    };
    let mut memory = Memory::default();
    memory.begin(Head::default());
    let newest = Bucket::of(row(3200).at);
    assert_eq!(lacking(&memory), [Fault::Older(key, newest, 102)]);
    // Buckets of another room, and those with others in between, are not what was read so far.
    let mut oldest = newest;
    for (read, ahead) in [(4, 4), (10, 10), (40, 32)] {
        let rows = |from: u64| (from..=3200).step_by(32).map(row).collect::<Vec<_>>();
        let from = 3200 - 32 * (read - 1);
        oldest = Bucket::of(row(from).at);
        memory.tables.note_buckets(&other, oldest, newest, rows(from));
        memory.tables.note_buckets(&key, oldest, newest, rows(from));
        let left = (3201 - read) / 32 + 2;
        let next = oldest.older().unwrap();
        assert_eq!(lacking(&memory), [Fault::Older(key, next, u32::try_from(left + ahead).unwrap())]);
    }
    let apart = oldest.older().unwrap().older().unwrap();
    let view = View::new(&memory);
    assert!(view.page(&key, Direction::Older, apart.oldest(), 40).is_err());
    assert_eq!(view.end().1, [Fault::Older(key, apart, 3)]);
}

#[test]
fn a_count_reads_the_buckets_that_changed_alone() {
    let [key, other] = [1, 2].map(|byte| backend::Key::from_bytes([byte; 16]));
    let [low, high] = [5, 100].map(|n| Bucket::of(row(n).at));
    let mut memory = Memory::default();
    memory.begin(Head::default());
    let keys = [(low, 3), (high, 5)].map(|(bucket, count)| Segment { bucket, part: 0, count, bytes: 9 });
    memory.tables.note_directory(&key, keys.into_iter());
    let mut view = View::new(&memory);
    view.draft.drop_run(Run { room: other, oldest: Position::MIN, newest: Position::MAX });
    assert_eq!(view.count(&key, Position::MIN).unwrap(), 8);
    assert_eq!(view.count(&key, low.newest().newer(1).unwrap()).unwrap(), 5);

    let mut written = Written::default();
    written.rows.insert((key, row(100).at), None);
    memory.know(Record { number: 1, head: Head::default(), entry: Entry::Commit(written.into()) });
    let view = View::new(&memory);
    assert!(view.count(&key, Position::MIN).is_err());
    assert_eq!(view.end().1, [Fault::Buckets(key, high, high)]);
}

#[test]
fn a_damaged_record_is_passed_over() {
    let mut memory = Memory::default();
    memory.begin(Head { folded: 4, ..Head::default() });
    let mut bytes = mark(5, &Head::default(), &Entry::Reset);
    *bytes.last_mut().unwrap() ^= 1;
    assert_eq!(memory.take(&Codec::plain(), bytes).unwrap(), Taken::Done);
    assert_eq!((memory.number, memory.damaged), (Some(5), 1));
}

#[test]
fn a_batch_over_rooms_in_turns_asks_for_as_little_as_one_room_after_the_other() {
    let rooms = ["!a", "!b", "!c"].map(|id| RoomId::new(id).unwrap());
    let of = |room: &RoomId, n: u64| Message { room: room.clone(), ..message(n) };
    let asked = |all: Vec<Message>| {
        let mut memory = Memory::default();
        memory.begin(Head::default());
        let mut batch = WriteBatch::relaxed();
        for message in all {
            batch.put_message(message);
        }
        let Ok(Outcome::Lacks(faults)) = commit::prepare(&memory, &Codec::plain(), &batch) else { panic!() };
        faults
    };
    // Near each other, and one far away: not what is in between.
    let places = || (0..500).chain([100_000]);
    let in_turns = asked(places().flat_map(|n| rooms.iter().map(move |room| of(room, n))).collect());
    let one_by_one = asked(rooms.iter().flat_map(|room| places().map(move |n| of(room, n))).collect());
    assert_eq!(in_turns, one_by_one);
    let key = Codec::plain().room_key(&rooms[1]);
    let ranges = in_turns.iter().filter_map(|fault| match fault {
        Fault::Newest(room, oldest, newest) if *room == key => Some((*oldest, *newest)),
        _ => None,
    });
    let far = bucket(100_000);
    assert_eq!(ranges.collect::<Vec<_>>(), [(bucket(0), bucket(499)), (far, far)]);
}

#[test]
fn what_is_known_of_the_tables_is_not_asked_for() {
    let key = Codec::plain().room_key(&message(0).room);
    let mut memory = Memory::default();
    memory.begin(Head::default());
    memory.tables.note_buckets(&key, bucket(0), bucket(63), Vec::new());
    let Ok(Outcome::Lacks(faults)) = commit::prepare(&memory, &Codec::plain(), &puts(0..200)) else {
        panic!()
    };
    let asked = faults.iter().filter(|fault| matches!(fault, Fault::Newest(..)));
    assert_eq!(asked.collect::<Vec<_>>(), [&Fault::Newest(key, bucket(64), bucket(199))]);
}

#[test]
fn a_large_commit_is_known_of_the_tables_with_all_before_it() {
    let room = backend::Key::from_bytes([1; 16]);
    let written = |numbers: &[u64]| {
        let mut written = Written::default();
        numbers.iter().for_each(|n| written.put_row(&room, row(*n)));
        written
    };
    let mut memory = Memory::default();
    memory.begin(Head::default());
    let nth = |n| Bucket::of(row(n).at);
    memory.tables.note_buckets(&room, nth(1), nth(200), vec![row(5), row(6)]);
    memory.know(Record { number: 1, head: Head::default(), entry: Entry::Commit(written(&[2]).into()) });
    let mut large = written(&[3, 100]);
    large.head.revision = Revision(9);
    large.rows.insert((room, row(5).at), None);
    large.dropped.push(Run { room, oldest: row(6).at, newest: row(6).at });
    large.records.insert((super::super::kv::Table::Rooms, vec![4; 16]), Some(vec![4; 40].into()));
    large.records.insert((super::super::kv::Table::Chunks, vec![5; 16]), Some(vec![5; 40].into()));
    memory.know_folded(2, large);
    assert_eq!((memory.number, memory.head.revision), (Some(2), Revision(9)));
    assert!(memory.agrees(2) && !memory.agrees(1), "what was read before it is outdated");
    assert!(memory.tail.rows.is_empty() && memory.tail.records.is_empty() && memory.tail.events.is_empty());
    assert_eq!((memory.tail.commits, memory.tail.bytes), (0, 0));
    assert_eq!(memory.tables.bucket(&room, nth(2)), Some(&[row(2), row(3)][..]));
    assert_eq!(memory.tables.bucket(&room, nth(100)), Some(&[row(100)][..]));
    let rooms = memory.tables.get(super::super::kv::Table::Rooms, &[4; 16]);
    assert_eq!(rooms.flatten().map(|value| value.len()), Some(40));
    assert!(
        memory.tables.get(super::super::kv::Table::Chunks, &[5; 16]).is_none(),
        "bytes of media stay out"
    );
}
