//! A device that is really full. Needs root on Linux.
#![cfg(target_os = "linux")]

use std::sync::Arc;

use haos_queue::pressure::{Level, PressureOptions};
use haos_skip::Disk;
use haos_store_api::*;
use haos_store_sqlite::{SqliteOptions, SqliteStore};

use crate::common::*;

/// Fills the device to the last byte that a write gets.
async fn fill(store: &Store, batch: impl Fn(u64) -> WriteBatch) -> u64 {
    for n in 0.. {
        if let Err(error) = store.apply(batch(n)).await {
            assert_eq!(error.kind(), ErrorKind::Full, "{error:?}");
            return n;
        }
    }
    unreachable!("a device ends")
}

async fn check(store: &Store) -> Vec<String> {
    store.maintain(Maintenance::Check, Progress::none()).await.unwrap().findings
}

async fn open(disk: &Disk) -> Store {
    let store = SqliteStore::open(SqliteOptions::new(disk.path().join("s.db")).low_memory()).await.unwrap();
    Arc::new(store)
}

fn picture(n: u64) -> WriteBatch {
    let mut batch = WriteBatch::relaxed();
    batch.put_media(media(&format!("mxc://{n}"), n as i64), vec![1; 100 << 10]);
    batch
}

/// A quota that leaves the log its room: the device is never found full, however much is put.
#[tokio::test]
async fn a_quota_below_the_device_keeps_it_from_filling_up() {
    let Some(disk) = Disk::mount("16m") else { return };
    let store = open(&disk).await;
    let options = PressureOptions { quota_bytes: Some(8 * MIB), ..PressureOptions::default() };
    let kept = kept_at(&store, 1000, options);
    for n in 0..300 {
        kept.apply(picture(n)).await.unwrap();
    }
    for n in 0..100 {
        kept.apply(enqueue(n, 50 << 10)).await.unwrap();
        kept.apply(picture(1000 + n)).await.unwrap();
    }
    all_unsent(&store, 100, 50 << 10).await;
    assert_eq!(check(&store).await, Vec::<String>::new());
    store.close().await.unwrap();
}

/// SQLite logs what it removes before it frees anything: on a device that is full to the last byte even a
/// removal may be refused. Nothing is lost then, and space from outside is enough to go on.
#[tokio::test]
async fn a_device_that_is_full_to_the_last_byte_loses_nothing() {
    let Some(disk) = Disk::mount("12m") else { return };
    let store = open(&disk).await;
    let kept = kept_at(&store, 1000, PressureOptions::default());
    fill(&store, picture).await;
    let mut unsent = 0;
    while unsent < 5 {
        match kept.apply(enqueue(unsent, 50 << 10)).await {
            Ok(_) => unsent += 1,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Full, "{error:?}");
                break;
            }
        }
    }
    all_unsent(&store, unsent, 50 << 10).await;
    assert!(disk.remount("size=24m"));
    for n in unsent..60 {
        kept.apply(enqueue(n, 50 << 10)).await.unwrap();
    }
    all_unsent(&store, 60, 50 << 10).await;
    assert_eq!(kept.level(), Level::Ok, "no quota, no level");
    assert_eq!(check(&store).await, Vec::<String>::new());
    store.close().await.unwrap();
}

#[tokio::test]
async fn what_only_the_user_can_free_is_said() {
    let Some(disk) = Disk::mount("6m") else { return };
    let store = open(&disk).await;
    let n = fill(&store, |n| enqueue(n, 50 << 10)).await;
    let kept = kept_at(&store, 1000, PressureOptions::default());
    let error = kept.apply(enqueue(n, 50 << 10)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Full, "{error:?}");
    assert!(error.to_string().contains("unsent"), "{error}");
    all_unsent(&store, n, 50 << 10).await;
    store.close().await.unwrap();
}
