use std::sync::Arc;

use super::*;
use crate::*;

fn room() -> RoomId {
    RoomId::new("!r").unwrap()
}

fn event(n: u64) -> EventId {
    EventId::new(format!("${n}")).unwrap()
}

fn message(n: u64) -> Message {
    Message {
        room: room(),
        id: event(n),
        position: Position::new(n).unwrap(),
        sender: UserId::new("@a").unwrap(),
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

/// Makes a store with messages at 1, 2, 5, 6, 9 and gaps at 3 and 4, behind the trait.
async fn store() -> Arc<dyn StorageAdapter> {
    let store = MemoryStore::new();
    let mut batch = WriteBatch::relaxed();
    batch.put_room(Room::new(room(), Membership::Join));
    for n in [1, 2, 5, 6, 9] {
        batch.put_message(message(n));
    }
    for n in [3, 4] {
        let position = Position::new(n).unwrap();
        batch.put_gap(Gap { room: room(), position, token: None, revision: Revision::ZERO });
    }
    store.apply(batch).await.unwrap();
    Arc::new(store)
}

fn places(slice: &Slice) -> Vec<u64> {
    slice.items.iter().map(|item| item.position().get()).collect()
}

#[tokio::test]
async fn around_a_message() {
    let store = store().await;
    let slice = store.around(&room(), &event(5), 2, 1).await.unwrap().unwrap();
    assert_eq!((places(&slice), slice.more), (vec![3, 4, 5, 6], true));
    let slice = store.around(&room(), &event(5), 9, 9).await.unwrap().unwrap();
    assert_eq!((places(&slice), slice.more), (vec![1, 2, 3, 4, 5, 6, 9], false));
    assert_eq!(store.around(&room(), &event(7), 2, 2).await.unwrap(), None);
}

#[tokio::test]
async fn unread_begins_beyond_gaps() {
    let store = store().await;
    let first = store.first_unread(&room(), &event(2)).await.unwrap();
    assert_eq!(first.map(|message| message.id), Some(event(5)));
    assert_eq!(store.unread_count(&room(), &event(2)).await.unwrap(), 3);
    assert_eq!(store.first_unread(&room(), &event(9)).await.unwrap(), None);
    assert_eq!(store.first_unread(&room(), &event(7)).await.unwrap(), None);
}

#[tokio::test]
async fn sync_token_and_outbox() {
    let store = store().await;
    assert_eq!(store.sync_token().await.unwrap(), None);
    let mut batch = WriteBatch::strict();
    batch.put_state(StateEntry {
        scope: Scope::Account,
        kind: EventType::new(state_kind::SYNC_TOKEN).unwrap(),
        key: StateKey::new("").unwrap(),
        event_id: None,
        value: Json::new("\"s1\"").unwrap(),
    });
    let kind = EventType::new("m.room.message").unwrap();
    batch.put_pending(Pending::new(TxnId::new("t").unwrap(), room(), kind, Json::empty(), 0));
    store.apply(batch).await.unwrap();
    assert_eq!(store.sync_token().await.unwrap().as_deref(), Some("s1"));
    assert_eq!(store.outbox().await.unwrap().len(), 1);
    assert_eq!(store.room_outbox(&room()).await.unwrap().len(), 1);
    assert_eq!(store.room_outbox(&RoomId::new("!other").unwrap()).await.unwrap(), []);
}

#[tokio::test]
async fn pruning_spares_what_drafts_and_pins_refer_to() {
    let store = store().await;
    let mut batch = WriteBatch::relaxed();
    batch.put_state(StateEntry {
        scope: Scope::Room(room()),
        kind: EventType::new(state_kind::DRAFT).unwrap(),
        key: StateKey::new("").unwrap(),
        event_id: None,
        value: Json::new(r#"{"body":"hm","reply_to":"$2"}"#).unwrap(),
    });
    store.apply(batch).await.unwrap();
    store.prune_room(&room(), 1, &[event(5)]).await.unwrap();
    let all = store.timeline(&room(), Page::oldest(99)).await.unwrap();
    assert_eq!(places(&all), [1, 2, 3, 4, 5, 6, 9]);
    assert_eq!(all.messages().map(|m| m.position.get()).collect::<Vec<_>>(), [2, 5, 9]);
}

#[tokio::test]
async fn a_view_gathers_what_lies_off_the_page() {
    let store = store().await;
    let relation = Relation { kind: RelationKind::Reaction, target: event(1), key: Some("+1".to_owned()) };
    let mut batch = WriteBatch::relaxed();
    batch.put_message(Message { relation: Some(relation), ..message(11) });
    store.apply(batch).await.unwrap();
    let view = store.timeline_view(&room(), Page::oldest(1)).await.unwrap();
    assert!(view.more);
    let [ViewItem::Message(shown)] = &view.items[..] else { panic!("one message") };
    assert_eq!(shown.reactions.len(), 1);
    let newest = store.timeline_view(&room(), Page::newest(1)).await.unwrap();
    assert_eq!(newest.items, []);
    assert!(newest.older.is_some());
}
