//! Batches: all or nothing, in order, guarded by preconditions.

use crate::conformance::check::*;
use crate::conformance::make::*;
use crate::conformance::{Failure, Harness, Outcome};
use crate::*;

pub(crate) async fn an_empty_batch_changes_nothing(harness: &mut dyn Harness) -> Outcome {
    let store = harness.open().await?;
    for batch in [WriteBatch::relaxed(), WriteBatch::strict()] {
        let commit = store.apply(batch).await?;
        same(commit, Commit { revision: Revision::ZERO, changed: false, assigned: vec![] })?;
    }
    Ok(())
}

pub(crate) async fn each_change_is_one_revision(harness: &mut dyn Harness) -> Outcome {
    let store = harness.open().await?;
    let first = put(&store, |batch| batch.put_room(a_room(0)).put_message(message(1))).await?;
    let second = put(&store, |batch| batch.put_message(message(2))).await?;
    let none = put(&store, |batch| batch.put_message(message(2))).await?;
    let mut batch = WriteBatch::strict();
    batch.put_message(message(3)).put_pending(pending(1));
    let third = store.apply(batch).await?;
    same([first, second, none, third].map(|commit| commit.revision.0), [1, 2, 2, 3])
}

/// The class of an operation: it raises the revision of room 0 or not, and can be applied again or not.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    OfTheRoom,
    MoveInTheRoom,
    Other,
    Append,
}

/// Applied again, an operation changes nothing, except those that report what they found.
pub(crate) async fn each_operation_alone_is_a_change_once(harness: &mut dyn Harness) -> Outcome {
    use Kind::*;
    let store = with_messages(harness, [1, 2, 3, 4]).await?;
    let (entry, in_room) = (|value| state(Scope::Account, "k", "", value), Scope::Room(room(0)));
    let nothing = MediaPolicy { max_total: 0, max_item: 0, max_idle_ms: 0 };
    let mut last = put(&store, |batch| {
        batch
            .put_gap(gap(0, Some("t")))
            .put_gap(gap(9, None))
            .put_pending(pending(1))
            .put_media(media(1, 5), bytes(10))
            .put_media(media(2, 5), bytes(10))
            .put_state(state(in_room.clone(), "k", "", "1"))
    })
    .await?;
    for (op, kind_of) in [
        (Op::PutRoom(Room { topic: Some("t".to_owned()), ..a_room(0) }), OfTheRoom),
        (Op::PutMessage(message(5)), OfTheRoom),
        (Op::PutMessage(Message { content: json("{}"), ..message(1) }), OfTheRoom),
        (Op::Redact(redaction(2, 9)), OfTheRoom),
        (Op::RemoveMessage(room(0), event(3)), OfTheRoom),
        (Op::PutGap(gap(8, None)), OfTheRoom),
        (Op::PutGap(gap(0, Some("u"))), OfTheRoom),
        (Op::Renumber(room(0), vec![(at(8), at(7))]), MoveInTheRoom),
        (Op::RemoveGap(room(0), at(7)), OfTheRoom),
        (Op::Prune(prune(1, &[])), OfTheRoom),
        (Op::PutRoom(a_room(1)), Other),
        (Op::RemoveRoom(room(1)), Other),
        (Op::PutPending(pending(2)), Other),
        (Op::PutPending(Pending { attempts: 3, ..pending(1) }), Other),
        (Op::RemovePending(txn(2)), Other),
        (Op::PutMedia(media(3, 5), bytes(4)), Other),
        (Op::PutMedia(media(3, 6), bytes(4)), Other),
        (Op::PutMedia(media(3, 6), vec![9; 4]), Other),
        (Op::AppendMedia { key: media_key(3), at: 4, bytes: bytes(3) }, Append),
        (Op::RenameMedia(media_key(3), media_key(4)), Other),
        (Op::RenameMedia(media_key(4), media_key(2)), Other),
        (Op::TouchMedia(vec![media_key(1)], 50), Other),
        (Op::PinMedia(media_key(1), true), Other),
        (Op::PinMedia(media_key(1), false), Other),
        (Op::RemoveMedia(media_key(2)), Other),
        (Op::EvictMedia(nothing, 60), Other),
        (Op::PutState(entry("1")), Other),
        (Op::PutState(entry("2")), Other),
        (Op::RemoveState(Scope::Account, kind("k"), key("")), Other),
        (Op::RemoveState(in_room, kind("k"), key("")), Other),
    ] {
        let context = format!("{op:?}");
        let revision = async || Ok::<_, Error>(store.room(&room(0)).await?.map(|room| room.revision));
        let before = revision().await?;
        let first = put(&store, |batch| batch.push(op.clone())).await?;
        let told = |failure: Failure| failure.within(&context);
        same((first.changed, first.revision), (true, last.revision.next())).map_err(told)?;
        let of_the_room = matches!(kind_of, OfTheRoom | MoveInTheRoom);
        let expected = if of_the_room { Some(first.revision) } else { before };
        same(revision().await?, expected).map_err(told)?;
        let again = put(&store, |batch| batch.push(op)).await;
        if matches!(kind_of, MoveInTheRoom | Append) {
            fails(again, ErrorKind::Conflict).map_err(told)?;
        } else {
            let again = again?;
            same((again.changed, again.revision), (false, first.revision)).map_err(told)?;
        }
        same(revision().await?, expected).map_err(told)?;
        last = first;
    }
    Ok(())
}

