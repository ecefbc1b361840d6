//! A small file system of its own: too small, and read-only. Needs root on Linux. A disk that fills up
//! while sled is open is not tried here: sled may then hold its files until the process ends.
#![cfg(target_os = "linux")]

use haos_skip::Disk;
use haos_store_api::*;
use haos_store_sled::{SledOptions, SledStore};

use crate::common::*;

fn large(n: u64) -> WriteBatch {
    let mut batch = WriteBatch::strict();
    let mut big = message("a", &format!("m{n}"), n);
    big.content = Json::of(&"x".repeat(40_000)).unwrap();
    batch.put_room(room("a")).put_message(big).put_pending(pending("a", &format!("t{n}")));
    batch
}

#[tokio::test]
async fn no_space_for_a_new_store() {
    let Some(disk) = Disk::mount("64k") else { return };
    // A page of the system is enough for an empty store, and less than that for none.
    std::fs::write(disk.path().join("ballast"), vec![1; 60 << 10]).unwrap();
    let error = SledStore::open(SledOptions::new(disk.path().join("s"))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Full, "{error:?}");
}

#[tokio::test]
async fn a_read_only_disk() {
    let Some(disk) = Disk::mount("3m") else { return };
    let path = disk.path().join("s");
    let store = open(&path).await;
    store.apply(large(0)).await.unwrap();
    store.close().await.unwrap();
    assert!(disk.remount("ro"));
    for path in [path, disk.path().join("new")] {
        let error = SledStore::open(SledOptions::new(path)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ReadOnly, "{error:?}");
        assert!(error.to_string().contains("sled has to"), "{error}");
    }
}
