//! Preconditions: a batch that is late is refused whole.

use crate::conformance::check::*;
use crate::conformance::make::*;
use crate::conformance::{Harness, Outcome};
use crate::*;

pub(crate) async fn a_room_is_expected_at_its_revision(harness: &mut dyn Harness) -> Outcome {
    let store = with_room(harness).await?;
    let expecting = |n, revision| {
        let mut batch = WriteBatch::relaxed();
        batch.expect_room(&room(n), revision).put_room(a_room(7));
        store.apply(batch)
    };
    fails(expecting(0, None).await, ErrorKind::Conflict)?;
    fails(expecting(0, Some(Revision(2))).await, ErrorKind::Conflict)?;
    fails(expecting(1, Some(Revision(1))).await, ErrorKind::Conflict)?;
    same(store.room(&room(7)).await?, None)?;
    expecting(0, Some(Revision(1))).await?;
    expecting(1, None).await?;
    same(store.room(&room(7)).await?.map(|room| room.revision), Some(Revision(2)))
}

pub(crate) async fn an_outbox_row_is_expected_at_its_revision(harness: &mut dyn Harness) -> Outcome {
    let store = harness.open().await?;
    let first = put(&store, |batch| batch.put_pending(pending(1))).await?;
    put(&store, |batch| batch.put_room(a_room(0))).await?;
    let expecting = |n, revision| {
        let mut batch = WriteBatch::strict();
        batch.expect_pending(&txn(n), revision).put_room(a_room(7));
        store.apply(batch)
    };
    fails(expecting(1, None).await, ErrorKind::Conflict)?;
    fails(expecting(1, Some(Revision(2))).await, ErrorKind::Conflict)?;
    fails(expecting(2, Some(first.revision)).await, ErrorKind::Conflict)?;
    same(store.room(&room(7)).await?, None)?;
    expecting(1, Some(first.revision)).await?;
    expecting(2, None).await?;
    holds(store.room(&room(7)).await?.is_some(), "a precondition that holds lets the batch through")
}

pub(crate) async fn a_state_entry_is_expected_with_its_value(harness: &mut dyn Harness) -> Outcome {
    let store = with_room(harness).await?;
    let entry = state(Scope::Account, "k", "", "1");
    put(&store, |batch| batch.put_state(entry.clone())).await?;
    let expecting = |scope, kind_text: &str, value: Option<&str>| {
        let mut batch = WriteBatch::relaxed();
        batch.expect_state(scope, kind(kind_text), key(""), value.map(json)).put_room(a_room(7));
        store.apply(batch)
    };
    fails(expecting(Scope::Account, "k", None).await, ErrorKind::Conflict)?;
    fails(expecting(Scope::Account, "k", Some("2")).await, ErrorKind::Conflict)?;
    fails(expecting(Scope::Account, "l", Some("1")).await, ErrorKind::Conflict)?;
    // The same kind of a room is another entry.
    fails(expecting(Scope::Room(room(0)), "k", Some("1")).await, ErrorKind::Conflict)?;
    same(store.room(&room(7)).await?, None)?;
    expecting(Scope::Account, "k", Some("1")).await?;
    expecting(Scope::Account, "l", None).await?;
    holds(store.room(&room(7)).await?.is_some(), "a precondition that holds lets the batch through")
}

pub(crate) async fn a_gap_is_expected_at_its_revision(harness: &mut dyn Harness) -> Outcome {
    let store = with_messages(harness, [2]).await?;
    let first = put(&store, |batch| batch.put_gap(gap(1, Some("a")))).await?;
    put(&store, |batch| batch.put_gap(gap(3, Some("b")))).await?;
    let expecting = |r, n, revision| {
        let mut batch = WriteBatch::relaxed();
        batch.expect(Precondition::Gap(room(r), at(n), revision)).put_room(a_room(7));
        store.apply(batch)
    };
    fails(expecting(0, 1, None).await, ErrorKind::Conflict)?;
    fails(expecting(0, 3, Some(first.revision)).await, ErrorKind::Conflict)?;
    // A message is not a gap, and another room's gap is another gap.
    fails(expecting(0, 2, Some(first.revision)).await, ErrorKind::Conflict)?;
    fails(expecting(1, 1, Some(first.revision)).await, ErrorKind::Conflict)?;
    same(store.room(&room(7)).await?, None)?;
    expecting(0, 1, Some(first.revision)).await?;
    expecting(0, 2, None).await?;
    expecting(9, 1, None).await?;
    holds(store.room(&room(7)).await?.is_some(), "a precondition that holds lets the batch through")
}

pub(crate) async fn preconditions_are_about_the_state_before(harness: &mut dyn Harness) -> Outcome {
    let store = harness.open().await?;
    let mut batch = WriteBatch::relaxed();
    batch.put_room(a_room(0)).expect_room(&room(0), None);
    store.apply(batch).await?;
    let mut batch = WriteBatch::relaxed();
    batch.expect_room(&room(0), Some(Revision(1)));
    let commit = store.apply(batch).await?;
    same((commit.changed, commit.revision), (false, Revision(1)))
}

pub(crate) async fn one_of_several_preconditions_is_enough_to_refuse(harness: &mut dyn Harness) -> Outcome {
    let store = with_room(harness).await?;
    let mut batch = WriteBatch::relaxed();
    batch.expect_room(&room(0), Some(Revision(1))).expect_pending(&txn(1), Some(Revision(1)));
    batch.put_room(a_room(1));
    fails(store.apply(batch).await, ErrorKind::Conflict)?;
    same(store.room(&room(1)).await?, None)
}

pub(crate) async fn concurrent_writers_lose_no_update(harness: &mut dyn Harness) -> Outcome {
    const WRITERS: u64 = 6;
    const EACH: u64 = 5;
    let store = with_room(harness).await?;
    let writer = |_| async {
        let mut done = 0;
        while done < EACH {
            let seen = some(store.room(&room(0)).await?)?;
            yield_now().await;
            let unread = Unread { notifications: seen.unread.notifications + 1, ..seen.unread };
            let mut batch = WriteBatch::relaxed();
            batch.expect_room(&room(0), Some(seen.revision)).put_room(Room { unread, ..seen });
            match store.apply(batch).await {
                Ok(_) => done += 1,
                Err(error) if error.kind() == ErrorKind::Conflict => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    };
    let outcomes: Vec<Outcome> = futures_util::future::join_all((0..WRITERS).map(writer)).await;
    outcomes.into_iter().collect::<Outcome>()?;
    let room = some(store.room(&room(0)).await?)?;
    same((room.unread.notifications, room.revision), (WRITERS * EACH, Revision(1 + WRITERS * EACH)))
}

pub(crate) async fn concurrent_writers_without_preconditions_all_count(harness: &mut dyn Harness) -> Outcome {
    let store = with_room(harness).await?;
    let writer = |n| {
        let store = &store;
        async move { put(store, |batch| batch.put_message(message(n)).put_pending(pending(n))).await }
    };
    let commits = futures_util::future::join_all((0..20).map(writer)).await;
    let commits: Vec<Commit> = commits.into_iter().collect::<Result<_>>()?;
    let mut revisions: Vec<u64> = commits.iter().map(|commit| commit.revision.0).collect();
    revisions.sort_unstable();
    same(revisions, (2..22).collect::<Vec<_>>())?;
    same(store.count(&room(0), None).await?, 20)?;
    let rows = store.pending(PendingQuery::default()).await?;
    holds(rows.len() == 20 && rows.is_sorted_by(|a, b| a.seq < b.seq), "every row has a number of its own")
}