pub(crate) async fn operations_see_those_before_them(harness: &mut dyn Harness) -> Outcome {
    let store = harness.open().await?;
    let unsent = Pending { media: vec![media_key(1)], target: Some(event(1)), ..pending(1) };
    let nothing = MediaPolicy { max_total: 0, max_item: 0, max_idle_ms: 0 };
    let commit = put(&store, |batch| {
        batch
            .put_room(a_room(0))
            .put_message(message(1))
            .put_message(message(2))
            .put_message(message(3))
            .redact(redaction(3, 9))
            .remove_message(room(0), event(2))
            .put_message(Message { position: at(2), ..message(7) })
            .put_pending(unsent)
            .prune(prune(1, &[]))
            .put_media(media(1, 0), bytes(3))
            .append_media(media_key(1), 3, bytes(4))
            .put_media(media(2, 0), bytes(3))
            .evict_media(nothing, 5)
            .put_state(state(Scope::Account, "k", "", "1"))
            .remove_state(Scope::Account, kind("k"), key(""))
    })
    .await?;
    same(commit.revision, Revision(1))?;
    same(places(&store).await?, [(1, false), (2, true), (3, false)])?;
    same(store.message(&room(0), &event(3)).await?.and_then(|m| m.redacted_by), Some(event(9)))?;
    let index = store.media_index(MediaQuery::default()).await?;
    same(index.iter().map(|info| info.size).collect::<Vec<_>>(), [7])?;
    same(store.state(StateQuery::all(Scope::Account)).await?, [])
}

pub(crate) async fn a_room_made_anew_in_one_batch_is_empty(harness: &mut dyn Harness) -> Outcome {
    let store = with_messages(harness, [1, 2]).await?;
    put(&store, |batch| batch.remove_room(room(0)).put_room(a_room(0)).put_message(message(2))).await?;
    same(places(&store).await?, [(2, false)])?;
    let gone = put(&store, |batch| batch.remove_room(room(0)).put_message(message(3))).await;
    fails(gone, ErrorKind::Invalid)?;
    same(places(&store).await?, [(2, false)])
}

