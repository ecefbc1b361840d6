//! What is brought into memory: the records that other contexts wrote, and the parts of the tables that are lacking.

use std::cell::RefCell;

use haos_store_api::backend::kv::corrupt;
use haos_store_api::backend::{Codec, Key};
use haos_store_api::{Error, Result};

use super::changes::Value;
use super::head::Head;
use super::ids::{Block, Ids};
use super::keys::{self, Bucket, Segment};
use super::kv::{Answer, HEAD, KEYRING, Kv, Span, Table};
use super::memory::{Memory, Taken};
use super::record::Record;
use super::row::{self, Row};
use super::view::Fault;

/// The outcome of a load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Loaded {
    Done,
    /// The tables have changed since the transaction began: it has to be loaded in another.
    Again,
    /// What is in memory is outdated: first all has to be read [`anew`].
    Anew,
}

/// Catches up with the log and loads what the faults name, all in one turn.
pub(crate) async fn load(
    kv: &dyn Kv,
    codec: &Codec,
    memory: &RefCell<Memory>,
    faults: Vec<Fault>,
) -> Result<Loaded> {
    let Some(after) = memory.borrow().number else { return Ok(Loaded::Anew) };
    let log = kv.log(after);
    let mut asked: Vec<Asked> = faults.into_iter().map(|fault| Asked::of(kv, fault)).collect();
    let records = log.await?;
    let seen = records.last().and_then(|last| Record::number_of(last)).unwrap_or(after);
    if catch_up(memory, codec, records)? != Taken::Done {
        return Ok(Loaded::Anew);
    }
    let mut found = Vec::with_capacity(asked.len());
    while let Some(Asked { fault, answers }) = asked.pop() {
        let mut values = Vec::with_capacity(answers.len());
        for answer in answers {
            values.push(answer.await?);
        }
        match Found::of(codec, fault, values)? {
            Ok(each) => found.push(each),
            Err(fault) => asked.push(Asked::of(kv, fault)),
        }
    }
    let mut memory = memory.borrow_mut();
    if !memory.agrees(seen) {
        return Ok(Loaded::Again);
    }
    found.into_iter().for_each(|found| found.note(&mut memory));
    Ok(Loaded::Done)
}

/// Reads the counters and the whole log, and adopts the keys.
pub(crate) async fn anew(kv: &dyn Kv, codec: &Codec, memory: &RefCell<Memory>) -> Result<()> {
    let (head, log, keys) = (kv.named(HEAD), kv.log(0), adopt(kv, codec));
    let head = head.await?;
    let log = log.await?;
    keys.await?;
    begin(memory, codec, head, log)
}

/// Takes up the records after those that are known.
fn catch_up(memory: &RefCell<Memory>, codec: &Codec, records: Vec<Vec<u8>>) -> Result<Taken> {
    let mut memory = memory.borrow_mut();
    let mut all = Taken::Done;
    for record in records {
        match memory.take(codec, record)? {
            Taken::Done => {}
            Taken::Keys => all = Taken::Keys,
            Taken::Missed => return Ok(Taken::Missed),
        }
    }
    Ok(all)
}

/// Begins anew, with the whole log.
pub(crate) fn begin(
    memory: &RefCell<Memory>,
    codec: &Codec,
    head: Option<Vec<u8>>,
    records: Vec<Vec<u8>>,
) -> Result<()> {
    let head = head.map_or(Ok(Head::default()), |head| Head::decode("open", &head))?;
    let mut memory = memory.borrow_mut();
    memory.begin(head);
    for record in records {
        // Numbers may lack: of commits that the browser took back.
        memory.number = Record::number_of(&record).map(|number| number.saturating_sub(1)).max(memory.number);
        memory.take(codec, record)?;
    }
    Ok(())
}

/// Takes over a change of the keys: a dropped key must seal nothing any more.
pub(crate) async fn adopt(kv: &dyn Kv, codec: &Codec) -> Result<()> {
    if let Some(keyring) = codec.keyring()
        && let Some(record) = kv.named(KEYRING).await?
    {
        keyring.adopt(&record)?;
    }
    Ok(())
}

/// A fault, and the requests that were fired for it.
struct Asked {
    fault: Fault,
    answers: Vec<Answer<Vec<Vec<u8>>>>,
}

impl Asked {
    fn of(kv: &dyn Kv, fault: Fault) -> Self {
        let segments = |room: &Key, oldest, newest, most| {
            kv.range(Table::Segments, &keys::segments(room, oldest, newest), most)
        };
        let directory = |room: &Key, oldest, most| {
            kv.keys(Table::Segments, &keys::segments(room, oldest, Bucket::NEWEST), most)
        };
        let answers = match &fault {
            Fault::Get(table, key) => {
                vec![kv.range(*table, &Span::new(key.as_slice(), key.as_slice()), Some(1))]
            }
            Fault::Scan(table, span) => vec![kv.range(*table, span, None)],
            Fault::Part(table, span, most) => vec![kv.range(*table, span, Some(*most))],
            Fault::Buckets(room, oldest, newest) => vec![segments(room, *oldest, *newest, None)],
            // With the keys of what is newer, at most one.
            Fault::Newest(room, oldest, newest) => vec![
                segments(room, *oldest, *newest, None),
                directory(room, newest.newer().unwrap_or(*newest), Some(1)),
            ],
            Fault::Older(room, newest, most) => {
                vec![segments(room, Bucket::OLDEST, *newest, Some(most.saturating_add(1)))]
            }
            Fault::Ids(room) => vec![kv.range(Table::Ids, &super::ids::blocks(room), None)],
            Fault::Directory(room) => vec![directory(room, Bucket::OLDEST, None)],
        };
        Self { fault, answers }
    }
}

