//! Batches of many operations, each on top of those before it. Over the memory store alone, since the laws are the same
//! on every backend.

use std::sync::Arc;

use proptest::array::uniform12;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::model::Model;
use super::step::{Sketch, draft_of};
use super::{apply, compare, resolve};
use crate::conformance::Outcome;
use crate::conformance::make::{Store, a_room, put};
use crate::{MemoryStore, WriteBatch};

/// Makes an operation; all three rooms are as likely, and media are left to the other scripts.
fn draft() -> impl Strategy<Value = Sketch> {
    (0..3_usize, uniform12(any::<u8>())).prop_map(|(room, mut bytes)| {
        bytes[1] = [0, 10, 15][room];
        if let 47..59 = bytes[0] % 64 {
            bytes[0] = bytes[0] % 64 - 47;
        }
        draft_of(&bytes)
    })
}

async fn run(batches: &[Vec<Sketch>]) -> Outcome {
    let store: Store = Arc::new(MemoryStore::new());
    let first = put(&store, |batch| (0..3).fold(batch, |batch, n| batch.put_room(a_room(n)))).await?;
    let mut model = Model { revision: first.revision, ..Model::default() };
    model.rooms.extend((0..3).map(|n| crate::Room { revision: first.revision, ..a_room(n) }));
    for (turn, drafts) in batches.iter().enumerate() {
        // An operation that fails is tried alone, after those before it: in a batch it would undo all others.
        let (mut batch, mut after) = (WriteBatch::relaxed(), model.clone());
        after.revision = model.revision.next();
        for draft in drafts {
            let op = resolve::op(&after, draft);
            let mut tried = after.clone();
            if tried.op(&op, &mut Vec::new()).is_ok() {
                batch.push(op);
                after = tried;
            } else {
                let mut refused = batch.clone();
                refused.push(op);
                apply(&store, &mut model, refused).await?;
            }
        }
        apply(&store, &mut model, batch).await?;
        compare(&store, &model, &[], turn).await?;
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 200,
        rng_seed: RngSeed::Fixed(0x4841_4f53),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]
    #[test]
    fn operations_of_a_long_batch_see_those_before_them(batches in vec(vec(draft(), 1..=30), 1..=4)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let outcome = runtime.block_on(run(&batches));
        prop_assert!(outcome.is_ok(), "{:?}", outcome);
    }
}
