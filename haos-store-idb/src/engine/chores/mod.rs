//! Chores: each a sequence of steps, one transaction each, so that others come in between and a closed page loses one
//! step.

mod check;
mod compact;
mod keys;
mod reseal;

use haos_store_api::backend::{Codec, Key};
use haos_store_api::{Error, ErrorKind, Maintenance, Position, Progress, Report, Result};

use super::head::Head;
use super::kv::{HEAD, Kv, Span, Table};

pub(crate) use compact::compact_room;
pub(crate) use keys::change_keys;

/// Every table with payloads.
const TABLES: [Table; 6] =
    [Table::Rooms, Table::Timeline, Table::Outbox, Table::Media, Table::Chunks, Table::State];

/// One transaction of a chore.
#[derive(Debug, Clone)]
pub(crate) enum Chore {
    /// The store's counters.
    Head,
    /// Lists the rooms.
    Rooms,
    /// Merges small segments and folds in the overlay, from a position downwards.
    Compact(Key, Option<Position>),
    /// Checks the rows that follow a key.
    Check(Table, Vec<u8>),
    /// Gives the store a second data key.
    Begin,
    /// Seals the rows that follow a key under the newest data key.
    Reseal(Table, Vec<u8>),
    /// Drops the first data key, if this one still seals.
    End(u16),
}

/// The outcome of a step.
#[derive(Debug, Default)]
pub(crate) struct Stepped {
    pub(crate) head: Head,
    /// The rooms of `Chore::Rooms`.
    pub(crate) rooms: Vec<Key>,
    /// The place at which the next step begins; absent once the table, or the room, is done.
    pub(crate) next: Option<Vec<u8>>,
    pub(crate) below: Option<Position>,
    pub(crate) rows: u64,
    pub(crate) freed: u64,
    pub(crate) findings: Vec<String>,
    /// Rows of each collection in this step, in the order of [`Collection::ALL`].
    pub(crate) counts: [i64; 6],
    /// A keyring's record, to be adopted once the transaction has committed.
    pub(crate) keyring: Option<Vec<u8>>,
}

impl Chore {
    pub(crate) async fn run<K: Kv>(self, kv: &K, codec: &Codec) -> Result<Stepped> {
        match self {
            Self::Head => Ok(Stepped { head: head(kv).await?, ..Stepped::default() }),
            Self::Rooms => {
                let rooms = kv.keys(Table::Rooms, &Span::prefix(&[]), None).await?;
                let rooms = rooms.iter().filter_map(|key| key.first_chunk().copied().map(Key::from_bytes));
                Ok(Stepped { rooms: rooms.collect(), ..Stepped::default() })
            }
            Self::Compact(room, from) => {
                let done = compact_room(kv, &room, from).await?;
                Ok(Stepped { below: done.next, freed: done.freed, rows: done.rows, ..Stepped::default() })
            }
            Self::Check(table, from) => check::check(kv, codec, table, from).await,
            Self::Begin => keys::begin(kv, codec).await,
            Self::Reseal(table, from) => reseal::reseal(kv, codec, table, from).await,
            Self::End(sealing) => keys::end(kv, codec, sealing).await,
        }
    }

    /// Tells whether it needs to write.
    #[cfg_attr(not(target_arch = "wasm32"), allow(dead_code, reason = "the store in a browser asks"))]
    pub(crate) fn writes(&self) -> bool {
        !matches!(self, Self::Head | Self::Rooms | Self::Check(..))
    }
}

async fn head<K: Kv>(kv: &K) -> Result<Head> {
    let head = kv.named(HEAD).await?;
    head.map_or(Ok(Head::default()), |head| Head::decode("maintain", &head))
}

