//! Random scripts against a naive model, with a full compare after each step.
//!
//! proptest makes the scripts and shrinks them; the loop is driven by hand, because a step awaits.

mod bytes;
mod compare;
#[cfg(test)]
mod long;
mod model;
mod model_media;
mod model_timeline;
mod resolve;
mod step;

use std::fmt::Write as _;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

pub use bytes::{script_bytes, script_of};

use self::compare::{Held, compare};
use self::model::Model;
use self::step::Action;
use super::check::{holds, same};
use super::make::{a_room, put, room, told};
use super::{Failure, Harness, Outcome};
use crate::{Change, touched};

/// The number of scripts, and their seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scripts {
    /// Their number.
    pub count: u32,
    /// Their seed: the same seed makes the same scripts.
    pub seed: u64,
    /// Everything is read and compared after each step whose number this divides, and at the end: 1 unless reads are
    /// slow, as in a browser. The answer and the change of a write are compared at every step. With 1, each room is
    /// compared closely at the end, else one, by turns.
    pub look_every: usize,
}

impl Default for Scripts {
    /// Returns a thousand scripts, always the same, each step compared.
    fn default() -> Self {
        Self { count: 1_000, seed: 0x4841_4f53, look_every: 1 }
    }
}

impl Scripts {
    /// Returns the default, with `HAOS_SCRIPTS` as the count and `HAOS_SEED` as the seed where they are set.
    pub fn from_env() -> Self {
        let number = |name| std::env::var(name).ok()?.parse::<u64>().ok();
        let default = Self::default();
        Self {
            count: number("HAOS_SCRIPTS").map_or(default.count, |n| u32::try_from(n).unwrap_or(u32::MAX)),
            seed: number("HAOS_SEED").unwrap_or(default.seed),
            ..default
        }
    }
}

/// Runs random scripts of batches, restarts and reads, and compares every answer with a model.
///
/// Each script gets a store of its own. The failure tells the shortest script that was found to fail.
///
/// # Errors
/// The first fault, with its script.
pub async fn scripts(harness: &mut dyn Harness, scripts: Scripts) -> Outcome {
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&scripts.seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let strategy = step::script();
    for n in 0..scripts.count {
        let mut tree = strategy.new_tree(&mut runner).map_err(|reason| Failure::new(reason.message()))?;
        let script = tree.current();
        if let Err(failure) = run(harness, &script, scripts.look_every).await {
            let (script, failure) = shrink(harness, &mut tree, script, failure, scripts.look_every).await;
            let list = script.iter().enumerate().fold(String::new(), |mut list, (n, step)| {
                // Writing to a String does not fail.
                let _ = writeln!(list, "  {}. {step:?}", n + 1);
                list
            });
            let context =
                format!("script {n} of seed {}, shrunk; rooms 0 and 1 are put first:\n{list}", scripts.seed);
            return Err(failure.within(context));
        }
    }
    Ok(())
}

/// Looks for a shorter script that fails too.
async fn shrink(
    harness: &mut dyn Harness,
    tree: &mut impl ValueTree<Value = Vec<Action>>,
    script: Vec<Action>,
    failure: Failure,
    look_every: usize,
) -> (Vec<Action>, Failure) {
    const TRIES: usize = 2_000;
    let mut best = (script, failure);
    let mut can_go_on = tree.simplify();
    for _ in 0..TRIES {
        if !can_go_on {
            break;
        }
        let script = tree.current();
        can_go_on = match run(harness, &script, look_every).await {
            Err(failure) => {
                best = (script, failure);
                tree.simplify()
            }
            Ok(()) => tree.complicate(),
        };
    }
    best
}

/// Runs one script on a new store.
async fn run(harness: &mut dyn Harness, script: &[Action], look_every: usize) -> Outcome {
    let mut store = harness.open().await?;
    let mut model = Model::default();
    let first = put(&store, |batch| batch.put_room(a_room(0)).put_room(a_room(1))).await?;
    model.rooms.extend([0, 1].map(|n| crate::Room { revision: first.revision, ..a_room(n) }));
    model.revision = first.revision;
    let mut held: Vec<Held> = Vec::new();
    for (turn, step) in script.iter().enumerate() {
        let in_step = |failure: Failure| failure.within(format_args!("in step {}:", turn + 1));
        match step {
            Action::Reopen => {
                drop(store);
                store = harness.reopen().await?;
                same(store.info().opened_at, model.revision).map_err(in_step)?;
            }
            Action::Hold { room: n, limit, older } => {
                let cursor = Held::take(&store, room((*n).into()), usize::from(*limit), *older).await;
                held.extend(cursor.map_err(in_step)?);
            }
            Action::Apply { strict, expect, ops } => {
                let batch = resolve::batch(&model, *strict, expect, ops);
                apply(&store, &mut model, batch).await.map_err(in_step)?;
            }
        }
        if (turn + 1).is_multiple_of(look_every.max(1)) {
            compare(&store, &model, &held, turn).await.map_err(in_step)?;
        }
    }
    // The last state once more.
    let rooms = usize::from(step::ROOMS);
    let turn = script.len() % rooms;
    for turn in if look_every == 1 { 0..rooms } else { turn..turn + 1 } {
        compare(&store, &model, &held, turn).await?;
    }
    Ok(())
}

/// Applies a batch to both, and compares their answers and changes.
async fn apply(store: &super::make::Store, model: &mut Model, batch: crate::WriteBatch) -> Outcome {
    let mut changes = store.changes();
    same(changes.start(), model.revision)?;
    let touched: Vec<_> = touched(&batch).into_iter().collect();
    let (last_seq, before) = (model.last_seq, model.revision);
    let expected = model.apply(&batch);
    let commit = match (store.apply(batch).await, expected) {
        (Err(error), Err(kind)) if error.kind() == kind => return Ok(()),
        (Ok(commit), Ok(expected)) => {
            same((commit.revision, commit.changed), (model.revision, expected.changed))?;
            let names =
                |pairs: &[(crate::TxnId, u64)]| pairs.iter().map(|(txn, _)| txn.clone()).collect::<Vec<_>>();
            same(names(&commit.assigned), names(&expected.assigned))?;
            let rising = commit.assigned.is_sorted_by(|a, b| a.1 < b.1);
            let fresh = commit.assigned.iter().all(|(_, seq)| *seq > last_seq);
            holds(rising && fresh, "sequence numbers rise and are never given twice")?;
            model.adopt(&expected.assigned, &commit.assigned);
            commit
        }
        (found, expected) => {
            let expected = expected.map(|expected| expected.changed);
            return Err(Failure::new(format_args!("\n   found: {found:?}\nexpected: {expected:?}")));
        }
    };
    if commit.revision != before {
        let expected = Change::Commit { revision: commit.revision, touched: touched.into() };
        same(told(store, &mut changes).await?, Some(expected))?;
    }
    same(changes.try_next(), None)
}
