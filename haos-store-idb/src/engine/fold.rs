//! A fold: works the oldest records of the log into the tables, in one transaction with their deletion.
//!
//! It needs no memory, and no keys: it reads the log and the buckets that it changes from the database, and moves
//! payloads as they are. What it leaves in the log is a record that tells of it.

use haos_store_api::backend::{Key, SortedMap, SortedSet};
use haos_store_api::{Collection, ErrorKind, Position, Result};

use super::changes::{Changes, Run};
use super::commit::Draft;
use super::head::Head;
use super::ids::{self, Block, Entry as IdEntry};
use super::keys::{self, Bucket, Segment};
use super::kv::{EARLY, HEAD, Kv, Table, all};
use super::record::{self, Entry, Record};
use super::row::{self, Row};

/// The most buckets that one fold changes, unless one record alone changes more.
const MOST_BUCKETS: usize = 512;

/// The outcome of a fold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Folded {
    /// Records that were folded.
    pub(crate) records: u64,
    /// Rows that were written.
    pub(crate) rows: u64,
    /// True if records are left that could be folded.
    pub(crate) more: bool,
}

/// Folds the oldest records of the log.
pub(crate) async fn fold(kv: &dyn Kv) -> Result<Folded> {
    let Log { records, head, latest } = Log::read(kv).await?;
    let mut merged = Changes::default();
    let mut done = Folded { records: 0, rows: 0, more: false };
    let (mut upto, mut touched) = (0, SortedSet::new());
    for record in records {
        if let Entry::Commit(changes) = record.entry {
            let buckets = changes.rows.keys().map(|(room, at)| (*room, Bucket::of(*at)));
            let buckets: SortedSet<(Key, Bucket)> = buckets.collect();
            let new = buckets.iter().filter(|bucket| !touched.contains(*bucket)).count();
            if done.records > 0 && touched.len() + new > MOST_BUCKETS {
                done.more = true;
                break;
            }
            touched.extend(buckets);
            merged.lay(*changes);
            done.records += 1;
        }
        merged.head = record.head;
        upto = record.number;
    }
    if done.records == 0 {
        return Ok(done);
    }
    let folded = Head { folded: upto, ..merged.head };
    done.rows = work(kv, merged).await?;
    finish(kv, &folded, latest + 1, &head, &Entry::Folded(upto)).await?;
    Ok(done)
}

/// Writes what a fold ends with: its counters, the deletion of what it folded, and the record that tells of it.
async fn finish(kv: &dyn Kv, folded: &Head, number: u64, head: &Head, mark: &Entry) -> Result<()> {
    kv.put_named(HEAD, &folded.encode())?;
    kv.trim(folded.folded)?;
    add(kv, number, &record::mark(number, head, mark)).await
}

/// Adds a record under the number that it bears.
pub(crate) async fn add(kv: &dyn Kv, number: u64, record: &[u8]) -> Result<()> {
    if kv.add(record).await? != number {
        // The browser left a hole in the numbers.
        kv.trim_from(number)?;
        kv.add_as(number, record)?;
    }
    Ok(())
}

/// Writes a draft into the tables, with all of the log. Tells whether it is the next commit: if not, the transaction
/// must be aborted.
pub(crate) async fn commit(kv: &dyn Kv, draft: &Draft) -> Result<bool> {
    let log = Log::read(kv).await?;
    if log.latest + 1 != draft.first {
        return Ok(false);
    }
    let mut merged = Changes::default();
    for record in log.records {
        if let Entry::Commit(changes) = record.entry {
            merged.lay(*changes);
        }
    }
    merged.lay(draft.changes.for_fold());
    let head = Head { folded: log.latest, ..merged.head };
    if draft.erases {
        kv.delete_named(EARLY)?;
    }
    work(kv, merged).await?;
    finish(kv, &head, draft.first, &head, &Entry::Reset).await?;
    Ok(true)
}

