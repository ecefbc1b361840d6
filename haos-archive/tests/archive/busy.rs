//! Commits during a backup: the archive is of one commit.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use haos_archive::Backup;
use haos_backends::{Store, on_every_store};
use haos_store_api::*;

use crate::content::{Content, open};
use crate::make::{self, json, message, noise, room};

/// Rooms, so that the archive takes a while.
const ROOMS: u64 = 12;

/// Writes what the counts go to.
pub(crate) async fn prepare(store: &Store) {
    let mut batch = WriteBatch::relaxed();
    for n in 0..ROOMS {
        batch.put_room(Room::new(room(n), Membership::Join));
        (0..300).for_each(|m| {
            batch.put_message(message(room(n), m, "old"));
        });
    }
    store.apply(batch).await.unwrap();
    store.apply(count_up(0)).await.unwrap();
}

/// Writes one number into every collection, in the first and the last room.
pub(crate) fn count_up(n: i64) -> WriteBatch {
    let mut batch = WriteBatch::relaxed();
    for at in [0, ROOMS - 1] {
        let mut row = Room::new(room(at), Membership::Join);
        row.last_activity_ms = n;
        batch
            .put_room(row)
            .put_message(message(room(at), 250, &n.to_string()))
            .put_state(make::state(Scope::Room(room(at)), 1, &n.to_string()))
            .put_gap(Gap {
                room: room(at),
                position: Position::FIRST.older(1).unwrap(),
                token: Some(n.to_string()),
                revision: Revision::ZERO,
            });
    }
    let txn = TxnId::new("t").unwrap();
    batch.put_state(make::state(Scope::Account, 1, &n.to_string()));
    batch.remove_pending(txn.clone());
    batch.put_pending(Pending::new(txn, room(0), make::kind("k"), json(&n.to_string()), n));
    let mut media = make::media(1);
    media.fetched_at_ms = n;
    batch.put_media(media, noise(600_000, n as u64));
    batch
}

/// Checks that all have the same number; returns it.
pub(crate) fn agree(content: &Content) -> i64 {
    let n = content.pending[0].created_ms;
    for at in [0, ROOMS - 1] {
        let items = &content.timelines[&room(at)];
        let body = |item: &Item| item.as_message().filter(|m| m.id == make::event(250))?.content.text("body");
        assert_eq!(content.rooms[&room(at)].last_activity_ms, n);
        assert_eq!(items.iter().find_map(body), Some(n.to_string()));
        assert_eq!(items.iter().find_map(Item::as_gap).unwrap().token, Some(n.to_string()));
        assert_eq!(content.state[&Scope::Room(room(at))][0].value.as_str(), n.to_string());
    }
    assert_eq!(content.state[&Scope::Account][0].value.as_str(), n.to_string());
    let (info, bytes) = &content.media[&make::media_key(1)];
    assert_eq!(info.fetched_at_ms, n);
    assert_eq!(*bytes, noise(600_000, n as u64));
    n
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_of_a_store_in_use_is_of_one_commit() {
    on_every_store(async |mut home| {
        let store = home.open().await;
        prepare(&store).await;
        let start = store.apply(WriteBatch::relaxed()).await.unwrap().revision;
        let stop = Arc::new(AtomicBool::new(false));
        let writer = tokio::spawn({
            let (store, stop) = (store.clone(), stop.clone());
            async move {
                let mut n = 0;
                while !stop.load(Relaxed) {
                    n += 1;
                    store.apply(count_up(n)).await.unwrap();
                    tokio::task::yield_now().await;
                }
                n
            }
        });
        let mut seen = Vec::new();
        for _ in 0..3 {
            let mut file = Vec::new();
            let summary = Backup::new().run(&store, &mut file).await.unwrap();
            let mut archive = open(&[&file], None).unwrap();
            let n = agree(&Content::of_archive(&mut archive).unwrap());
            // Each commit counts by one.
            assert_eq!(summary.revision.0 - start.0, n as u64);
            seen.push(n);
        }
        stop.store(true, Relaxed);
        let last = writer.await.unwrap();
        assert!(seen.is_sorted() && last > 0, "{seen:?} {last}");
        store.close().await.unwrap();
    })
    .await;
}
