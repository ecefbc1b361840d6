//! Pruning: old messages go, gaps stay behind.

use crate::conformance::check::*;
use crate::conformance::make::*;
use crate::conformance::{Harness, Outcome};
use crate::*;

pub(crate) async fn the_newest_stay_and_a_gap_takes_the_rest(harness: &mut dyn Harness) -> Outcome {
    let store = with_messages(harness, [1, 2, 5, 6]).await?;
    let commit = put(&store, |batch| batch.prune(prune(2, &[]))).await?;
    holds(commit.changed, "a pruning is a change")?;
    same(places(&store).await?, [(2, true), (5, false), (6, false)])?;
    // No token: a client must ask the server for the context of the next message.
    same(store.gaps(&room(0)).await?, [Gap { revision: commit.revision, ..gap(2, None) }])?;
    same(store.message(&room(0), &event(1)).await?, None)?;
    same(store.count(&room(0), None).await?, 2)
}

pub(crate) async fn a_second_pruning_changes_nothing(harness: &mut dyn Harness) -> Outcome {
    let store = with_messages(harness, [1, 2, 5, 6]).await?;
    put(&store, |batch| batch.prune(prune(2, &[1]))).await?;
    let again = put(&store, |batch| batch.prune(prune(2, &[1]))).await?;
    same(again.changed, false)?;
    same(places(&store).await?, [(1, false), (2, true), (5, false), (6, false)])
}

pub(crate) async fn gaps_among_the_pruned_are_taken_along(harness: &mut dyn Harness) -> Outcome {
    let store = with_messages(harness, [1, 3, 7]).await?;
    put(&store, |batch| batch.put_gap(gap(2, Some("inner"))).put_gap(gap(5, Some("edge")))).await?;
    put(&store, |batch| batch.prune(prune(1, &[]))).await?;
    // The newest removed item was a gap: its token still leads on.
    let gaps = store.gaps(&room(0)).await?;
    same(gaps.iter().map(|gap| gap.token.as_deref()).collect::<Vec<_>>(), [Some("edge")])?;
    same(places(&store).await?, [(5, true), (7, false)])
}

pub(crate) async fn a_gap_alone_stays_as_it_is(harness: &mut dyn Harness) -> Outcome {
    let store = with_messages(harness, [5]).await?;
    put(&store, |batch| batch.put_gap(gap(1, Some("a"))).put_gap(gap(4, Some("b")))).await?;
    let commit = put(&store, |batch| batch.prune(prune(1, &[]))).await?;
    same(commit.changed, false)?;
    same(store.gaps(&room(0)).await?.len(), 2)
}

pub(crate) async fn protected_messages_stay_among_gaps(harness: &mut dyn Harness) -> Outcome {
    let store = with_messages(harness, [1, 2, 3, 4, 5, 6]).await?;
    put(&store, |batch| batch.prune(prune(1, &[3, 77]))).await?;
    same(places(&store).await?, [(2, true), (3, false), (5, true), (6, false)])
}

pub(crate) async fn what_the_outbox_refers_to_stays(harness: &mut dyn Harness) -> Outcome {
    let store = with_messages(harness, [1, 2, 3]).await?;
    let reply = Pending { target: Some(event(1)), ..pending(1) };
    // The same event id in another room protects nothing here.
    let elsewhere = Pending { target: Some(event(2)), room: room(1), ..pending(2) };
    put(&store, |batch| batch.put_pending(reply).put_pending(elsewhere)).await?;
    put(&store, |batch| batch.prune(prune(1, &[]))).await?;
    same(places(&store).await?, [(1, false), (2, true), (3, false)])
}

pub(crate) async fn keeping_more_than_there_is_changes_nothing(harness: &mut dyn Harness) -> Outcome {
    let store = with_messages(harness, [1, 2]).await?;
    for keep in [2, 3, u64::MAX] {
        same(put(&store, |batch| batch.prune(prune(keep, &[]))).await?.changed, false)?;
    }
    same(places(&store).await?, [(1, false), (2, false)])
}

pub(crate) async fn keeping_nothing_is_invalid(harness: &mut dyn Harness) -> Outcome {
    let store = with_messages(harness, [1]).await?;
    fails(put(&store, |batch| batch.prune(prune(0, &[]))).await, ErrorKind::Invalid)?;
    same(places(&store).await?, [(1, false)])
}

pub(crate) async fn other_rooms_are_left_alone(harness: &mut dyn Harness) -> Outcome {
    let store = with_messages(harness, [1, 2]).await?;
    let other = Message { room: room(1), ..message(1) };
    put(&store, |batch| batch.put_room(a_room(1)).put_message(other)).await?;
    put(&store, |batch| batch.prune(prune(1, &[]))).await?;
    same(store.count(&room(1), None).await?, 1)?;
    same(store.gaps(&room(1)).await?, [])?;
    let unknown = Prune { room: room(7), ..prune(1, &[]) };
    same(put(&store, |batch| batch.prune(unknown)).await?.changed, false)
}

pub(crate) async fn a_pruned_message_can_come_back_below_its_gap(harness: &mut dyn Harness) -> Outcome {
    let store = with_messages(harness, [1, 2, 3]).await?;
    put(&store, |batch| batch.prune(prune(1, &[]))).await?;
    let back = Message { position: at(1), ..message(2) };
    put(&store, |batch| batch.put_message(back)).await?;
    same(places(&store).await?, [(1, false), (2, true), (3, false)])
}
