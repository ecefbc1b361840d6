//! Rooms and their order.

use crate::conformance::check::*;
use crate::conformance::make::*;
use crate::conformance::{Harness, Outcome};
use crate::*;

fn full_room() -> Room {
    Room {
        id: room(0),
        name: Some("Lobby ☕".to_owned()),
        topic: Some(String::new()),
        avatar: Some("mxc://example.org/a".to_owned()),
        kind: Some(kind("m.space")),
        membership: Membership::Invite,
        spaces: vec![room(8), room(9)],
        last_activity_ms: -7,
        unread: Unread { notifications: 3, highlights: u64::MAX },
        revision: Revision::ZERO,
    }
}

fn active(n: u64, last_activity_ms: i64) -> Room {
    Room { last_activity_ms, ..a_room(n) }
}

fn ids(rooms: &[Room]) -> Vec<RoomId> {
    rooms.iter().map(|room| room.id.clone()).collect()
}

pub(crate) async fn every_field_comes_back(harness: &mut dyn Harness) -> Outcome {
    let store = harness.open().await?;
    let commit = put(&store, |batch| batch.put_room(full_room())).await?;
    same(store.room(&room(0)).await?, Some(Room { revision: commit.revision, ..full_room() }))
}

pub(crate) async fn absent_is_none(harness: &mut dyn Harness) -> Outcome {
    let store = with_room(harness).await?;
    same(store.room(&room(1)).await?, None)?;
    same(ids(&store.rooms(RoomQuery::default()).await?), [room(0)])
}

pub(crate) async fn a_later_row_replaces(harness: &mut dyn Harness) -> Outcome {
    let store = with_room(harness).await?;
    let commit = put(&store, |batch| batch.put_room(full_room())).await?;
    holds(commit.changed, "a new row is a change")?;
    same(store.room(&room(0)).await?, Some(Room { revision: commit.revision, ..full_room() }))
}

pub(crate) async fn the_same_row_changes_nothing(harness: &mut dyn Harness) -> Outcome {
    let store = harness.open().await?;
    let first = put(&store, |batch| batch.put_room(full_room())).await?;
    // The store ignores the caller's revision.
    let again = Room { revision: Revision(99), ..full_room() };
    let second = put(&store, |batch| batch.put_room(again)).await?;
    same((second.changed, second.revision), (false, first.revision))?;
    let expected = Room { revision: first.revision, ..full_room() };
    same(store.room(&expected.id).await?, Some(expected))
}

pub(crate) async fn latest_activity_first_then_by_id(harness: &mut dyn Harness) -> Outcome {
    let store = harness.open().await?;
    let rooms = [(4, 5), (2, i64::MAX), (3, 5), (1, i64::MIN), (0, -1)];
    put(&store, |batch| rooms.iter().fold(batch, |batch, (n, ms)| batch.put_room(active(*n, *ms)))).await?;
    let found = store.rooms(RoomQuery::default()).await?;
    same(ids(&found), [2, 3, 4, 0, 1].map(room))
}

pub(crate) async fn a_new_activity_moves_a_room(harness: &mut dyn Harness) -> Outcome {
    let store = harness.open().await?;
    put(&store, |batch| batch.put_room(active(0, 1)).put_room(active(1, 2))).await?;
    put(&store, |batch| batch.put_room(active(0, 3))).await?;
    same(ids(&store.rooms(RoomQuery::default()).await?), [0, 1].map(room))?;
    put(&store, |batch| batch.put_room(active(0, 1))).await?;
    same(ids(&store.rooms(RoomQuery::default()).await?), [1, 0].map(room))
}

pub(crate) async fn pages_cover_every_room_once(harness: &mut dyn Harness) -> Outcome {
    let store = harness.open().await?;
    // Many ties, so that a page ends within one.
    put(&store, |batch| (0..23).fold(batch, |batch, n| batch.put_room(active(n, n as i64 / 5)))).await?;
    let all = store.rooms(RoomQuery::default()).await?;
    same(all.len(), 23)?;
    for limit in [1, 3, 5, 22, 23, 24] {
        let mut query = RoomQuery::latest(limit);
        let mut walked = Vec::new();
        loop {
            let page = store.rooms(query.clone()).await?;
            holds(page.len() <= limit, "a page has at most `limit` rooms")?;
            let Some(last) = page.last() else { break };
            query.after = Some(last.into());
            walked.extend(page);
            holds(walked.len() <= all.len(), "no room comes twice")?;
        }
        same(&walked, &all)?;
    }
    Ok(())
}

pub(crate) async fn a_page_goes_on_after_a_room_that_left(harness: &mut dyn Harness) -> Outcome {
    let store = harness.open().await?;
    put(&store, |batch| (0..4).fold(batch, |batch, n| batch.put_room(active(n, 7)))).await?;
    let first = store.rooms(RoomQuery::latest(2)).await?;
    put(&store, |batch| batch.remove_room(room(1))).await?;
    let after = first.last().map(RoomCursor::from);
    let second = store.rooms(RoomQuery { after, ..RoomQuery::latest(9) }).await?;
    same(ids(&second), [2, 3].map(room))
}