/// What was loaded.
enum Found {
    Record(Table, Vec<u8>, Option<Value>),
    Range(Table, Span, Vec<(Vec<u8>, Value)>),
    Buckets(Key, Bucket, Bucket, Vec<Row>),
    Ids(Key, Ids),
    Directory(Key, Vec<Segment>),
}

impl Found {
    /// Decodes the answers to a fault; the inner error is what has to be asked for instead.
    fn of(
        codec: &Codec,
        fault: Fault,
        answers: Vec<Vec<Vec<u8>>>,
    ) -> Result<std::result::Result<Self, Fault>> {
        let mut answers = answers.into_iter();
        let mut values = answers.next().unwrap_or_default();
        Ok(Ok(match fault {
            // A record of another key says so where it is decoded.
            Fault::Get(table, key) => Self::Record(table, key, values.pop().map(Value::from)),
            Fault::Scan(table, span) => {
                let found = records(codec, table, &span, values)?;
                Self::Range(table, span, found)
            }
            Fault::Part(table, mut span, most) => {
                // As many as were asked for: there may be more behind the last.
                if values.len() >= most as usize {
                    let mut keys = values.iter().rev().filter_map(|value| value.get(..table.key_bytes()));
                    match keys.find(|key| span.has(key)) {
                        Some(last) => span.high = last.to_vec(),
                        None => return Ok(Err(Fault::Scan(table, span))),
                    }
                }
                let found = records(codec, table, &span, values)?;
                Self::Range(table, span, found)
            }
            Fault::Buckets(room, oldest, newest) => {
                Self::Buckets(room, oldest, newest, rows(codec, &room, values)?)
            }
            Fault::Newest(room, oldest, newest) => {
                let is_all = answers.next().is_some_and(|beyond| beyond.is_empty());
                let newest = if is_all { Bucket::NEWEST } else { newest };
                Self::Buckets(room, oldest, newest, rows(codec, &room, values)?)
            }
            Fault::Older(room, newest, segments) => {
                let mut oldest = Bucket::OLDEST;
                if values.len() > segments as usize {
                    let of = |value: &Vec<u8>| Segment::decode(value).map(|(_, key)| key.bucket);
                    // The last bucket may have more segments.
                    let last = values.last().and_then(of).unwrap_or(Bucket::OLDEST);
                    let whole = values.iter().position(|value| of(value) == Some(last)).unwrap_or(0);
                    if whole == 0 {
                        return Ok(Err(Fault::Buckets(room, last, newest)));
                    }
                    values.truncate(whole);
                    oldest = last.newer().unwrap_or(last);
                }
                Self::Buckets(room, oldest, newest, rows(codec, &room, values)?)
            }
            Fault::Ids(room) => {
                let mut blocks = Vec::new();
                for value in values {
                    let block = Block::decode(&room, &value);
                    blocks.extend(codec.keep(block)?.map(|block| block.entries));
                }
                Self::Ids(room, Ids::of(blocks))
            }
            Fault::Directory(room) => {
                Self::Directory(room, values.iter().filter_map(|key| Some(Segment::decode(key)?.1)).collect())
            }
        }))
    }

    fn note(self, memory: &mut Memory) {
        let tables = &mut memory.tables;
        match self {
            Self::Record(table, key, value) => tables.note(table, key, value),
            Self::Range(table, span, found) => tables.note_range(table, span, found),
            Self::Buckets(room, oldest, newest, rows) => tables.note_buckets(&room, oldest, newest, rows),
            Self::Ids(room, ids) => tables.note_ids(&room, ids),
            Self::Directory(room, keys) => tables.note_directory(&room, keys.into_iter()),
        }
    }
}

/// Takes the keys off the records of a range: they come in order, and each begins with its own.
fn records(codec: &Codec, table: Table, span: &Span, values: Vec<Vec<u8>>) -> Result<Vec<(Vec<u8>, Value)>> {
    let mut found: Vec<(Vec<u8>, Value)> = Vec::new();
    for value in values {
        let key = value.get(..table.key_bytes()).map(<[u8]>::to_vec);
        let before = found.last().map(|(key, _)| key);
        let key = key.filter(|key| span.has(key) && before.is_none_or(|before| before < key));
        let keyed = key.ok_or_else(|| misplaced(table)).map(|key| (key, Value::from(value)));
        // An outbox is refused rather than shortened; elsewhere a misplaced record counts as absent.
        let keyed = if table == Table::Outbox { Some(keyed?) } else { codec.keep(keyed)? };
        found.extend(keyed);
    }
    Ok(found)
}

/// Reads the messages of segments, ascending; leaves out and counts unreadable ones, as damaged rows.
fn rows(codec: &Codec, room: &Key, values: Vec<Vec<u8>>) -> Result<Vec<Row>> {
    let mut all = Vec::new();
    // Newest buckets come first, the segments of one in order.
    for value in values {
        let of_room = match value.starts_with(room.as_bytes()) {
            true => row::rows(value),
            false => Err(misplaced(Table::Segments)),
        };
        all.extend(codec.keep(of_room)?.into_iter().flatten());
    }
    haos_store_api::backend::law::sort_by(&mut all, |a: &Row, b: &Row| a.at.cmp(&b.at));
    all.dedup_by_key(|row| row.at);
    Ok(all)
}

fn misplaced(table: Table) -> Error {
    corrupt("read", &format!("a record of {} stands under another's key", table.name()))
}
