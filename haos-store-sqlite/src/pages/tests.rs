//! The reader beside SQLite, and on hostile pages.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::path::Path;

use proptest::prelude::*;
use rusqlite::Connection;

use super::*;
use crate::migration::migrate;

/// What a walk gives: records by key, and the number of places at which rows may be missing.
type Rows = (BTreeMap<i64, Option<Vec<u8>>>, usize);

fn read(path: &Path, shape: Shape) -> Rows {
    let source = Source::open(path, true).unwrap();
    let roots = Roots::of(&source).unwrap();
    let plans = plan(&source, &roots, &Shape::TABLES);
    let (mut found, mut torn, mut last) = (BTreeMap::new(), 0, i64::MIN);
    for plan in plans.iter().filter(|plan| plan.is_of(shape)) {
        let Ok(()) = rows(&source, plan, &mut |step| {
            let (id, record) = match step {
                Step::Row(id, record) => (id, Some(record.to_vec())),
                Step::Unreadable(id) => (id, None),
                Step::Torn => {
                    torn += 1;
                    return Ok::<_, Infallible>(());
                }
            };
            assert!(last < id, "rows ascend");
            last = id;
            found.insert(id, record);
            Ok(())
        });
    }
    (found, torn)
}

/// Walks through everything that there is.
fn read_all(path: &Path) {
    Shape::TABLES.iter().for_each(|shape| drop(read(path, *shape)));
    let source = Source::open(path, true).unwrap();
    for root in 0..=source.count() + 1 {
        for index in [Index::Meta, Index::RoomKey, Index::RoomActivity, Index::MessageKey, Index::StatePlace]
        {
            entries(&source, index, Some(root), &mut |_| {});
        }
    }
}

/// Makes a file with chunks of the given lengths, and removes every third.
fn made(folder: &Path, lengths: &[usize]) -> std::path::PathBuf {
    let path = folder.join("x.db");
    let mut conn = Connection::open(&path).unwrap();
    migrate(&mut conn).unwrap();
    let transaction = conn.transaction().unwrap();
    for (nth, length) in lengths.iter().enumerate() {
        let sql = "INSERT INTO media_chunk (pos, payload) VALUES (?1, ?2)";
        transaction.execute(sql, (FIRST + nth as i64 * 7, vec![nth as u8; *length])).unwrap();
    }
    transaction.execute("DELETE FROM media_chunk WHERE pos % 3 = 0", ()).unwrap();
    transaction.commit().unwrap();
    path
}

const FIRST: i64 = 1 << 24;

/// Reads the chunks as SQLite does.
fn chunks(path: &Path) -> BTreeMap<i64, Vec<u8>> {
    let conn = Connection::open(path).unwrap();
    let mut statement = conn.prepare("SELECT pos, payload FROM media_chunk").unwrap();
    let rows = statement.query_map((), |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.map(Result::unwrap).collect()
}

fn same_as_sqlite(path: &Path) {
    let (found, torn) = read(path, Shape::Chunk);
    let found: BTreeMap<i64, Vec<u8>> = found
        .into_iter()
        .map(|(id, record)| {
            let record = record.expect("a readable record");
            (id, decode(&record).unwrap()[1].bytes().unwrap().to_vec())
        })
        .collect();
    assert!(found == chunks(path));
    assert_eq!(torn, 0);
}

/// The lengths at which a record moves to further pages.
#[test]
fn records_of_every_length_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let edges = [489, 4061, 4061 + 4092, 489 + 4092, 489 + 2 * 4092];
    let lengths: Vec<usize> = edges.iter().flat_map(|edge| edge - 12..edge + 6).chain(0..300).collect();
    same_as_sqlite(&made(folder.path(), &lengths));
}

#[test]
fn a_log_is_read_over_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = made(folder.path(), &[100; 300]);
    let conn = Connection::open(&path).unwrap();
    conn.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0;
         UPDATE media_chunk SET payload = zeroblob(300) WHERE pos % 2 = 0;
         DELETE FROM media_chunk WHERE pos % 5 = 0; BEGIN; DELETE FROM media_chunk",
    )
    .unwrap();
    same_as_sqlite(&path);
    // A commit whose end is cut off never was.
    conn.execute_batch("COMMIT").unwrap();
    drop(read(&path, Shape::Chunk));
    assert!(read(&path, Shape::Chunk).0.is_empty());
    let copy = tempfile::tempdir().unwrap();
    for end in ["", "-wal"] {
        let name = format!("x.db{end}");
        std::fs::copy(folder.path().join(&name), copy.path().join(&name)).unwrap();
    }
    let log = copy.path().join("x.db-wal");
    let mut bytes = std::fs::read(&log).unwrap();
    bytes.truncate(bytes.len() - 1);
    std::fs::write(&log, bytes).unwrap();
    assert!(!read(&copy.path().join("x.db"), Shape::Chunk).0.is_empty());
}

