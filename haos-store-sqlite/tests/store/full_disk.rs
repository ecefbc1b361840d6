//! A small file system of its own that fills up. Needs root on Linux.
#![cfg(target_os = "linux")]

use haos_skip::Disk;
use haos_store_api::*;

use crate::common::*;

fn large(n: u64) -> WriteBatch {
    let mut batch = WriteBatch::strict();
    let mut big = message("a", &format!("m{n}"), n);
    big.content = Json::of(&"x".repeat(40_000)).unwrap();
    batch.put_room(room("a")).put_message(big).put_pending(pending("a", &format!("t{n}")));
    batch
}

#[tokio::test]
async fn a_full_disk_refuses_and_loses_nothing() {
    let Some(disk) = Disk::mount("3m") else { return };
    let path = disk.path().join("s.db");
    let store = open(&path).await;
    let ballast = disk.path().join("ballast");
    std::fs::write(&ballast, vec![1; 1 << 20]).unwrap();

    for round in 0..3 {
        let mut acknowledged = store.count(&room_id("a"), None).await.unwrap_or(0);
        let error = loop {
            match store.apply(large(acknowledged)).await {
                Ok(_) => acknowledged += 1,
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), ErrorKind::Full, "{error:?}");
        assert!(error.is_retryable());
        assert!(acknowledged > 5, "round {round}");
        // It still refuses writes, and still reads.
        assert_eq!(store.apply(large(acknowledged)).await.unwrap_err().kind(), ErrorKind::Full);
        assert_eq!(store.count(&room_id("a"), None).await.unwrap(), acknowledged);
        assert_eq!(txns(&store).await.len() as u64, acknowledged);

        match round {
            0 => std::fs::remove_file(&ballast).unwrap(),
            _ => {
                assert!(disk.remount(&format!("size={}m", 4 + round * 2)));
            }
        }
        store.apply(large(acknowledged)).await.expect("there is space again");
    }
    let report = store.maintain(Maintenance::Check, Progress::none()).await.unwrap();
    assert_eq!(report.findings, Vec::<String>::new());
    let count = store.count(&room_id("a"), None).await.unwrap();
    store.close().await.unwrap();
    let store = open(&path).await;
    assert_eq!(store.count(&room_id("a"), None).await.unwrap(), count);
    store.close().await.unwrap();
}