/// Rooms that a batch met are known to the rest of it; one of them is removed.
pub(crate) async fn a_room_that_goes_leaves_the_others_of_its_batch(harness: &mut dyn Harness) -> Outcome {
    for gone in 0..3 {
        let store = harness.open().await?;
        put(&store, |batch| (0..3).fold(batch, |batch, n| batch.put_room(a_room(n)))).await?;
        let named = |n: u64| Room { name: Some(n.to_string()), ..a_room(n) };
        let said = |n, event| Message { room: room(n), ..message(event) };
        let commit = put(&store, |batch| {
            let batch = (0..3).fold(batch, |batch, n| batch.put_message(said(n, 1))).remove_room(room(gone));
            (0..3).filter(|n| *n != gone).fold(batch, |batch, n| {
                batch.put_message(said(n, 2)).put_room(named(n)).put_message(said(n, 3))
            })
        })
        .await?;
        for n in 0..3 {
            let expected = Room { revision: commit.revision, ..named(n) };
            same(store.room(&room(n)).await?, (n != gone).then_some(expected))?;
            same(store.count(&room(n), None).await?, if n == gone { 0 } else { 3 })?;
        }
    }
    Ok(())
}

pub(crate) async fn a_room_put_as_it_is_hides_no_change_of_its_batch(harness: &mut dyn Harness) -> Outcome {
    let store = with_messages(harness, [1]).await?;
    let before = store.room(&room(0)).await?;
    let commit = put(&store, |batch| batch.put_message(message(2)).put_room(a_room(0))).await?;
    let expected = before.map(|before| Room { revision: commit.revision, ..before });
    same(store.room(&room(0)).await?, expected)
}

/// The rest of a batch knows the gaps; operations that make and move them count all the same.
pub(crate) async fn a_message_lands_on_no_gap_of_its_batch(harness: &mut dyn Harness) -> Outcome {
    let store = with_messages(harness, [1, 2, 3, 4]).await?;
    let on = |place: u64| Message { position: at(place), ..message(9) };
    let (free, taken) = (on(8), |place| on(place));
    let pruned =
        put(&store, |batch| batch.put_message(message(5)).prune(prune(2, &[])).put_message(taken(3)));
    fails(pruned.await, ErrorKind::Conflict)?;
    let put_there =
        put(&store, |batch| batch.put_message(message(5)).put_gap(gap(8, None)).put_message(taken(8)));
    fails(put_there.await, ErrorKind::Conflict)?;
    let moved = put(&store, |batch| {
        batch.put_gap(gap(0, None)).renumber(room(0), vec![(at(0), at(8))]).put_message(taken(8))
    });
    fails(moved.await, ErrorKind::Conflict)?;
    // And where no gap is left, it lands.
    put(&store, |batch| {
        batch.put_gap(gap(8, None)).put_message(message(5)).remove_gap(room(0), at(8)).put_message(free)
    })
    .await?;
    put(&store, |batch| {
        batch.put_gap(gap(0, None)).renumber(room(0), vec![(at(0), at(7))]).put_message(message(0))
    })
    .await?;
    let expected =
        [(0, false), (1, false), (2, false), (3, false), (4, false), (5, false), (7, true), (8, false)];
    same(places(&store).await?, expected)
}

