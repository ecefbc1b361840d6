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
    let asked: Vec<Asked> = faults.into_iter().map(|fault| Asked::of(kv, fault)).collect();
    let records = log.await?;
    let seen = records.last().and_then(|last| Record::number_of(last)).unwrap_or(after);
    if catch_up(memory, codec, records)? != Taken::Done {
        return Ok(Loaded::Anew);
    }
    let mut found = Vec::with_capacity(asked.len());
    for asked in asked {
        found.push(asked.answer(kv, codec).await?);
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

type Values = Answer<Vec<Vec<u8>>>;

/// A fault whose requests were fired.
enum Asked {
    Get(Table, Vec<u8>, Answer<Option<Vec<u8>>>),
    Scan(Table, Span, Values),
    /// With the keys of what is newer, at most one.
    Buckets(Key, Bucket, Bucket, Values, Option<Values>),
    Older(Key, Bucket, u32, Values),
    Ids(Key, Values),
    Directory(Key, Values),
}

/// What was loaded.
enum Found {
    Record(Table, Vec<u8>, Option<Value>),
    Range(Table, Span, Vec<(Vec<u8>, Value)>),
    Buckets(Key, Bucket, Bucket, Vec<Row>),
    Ids(Key, Ids),
    Directory(Key, Vec<Segment>),
}

impl Asked {
    fn of(kv: &dyn Kv, fault: Fault) -> Self {
        match fault {
            Fault::Get(table, key) => {
                let answer = kv.get(table, &key);
                Self::Get(table, key, answer)
            }
            Fault::Scan(table, span) => {
                let answer = kv.range(table, &span, None);
                Self::Scan(table, span, answer)
            }
            Fault::Buckets(room, oldest, newest) => {
                let values = kv.range(Table::Segments, &keys::segments(&room, oldest, newest), None);
                Self::Buckets(room, oldest, newest, values, None)
            }
            Fault::Newest(room, oldest, newest) => {
                let values = kv.range(Table::Segments, &keys::segments(&room, oldest, newest), None);
                let next = newest.newer().unwrap_or(newest);
                let beyond = kv.keys(Table::Segments, &keys::segments(&room, next, Bucket::NEWEST), Some(1));
                Self::Buckets(room, oldest, newest, values, Some(beyond))
            }
            Fault::Older(room, newest, segments) => {
                let span = keys::segments(&room, Bucket::OLDEST, newest);
                let values = kv.range(Table::Segments, &span, Some(segments.saturating_add(1)));
                Self::Older(room, newest, segments, values)
            }
            Fault::Ids(room) => Self::Ids(room, kv.range(Table::Ids, &super::ids::blocks(&room), None)),
            Fault::Directory(room) => {
                let span = keys::segments(&room, Bucket::OLDEST, Bucket::NEWEST);
                Self::Directory(room, kv.keys(Table::Segments, &span, None))
            }
        }
    }

    async fn answer(self, kv: &dyn Kv, codec: &Codec) -> Result<Found> {
        Ok(match self {
            Self::Get(table, key, answer) => {
                // A record of another key says so where it is decoded.
                Found::Record(table, key, answer.await?.map(Value::from))
            }
            Self::Scan(table, span, answer) => {
                // Records come in the order of their keys, and each begins with its own.
                let keyed = |value: Vec<u8>, before: Option<&(Vec<u8>, Value)>| {
                    let key = value.get(..table.key_bytes()).map(<[u8]>::to_vec);
                    let key =
                        key.filter(|key| span.has(key) && before.is_none_or(|(before, _)| before < key));
                    Ok((key.ok_or_else(|| misplaced(table))?, Value::from(value)))
                };
                let mut found: Vec<(Vec<u8>, Value)> = Vec::new();
                for value in answer.await? {
                    let keyed = keyed(value, found.last());
                    // An outbox is refused rather than shortened; elsewhere a misplaced record counts as absent.
                    let keyed = if table == Table::Outbox { Some(keyed?) } else { codec.keep(keyed)? };
                    found.extend(keyed);
                }
                Found::Range(table, span, found)
            }
            Self::Buckets(room, oldest, newest, values, beyond) => {
                let rows = rows(codec, &room, values.await?)?;
                let is_all = match beyond {
                    Some(beyond) => beyond.await?.is_empty(),
                    None => false,
                };
                Found::Buckets(room, oldest, if is_all { Bucket::NEWEST } else { newest }, rows)
            }
            Self::Older(room, newest, segments, values) => {
                let mut values = values.await?;
                let mut oldest = Bucket::OLDEST;
                if values.len() > segments as usize {
                    let of = |value: &Vec<u8>| Segment::decode(value).map(|(_, key)| key.bucket);
                    // The last bucket may have more segments.
                    let last = values.last().and_then(of).unwrap_or(Bucket::OLDEST);
                    let whole = values.iter().position(|value| of(value) == Some(last)).unwrap_or(0);
                    values.truncate(whole);
                    oldest = last.newer().unwrap_or(last);
                    if whole == 0 {
                        values =
                            kv.range(Table::Segments, &keys::segments(&room, last, newest), None).await?;
                        oldest = last;
                    }
                }
                Found::Buckets(room, oldest, newest, rows(codec, &room, values)?)
            }
            Self::Ids(room, values) => {
                let mut blocks = Vec::new();
                for value in values.await? {
                    let block = Block::decode(&room, &value);
                    blocks.extend(codec.keep(block)?.map(|block| block.entries));
                }
                Found::Ids(room, Ids::of(blocks))
            }
            Self::Directory(room, answer) => {
                let keys = answer.await?;
                Found::Directory(room, keys.iter().filter_map(|key| Some(Segment::decode(key)?.1)).collect())
            }
        })
    }
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

impl Found {
    fn note(self, memory: &mut Memory) {
        let tables = &mut memory.tables;
        match self {
            Self::Record(table, key, value) => tables.note(table, key, value),
            Self::Range(table, span, found) => {
                tables.note_range(table, span, found);
            }
            Self::Buckets(room, oldest, newest, rows) => tables.note_buckets(&room, oldest, newest, rows),
            Self::Ids(room, ids) => tables.note_ids(&room, ids),
            Self::Directory(room, keys) => tables.note_directory(&room, keys.into_iter()),
        }
    }
}
