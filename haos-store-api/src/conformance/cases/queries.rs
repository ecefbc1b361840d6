//! Messages by another criterion than their place.

use crate::conformance::check::*;
use crate::conformance::make::*;
use crate::conformance::{Harness, Outcome};
use crate::*;

fn numbers(messages: &[Message]) -> Vec<u64> {
    messages.iter().map(|message| message.position.get() - Position::FIRST.get()).collect()
}

pub(crate) async fn related_by_target_and_kind(harness: &mut dyn Harness) -> Outcome {
    use RelationKind::*;
    let store = with_messages(harness, [1, 2]).await?;
    put(&store, |batch| {
        batch
            .put_message(about(Reaction, 1, message(9)))
            .put_message(about(Edit, 1, message(5)))
            .put_message(about(Reaction, 2, message(7)))
            .put_message(about(Reaction, 1, message(6)))
            .put_message(about(Other("Edit".to_owned()), 2, message(8)))
            .put_message(about(Reply, 3, message(4)))
    })
    .await?;
    let query = |targets: &[u64], kind, limit| RelationQuery {
        room: room(0),
        targets: targets.iter().copied().map(event).collect(),
        kind,
        limit,
    };
    let all = usize::MAX;
    same(numbers(&store.related(RelationQuery::of(&room(0), &event(1))).await?), [5, 6, 9])?;
    same(numbers(&store.related(query(&[2, 1], None, all)).await?), [5, 6, 7, 8, 9])?;
    same(numbers(&store.related(query(&[1, 2, 1], Some(Reaction), all)).await?), [6, 7, 9])?;
    same(numbers(&store.related(query(&[2], Some(Other("Edit".to_owned())), all)).await?), [8])?;
    same(numbers(&store.related(query(&[1, 2], Some(Reaction), 2)).await?), [6, 7])?;
    same(numbers(&store.related(query(&[3], None, all)).await?), [4])?;
    same(store.related(query(&[1], None, 0)).await?, [])?;
    same(store.related(query(&[], None, all)).await?, [])?;
    same(store.related(RelationQuery::of(&room(1), &event(1))).await?, [])
}

pub(crate) async fn related_of_many_targets(harness: &mut dyn Harness) -> Outcome {
    let store = with_room(harness).await?;
    put(&store, |batch| {
        (0..120).fold(batch, |batch, n| batch.put_message(about(RelationKind::Reaction, n % 40, message(n))))
    })
    .await?;
    let targets = (0..2_000).map(event).collect();
    let query = RelationQuery { room: room(0), targets, kind: None, limit: usize::MAX };
    same(numbers(&store.related(query).await?), (0..120).collect::<Vec<_>>())
}

pub(crate) async fn a_changed_relation_is_found_where_it_is_now(harness: &mut dyn Harness) -> Outcome {
    let store = with_room(harness).await?;
    put(&store, |batch| batch.put_message(about(RelationKind::Edit, 1, message(5)))).await?;
    put(&store, |batch| batch.put_message(about(RelationKind::Edit, 2, message(5)))).await?;
    same(store.related(RelationQuery::of(&room(0), &event(1))).await?, [])?;
    same(numbers(&store.related(RelationQuery::of(&room(0), &event(2))).await?), [5])
}

pub(crate) async fn the_latest_edit_is_told_by_time_and_not_by_place(harness: &mut dyn Harness) -> Outcome {
    let store = with_messages(harness, [1]).await?;
    let edit = |n, timestamp_ms| Message { timestamp_ms, ..about(RelationKind::Edit, 1, message(n)) };
    let sent = Message { provisional: true, ..edit(8, 1) };
    let shown = async || {
        let view = store.timeline_view(&room(0), Page::newest(99)).await?;
        let mut messages = view.items.into_iter().filter_map(|item| match item {
            ViewItem::Message(view) => Some(view),
            ViewItem::Gap(_) => None,
        });
        Ok::<_, Error>(messages.next().and_then(|view| view.edit).map(|edit| edit.id))
    };
    put(&store, |batch| batch.put_message(edit(5, 30)).put_message(edit(6, 20))).await?;
    same(shown().await?, Some(event(5)))?;
    put(&store, |batch| batch.put_message(edit(7, 30))).await?;
    same(shown().await?, Some(event(7)))?;
    put(&store, |batch| batch.put_message(sent)).await?;
    same(shown().await?, Some(event(8)))?;
    put(&store, |batch| batch.redact(redaction(8, 9)).redact(redaction(7, 9))).await?;
    same(shown().await?, Some(event(5)))
}