pub(crate) async fn a_late_failure_leaves_nothing_behind(harness: &mut dyn Harness) -> Outcome {
    let store = with_messages(harness, [1, 2, 3]).await?;
    put(&store, |batch| {
        batch
            .put_gap(gap(0, Some("t")))
            .put_pending(pending(1))
            .put_media(media(1, 5), bytes(100_000))
            .put_media(media(2, 6), bytes(10))
            .put_state(state(Scope::Room(room(0)), "k", "", "1"))
    })
    .await?;
    let before = Snapshot::of(&store).await?;
    let nothing = MediaPolicy { max_total: 0, max_item: 0, max_idle_ms: 0 };
    let late = put(&store, |batch| {
        batch
            .put_room(Room { name: Some("other".to_owned()), last_activity_ms: 9, ..a_room(0) })
            .put_room(a_room(1))
            .put_message(message(4))
            .put_message(Message { timestamp_ms: 0, sender: user(5), ..message(1) })
            .redact(redaction(2, 9))
            .remove_message(room(0), event(3))
            .renumber(room(0), vec![(at(1), at(7))])
            .remove_gap(room(0), at(0))
            .put_gap(gap(9, None))
            .prune(prune(1, &[]))
            .put_pending(Pending { attempts: 3, ..pending(1) })
            .put_pending(pending(2))
            .remove_pending(txn(1))
            .append_media(media_key(1), 100_000, bytes(70_000))
            .rename_media(media_key(1), media_key(3))
            .touch_media(vec![media_key(2)], 99)
            .put_media(media(4, 5), bytes(10))
            .remove_media(media_key(2))
            .evict_media(nothing, 1_000)
            .put_state(state(Scope::Room(room(0)), "k", "", "2"))
            .put_state(state(Scope::Account, "k", "", "2"))
            .remove_state(Scope::Room(room(0)), kind("k"), key(""))
            .remove_room(room(0))
            // The room is removed by now.
            .put_message(message(5))
    })
    .await;
    fails(late, ErrorKind::Invalid)?;
    same(Snapshot::of(&store).await?, before)?;
    // And the next commit is numbered as if nothing had been tried.
    let next = put(&store, |batch| batch.put_message(message(8))).await?;
    same(next.revision, Revision(4))
}

#[derive(Debug, PartialEq)]
struct Snapshot {
    rooms: Vec<Room>,
    timeline: Slice,
    found: Vec<Vec<Message>>,
    pending: Vec<Pending>,
    media: Vec<(MediaInfo, Vec<u8>)>,
    state: Vec<StateEntry>,
}

impl Snapshot {
    async fn of(store: &Store) -> Result<Self> {
        let mut media = Vec::new();
        for info in store.media_index(MediaQuery::default()).await? {
            let bytes = store.media(&info.key, ByteRange::ALL).await?.map(|media| media.bytes);
            media.push((info, bytes.unwrap_or_default()));
        }
        let mut state = store.state(StateQuery::all(Scope::Account)).await?;
        state.extend(store.state(StateQuery::all(Scope::Room(room(0)))).await?);
        let sender = |n| MessageQuery::Sender { room: room(0), sender: user(n), limit: 99 };
        let time = MessageQuery::Time { room: room(0), from_ms: i64::MIN, until_ms: i64::MAX, limit: 99 };
        let mut found = Vec::new();
        for query in [sender(0), sender(5), time] {
            found.push(store.messages(query).await?);
        }
        Ok(Self {
            rooms: store.rooms(RoomQuery::default()).await?,
            timeline: store.timeline(&room(0), Page::oldest(usize::MAX)).await?,
            found,
            pending: store.pending(PendingQuery::default()).await?,
            media,
            state,
        })
    }
}

pub(crate) async fn a_sync_response_of_thousands_is_one_commit(harness: &mut dyn Harness) -> Outcome {
    let store = with_room(harness).await?;
    let commit =
        put(&store, |batch| (0..3_000).fold(batch, |batch, n| batch.put_message(message(n)))).await?;
    same(commit.revision, Revision(2))?;
    same(store.count(&room(0), None).await?, 3_000)?;
    let again = put(&store, |batch| (0..3_000).fold(batch, |batch, n| batch.put_message(message(n)))).await?;
    same(again.changed, false)
}

pub(crate) async fn both_durabilities_write(harness: &mut dyn Harness) -> Outcome {
    let store = harness.open().await?;
    let mut strict = WriteBatch::strict();
    strict.put_room(a_room(0));
    store.apply(strict).await?;
    let mut relaxed = WriteBatch::relaxed();
    relaxed.put_room(a_room(1));
    store.apply(relaxed).await?;
    drop(store);
    let store = harness.reopen().await?;
    same(store.rooms(RoomQuery::default()).await?.len(), 2)
}
