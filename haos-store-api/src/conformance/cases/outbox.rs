//! Outbox rows.

use crate::conformance::check::*;
use crate::conformance::make::*;
use crate::conformance::{Harness, Outcome};
use crate::*;

fn full_row() -> Pending {
    Pending {
        wire: Some(json(r#"{"ciphertext":"…"}"#)),
        wire_kind: Some(kind("m.room.encrypted")),
        state: PendingState::Sending,
        attempts: u32::MAX,
        ambiguous: true,
        created_ms: -5,
        first_attempt_ms: Some(1),
        last_attempt_ms: Some(i64::MAX),
        not_before_ms: 77,
        lease: Some(Lease { owner: "tab 1".to_owned(), until_ms: 9 }),
        fence: u64::MAX,
        parent: Some(txn(8)),
        target: Some(event(4)),
        priority: -3,
        expires_at_ms: Some(0),
        event_id: Some(event(9)),
        error: Some("M_FORBIDDEN".to_owned()),
        sync_token: Some("s1".to_owned()),
        device: Some("DEVICE".to_owned()),
        media: vec![media_key(1), media_key(2)],
        remote: Some(media_key(3).uri),
        anchor: Some(event(3)),
        ..pending(1)
    }
}

async fn one(store: &Store, n: u64) -> Result<Option<Pending>> {
    let query = PendingQuery { txn_id: Some(txn(n)), ..Default::default() };
    Ok(store.pending(query).await?.into_iter().next())
}

fn txns(rows: &[Pending]) -> Vec<TxnId> {
    rows.iter().map(|row| row.txn_id.clone()).collect()
}

pub(crate) async fn every_field_comes_back(harness: &mut dyn Harness) -> Outcome {
    let store = harness.open().await?;
    // An outbox row needs no room row.
    let commit = put(&store, |batch| batch.put_pending(full_row())).await?;
    let seq = some(commit.assigned.first())?.1;
    same(one(&store, 1).await?, Some(Pending { seq, revision: commit.revision, ..full_row() }))
}

pub(crate) async fn every_state_comes_back(harness: &mut dyn Harness) -> Outcome {
    use ParkReason::*;
    use PendingState::*;
    let store = harness.open().await?;
    let refusals = [Forbidden, TooLarge, Invalid, NotFound, Refused];
    let reasons =
        refusals.into_iter().chain([Ambiguous, Expired, ParentFailed, MissingMedia, Paused, Restored]);
    let states = [Blocked, Queued, Sending, Sent].into_iter().chain(reasons.map(Parked));
    for state in states {
        put(&store, |batch| batch.put_pending(Pending { state, ..pending(1) })).await?;
        same(one(&store, 1).await?.map(|row| row.state), Some(state))?;
    }
    Ok(())
}

pub(crate) async fn the_sequence_is_the_order_of_writing(harness: &mut dyn Harness) -> Outcome {
    let store = harness.open().await?;
    let commit = put(&store, |batch| batch.put_pending(pending(5)).put_pending(pending(2))).await?;
    let later =
        put(&store, |batch| batch.put_pending(Pending { seq: 1, room: room(1), ..pending(3) })).await?;
    let assigned: Vec<_> = commit.assigned.into_iter().chain(later.assigned).collect();
    same(assigned.iter().map(|(txn_id, _)| txn_id.clone()).collect::<Vec<_>>(), [5, 2, 3].map(txn))?;
    holds(assigned.iter().all(|(_, seq)| *seq > 0), "a sequence number is above 0")?;
    holds(assigned.is_sorted_by(|a, b| a.1 < b.1), "sequence numbers rise")?;
    let rows = store.pending(PendingQuery::default()).await?;
    same(rows.iter().map(|row| (row.txn_id.clone(), row.seq)).collect::<Vec<_>>(), assigned)
}

pub(crate) async fn an_update_keeps_the_place(harness: &mut dyn Harness) -> Outcome {
    let store = harness.open().await?;
    put(&store, |batch| batch.put_pending(pending(1)).put_pending(pending(2))).await?;
    let before = some(one(&store, 1).await?)?;
    let update = Pending { seq: 0, state: PendingState::Sending, created_ms: 9_999, ..pending(1) };
    let commit = put(&store, |batch| batch.put_pending(update)).await?;
    same(commit.assigned, [])?;
    let after = some(one(&store, 1).await?)?;
    let expected = Pending { state: PendingState::Sending, revision: commit.revision, ..before };
    same(after, expected)?;
    same(txns(&store.pending(PendingQuery::default()).await?), [1, 2].map(txn))
}

pub(crate) async fn the_same_row_changes_nothing(harness: &mut dyn Harness) -> Outcome {
    let store = harness.open().await?;
    let first = put(&store, |batch| batch.put_pending(full_row())).await?;
    let second = put(&store, |batch| batch.put_pending(full_row())).await?;
    same((second.changed, second.revision, second.assigned), (false, first.revision, vec![]))
}

pub(crate) async fn a_sequence_number_is_never_given_twice(harness: &mut dyn Harness) -> Outcome {
    let store = harness.open().await?;
    let first = put(&store, |batch| batch.put_pending(pending(1)).put_pending(pending(2))).await?;
    put(&store, |batch| batch.remove_pending(txn(1)).remove_pending(txn(2))).await?;
    let second = put(&store, |batch| batch.put_pending(pending(1))).await?;
    let highest = first.assigned.iter().map(|(_, seq)| *seq).max();
    holds(second.assigned.first().map(|(_, seq)| *seq) > highest, "a number is not given again")?;
    put(&store, |batch| batch.remove_pending(txn(1))).await?;
    drop(store);
    let store = harness.reopen().await?;
    let third = put(&store, |batch| batch.put_pending(pending(3))).await?;
    holds(
        third.assigned.first().map(|(_, seq)| *seq) > second.assigned.first().map(|(_, seq)| *seq),
        "a number is not given again after a restart either",
    )
}

pub(crate) async fn the_fence_only_grows(harness: &mut dyn Harness) -> Outcome {
    let store = harness.open().await?;
    put(&store, |batch| batch.put_pending(Pending { fence: 5, ..pending(1) })).await?;
    put(&store, |batch| batch.put_pending(Pending { fence: 3, attempts: 1, ..pending(1) })).await?;
    same(one(&store, 1).await?.map(|row| (row.fence, row.attempts)), Some((5, 1)))?;
    put(&store, |batch| batch.put_pending(Pending { fence: 6, ..pending(1) })).await?;
    same(one(&store, 1).await?.map(|row| row.fence), Some(6))
}

pub(crate) async fn the_anchor_is_that_of_the_first_attempt(harness: &mut dyn Harness) -> Outcome {
    let store = harness.open().await?;
    let with = |anchor: Option<u64>, tried: bool| Pending {
        anchor: anchor.map(event),
        first_attempt_ms: tried.then_some(1),
        ..pending(1)
    };
    for (row, expected) in [
        (with(Some(1), false), Some(event(1))),
        (with(Some(2), true), Some(event(2))),
        (with(Some(3), true), Some(event(2))),
        (with(None, false), Some(event(2))),
    ] {
        put(&store, |batch| batch.put_pending(row)).await?;
        same(one(&store, 1).await?.map(|row| row.anchor), Some(expected))?;
    }
    // An absent anchor is an answer too: the room was empty then.
    let empty = Pending { first_attempt_ms: Some(1), ..pending(2) };
    put(&store, |batch| batch.put_pending(empty.clone())).await?;
    put(&store, |batch| batch.put_pending(Pending { anchor: Some(event(1)), ..empty })).await?;
    same(one(&store, 2).await?.map(|row| row.anchor), Some(None))
}

pub(crate) async fn content_may_change_before_an_attempt(harness: &mut dyn Harness) -> Outcome {
    let store = harness.open().await?;
    put(&store, |batch| batch.put_pending(pending(1))).await?;
    let edited = Pending { content: json(r#"{"body":"better"}"#), kind: kind("m.sticker"), ..pending(1) };
    put(&store, |batch| batch.put_pending(edited.clone())).await?;
    let row = some(one(&store, 1).await?)?;
    same((row.content, row.kind), (edited.content, edited.kind))
}

pub(crate) async fn a_transaction_id_is_never_reused_after_an_attempt(harness: &mut dyn Harness) -> Outcome {
    let store = harness.open().await?;
    let tried = Pending { first_attempt_ms: Some(1), ..pending(1) };
    put(&store, |batch| batch.put_pending(tried.clone())).await?;
    let others = [
        Pending { content: json("{}"), ..tried.clone() },
        Pending { kind: kind("m.sticker"), ..tried.clone() },
        Pending { content: json("{}"), first_attempt_ms: None, ..tried.clone() },
    ];
    for other in others {
        fails(put(&store, |batch| batch.put_pending(other)).await, ErrorKind::Invalid)?;
    }
    // Forgetting the attempt is no way around.
    put(&store, |batch| batch.put_pending(Pending { first_attempt_ms: None, ..tried.clone() })).await?;
    let other = Pending { content: json("{}"), first_attempt_ms: None, ..tried };
    fails(put(&store, |batch| batch.put_pending(other)).await, ErrorKind::Invalid)?;
    same(one(&store, 1).await?.map(|row| row.first_attempt_ms), Some(Some(1)))
}

pub(crate) async fn the_wire_form_may_come_late(harness: &mut dyn Harness) -> Outcome {
    let store = harness.open().await?;
    let tried = Pending { first_attempt_ms: Some(1), ..pending(1) };
    put(&store, |batch| batch.put_pending(tried.clone())).await?;
    // Whatever surely did not arrive may go out in another form.
    for form in ["1", "2"] {
        let encrypted = Pending { wire: Some(json(form)), wire_kind: Some(kind("m.other")), ..tried.clone() };
        put(&store, |batch| batch.put_pending(encrypted)).await?;
        let row = some(one(&store, 1).await?)?;
        same((row.wire, row.wire_kind), (Some(json(form)), Some(kind("m.other"))))?;
    }
    Ok(())
}

pub(crate) async fn what_may_have_arrived_keeps_its_wire_form(harness: &mut dyn Harness) -> Outcome {
    let store = harness.open().await?;
    let tried = Pending { first_attempt_ms: Some(1), wire: Some(json("1")), ..pending(1) };
    let doubted = Pending { ambiguous: true, ..tried.clone() };
    let sending = Pending { state: PendingState::Sending, ..tried.clone() };
    let sent = Pending { state: PendingState::Sent, event_id: Some(event(1)), ..tried };
    for (n, stored) in [(1, doubted), (2, sending), (3, sent)] {
        let stored = Pending { txn_id: txn(n), ..stored };
        put(&store, |batch| batch.put_pending(stored.clone())).await?;
        for (wire, wire_kind) in
            [(Some(json("2")), None), (None, None), (stored.wire.clone(), Some(kind("m.other")))]
        {
            // Taking the doubt back in the same write is no way around.
            let waiting = Pending { state: PendingState::Queued, ambiguous: false, ..stored.clone() };
            for other in [stored.clone(), waiting] {
                let other = Pending { wire: wire.clone(), wire_kind: wire_kind.clone(), ..other };
                fails(put(&store, |batch| batch.put_pending(other)).await, ErrorKind::Invalid)?;
            }
        }
        same(one(&store, n).await?.map(|row| (row.wire, row.wire_kind)), Some((stored.wire, None)))?;
    }
    Ok(())
}

pub(crate) async fn a_row_cannot_change_its_room(harness: &mut dyn Harness) -> Outcome {
    let store = harness.open().await?;
    put(&store, |batch| batch.put_pending(pending(1))).await?;
    let moved = Pending { room: room(1), ..pending(1) };
    fails(put(&store, |batch| batch.put_pending(moved)).await, ErrorKind::Invalid)?;
    same(one(&store, 1).await?.map(|row| row.room), Some(room(0)))
}

pub(crate) async fn removed_is_gone(harness: &mut dyn Harness) -> Outcome {
    let store = harness.open().await?;
    put(&store, |batch| batch.put_pending(pending(1)).put_pending(pending(2))).await?;
    put(&store, |batch| batch.remove_pending(txn(1))).await?;
    same(txns(&store.pending(PendingQuery::default()).await?), [txn(2)])?;
    same(put(&store, |batch| batch.remove_pending(txn(1))).await?.changed, false)
}

pub(crate) async fn queries_combine(harness: &mut dyn Harness) -> Outcome {
    let store = harness.open().await?;
    put(&store, |batch| {
        batch
            .put_pending(Pending { not_before_ms: 10, ..pending(1) })
            .put_pending(Pending {
                room: room(1),
                not_before_ms: -10,
                event_id: Some(event(1)),
                ..pending(2)
            })
            .put_pending(Pending { not_before_ms: 11, event_id: Some(event(2)), ..pending(3) })
            .put_pending(Pending { not_before_ms: i64::MAX, parent: Some(txn(1)), ..pending(4) })
    })
    .await?;
    let all = store.pending(PendingQuery::default()).await?;
    let seq = |n: usize| all.get(n).map_or(0, |row| row.seq);
    let none = PendingQuery::default;
    let asks: [(PendingQuery, &[u64]); 18] = [
        (none(), &[1, 2, 3, 4]),
        (PendingQuery { room: Some(room(0)), ..none() }, &[1, 3, 4]),
        (PendingQuery { room: Some(room(2)), ..none() }, &[]),
        (PendingQuery { txn_id: Some(txn(3)), ..none() }, &[3]),
        (PendingQuery { txn_id: Some(txn(3)), room: Some(room(1)), ..none() }, &[]),
        (PendingQuery { event_id: Some(event(2)), ..none() }, &[3]),
        (PendingQuery { event_id: Some(event(3)), ..none() }, &[]),
        (PendingQuery { due_ms: Some(10), ..none() }, &[1, 2]),
        (PendingQuery { due_ms: Some(i64::MAX), ..none() }, &[1, 2, 3, 4]),
        (PendingQuery { due_ms: Some(10), room: Some(room(0)), ..none() }, &[1]),
        (PendingQuery { parent: Some(txn(1)), ..none() }, &[4]),
        (PendingQuery { parent: Some(txn(2)), ..none() }, &[]),
        (PendingQuery { parent: Some(txn(1)), due_ms: Some(10), ..none() }, &[]),
        (PendingQuery { skip_damaged: true, ..none() }, &[1, 2, 3, 4]),
        (PendingQuery { after_seq: seq(1), ..none() }, &[3, 4]),
        (PendingQuery { after_seq: u64::MAX, ..none() }, &[]),
        (PendingQuery { room: Some(room(0)), after_seq: seq(0), limit: 1, ..none() }, &[3]),
        (PendingQuery { limit: 0, ..none() }, &[]),
    ];
    for (query, expected) in asks {
        let expected: Vec<TxnId> = expected.iter().copied().map(txn).collect();
        same(txns(&store.pending(query).await?), expected)?;
    }
    Ok(())
}

pub(crate) async fn pages_by_sequence_cover_everything_once(harness: &mut dyn Harness) -> Outcome {
    let store = harness.open().await?;
    put(&store, |batch| (0..25).fold(batch, |batch, n| batch.put_pending(pending(n)))).await?;
    let mut walked = Vec::new();
    let mut query = PendingQuery { limit: 4, ..Default::default() };
    loop {
        let page = store.pending(query.clone()).await?;
        let Some(last) = page.last() else { break };
        query.after_seq = last.seq;
        walked.extend(txns(&page));
        holds(walked.len() <= 25, "no row comes twice")?;
    }
    same(walked, (0..25).map(txn).collect::<Vec<_>>())
}

pub(crate) async fn a_strict_write_survives_a_restart(harness: &mut dyn Harness) -> Outcome {
    let store = harness.open().await?;
    let mut batch = WriteBatch::strict();
    batch.put_pending(full_row());
    store.apply(batch).await?;
    let before = store.pending(PendingQuery::default()).await?;
    drop(store);
    let store = harness.reopen().await?;
    same(store.pending(PendingQuery::default()).await?, before)
}