pub(crate) async fn filtered_by_space_and_membership(harness: &mut dyn Harness) -> Outcome {
    let store = harness.open().await?;
    let in_space = |n, spaces: &[u64], membership| Room {
        spaces: spaces.iter().copied().map(room).collect(),
        membership,
        ..active(n, -(n as i64))
    };
    put(&store, |batch| {
        batch
            .put_room(in_space(0, &[8], Membership::Join))
            .put_room(in_space(1, &[9, 8], Membership::Leave))
            .put_room(in_space(2, &[9], Membership::Join))
            .put_room(in_space(3, &[], Membership::Knock))
    })
    .await?;
    let query = |space: Option<u64>, membership, limit| RoomQuery {
        space: space.map(room),
        membership,
        ..RoomQuery::latest(limit)
    };
    let found = store.rooms(query(Some(8), None, 9)).await?;
    same(ids(&found), [0, 1].map(room))?;
    let found = store.rooms(query(None, Some(Membership::Join), 9)).await?;
    same(ids(&found), [0, 2].map(room))?;
    let found = store.rooms(query(Some(9), Some(Membership::Join), 1)).await?;
    same(ids(&found), [room(2)])?;
    same(ids(&store.rooms(query(Some(3), None, 9)).await?), [])
}

pub(crate) async fn a_limit_of_nothing_gives_nothing(harness: &mut dyn Harness) -> Outcome {
    let store = with_room(harness).await?;
    same(store.rooms(RoomQuery::latest(0)).await?, [])
}

pub(crate) async fn a_timeline_write_raises_the_revision(harness: &mut dyn Harness) -> Outcome {
    let store = with_room(harness).await?;
    let revision = async || Ok::<_, Error>(store.room(&room(0)).await?.map(|room| room.revision));
    let commit = put(&store, |batch| batch.put_message(message(1))).await?;
    same(revision().await?, Some(commit.revision))?;
    let commit = put(&store, |batch| batch.put_gap(gap(0, None))).await?;
    same(revision().await?, Some(commit.revision))?;
    let commit = put(&store, |batch| batch.redact(redaction(1, 2))).await?;
    same(revision().await?, Some(commit.revision))?;
    let commit = put(&store, |batch| batch.remove_gap(room(0), at(0))).await?;
    same(revision().await?, Some(commit.revision))?;
    let last = put(&store, |batch| batch.remove_message(room(0), event(1))).await?;
    same(revision().await?, Some(last.revision))?;
    let entry = state(Scope::Room(room(0)), "m.room.name", "", "{}");
    put(&store, |batch| batch.put_state(entry).put_pending(pending(1))).await?;
    same(revision().await?, Some(last.revision))
}

pub(crate) async fn removal_takes_timeline_and_state_along(harness: &mut dyn Harness) -> Outcome {
    let store = with_messages(harness, [1, 2]).await?;
    let scope = Scope::Room(room(0));
    put(&store, |batch| {
        batch
            .put_gap(gap(0, Some("t")))
            .put_state(state(scope.clone(), "m.room.name", "", "{}"))
            .put_state(state(Scope::Account, "m.direct", "", "{}"))
            .put_room(a_room(1))
            .put_message(Message { room: room(1), ..message(1) })
    })
    .await?;
    put(&store, |batch| batch.remove_room(room(0))).await?;
    same(store.room(&room(0)).await?, None)?;
    same(ids(&store.rooms(RoomQuery::default()).await?), [room(1)])?;
    // The room's former rows stay removed when it comes back.
    put(&store, |batch| batch.put_room(a_room(0))).await?;
    same(places(&store).await?, [])?;
    same(store.gaps(&room(0)).await?, [])?;
    same(store.message(&room(0), &event(1)).await?, None)?;
    same(store.count(&room(0), None).await?, 0)?;
    same(store.state(StateQuery::all(scope)).await?, [])?;
    same(store.state(StateQuery::all(Scope::Account)).await?.len(), 1)?;
    same(store.count(&room(1), None).await?, 1)
}

pub(crate) async fn removal_keeps_the_outbox(harness: &mut dyn Harness) -> Outcome {
    let store = with_room(harness).await?;
    put(&store, |batch| batch.put_pending(pending(1))).await?;
    put(&store, |batch| batch.remove_room(room(0))).await?;
    let rows = store.pending(PendingQuery { room: Some(room(0)), ..Default::default() }).await?;
    same(rows.len(), 1)
}

pub(crate) async fn removing_an_unknown_room_changes_nothing(harness: &mut dyn Harness) -> Outcome {
    let store = with_room(harness).await?;
    let commit = put(&store, |batch| batch.remove_room(room(1))).await?;
    same((commit.changed, commit.revision), (false, Revision(1)))
}
