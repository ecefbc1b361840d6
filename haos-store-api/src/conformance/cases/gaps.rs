//! Gaps, and moves of the items around them.

use crate::conformance::check::*;
use crate::conformance::make::*;
use crate::conformance::{Harness, Outcome};
use crate::*;

pub(crate) async fn put_and_listed_oldest_first(harness: &mut dyn Harness) -> Outcome {
    let store = with_messages(harness, [2]).await?;
    let other = Gap { room: room(1), ..gap(1, None) };
    put(&store, |batch| batch.put_room(a_room(1)).put_gap(other)).await?;
    let commit = put(&store, |batch| batch.put_gap(gap(3, Some("")))).await?;
    let later = put(&store, |batch| batch.put_gap(gap(1, None))).await?;
    same(
        store.gaps(&room(0)).await?,
        [
            Gap { revision: later.revision, ..gap(1, None) },
            Gap { revision: commit.revision, ..gap(3, Some("")) },
        ],
    )?;
    same(store.gaps(&room(2)).await?, [])
}

pub(crate) async fn another_token_replaces_and_raises_the_revision(harness: &mut dyn Harness) -> Outcome {
    let store = with_room(harness).await?;
    put(&store, |batch| batch.put_gap(gap(1, Some("a")))).await?;
    let commit = put(&store, |batch| batch.put_gap(gap(1, Some("b")))).await?;
    same(store.gaps(&room(0)).await?, [Gap { revision: commit.revision, ..gap(1, Some("b")) }])?;
    let commit = put(&store, |batch| batch.put_gap(gap(1, None))).await?;
    same(store.gaps(&room(0)).await?, [Gap { revision: commit.revision, ..gap(1, None) }])
}

pub(crate) async fn the_same_gap_changes_nothing(harness: &mut dyn Harness) -> Outcome {
    let store = with_room(harness).await?;
    let first = put(&store, |batch| batch.put_gap(gap(1, Some("a")))).await?;
    let again = Gap { revision: Revision(77), ..gap(1, Some("a")) };
    let second = put(&store, |batch| batch.put_gap(again)).await?;
    same((second.changed, second.revision), (false, first.revision))?;
    same(store.gaps(&room(0)).await?, [Gap { revision: first.revision, ..gap(1, Some("a")) }])?;
    // Nor do others beside it make it another.
    let others = put(&store, |batch| batch.put_gap(gap(0, None)).put_gap(gap(2, Some("b")))).await?;
    let third = put(&store, |batch| batch.put_gap(gap(1, Some("a")))).await?;
    same((third.changed, third.revision), (false, others.revision))
}

pub(crate) async fn removed_is_gone(harness: &mut dyn Harness) -> Outcome {
    let store = with_room(harness).await?;
    put(&store, |batch| batch.put_gap(gap(1, None)).put_gap(gap(2, None))).await?;
    put(&store, |batch| batch.remove_gap(room(0), at(1))).await?;
    same(places(&store).await?, [(2, true)])?;
    put(&store, |batch| batch.put_message(message(1))).await?;
    let nothing = put(&store, |batch| batch.remove_gap(room(0), at(1)).remove_gap(room(5), at(1))).await?;
    same(nothing.changed, false)?;
    same(places(&store).await?, [(1, false), (2, true)])
}

pub(crate) async fn a_gap_needs_its_room(harness: &mut dyn Harness) -> Outcome {
    let store = harness.open().await?;
    fails(put(&store, |batch| batch.put_gap(gap(1, None))).await, ErrorKind::Invalid)
}

pub(crate) async fn the_place_of_a_message_is_a_conflict(harness: &mut dyn Harness) -> Outcome {
    let store = with_messages(harness, [1]).await?;
    fails(put(&store, |batch| batch.put_gap(gap(1, None))).await, ErrorKind::Conflict)?;
    same(places(&store).await?, [(1, false)])
}

pub(crate) async fn of_two_fillers_one_wins(harness: &mut dyn Harness) -> Outcome {
    let store = with_messages(harness, [100]).await?;
    put(&store, |batch| batch.put_gap(gap(99, Some("a")))).await?;
    let seen = store.gaps(&room(0)).await?;
    let found = some(seen.first())?;
    let fill = |n: u64| {
        let mut batch = WriteBatch::relaxed();
        batch
            .expect_gap(found)
            .put_message(message(n))
            .put_gap(Gap { token: Some("b".to_owned()), ..found.clone() });
        batch
    };
    store.apply(fill(98)).await?;
    fails(store.apply(fill(97)).await, ErrorKind::Conflict)?;
    same(places(&store).await?, [(98, false), (99, true), (100, false)])
}

pub(crate) async fn a_filled_gap_closes_in_the_same_batch(harness: &mut dyn Harness) -> Outcome {
    let store = with_messages(harness, [100]).await?;
    put(&store, |batch| batch.put_gap(gap(99, None))).await?;
    put(&store, |batch| batch.remove_gap(room(0), at(99)).put_message(message(99))).await?;
    same(places(&store).await?, [(99, false), (100, false)])
}
