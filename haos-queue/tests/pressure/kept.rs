//! Levels, eviction, pruning, and what is never refused.

use std::sync::Arc;

use haos_queue::pressure::{Kept, Level, PressureOptions};
use haos_store_api::*;

use crate::common::*;

#[tokio::test]
async fn a_full_cache_never_refuses_a_message() {
    let folder = tempfile::tempdir().unwrap();
    for store in stores(folder.path()).await {
        put_rooms(&store, 1).await;
        let kept = kept(&store, 4 * MIB);
        let mut n = 0;
        let error = loop {
            let mut batch = WriteBatch::relaxed();
            batch.put_message(message(0, n, 20_000));
            match kept.apply(batch).await {
                Ok(_) => n += 1,
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), ErrorKind::Full, "{error:?}");
        assert!(error.to_string().contains("raise the quota"), "{error}");
        assert!(used(&store).await > 2 * MIB && used(&store).await <= 3 * MIB);
        assert_eq!(store.count(&room(0), None).await.unwrap(), n, "a thousand messages of a room stay");

        for n in 0..100 {
            kept.apply(enqueue(n, 8_000)).await.unwrap();
        }
        let report = kept.check().await.unwrap();
        assert!(report.level >= Level::High, "{report:?}");
        all_unsent(&store, 100, 8_000).await;

        // Up to the quota, and then the outbox must shrink first.
        let mut unsent = 100;
        let error = loop {
            match kept.apply(enqueue(unsent, 8_000)).await {
                Ok(_) => unsent += 1,
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), ErrorKind::Full, "{error:?}");
        assert!(used(&store).await <= 4 * MIB);
        let report = kept.check().await.unwrap();
        assert!(report.exhausted && report.level == Level::Critical, "{report:?}");
        all_unsent(&store, unsent, 8_000).await;

        let row = store.pending(PendingQuery::default()).await.unwrap().remove(0);
        let mut sending = WriteBatch::strict();
        sending.put_pending(Pending { state: PendingState::Sending, ..row });
        kept.apply(sending).await.expect("a row moves on, however full it is");
        let mut echo = WriteBatch::relaxed();
        echo.remove_pending(pending(0).txn_id).put_message(message(0, 100_000, 20));
        kept.apply(echo).await.expect("an echo comes in, however full it is");
        store.close().await.unwrap();
    }
}

#[tokio::test]
async fn media_goes_first_and_by_its_last_use() {
    let folder = tempfile::tempdir().unwrap();
    for store in stores(folder.path()).await {
        put_rooms(&store, 1).await;
        let mut batch = WriteBatch::relaxed();
        for n in 0..35 {
            let info = MediaInfo { pinned: n == 0, ..media(&format!("mxc://{n}"), NOW_MS - 100 + n) };
            batch.put_media(info, vec![1; 100 << 10]);
        }
        batch
            .put_message(message(0, 1, 1000))
            .put_pending(Pending { media: vec![media_key("mxc://1")], ..pending(0) });
        store.apply(batch).await.unwrap();

        let kept = kept(&store, 4 * MIB);
        let mut watch = kept.watch();
        let report = kept.check().await.unwrap();
        assert_eq!(
            (report.level, report.exhausted, report.pruned_messages),
            (Level::Ok, false, 0),
            "{report:?}"
        );
        assert_eq!((kept.level(), watch.changed().await), (Level::Ok, Some(Level::Ok)));
        assert_eq!(report.quota_bytes, Some(4 * MIB));
        assert!(
            report.used_bytes < 4 * MIB * 65 / 100 && report.used_bytes > 4 * MIB * 60 / 100,
            "{report:?}"
        );
        let left = store.media_index(MediaQuery::default()).await.unwrap();
        let mut left: Vec<u64> =
            left.iter().map(|item| item.key.uri.as_str()[6..].parse().unwrap()).collect();
        left.sort_unstable();
        let newest = 35 - (left.len() as u64 - 2);
        assert_eq!(left, [0, 1].into_iter().chain(newest..35).collect::<Vec<_>>());
        assert_eq!(store.count(&room(0), None).await.unwrap(), 1);

        // More media is always taken in: it takes the place of what was not used for longest.
        for n in 100..150 {
            let mut batch = WriteBatch::relaxed();
            batch.put_media(media(&format!("mxc://{n}"), NOW_MS + n), vec![2; 100 << 10]);
            kept.apply(batch).await.unwrap();
            assert!(used(&store).await <= 3 * MIB);
        }
        store.close().await.unwrap();
    }
}

