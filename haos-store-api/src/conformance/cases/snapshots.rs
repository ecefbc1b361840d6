//! Views of one commit, where a backend gives them.

use super::lifecycle::fill;
use crate::conformance::check::*;
use crate::conformance::make::*;
use crate::conformance::{Harness, Outcome};
use crate::*;

/// Takes a snapshot; absent where the backend has none.
async fn snapshot(store: &Store) -> Result<Option<Store>> {
    match store.snapshot().await {
        Err(error) if error.kind() == ErrorKind::Unsupported => Ok(None),
        snapshot => snapshot.map(Some),
    }
}

pub(crate) async fn a_snapshot_keeps_to_its_commit(harness: &mut dyn Harness) -> Outcome {
    let store = harness.open().await?;
    let commit = fill(&store).await?;
    let Some(first) = snapshot(&store).await? else { return Ok(()) };
    let before = all_of(&store).await?;
    put(&store, |batch| {
        batch
            .remove_message(room(0), event(1))
            .put_message(message(4))
            .put_room(a_room(1))
            .remove_gap(room(0), at(0))
            .remove_pending(txn(1))
            .put_media(media(1, 9), bytes(7))
            .put_state(state(Scope::Account, "haos.sync_token", "", "\"s2\""))
    })
    .await?;
    let Some(second) = snapshot(&store).await? else { return Ok(()) };
    if store.info().sealed {
        store.maintain(Maintenance::Rotate, Progress::none()).await?;
    }
    let between = all_of(&store).await?;
    put(&store, |batch| batch.remove_room(room(0)).put_message(Message { room: room(1), ..message(1) }))
        .await?;
    same(all_of(&first).await?, before)?;
    same(first.info().opened_at, commit.revision)?;
    same(all_of(&second).await?, between)?;
    same(second.info().opened_at, commit.revision.next())?;
    same(first.info().damaged, 0)?;
    drop(first);
    put(&store, |batch| batch.put_room(a_room(0))).await?;
    same(second.room(&room(0)).await?.map(|room| room.last_activity_ms), Some(0))?;
    store.close().await?;
    let _ = second.room(&room(0)).await;
    Ok(())
}

/// Reads all that `fill` and the case above write.
async fn all_of(store: &Store) -> Result<String> {
    let mut seen = String::new();
    for id in [room(0), room(1)] {
        let slice = store.timeline(&id, Page::oldest(99)).await?;
        let gaps = store.gaps(&id).await?;
        seen += &format!("{:?} {slice:?} {gaps:?}\n", store.room(&id).await?);
        seen += &format!("{} {:?}\n", store.count(&id, None).await?, store.message(&id, &event(1)).await?);
        seen += &format!("{:?}\n", store.related(RelationQuery::of(&id, &event(1))).await?);
    }
    let ids = MessageQuery::Ids { room: room(0), events: vec![event(1), event(4)] };
    seen += &format!("{:?} {:?}\n", store.rooms(RoomQuery::default()).await?, store.messages(ids).await?);
    seen += &format!("{:?}\n", store.pending(PendingQuery::default()).await?);
    seen += &format!("{:?}\n", store.media_index(MediaQuery::default()).await?);
    seen += &format!("{:?}\n", store.media(&media_key(1), ByteRange::ALL).await?.map(|media| media.bytes));
    for entry in store.state(StateQuery::all(Scope::Account)).await? {
        seen += &format!("{entry:?} {}\n", entry.value.as_str());
    }
    seen += &format!(
        "{:?}",
        store.usage().await?.collections.iter().map(|(_, size)| size.rows).collect::<Vec<_>>()
    );
    Ok(seen)
}

pub(crate) async fn a_snapshot_can_only_be_read(harness: &mut dyn Harness) -> Outcome {
    let store = harness.open().await?;
    fill(&store).await?;
    let Some(snapshot) = snapshot(&store).await? else { return Ok(()) };
    let mut batch = WriteBatch::relaxed();
    batch.put_room(a_room(1));
    fails(snapshot.apply(batch).await, ErrorKind::ReadOnly)?;
    fails(snapshot.maintain(Maintenance::Check, Progress::none()).await, ErrorKind::ReadOnly)?;
    fails(snapshot.change_keys(KeyChange::RemovePassphrase).await, ErrorKind::ReadOnly)?;
    holds(snapshot.info().read_only, "it says so")?;
    same(snapshot.changes().try_next(), None)?;
    snapshot.close().await?;
    fails(snapshot.room(&room(0)).await, ErrorKind::Closed)?;
    fails(snapshot.snapshot().await, ErrorKind::Unsupported)?;
    holds(store.room(&room(0)).await?.is_some(), "the store is as open as before")
}
