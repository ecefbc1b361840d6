//! No nonce is known twice.

use std::collections::BTreeSet;
use std::path::Path;

use haos_store_api::*;

use crate::common::*;
use crate::vault::*;

/// The nonces of all rows, of which no two are the same.
fn nonces(path: &Path) -> BTreeSet<Vec<u8>> {
    let conn = raw(path);
    let (mut all, mut rows) = (BTreeSet::new(), 0);
    for table in TABLES {
        let mut select = conn.prepare(&format!("SELECT substr(payload, 4, 12) FROM {table}")).unwrap();
        let found = select.query_map((), |row| row.get::<_, Vec<u8>>(0)).unwrap();
        for nonce in found {
            rows += 1;
            all.insert(nonce.unwrap());
        }
    }
    assert_eq!((all.len(), all.iter().all(|nonce| nonce.len() == 12)), (rows, true));
    all
}

#[tokio::test]
async fn no_two_rows_of_a_store_share_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    make(&path, key()).await;
    let store = unsealed(&path).await;
    let mut batch = WriteBatch::relaxed();
    for n in 100..400 {
        batch.put_message(message("a", &format!("more {n}"), n));
    }
    store.apply(batch).await.unwrap();
    let before = nonces(&path);
    assert!(before.len() > 300);
    store.maintain(Maintenance::Rotate, Progress::none()).await.unwrap();
    let after = nonces(&path);
    assert_eq!(
        (after.len(), before.intersection(&after).count()),
        (before.len(), 0),
        "each row has a new one"
    );
    store.close().await.unwrap();
}

/// Two processes that were one a moment ago, or one and its backup: they hold the same keys, write to the same places
/// at the same revision, and every row of theirs has a nonce of its own.
#[tokio::test]
async fn two_copies_of_a_store_share_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    make(&path, key()).await;
    let known = nonces(&path);
    let copies = ["a", "b"].map(|name| folder.path().join(name));
    for copy in &copies {
        std::fs::copy(&path, copy).unwrap();
    }
    let stores = [unsealed(&copies[0]).await, unsealed(&copies[1]).await];
    for (n, store) in stores.iter().enumerate() {
        let mut batch = WriteBatch::strict();
        for at in 100..200 {
            batch.put_message(Message {
                content: Json::new(format!(r#"{{"body":"of copy {n}"}}"#)).unwrap(),
                ..message("a", &format!("e{at}"), at)
            });
        }
        store.apply(batch).await.unwrap();
        store.close().await.unwrap();
    }
    let [a, b] = copies.map(|copy| &nonces(&copy) - &known);
    assert!(a.len() > 100 && b.len() > 100);
    assert_eq!(a.intersection(&b).count(), 0);
}