/// A freed page holds rows that were removed; without its parent a live one looks the same.
#[test]
fn freed_pages_never_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = made(folder.path(), &[100; 3000]);
    let conn = Connection::open(&path).unwrap();
    conn.execute_batch(&format!("DELETE FROM media_chunk WHERE pos > {}", FIRST + 9000)).unwrap();
    let root: u32 = conn
        .query_row("SELECT rootpage FROM sqlite_schema WHERE name = 'media_chunk'", (), |row| row.get(0))
        .unwrap();
    drop(conn);
    let expected = chunks(&path);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[(root as usize - 1) * PAGE..root as usize * PAGE].fill(0);
    std::fs::write(&path, bytes).unwrap();
    let (found, torn) = read(&path, Shape::Chunk);
    assert!(found.keys().eq(expected.keys()), "every row that is there, and none that was removed");
    assert_eq!(torn, 0, "and nothing is missing");
}

#[test]
fn a_lost_page_of_rows_is_a_tear() {
    let folder = tempfile::tempdir().unwrap();
    let path = made(folder.path(), &[100; 3000]);
    let (sound, _) = read(&path, Shape::Chunk);
    let conn = Connection::open(&path).unwrap();
    let page: u32 = conn
        .query_row(
            "SELECT max(pageno) FROM dbstat WHERE name = 'media_chunk' AND pagetype = 'leaf'",
            (),
            |row| row.get(0),
        )
        .unwrap();
    drop(conn);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[(page as usize - 1) * PAGE..page as usize * PAGE].fill(0xFF);
    std::fs::write(&path, bytes).unwrap();
    let (found, torn) = read(&path, Shape::Chunk);
    assert!(
        found.len() < sound.len() && found.len() > sound.len() - 60,
        "{} of {}",
        found.len(),
        sound.len()
    );
    assert_eq!(torn, 1);
}

#[test]
fn pages_that_point_at_each_other_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = made(folder.path(), &[100; 3000]);
    let mut bytes = std::fs::read(&path).unwrap();
    let pages = bytes.len() / PAGE;
    for page in 2..pages {
        // Interior pages, full of pointers to pages around.
        let spoilt = &mut bytes[page * PAGE..(page + 1) * PAGE];
        spoilt[..12].copy_from_slice(&[5, 0, 0, 1, 44, 8, 0, 0, 0, 0, 0, 3]);
        for n in 0..300 {
            let at = 2048 + n * 5;
            spoilt[12 + 2 * n..14 + 2 * n].copy_from_slice(&u16::try_from(at).unwrap().to_be_bytes());
            let child = u32::try_from((page + n) % pages).unwrap();
            spoilt[at..at + 4].copy_from_slice(&child.to_be_bytes());
            spoilt[at + 4] = 1;
        }
    }
    std::fs::write(&path, bytes).unwrap();
    read_all(&path);
}

/// Makes messages in two rooms, and removes some of them; returns the number that is left.
fn made_messages(path: &Path) -> u64 {
    let mut conn = Connection::open(path).unwrap();
    migrate(&mut conn).unwrap();
    let transaction = conn.transaction().unwrap();
    let insert = "INSERT INTO message (pos, key, sender, timestamp_ms, written, payload) VALUES (?1, ?2, 1, 1, 1, '{}')";
    for nth in 0..1500_i64 {
        // Keys come in no order.
        let key = [(nth * 0x9E37_79B9_i64).to_be_bytes(), nth.to_be_bytes()].concat();
        transaction.execute(insert, (((1 + nth % 2) << 40) + nth, &key[4..][..8].repeat(2))).unwrap();
        transaction
            .execute("DELETE FROM message WHERE pos & 0xFFFF = ?1 / 3 AND ?1 % 15 = 0", [nth])
            .unwrap();
    }
    transaction.commit().unwrap();
    let count = "SELECT count(*) FROM message";
    conn.query_row(count, (), |row| row.get::<_, u32>(0)).unwrap().into()
}

