//! Counts and sums of messages, beside another store's and a recount, while parts of timelines are dropped.

use haos_store_api::*;

use super::contexts::{Db, findings, message, open, shown, with_room};

async fn messages(store: &dyn StorageAdapter) -> Result<Size> {
    let usage = store.usage().await?;
    Ok(usage.collections.iter().find(|(of, _)| *of == Collection::Messages).unwrap().1)
}

/// Three positions in four, over ten buckets; then what is older is dropped, up to places at and beside their ends.
fn script() -> Vec<WriteBatch> {
    let room = message(0).room;
    let mut batches = Vec::new();
    for from in (0..320).step_by(20) {
        let mut batch = WriteBatch::relaxed();
        for n in (from..from + 20).filter(|n| n % 4 != 1) {
            batch.put_message(Message { content: Json::of(&vec![n; n as usize % 7]).unwrap(), ..message(n) });
        }
        batches.push(batch);
    }
    for (keep, protect) in [(230, 3), (216, 35), (192, 64), (191, 95), (167, 128), (100, 160), (24, 222)] {
        let mut batch = WriteBatch::relaxed();
        batch.prune(Prune { room: room.clone(), keep, protect: vec![message(protect).id] });
        batches.push(batch);
        let mut batch = WriteBatch::relaxed();
        batch.put_message(Message { content: Json::of(&keep).unwrap(), ..message(protect + 2) });
        batch.remove_message(room.clone(), message(300 + protect % 7).id);
        batches.push(batch);
    }
    let mut batch = WriteBatch::relaxed();
    batch.remove_room(room);
    batches.push(batch);
    batches
}

#[tokio::test]
async fn sums_are_right_whatever_is_dropped() -> Result<()> {
    let room = message(0).room;
    // A fold after each of so many commits, or after none.
    for folds in [1, 2, 3, 5, 100] {
        let db = Db::default();
        let store = with_room(&db).await?;
        let other = MemoryStore::new();
        let mut batch = WriteBatch::relaxed();
        batch.put_room(Room::new(room.clone(), Membership::Join));
        other.apply(batch).await?;
        for (nr, batch) in script().into_iter().enumerate() {
            store.apply(batch.clone()).await?;
            other.apply(batch).await?;
            for store in [&store, &open(&db)] {
                assert_eq!(messages(store).await?, messages(&other).await?, "{folds}, {nr}");
                assert_eq!(store.count(&room, None).await?, other.count(&room, None).await?, "{folds}, {nr}");
                let slice = other.timeline(&room, Page::oldest(5000)).await?;
                let expected: Vec<_> = slice.messages().map(|message| message.id.clone()).collect();
                assert_eq!(shown(store).await?, expected, "{folds}, {nr}");
            }
            if nr % folds == 0 {
                store.fold()?;
            }
        }
        assert_eq!(messages(&store).await?, Size::default());
        assert_eq!(findings(&store).await?, [""; 0]);
    }
    Ok(())
}
