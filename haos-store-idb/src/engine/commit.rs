//! A commit: the laws run over memory, and what they change is added to the log, one record under the next number.
//!
//! The log gives the numbers, and none twice, also after its records are folded away. So the number that a record is
//! given tells whether another context committed, or folded, meanwhile: then the transaction is aborted, the others'
//! records are read, and the laws run again. A commit asks the database for nothing else.

use haos_store_api::backend::Codec;
use haos_store_api::backend::law;
use haos_store_api::{Commit, Result, Revision, WriteBatch};

use super::changes::Changes;
use super::early;
use super::kv::{EARLY, Kv, Table};
use super::memory::Memory;
use super::record::{self, Entry, Record};
use super::rows::EngineRows;
use super::view::{Fault, View};
use super::wanted::wanted;

/// The bytes of changes from which on a commit is folded at once, so that they are not written twice.
const LARGE: usize = 256 << 10;

/// The outcome of the laws.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// This has to be loaded first.
    Lacks(Vec<Fault>),
    /// The batch changes nothing.
    Unchanged(Commit),
    Draft(Box<Draft>),
}

/// A commit that has yet to be written.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) commit: Commit,
    pub(crate) changes: Changes,
    /// The number of its first record.
    pub(crate) first: u64,
    /// True if it takes away what a page may show before the store is open.
    pub(crate) erases: bool,
    /// None, if it is large.
    records: Vec<Vec<u8>>,
}

/// Runs the laws.
///
/// # Errors
/// The batch's own: it is refused, and nothing happened.
pub(crate) fn prepare(memory: &Memory, codec: &Codec, batch: &WriteBatch) -> Result<Outcome> {
    let Some(latest) = memory.number else { return Ok(Outcome::Lacks(Vec::new())) };
    let wanted = wanted(memory, codec, batch);
    if !wanted.is_empty() {
        return Ok(Outcome::Lacks(wanted));
    }
    let next = Revision(memory.head.revision.0 + 1);
    let mut rows = EngineRows::new(View::new(memory), codec, next);
    let done = law::apply(&mut rows, batch, next);
    let (mut draft, faults) = rows.view.end();
    if !faults.is_empty() {
        return Ok(Outcome::Lacks(faults));
    }
    let done = done?;
    let revision = if done.changed { next } else { memory.head.revision };
    let commit = Commit { revision, changed: done.changed, assigned: done.assigned };
    if !commit.changed {
        return Ok(Outcome::Unchanged(commit));
    }
    draft.head.revision = next;
    let first = latest + 1;
    let is_large = draft.bytes() > LARGE;
    let records = if is_large { Vec::new() } else { record::commit(first, &draft) };
    let erases = early::is_erased_by(batch);
    Ok(Outcome::Draft(Box::new(Draft { commit, changes: draft, first, erases, records })))
}

impl Draft {
    /// Tells whether it is to be folded at once, by [`fold::commit`](super::fold::commit).
    pub(crate) fn is_large(&self) -> bool {
        self.records.is_empty()
    }

    /// Tells whether it writes bytes of media.
    pub(crate) fn has_chunks(&self) -> bool {
        self.changes.records.keys().any(|(table, _)| *table == Table::Chunks)
    }

    /// Writes what has no record: the bytes of media, absolute values; and deletes what a page must not show any more.
    pub(crate) fn write_beside(&self, kv: &dyn Kv) -> Result<()> {
        if self.erases {
            kv.delete_named(EARLY)?;
        }
        for ((table, key), value) in self.changes.records.iter() {
            if *table == Table::Chunks {
                match value {
                    Some(value) => kv.put(*table, key, value)?,
                    None => kv.delete(*table, key)?,
                }
            }
        }
        Ok(())
    }
}

/// Writes a draft. Tells whether it is the next commit: if not, the transaction must be aborted. `by_hand` for a log
/// whose numbers were left with a hole, as by a browser that does not take back those of an aborted transaction.
pub(crate) async fn write(kv: &dyn Kv, draft: &Draft, by_hand: bool) -> Result<bool> {
    if by_hand {
        if !kv.log(draft.first - 1).await?.is_empty() {
            return Ok(false);
        }
        draft.records.iter().zip(draft.first..).try_for_each(|(record, number)| kv.add_as(number, record))?;
        draft.write_beside(kv)?;
        return Ok(true);
    }
    let given: Vec<_> = draft.records.iter().map(|record| kv.add(record)).collect();
    draft.write_beside(kv)?;
    for (given, expected) in given.into_iter().zip(draft.first..) {
        if given.await? != expected {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Takes up a draft that was written and committed.
pub(crate) fn written(memory: &mut Memory, draft: Draft) -> Commit {
    let is_large = draft.is_large();
    let Draft { commit, changes, first, records, .. } = draft;
    // Another reading may have brought it already.
    if memory.number.is_some_and(|known| known + 1 == first) {
        if is_large {
            memory.know_folded(first, changes);
        } else {
            let (number, head) = (first + records.len() as u64 - 1, changes.head);
            memory.know(Record { number, head, entry: Entry::Commit(Box::new(changes)) });
        }
    }
    commit
}
