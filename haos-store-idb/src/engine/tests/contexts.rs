//! Two contexts over one database: the other may have invalidated one's knowledge from its latest commit.

use std::sync::{Arc, Mutex};

use haos_store_api::backend::*;

use haos_store_api::*;

use super::map::Maps;
use super::store::MapStore;

fn message(n: u64) -> Message {
    Message {
        room: RoomId::new("!r").unwrap(),
        id: EventId::new(format!("$e{n}")).unwrap(),
        position: Position::FIRST.newer(n).unwrap(),
        sender: UserId::new("@ada:x").unwrap(),
        timestamp_ms: 0,
        kind: EventType::new("m.room.message").unwrap(),
        state_key: None,
        content: Json::empty(),
        relation: None,
        txn_id: None,
        redacted_by: None,
        provisional: false,
        extra: None,
    }
}

/// A compaction counts again and makes no revision: a check of revisions alone would count as before.
#[tokio::test]
async fn what_a_compaction_counted_stays() -> Result<()> {
    let db = Arc::new(Mutex::new(Maps::default()));
    let stores = [0, 1].map(|_| MapStore::open(Arc::clone(&db), Codec::plain(), false));
    let room = message(0).room;
    for other in 0..2 {
        let mut batch = WriteBatch::relaxed();
        batch.put_room(Room::new(room.clone(), Membership::Join));
        for n in 0..10 {
            batch.put_message(message(100 * other + n));
        }
        stores[0].apply(batch).await?;
        let mut batch = WriteBatch::relaxed();
        batch.remove_message(room.clone(), message(100 * other + 3).id);
        stores[0].apply(batch).await?;
        assert!(stores[0].usage().await?.free_bytes > 0);
        stores[other as usize].maintain(Maintenance::Compact, Progress::none()).await?;
        let mut batch = WriteBatch::relaxed();
        batch.put_message(message(100 * other + 10));
        stores[0].apply(batch).await?;
        assert_eq!(stores[0].usage().await?.free_bytes, 0);
    }
    Ok(())
}

#[tokio::test]
async fn what_another_context_wrote_is_seen() -> Result<()> {
    let db = Arc::new(Mutex::new(Maps::default()));
    let stores = [0, 1].map(|_| MapStore::open(Arc::clone(&db), Codec::plain(), false));
    let room = message(0).room;
    let mut batch = WriteBatch::relaxed();
    batch.put_room(Room::new(room.clone(), Membership::Join));
    stores[0].apply(batch).await?;
    for n in 0..60 {
        // In turns of three, so that each finds its own commit before it and the other's.
        let [one, other] = [(n / 3) % 2, (n / 3 + 1) % 2].map(|nr| &stores[nr as usize]);
        let mut batch = WriteBatch::relaxed();
        batch.put_message(message(n));
        one.apply(batch.clone()).await?;
        assert!(!other.apply(batch).await?.changed, "{n}");
        let mut taken = WriteBatch::relaxed();
        taken.put_message(Message { id: EventId::new("$other").unwrap(), ..message(n) });
        assert_eq!(other.apply(taken).await.unwrap_err().kind(), ErrorKind::Conflict, "{n}");
        if n % 7 == 3 {
            // Its place becomes free under a segment, and a newer one is taken again.
            let mut batch = WriteBatch::relaxed();
            batch.remove_message(room.clone(), message(n).id);
            other.apply(batch).await?;
            let mut batch = WriteBatch::relaxed();
            batch.put_message(message(n));
            assert!(one.apply(batch).await?.changed, "{n}");
        }
    }
    let slice = stores[1].timeline(&room, Page::oldest(100)).await?;
    let expected: Vec<_> = (0..60).map(|n| message(n).id).collect();
    assert_eq!(slice.messages().map(|message| message.id.clone()).collect::<Vec<_>>(), expected);
    assert_eq!(stores[0].maintain(Maintenance::Check, Progress::none()).await?.findings, [""; 0]);
    Ok(())
}
