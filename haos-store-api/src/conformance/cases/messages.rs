//! Messages: storing and merging them.

use crate::conformance::check::*;
use crate::conformance::make::*;
use crate::conformance::{Harness, Outcome};
use crate::*;

fn full_message() -> Message {
    Message {
        sender: user(7),
        timestamp_ms: -1,
        state_key: Some(key("")),
        relation: Some(Relation {
            kind: RelationKind::Other("m.custom".to_owned()),
            target: event(99),
            key: Some("👍🏽".to_owned()),
        }),
        txn_id: Some(txn(1)),
        redacted_by: Some(event(98)),
        provisional: true,
        extra: Some(json(r#"{"unsigned":{"age":1.0e2}}"#)),
        ..message(1)
    }
}

pub(crate) async fn every_field_comes_back(harness: &mut dyn Harness) -> Outcome {
    let store = with_room(harness).await?;
    put(&store, |batch| batch.put_message(full_message())).await?;
    same(store.message(&room(0), &event(1)).await?, Some(full_message()))?;
    let slice = store.timeline(&room(0), Page::newest(9)).await?;
    same(slice.items, [Item::Message(full_message())])
}

pub(crate) async fn every_kind_of_relation_comes_back(harness: &mut dyn Harness) -> Outcome {
    use RelationKind::*;
    let store = with_room(harness).await?;
    for (n, kind) in
        [Edit, Reaction, Reply, Thread, Redaction, Ignored, Other(String::new())].into_iter().enumerate()
    {
        let message = about(kind, 99, message(n as u64));
        put(&store, |batch| batch.put_message(message.clone())).await?;
        same(store.message(&room(0), &message.id).await?, Some(message))?;
    }
    Ok(())
}

pub(crate) async fn absent_is_none(harness: &mut dyn Harness) -> Outcome {
    let store = with_messages(harness, [1]).await?;
    same(store.message(&room(0), &event(2)).await?, None)?;
    same(store.message(&room(1), &event(1)).await?, None)
}

pub(crate) async fn a_message_needs_its_room(harness: &mut dyn Harness) -> Outcome {
    let store = harness.open().await?;
    fails(put(&store, |batch| batch.put_message(message(1))).await, ErrorKind::Invalid)?;
    same(store.message(&room(0), &event(1)).await?, None)
}

pub(crate) async fn the_same_message_changes_nothing(harness: &mut dyn Harness) -> Outcome {
    let store = with_room(harness).await?;
    let first = put(&store, |batch| batch.put_message(full_message())).await?;
    let second = put(&store, |batch| batch.put_message(full_message())).await?;
    same((second.changed, second.revision), (false, first.revision))
}

pub(crate) async fn later_content_replaces(harness: &mut dyn Harness) -> Outcome {
    let store = with_messages(harness, [1]).await?;
    let later =
        Message { content: json(r#"{"body":"later"}"#), timestamp_ms: 5, sender: user(3), ..message(1) };
    let commit = put(&store, |batch| batch.put_message(later.clone())).await?;
    holds(commit.changed, "other content is a change")?;
    same(store.message(&room(0), &event(1)).await?, Some(later))?;
    same(store.count(&room(0), None).await?, 1)
}

pub(crate) async fn an_anchor_never_moves(harness: &mut dyn Harness) -> Outcome {
    let store = with_messages(harness, [1, 2]).await?;
    for n in [2, 3] {
        // Neither to a taken place nor to a free one, and neither is an error.
        let moved = Message { position: at(n), ..message(1) };
        let commit = put(&store, |batch| batch.put_message(moved)).await?;
        same(commit.changed, false)?;
    }
    put(&store, |batch| batch.put_gap(gap(4, None))).await?;
    put(&store, |batch| batch.put_message(Message { position: at(4), ..message(1) })).await?;
    same(places(&store).await?, [(1, false), (2, false), (4, true)])
}

pub(crate) async fn a_taken_position_is_a_conflict(harness: &mut dyn Harness) -> Outcome {
    let store = with_messages(harness, [1]).await?;
    let other = Message { position: at(1), ..message(2) };
    fails(put(&store, |batch| batch.put_message(other)).await, ErrorKind::Conflict)?;
    same(store.message(&room(0), &event(2)).await?, None)?;
    same(store.message(&room(0), &event(1)).await?, Some(message(1)))
}

pub(crate) async fn a_position_that_came_free_can_be_taken(harness: &mut dyn Harness) -> Outcome {
    let store = with_messages(harness, [1]).await?;
    let other = Message { position: at(1), ..message(2) };
    put(&store, |batch| batch.remove_message(room(0), event(1)).put_message(other.clone())).await?;
    same(store.timeline(&room(0), Page::newest(9)).await?.items, [Item::Message(other)])
}

pub(crate) async fn the_place_of_a_gap_is_a_conflict(harness: &mut dyn Harness) -> Outcome {
    let store = with_room(harness).await?;
    put(&store, |batch| batch.put_gap(gap(1, None))).await?;
    fails(put(&store, |batch| batch.put_message(message(1))).await, ErrorKind::Conflict)?;
    same(places(&store).await?, [(1, true)])
}

pub(crate) async fn a_confirmation_moves_a_provisional_message(harness: &mut dyn Harness) -> Outcome {
    let store = with_messages(harness, [5]).await?;
    let guess = Message { provisional: true, txn_id: Some(txn(1)), ..message(1) };
    let sure = Message { position: at(8), ..message(1) };
    put(&store, |batch| batch.put_message(guess)).await?;
    put(&store, |batch| batch.put_message(sure.clone())).await?;
    let merged = Message { txn_id: Some(txn(1)), ..sure };
    same(places(&store).await?, [(5, false), (8, false)])?;
    same(store.message(&room(0), &event(1)).await?, Some(merged.clone()))?;
    let sent = store.messages(MessageQuery::Txn(txn(1))).await?;
    same(sent, [merged])?;
    // And a confirmed message does not move again.
    put(&store, |batch| batch.put_message(Message { position: at(9), ..message(1) })).await?;
    same(places(&store).await?, [(5, false), (8, false)])
}

pub(crate) async fn a_provisional_message_stays_until_confirmed(harness: &mut dyn Harness) -> Outcome {
    let store = with_room(harness).await?;
    let guess = |position| Message { provisional: true, position, ..message(1) };
    put(&store, |batch| batch.put_message(guess(at(1)))).await?;
    let commit = put(&store, |batch| batch.put_message(guess(at(2)))).await?;
    same(commit.changed, false)?;
    same(places(&store).await?, [(1, false)])
}

pub(crate) async fn a_confirmation_onto_a_taken_place_is_a_conflict(harness: &mut dyn Harness) -> Outcome {
    let store = with_messages(harness, [5]).await?;
    let guess = Message { provisional: true, ..message(1) };
    put(&store, |batch| batch.put_message(guess.clone()).put_gap(gap(6, None))).await?;
    for taken in [5, 6] {
        let sure = Message { position: at(taken), ..message(1) };
        fails(put(&store, |batch| batch.put_message(sure)).await, ErrorKind::Conflict)?;
    }
    same(store.message(&room(0), &event(1)).await?, Some(guess))
}

pub(crate) async fn a_late_answer_does_not_undo_the_echo(harness: &mut dyn Harness) -> Outcome {
    let store = with_messages(harness, [1]).await?;
    let answer = Message {
        provisional: true,
        position: at(7),
        txn_id: Some(txn(1)),
        timestamp_ms: 9,
        extra: Some(Json::empty()),
        ..message(1)
    };
    put(&store, |batch| batch.put_message(answer)).await?;
    same(store.message(&room(0), &event(1)).await?, Some(Message { txn_id: Some(txn(1)), ..message(1) }))
}

pub(crate) async fn a_transaction_id_stays(harness: &mut dyn Harness) -> Outcome {
    let store = with_room(harness).await?;
    let own = Message { txn_id: Some(txn(1)), ..message(1) };
    put(&store, |batch| batch.put_message(own.clone())).await?;
    put(&store, |batch| batch.put_message(message(1))).await?;
    put(&store, |batch| batch.put_message(Message { txn_id: Some(txn(2)), ..message(1) })).await?;
    same(store.messages(MessageQuery::Txn(txn(1))).await?, [own])?;
    same(store.messages(MessageQuery::Txn(txn(2))).await?, [])
}

pub(crate) async fn a_redaction_is_for_good(harness: &mut dyn Harness) -> Outcome {
    let store = with_room(harness).await?;
    let original =
        Message { extra: Some(json(r#"{"secret":1}"#)), ..about(RelationKind::Reply, 9, message(1)) };
    put(&store, |batch| batch.put_message(original.clone())).await?;
    put(&store, |batch| batch.redact(redaction(1, 5))).await?;
    let emptied = Message { content: Json::empty(), redacted_by: Some(event(5)), ..message(1) };
    same(store.message(&room(0), &event(1)).await?, Some(emptied.clone()))?;
    same(store.related(RelationQuery::of(&room(0), &event(9))).await?, [])?;
    let again = put(&store, |batch| batch.put_message(original)).await?;
    same(again.changed, false)?;
    let again = put(&store, |batch| batch.redact(redaction(1, 6))).await?;
    same(again.changed, false)?;
    same(store.message(&room(0), &event(1)).await?, Some(emptied))
}

pub(crate) async fn an_emptied_reaction_is_known_as_one_and_keeps_no_key(
    harness: &mut dyn Harness,
) -> Outcome {
    use RelationKind::*;
    let store = with_messages(harness, [9]).await?;
    let keyed = |n, kind| {
        let relation = Relation { kind, target: event(9), key: Some("secret".to_owned()) };
        Message { relation: Some(relation), ..message(n) }
    };
    // One emptied here, one of which the server's emptied copy comes, which tells no relation.
    put(&store, |batch| batch.put_message(keyed(1, Reaction)).redact(redaction(1, 5))).await?;
    let copy = Message { content: Json::empty(), redacted_by: Some(event(5)), ..message(2) };
    put(&store, |batch| batch.put_message(keyed(2, Edit)).put_message(copy)).await?;
    for (n, kind) in [(1, Reaction), (2, Edit)] {
        let found = some(store.message(&room(0), &event(n)).await?)?;
        same(found.relation, Some(Relation { kind, target: event(9), key: None }))?;
    }
    let view = store.timeline_view(&room(0), Page::newest(9)).await?;
    same(view.items, [ViewItem::Message(Box::new(message(9).into()))])
}

pub(crate) async fn a_redaction_keeps_what_the_protocol_lets_stand(harness: &mut dyn Harness) -> Outcome {
    let store = with_messages(harness, [1]).await?;
    let rest = json(r#"{"membership":"join"}"#);
    let request = Redact { content: rest.clone(), ..redaction(1, 5) };
    put(&store, |batch| batch.redact(request)).await?;
    same(store.message(&room(0), &event(1)).await?.map(|message| message.content), Some(rest))
}

pub(crate) async fn a_redacted_provisional_message_still_finds_its_place(
    harness: &mut dyn Harness,
) -> Outcome {
    let store = with_room(harness).await?;
    put(&store, |batch| batch.put_message(Message { provisional: true, ..message(1) })).await?;
    put(&store, |batch| batch.redact(redaction(1, 5))).await?;
    put(&store, |batch| batch.put_message(Message { position: at(4), ..message(1) })).await?;
    let found = some(store.message(&room(0), &event(1)).await?)?;
    same((found.position, found.provisional), (at(4), false))?;
    same(found.content, Json::empty())
}

pub(crate) async fn redacting_an_unknown_message_changes_nothing(harness: &mut dyn Harness) -> Outcome {
    let store = with_messages(harness, [1]).await?;
    let elsewhere = Redact { room: room(3), ..redaction(1, 5) };
    let commit = put(&store, |batch| batch.redact(redaction(2, 5)).redact(elsewhere)).await?;
    same(commit.changed, false)
}

pub(crate) async fn removed_is_gone(harness: &mut dyn Harness) -> Outcome {
    let store = with_messages(harness, [1, 2]).await?;
    put(&store, |batch| batch.remove_message(room(0), event(1))).await?;
    same(store.message(&room(0), &event(1)).await?, None)?;
    same(places(&store).await?, [(2, false)])?;
    let again = put(&store, |batch| batch.remove_message(room(0), event(1))).await?;
    same(again.changed, false)?;
    let elsewhere = put(&store, |batch| batch.remove_message(room(3), event(2))).await?;
    same(elsewhere.changed, false)
}

pub(crate) async fn one_event_id_in_two_rooms_is_two_messages(harness: &mut dyn Harness) -> Outcome {
    let store = with_messages(harness, [1]).await?;
    let twin = Message { room: room(1), content: json("[]"), ..message(1) };
    put(&store, |batch| batch.put_room(a_room(1)).put_message(twin.clone())).await?;
    same(store.message(&room(0), &event(1)).await?, Some(message(1)))?;
    same(store.message(&room(1), &event(1)).await?, Some(twin))?;
    put(&store, |batch| batch.remove_message(room(1), event(1))).await?;
    same(store.message(&room(0), &event(1)).await?, Some(message(1)))
}
