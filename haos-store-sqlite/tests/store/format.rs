//! Every format that was ever written is readable, and keeps its outbox.

use std::path::{Path, PathBuf};

use haos_store_api::*;

use crate::common::*;

fn fixture(format: u32) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/format-{format}.db"))
}

/// Writes the fixture of the present format. Run it once, when a format is about to be released:
/// `cargo test -p haos-store-sqlite --test store format::write -- --ignored`.
#[tokio::test]
#[ignore = "writes a fixture"]
async fn write() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    let store = open(&path).await;
    store.apply(sample_with(3000)).await.unwrap();
    let target = fixture(store.info().format);
    store.close().await.unwrap();
    assert!(!target.exists(), "a fixture is never written again: {}", target.display());
    std::fs::copy(&path, &target).unwrap();
}

#[tokio::test]
async fn format_1_keeps_everything() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    std::fs::copy(fixture(1), &path).unwrap();
    let store = open(&path).await;
    assert_eq!(store.info().recovery, None);
    assert_eq!(store.info().opened_at, Revision(1));

    let rows = store.pending(PendingQuery::default()).await.unwrap();
    let found: Vec<_> =
        rows.iter().map(|row| (row.seq, row.txn_id.as_str(), row.content.text("body"))).collect();
    let body = |name: &str| Some(format!("unsent {name}"));
    assert_eq!(found, [(1, "t1", body("t1")), (2, "t2", body("t2")), (3, "t3", body("t3"))]);
    assert_eq!(rows[1].media, [media_key("cat")]);

    let slice = store.timeline(&room_id("a"), Page::newest(50)).await.unwrap();
    assert_eq!(slice.messages().count(), 11);
    assert_eq!(slice.gaps().next().and_then(|gap| gap.token.as_deref()), Some("older"));
    for (n, found) in slice.messages().take(10).enumerate() {
        assert_eq!(*found, message("a", &format!("a{n}"), n as u64));
    }
    assert_eq!(store.count(&room_id("b"), None).await.unwrap(), 10);
    let media = store.media(&media_key("cat"), ByteRange::ALL).await.unwrap().unwrap();
    assert_eq!(media.bytes, pattern(3000));
    let token = StateQuery::kind(Scope::Account, EventType::new("haos.sync_token").unwrap());
    assert_eq!(store.state(token).await.unwrap()[0].value.as_str(), r#""s1""#);

    let report = store.maintain(Maintenance::Check, Progress::none()).await.unwrap();
    assert_eq!(report.findings, Vec::<String>::new());
    let mut batch = WriteBatch::strict();
    batch.put_pending(pending("a", "t4"));
    assert_eq!(store.apply(batch).await.unwrap().assigned, [(txn("t4"), 4)]);
    store.close().await.unwrap();
}
