//! Chores: each a sequence of steps, one transaction each, so that others come in between and a closed page loses one
//! step.

mod check;
mod keys;
mod reseal;

use haos_store_api::backend::Codec;
use haos_store_api::{Error, ErrorKind, Maintenance, Progress, Report, Result};

use super::fold;
use super::head::Head;
use super::kv::{HEAD, Kv, Span, Table};

pub(crate) use keys::change_keys;

/// Every table with payloads.
const TABLES: [Table; 7] =
    [Table::Rooms, Table::Gaps, Table::Segments, Table::Outbox, Table::Media, Table::Chunks, Table::State];

/// One transaction of a chore.
#[derive(Debug, Clone)]
pub(crate) enum Chore {
    /// The store's counters, as of the latest fold.
    Head,
    /// Checks the records of the log.
    Log,
    /// Folds the oldest records of the log.
    Fold,
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
    /// The place at which the next step begins; absent once the table is done.
    pub(crate) next: Option<Vec<u8>>,
    /// True if a fold left something to fold.
    pub(crate) more: bool,
    pub(crate) rows: u64,
    pub(crate) findings: Vec<String>,
    /// Rows of each collection in this step, in the order of [`Collection::ALL`].
    pub(crate) counts: [i64; 6],
    /// A keyring's record, to be adopted once the transaction has committed.
    pub(crate) keyring: Option<Vec<u8>>,
}

impl Chore {
    pub(crate) async fn run(self, kv: &dyn Kv, codec: &Codec) -> Result<Stepped> {
        match self {
            Self::Head => Ok(Stepped { head: head(kv).await?, ..Stepped::default() }),
            Self::Log => check::log(kv).await,
            Self::Fold => {
                let done = fold::fold(kv).await?;
                Ok(Stepped { rows: done.rows, more: done.more, ..Stepped::default() })
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
        !matches!(self, Self::Head | Self::Log | Self::Check(..))
    }
}

async fn head(kv: &dyn Kv) -> Result<Head> {
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
        Maintenance::Compact => fold_all(progress, &tx).await,
        Maintenance::Check => check_all(progress, tx).await,
        Maintenance::Rotate => rotate(codec, progress, tx).await,
        _ => Err(Error::new(
            ErrorKind::Unsupported,
            "maintain",
            "this version of the IndexedDB backend does not know this chore: update it",
        )),
    }
}

/// Folds all of the log.
async fn fold_all(progress: &Progress, tx: &impl AsyncFn(Chore) -> Result<Stepped>) -> Result<Report> {
    let mut report = Report::default();
    progress.step(0, 1);
    loop {
        let step = tx(Chore::Fold).await?;
        report.rows += step.rows;
        progress.step(report.rows, report.rows + u64::from(step.more));
        if !step.more {
            return Ok(report);
        }
    }
}

async fn check_all(progress: &Progress, tx: impl AsyncFn(Chore) -> Result<Stepped>) -> Result<Report> {
    let mut report = Report::default();
    tx(Chore::Log).await?.findings.iter().for_each(|finding| report.find(finding));
    fold_all(&Progress::none(), &tx).await?;
    let before = tx(Chore::Head).await?.head;
    let total = before.sums.rows();
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
    // Counts are meaningless if more was folded meanwhile.
    if tx(Chore::Head).await?.head.folded == before.folded {
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
    // What is in the log from here on is under the new key.
    fold_all(&Progress::none(), &tx).await?;
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
async fn following(
    kv: &dyn Kv,
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