/// Runs a chore; `tx` runs a step in a transaction of its own, and commits it.
pub(crate) async fn run(
    task: Maintenance,
    codec: &Codec,
    progress: &Progress,
    tx: impl AsyncFn(Chore) -> Result<Stepped>,
) -> Result<Report> {
    match task {
        Maintenance::Compact => compact_all(progress, tx).await,
        Maintenance::Check => check_all(progress, tx).await,
        Maintenance::Rotate => rotate(codec, progress, tx).await,
        _ => Err(Error::new(
            ErrorKind::Unsupported,
            "maintain",
            "this version of the IndexedDB backend does not know this chore: update it",
        )),
    }
}

async fn compact_all(progress: &Progress, tx: impl AsyncFn(Chore) -> Result<Stepped>) -> Result<Report> {
    let rooms = tx(Chore::Rooms).await?.rooms;
    let total = rooms.len() as u64;
    let mut report = Report::default();
    progress.step(0, total);
    for (room, done) in rooms.into_iter().zip(1..) {
        let mut from = None;
        loop {
            let step = tx(Chore::Compact(room, from)).await?;
            report.rows += step.rows;
            report.freed_bytes += step.freed;
            from = step.below;
            if from.is_none() {
                break;
            }
        }
        progress.step(done, total);
    }
    progress.step(total, total);
    Ok(report)
}

async fn check_all(progress: &Progress, tx: impl AsyncFn(Chore) -> Result<Stepped>) -> Result<Report> {
    let before = tx(Chore::Head).await?.head;
    let total = before.sums.rows();
    let mut report = Report::default();
    let mut counts = [0_i64; 6];
    for table in TABLES {
        let mut from = Vec::new();
        loop {
            let step = tx(Chore::Check(table, from)).await?;
            report.rows += step.rows;
            for (sum, count) in counts.iter_mut().zip(step.counts) {
                *sum += count;
            }
            step.findings.iter().for_each(|finding| report.find(finding));
            progress.step(report.rows, total.max(report.rows));
            let Some(next) = step.next else { break };
            from = next;
        }
    }
    // Counts are meaningless if the store was written to meanwhile.
    if tx(Chore::Head).await?.head.revision == before.revision {
        for ((of, size), count) in before.sums.collections().iter().zip(counts) {
            if size.rows as i64 != count {
                let name = of.name();
                report.find(format_args!("{name}: the store counts {} rows, there are {count}", size.rows));
            }
        }
    }
    progress.step(report.rows, report.rows);
    Ok(report)
}

/// Begins a rotation, or resumes the one that was interrupted. Writers seal with the new key meanwhile, so one pass
/// sees all remaining rows.
async fn rotate(
    codec: &Codec,
    progress: &Progress,
    tx: impl AsyncFn(Chore) -> Result<Stepped>,
) -> Result<Report> {
    tx(Chore::Begin).await?;
    let sealing = keys::keyring(codec)?.sealing_key();
    let sums = tx(Chore::Head).await?.head.sums;
    let mut total = sums.rows();
    let mut report = Report::default();
    for table in TABLES {
        let mut from = Vec::new();
        loop {
            let step = tx(Chore::Reseal(table, from)).await?;
            report.rows += step.rows;
            step.findings.iter().for_each(|finding| report.find(finding));
            total = total.max(report.rows);
            progress.step(report.rows, total);
            let Some(next) = step.next else { break };
            from = next;
        }
    }
    tx(Chore::End(sealing)).await?;
    progress.step(total, total);
    Ok(report)
}

/// A key and its value.
type Record = (Vec<u8>, Vec<u8>);

/// Reads the next `limit` records of a table from a key on, and the key that follows.
async fn following<K: Kv>(
    kv: &K,
    table: Table,
    from: Vec<u8>,
    limit: u32,
) -> Result<(Vec<Record>, Option<Vec<u8>>)> {
    let span = Span::new(from, [0xff; 128]);
    let keys = kv.keys(table, &span, Some(limit));
    let values = kv.range(table, &span, Some(limit)).await?;
    let keys = keys.await?;
    let last = keys.last().filter(|_| keys.len() >= limit as usize);
    // The least key after the last one.
    let next = last.map(|key| [key.as_slice(), &[0]].concat());
    Ok((keys.into_iter().zip(values).collect(), next))
}