/// Adds a record that is no commit, with changed sums if there are any.
pub(crate) async fn mark(kv: &dyn Kv, entry: &Entry, grown: &[(Collection, i64)]) -> Result<()> {
    let (folded, log) = (kv.named(HEAD), Log::read(kv));
    let (folded, Log { mut head, latest, .. }) = (folded.await?, log.await?);
    if !grown.is_empty() {
        let mut folded = folded.map_or(Ok(Head::default()), |head| Head::decode("maintain", &head))?;
        for (of, by) in grown {
            for head in [&mut head, &mut folded] {
                let sum = head.sums.of_mut(*of);
                sum.bytes = sum.bytes.saturating_add_signed(*by);
            }
        }
        kv.put_named(HEAD, &folded.encode())?;
    }
    add(kv, latest + 1, &record::mark(latest + 1, &head, entry)).await
}

/// The log, decoded.
struct Log {
    records: Vec<Record>,
    /// The counters after the last of them.
    head: Head,
    /// The latest number.
    latest: u64,
}

impl Log {
    async fn read(kv: &dyn Kv) -> Result<Self> {
        let (head, log) = (kv.named(HEAD), kv.log(0));
        let mut head = head.await?.map_or(Ok(Head::default()), |head| Head::decode("maintain", &head))?;
        let (mut latest, mut records) = (head.folded, Vec::new());
        for bytes in log.await? {
            latest = Record::number_of(&bytes).unwrap_or(latest).max(latest);
            match Record::decode(bytes) {
                Ok(record) => {
                    head = record.head;
                    records.push(record);
                }
                // It is in nobody's memory either.
                Err(error) if error.kind() == ErrorKind::Corrupt => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Self { records, head, latest })
    }
}

/// What changes in a bucket, ascending.
type Changed = Vec<(Position, Option<Row>)>;

/// The part of a run that is whole buckets.
fn whole(Run { oldest, newest, .. }: &Run) -> Option<(Bucket, Bucket)> {
    let (mut from, mut to) = (Bucket::of(*oldest), Bucket::of(*newest));
    if from.oldest() < *oldest {
        from = from.newer()?;
    }
    if *newest < to.newest() {
        to = to.older()?;
    }
    (from <= to).then_some((from, to))
}

/// Writes changes into the tables; returns the rows that it wrote.
async fn work(kv: &dyn Kv, changes: Changes) -> Result<u64> {
    let mut rows = 0;
    for ((table, key), value) in changes.records.iter() {
        match value {
            Some(value) => kv.put(*table, key, value)?,
            None => kv.delete(*table, key)?,
        }
        rows += 1;
    }
    // The new content of each bucket that changes.
    let mut buckets: SortedMap<(Key, Bucket), Changed> = SortedMap::new();
    for run in &changes.dropped {
        let Run { room, oldest, newest } = run;
        if let Some((from, to)) = whole(run) {
            kv.clear(Table::Segments, &keys::segments(room, from, to))?;
            if (from, to) == (Bucket::OLDEST, Bucket::NEWEST) {
                kv.clear(Table::Ids, &ids::blocks(room))?;
            }
        }
        // An edge that is whole has nothing stored any more.
        for edge in [Bucket::of(*oldest), Bucket::of(*newest)] {
            buckets.or_default((*room, edge));
        }
    }
    for ((room, at), row) in changes.rows.iter() {
        buckets.or_default((*room, Bucket::of(*at))).push((*at, row.clone()));
    }
    let stored = keys::near(buckets.keys());
    let stored = stored.iter().map(|(room, oldest, newest)| {
        kv.range(Table::Segments, &keys::segments(room, *oldest, *newest), None)
    });
    let stored: Vec<_> = stored.collect();
    let mut rooms: Vec<Key> = buckets.keys().map(|(room, _)| *room).collect();
    rooms.dedup();
    let blocks: Vec<_> = rooms.iter().map(|room| kv.last(Table::Ids, &ids::blocks(room))).collect();
    let mut segments: SortedMap<(Key, Bucket), Vec<Vec<u8>>> = SortedMap::new();
    for value in all(stored).await?.into_iter().flatten() {
        if let Some((room, key)) = Segment::decode(&value) {
            segments.or_default((room, key.bucket)).push(value);
        }
    }
    let blocks = all(blocks).await?;
    let mut new: SortedMap<Key, Vec<IdEntry>> = SortedMap::new();
    for ((room, bucket), changed) in buckets {
        let stored = segments.remove(&(room, bucket)).unwrap_or_default();
        rows += changed.len() as u64;
        let entries = new.or_default(room);
        write_bucket(kv, &room, bucket, changed, stored, entries, &|at| changes.is_dropped(&room, at))?;
    }
    for (room, last) in rooms.iter().zip(blocks) {
        let last = match last.map(|last| Block::decode(room, &last)) {
            None => Block::default(),
            Some(Ok(last)) => last,
            // What cannot be read is left where it is: blocks are numbered on from 0.
            Some(Err(_)) => {
                let blocks = kv.keys(Table::Ids, &ids::blocks(room), None).await?;
                Block { number: blocks.len() as u32, entries: Vec::new() }
            }
        };
        for block in ids::pack(last, new.remove(room).unwrap_or_default()) {
            kv.put(Table::Ids, &ids::block_key(room, block.number), &block.encode(room))?;
        }
    }
    Ok(rows)
}

/// Writes a bucket's messages, and notes the entries that its new ones need.
fn write_bucket(
    kv: &dyn Kv,
    room: &Key,
    bucket: Bucket,
    changed: Changed,
    stored: Vec<Vec<u8>>,
    entries: &mut Vec<IdEntry>,
    is_dropped: &dyn Fn(Position) -> bool,
) -> Result<()> {
    let mut rows: SortedMap<Position, Row> = SortedMap::new();
    let (mut old, mut first) = (Vec::new(), 0);
    for value in stored {
        let Some((_, key)) = Segment::decode(&value) else { continue };
        match row::rows(value) {
            Ok(all) => {
                rows.extend(all.into_iter().map(|row| (row.at, row)));
                old.push(key);
            }
            // What cannot be read is left where it is, for a later version that can.
            Err(_) => first = key.part.saturating_add(1).max(first),
        }
    }
    rows.retain(|at, _| !is_dropped(*at));
    let rows: Vec<Row> = if rows.is_empty() {
        let new: Vec<Row> = changed.into_iter().filter_map(|(_, row)| row).collect();
        entries.extend(new.iter().flat_map(|row| ids::entries(row, None)));
        new
    } else {
        for (at, row) in changed {
            match row {
                Some(row) => {
                    entries.extend(ids::entries(&row, rows.get(&at)));
                    rows.insert(at, row);
                }
                None => drop(rows.remove(&at)),
            }
        }
        rows.into_values().collect()
    };
    let mut segments = row::segments(room, bucket, first, &rows);
    for key in old.iter().filter(|old| !segments.iter().any(|(key, _)| key == *old)) {
        kv.delete(Table::Segments, &key.encode(room))?;
    }
    segments.drain(..).try_for_each(|(key, value)| kv.put(Table::Segments, &key.encode(room), &value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::keys::WIDTH;

    #[test]
    fn whole_buckets_are_those_that_a_run_covers() {
        let all = Position::MAX.get();
        let last = all - WIDTH;
        for (oldest, newest, expected) in [
            (32, 63, Some((1, 1))),
            (32, 62, None),
            (33, 63, None),
            (33, 95, Some((2, 2))),
            (31, 95, Some((1, 2))),
            (32, 96, Some((1, 2))),
            (40, 50, None),
            (40, 70, None),
            (0, 30, None),
            (0, 31, Some((0, 0))),
            (0, all, Some((0, all / WIDTH))),
            (last + 2, all, None),
            (last + 1, all, Some((all / WIDTH, all / WIDTH))),
        ] {
            let at = |n| Position::new(n).unwrap();
            let run = Run { room: Key::from_bytes([1; 16]), oldest: at(oldest), newest: at(newest) };
            let bucket = |nth| Bucket::OLDEST.newer_by(nth);
            let expected = expected.map(|(from, to)| (bucket(from), bucket(to)));
            assert_eq!(whole(&run), expected, "{oldest} to {newest}");
        }
    }
}
