//! Renumbering: moving items, all at once.

use crate::conformance::check::*;
use crate::conformance::make::*;
use crate::conformance::{Harness, Outcome};
use crate::*;

fn moves(pairs: &[(u64, u64)]) -> Vec<(Position, Position)> {
    pairs.iter().map(|(from, to)| (at(*from), at(*to))).collect()
}

pub(crate) async fn renumbering_keeps_everything_else(harness: &mut dyn Harness) -> Outcome {
    let store = with_room(harness).await?;
    let full = Message { txn_id: Some(txn(1)), ..about(RelationKind::Reply, 9, message(1)) };
    put(&store, |batch| batch.put_message(full.clone())).await?;
    put(&store, |batch| batch.renumber(room(0), moves(&[(1, 7)]))).await?;
    let moved = Message { position: at(7), ..full };
    same(store.message(&room(0), &event(1)).await?.as_ref(), Some(&moved))?;
    same(store.related(RelationQuery::of(&room(0), &event(9))).await?, [moved.clone()])?;
    same(store.messages(MessageQuery::Txn(txn(1))).await?, [moved.clone()])?;
    let sender = MessageQuery::Sender { room: room(0), sender: user(0), limit: 9 };
    same(store.messages(sender).await?, [moved.clone()])?;
    let time = MessageQuery::Time { room: room(0), from_ms: 0, until_ms: 9_999, limit: 9 };
    same(store.messages(time).await?, [moved])
}

pub(crate) async fn renumbering_swaps_and_shifts(harness: &mut dyn Harness) -> Outcome {
    let store = with_messages(harness, [1, 2, 3]).await?;
    let commit = put(&store, |batch| batch.renumber(room(0), moves(&[(1, 2), (2, 1)]))).await?;
    holds(commit.changed, "a swap is a change")?;
    let order = async || {
        let slice = store.timeline(&room(0), Page::oldest(9)).await?;
        Ok::<_, Error>(slice.messages().map(|message| message.id.clone()).collect::<Vec<_>>())
    };
    same(order().await?, [2, 1, 3].map(event))?;
    put(&store, |batch| batch.renumber(room(0), moves(&[(1, 2), (2, 3), (3, 4)]))).await?;
    same(order().await?, [2, 1, 3].map(event))?;
    same(places(&store).await?, [(2, false), (3, false), (4, false)])?;
    put(&store, |batch| batch.renumber(room(0), moves(&[(4, 3), (3, 2), (2, 1)]))).await?;
    same(order().await?, [2, 1, 3].map(event))
}

pub(crate) async fn renumbering_swaps_a_message_with_a_gap(harness: &mut dyn Harness) -> Outcome {
    let store = with_messages(harness, [2]).await?;
    put(&store, |batch| batch.put_gap(gap(1, Some("t")))).await?;
    let commit = put(&store, |batch| batch.renumber(room(0), moves(&[(1, 2), (2, 1)]))).await?;
    same(places(&store).await?, [(1, false), (2, true)])?;
    // A moved gap is another gap to the client that was filling it.
    same(store.gaps(&room(0)).await?, [Gap { revision: commit.revision, ..gap(2, Some("t")) }])
}

pub(crate) async fn renumbering_onto_a_taken_place_is_a_conflict(harness: &mut dyn Harness) -> Outcome {
    let store = with_messages(harness, [1, 2]).await?;
    put(&store, |batch| batch.put_gap(gap(3, None))).await?;
    for to in [2, 3] {
        let result = put(&store, |batch| batch.renumber(room(0), moves(&[(1, to)]))).await;
        fails(result, ErrorKind::Conflict)?;
    }
    same(places(&store).await?, [(1, false), (2, false), (3, true)])
}

pub(crate) async fn renumbering_nothing_is_a_conflict(harness: &mut dyn Harness) -> Outcome {
    let store = with_messages(harness, [1]).await?;
    let result = put(&store, |batch| batch.renumber(room(0), moves(&[(1, 5), (2, 6)]))).await;
    fails(result, ErrorKind::Conflict)?;
    same(places(&store).await?, [(1, false)])
}

pub(crate) async fn renumbering_a_place_twice_is_invalid(harness: &mut dyn Harness) -> Outcome {
    let store = with_messages(harness, [1, 2]).await?;
    for pairs in [[(1, 5), (1, 6)], [(1, 5), (2, 5)]] {
        let result = put(&store, |batch| batch.renumber(room(0), moves(&pairs))).await;
        fails(result, ErrorKind::Invalid)?;
    }
    same(places(&store).await?, [(1, false), (2, false)])
}

pub(crate) async fn renumbering_in_place_changes_nothing(harness: &mut dyn Harness) -> Outcome {
    let store = with_messages(harness, [1]).await?;
    let commit = put(&store, |batch| batch.renumber(room(0), moves(&[(1, 1)]))).await?;
    same(commit.changed, false)?;
    let commit = put(&store, |batch| batch.renumber(room(0), Vec::new())).await?;
    same(commit.changed, false)
}

pub(crate) async fn renumbering_an_unknown_room_is_invalid(harness: &mut dyn Harness) -> Outcome {
    let store = with_room(harness).await?;
    let result = put(&store, |batch| batch.renumber(room(3), moves(&[(1, 2)]))).await;
    fails(result, ErrorKind::Invalid)
}

pub(crate) async fn renumbering_makes_room_in_one_batch(harness: &mut dyn Harness) -> Outcome {
    let store = with_messages(harness, [1, 2]).await?;
    let between = Message { position: at(2), ..message(9) };
    put(&store, |batch| batch.renumber(room(0), moves(&[(2, 3)])).put_message(between)).await?;
    let slice = store.timeline(&room(0), Page::oldest(9)).await?;
    same(slice.messages().map(|message| message.id.clone()).collect::<Vec<_>>(), [1, 9, 2].map(event))
}