/// A page that claims more cells than it has shows entries of rows that were removed.
#[test]
fn an_index_with_a_flipped_bit_names_no_row_that_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.db");
    let rows = made_messages(&path);
    let conn = Connection::open(&path).unwrap();
    let own = |sql: &str| -> Vec<usize> {
        let mut statement = conn.prepare(sql).unwrap();
        statement
            .query_map((), |row| row.get::<_, u32>(0))
            .unwrap()
            .map(|page| page.unwrap() as usize)
            .collect()
    };
    let pages = own("SELECT pageno FROM dbstat WHERE name = 'message_by_key'");
    let root = own("SELECT rootpage FROM sqlite_schema WHERE name = 'message_by_key'")[0];
    let told = |path: &Path| {
        entries(&Source::open(path, false).unwrap(), Index::MessageKey, u32::try_from(root).ok(), &mut |_| {})
    };
    assert_eq!(told(&path), Told { rows, is_whole: true });
    let sound = std::fs::read(&path).unwrap();
    let spoilt = folder.path().join("y.db");
    let mut noticed = 0;
    assert!(pages.len() > 5);
    for page in pages {
        // The head of the page, and some of the pointers to its cells.
        for bit in (0..64).chain((64..64 * 8).step_by(23)) {
            let mut bytes = sound.clone();
            bytes[(page - 1) * PAGE + bit / 8] ^= 1 << (bit % 8);
            std::fs::write(&spoilt, bytes).unwrap();
            let found = told(&spoilt);
            assert!(found.rows <= rows, "page {page}, bit {bit}: {found:?} of {rows}");
            assert!(!found.is_whole || found.rows == rows, "page {page}, bit {bit}: {found:?} of {rows}");
            noticed += u32::from(!found.is_whole);
        }
    }
    assert!(noticed > 100, "{noticed}");
}

/// Bytes that look like pages.
fn a_page() -> impl Strategy<Value = Vec<u8>> {
    let kind = prop::sample::select(vec![13_u8, 13, 5, 10, 2, 0, 255]);
    (kind, prop::collection::vec(any::<u8>(), 200), 0..6_u8, any::<u8>()).prop_map(
        |(kind, some, cells, fill)| {
            let mut page: Vec<u8> = some.iter().copied().cycle().take(PAGE).collect();
            page[200..2000].fill(fill);
            (page[0], page[3], page[4]) = (kind, 0, cells);
            // Pointers into the page, and small page numbers.
            page[8..24].iter_mut().step_by(2).for_each(|byte| *byte %= 16);
            page.chunks_mut(4).skip(256).for_each(|word| word[..3].fill(0));
            page
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_pages_are_read_or_left(pages in prop::collection::vec(a_page(), 1..12)) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.db");
        std::fs::write(&path, pages.concat()).unwrap();
        read_all(&path);
    }

    #[test]
    fn any_change_of_a_file_is_read_or_left(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..40),
        cut in any::<Option<prop::sample::Index>>(),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = made(folder.path(), &[30, 90, 5000, 600].repeat(40));
        let mut bytes = std::fs::read(&path).unwrap();
        for (at, to) in changes {
            // Most of what decides is at the start of a page.
            let at = at.index(bytes.len());
            let at = at / PAGE * PAGE + at % PAGE % 128;
            bytes[at] = to;
        }
        bytes.truncate(cut.map_or(bytes.len(), |cut| cut.index(bytes.len())));
        std::fs::write(&path, bytes).unwrap();
        read_all(&path);
    }

    #[test]
    fn any_record_is_decoded_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        let _ = decode(&bytes);
        let _ = super::number::varint(&bytes);
    }

    #[test]
    fn any_log_is_read_or_left(bytes in prop::collection::vec(any::<u8>(), 0..9000)) {
        let folder = tempfile::tempdir().unwrap();
        let path = made(folder.path(), &[30; 10]);
        std::fs::write(format!("{}-wal", path.display()), bytes).unwrap();
        prop_assert_eq!(read(&path, Shape::Chunk).0.len(), chunks_without_log(&path));
    }
}

fn chunks_without_log(path: &Path) -> usize {
    std::fs::remove_file(format!("{}-wal", path.display())).unwrap();
    chunks(path).len()
}