pub(crate) async fn by_ids(harness: &mut dyn Harness) -> Outcome {
    let store = with_messages(harness, [1, 2, 3]).await?;
    let query = |events: &[u64]| MessageQuery::Ids {
        room: room(0),
        events: events.iter().copied().map(event).collect(),
    };
    same(numbers(&store.messages(query(&[3, 9, 1, 3])).await?), [1, 3])?;
    same(store.messages(query(&[])).await?, [])?;
    same(store.messages(MessageQuery::Ids { room: room(1), events: vec![event(1)] }).await?, [])
}

pub(crate) async fn by_two_thousand_ids(harness: &mut dyn Harness) -> Outcome {
    let store = with_messages(harness, (0..30).map(|n| n * 100)).await?;
    let events = (0..2_500).map(event).collect();
    let found = store.messages(MessageQuery::Ids { room: room(0), events }).await?;
    same(numbers(&found), (0..25).map(|n| n * 100).collect::<Vec<_>>())
}

pub(crate) async fn by_transaction_across_rooms(harness: &mut dyn Harness) -> Outcome {
    let store = with_messages(harness, [1]).await?;
    let own = |r, n| Message { room: room(r), txn_id: Some(txn(1)), ..message(n) };
    put(&store, |batch| {
        batch
            .put_room(a_room(1))
            .put_room(a_room(2))
            .put_message(own(2, 3))
            .put_message(own(0, 5))
            .put_message(Message { txn_id: Some(txn(2)), ..own(1, 4) })
    })
    .await?;
    same(store.messages(MessageQuery::Txn(txn(1))).await?, [own(0, 5), own(2, 3)])?;
    same(store.messages(MessageQuery::Txn(txn(3))).await?, [])
}

pub(crate) async fn by_sender_newest_first(harness: &mut dyn Harness) -> Outcome {
    let store = with_messages(harness, [1, 4]).await?;
    put(&store, |batch| {
        batch
            .put_message(Message { sender: user(1), ..message(3) })
            .put_message(Message { sender: user(1), ..message(2) })
            .put_message(Message { sender: user(1), ..message(6) })
    })
    .await?;
    let query = |n, limit| MessageQuery::Sender { room: room(0), sender: user(n), limit };
    same(numbers(&store.messages(query(1, 9)).await?), [6, 3, 2])?;
    same(numbers(&store.messages(query(1, 2)).await?), [6, 3])?;
    same(numbers(&store.messages(query(0, usize::MAX)).await?), [4, 1])?;
    same(store.messages(query(1, 0)).await?, [])?;
    same(store.messages(query(2, 9)).await?, [])?;
    // A corrected sender is found under the new name alone.
    put(&store, |batch| batch.put_message(Message { sender: user(2), ..message(6) })).await?;
    same(numbers(&store.messages(query(1, 9)).await?), [3, 2])?;
    same(numbers(&store.messages(query(2, 9)).await?), [6])
}

pub(crate) async fn by_time(harness: &mut dyn Harness) -> Outcome {
    let store = with_room(harness).await?;
    let times = [(1, 50), (2, i64::MIN), (3, 50), (4, -1), (5, i64::MAX), (6, 51)];
    put(&store, |batch| {
        times.iter().fold(batch, |batch, (n, timestamp_ms)| {
            batch.put_message(Message { timestamp_ms: *timestamp_ms, ..message(*n) })
        })
    })
    .await?;
    let query = |from_ms, until_ms, limit| MessageQuery::Time { room: room(0), from_ms, until_ms, limit };
    same(numbers(&store.messages(query(i64::MIN, i64::MAX, 9)).await?), [2, 4, 1, 3, 6])?;
    same(numbers(&store.messages(query(50, 51, 9)).await?), [1, 3])?;
    same(numbers(&store.messages(query(-1, 52, 2)).await?), [4, 1])?;
    same(store.messages(query(50, 50, 9)).await?, [])?;
    same(store.messages(query(51, 50, 9)).await?, [])?;
    same(store.messages(query(0, 99, 0)).await?, [])
}

pub(crate) async fn counts(harness: &mut dyn Harness) -> Outcome {
    let store = with_messages(harness, [1, 2, 5]).await?;
    put(&store, |batch| batch.put_gap(gap(3, None))).await?;
    same(store.count(&room(0), None).await?, 3)?;
    same(store.count(&room(0), Some(&event(1))).await?, 2)?;
    same(store.count(&room(0), Some(&event(5))).await?, 0)?;
    same(store.count(&room(0), Some(&event(9))).await?, 0)?;
    same(store.count(&room(1), None).await?, 0)
}