#[tokio::test]
async fn at_critical_old_messages_go_but_for_those_that_are_needed() {
    let folder = tempfile::tempdir().unwrap();
    for store in stores(folder.path()).await {
        put_rooms(&store, 2).await;
        let mut batch = WriteBatch::relaxed();
        for n in 0..2000 {
            batch.put_message(message(0, n, 1000));
        }
        for n in 0..50 {
            batch.put_message(message(1, n, 1000));
        }
        let scope = || Scope::Room(room(0));
        let entry = |name: &str, value: &str| StateEntry {
            scope: scope(),
            kind: kind(name),
            key: StateKey::new("").unwrap(),
            event_id: None,
            value: Json::new(value).unwrap(),
        };
        batch
            .put_state(entry("m.room.pinned_events", r#"{"pinned":["$event3","no id that is stored"]}"#))
            .put_state(entry(state_kind::DRAFT, r#"{"reply_to":"$event7"}"#))
            .put_pending(Pending { target: Some(event(9)), anchor: Some(event(11)), ..pending(0) });
        store.apply(batch).await.unwrap();

        let options = PressureOptions {
            quota_bytes: Some(used(&store).await * 100 / 96),
            keep_messages: 100,
            pins: Some(kind("m.room.pinned_events")),
            ..PressureOptions::default()
        };
        let kept = kept_at(&store, NOW_MS, options);
        let report = kept.check().await.unwrap();
        assert_eq!((report.level, report.pruned_messages, report.exhausted), (Level::Ok, 1896, false));
        let slice = store.timeline(&room(0), Page::oldest(usize::MAX)).await.unwrap();
        let left: Vec<_> = slice.messages().map(|m| m.id.clone()).collect();
        assert_eq!(left, [3, 7, 9, 11].into_iter().chain(1900..2000).map(event).collect::<Vec<_>>());
        assert_eq!(slice.gaps().count(), 5, "a gap for each run that went");
        assert_eq!(store.count(&room(1), None).await.unwrap(), 50);
        assert_eq!(kept.check().await.unwrap().pruned_messages, 0);
        store.close().await.unwrap();
    }
}

#[tokio::test]
async fn the_level_is_told_as_it_changes() {
    let folder = tempfile::tempdir().unwrap();
    for store in stores(folder.path()).await {
        let kept = kept(&store, 10 * MIB);
        let mut watch = kept.watch();
        kept.apply(enqueue(0, 1000)).await.unwrap();
        assert_eq!((watch.level(), kept.level()), (Level::Ok, Level::Ok));
        kept.apply(enqueue(1, 75 * MIB as usize / 10)).await.unwrap();
        assert_eq!(watch.changed().await, Some(Level::Warn));
        kept.apply(enqueue(2, 12 * MIB as usize / 10)).await.unwrap();
        assert_eq!(watch.changed().await, Some(Level::High));
        let mut sent = WriteBatch::relaxed();
        sent.remove_pending(pending(1).txn_id).remove_media(media_key("haos-local:t1"));
        kept.apply(sent).await.unwrap();
        kept.check().await.unwrap();
        assert_eq!(watch.changed().await, Some(Level::Ok));
        drop(kept);
        assert_eq!(watch.changed().await, None);
        store.close().await.unwrap();
    }
}

#[tokio::test]
async fn without_a_quota_only_the_media_policy_counts() {
    let store: Store = Arc::new(MemoryStore::new());
    let kept = kept_at(&store, NOW_MS, PressureOptions::default());
    let day_ms = 24 * 3600 * 1000;
    let mut batch = WriteBatch::relaxed();
    batch.put_media(media("mxc://old", NOW_MS - 61 * day_ms), vec![0; 10]);
    batch.put_media(media("mxc://new", NOW_MS - 59 * day_ms), vec![0; 10]);
    kept.apply(batch).await.unwrap();
    let report = kept.check().await.unwrap();
    assert_eq!((report.level, report.quota_bytes), (Level::Ok, None));
    assert!(report.evicted_bytes >= 10, "{report:?}");
    let left = store.media_index(MediaQuery::default()).await.unwrap();
    assert_eq!(left.iter().map(|item| item.key.clone()).collect::<Vec<_>>(), [media_key("mxc://new")]);
}

#[tokio::test]
async fn a_write_of_what_can_be_fetched_again_checks_from_time_to_time() {
    let store: Store = Arc::new(MemoryStore::new());
    let old = |n: u64| {
        let mut batch = WriteBatch::relaxed();
        batch.put_media(media(&format!("mxc://{n}"), 0), vec![0; 10]);
        batch
    };
    let count = async || store.media_index(MediaQuery::default()).await.unwrap().len();
    let kept = Kept::new(store.clone(), Arc::new(Still(NOW_MS)), PressureOptions::default());
    kept.apply(enqueue(0, 10)).await.unwrap();
    store.apply(old(1)).await.unwrap();
    kept.apply(enqueue(1, 10)).await.unwrap();
    assert_eq!(count().await, 3, "what the user writes waits for no check");
    kept.apply(old(2)).await.unwrap();
    assert_eq!(count().await, 2);
    kept.apply(old(3)).await.unwrap();
    assert_eq!(count().await, 3, "the latest check was just now");
    kept.tick().await;
    assert_eq!(count().await, 3);
    kept.check().await.unwrap();
    assert_eq!(count().await, 2);
}

/// Every future can go to another thread.
#[test]
fn futures_are_send() {
    fn is_send<T: Send>(_: T) {}
    let store: Store = Arc::new(MemoryStore::new());
    let kept = kept(&store, 1);
    is_send(kept.check());
    is_send(kept.apply(WriteBatch::relaxed()));
    is_send(haos_queue::pressure::clear(&*store, haos_queue::pressure::Clear::Media));
}
