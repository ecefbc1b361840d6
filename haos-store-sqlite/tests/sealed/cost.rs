//! The cost of opening, and the information in lengths.

use std::collections::BTreeSet;

use haos_store_api::*;
use haos_store_sqlite::SqliteStore;

use crate::common::*;
use crate::vault::*;

#[tokio::test]
async fn a_cost_over_the_limit_is_refused_untouched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    let dear = KdfParams { memory_kib: 64, passes: 2, lanes: 2 };
    let low = KdfLimits { memory_kib: 32, passes: 2, lanes: 2 };
    // Nor is a store made that could not be opened again.
    let new = with(&path, words("words")).kdf(dear).kdf_limits(low);
    assert_eq!(refusal(new).await, ErrorKind::Invalid);
    SqliteStore::open(with(&path, words("words")).kdf(dear)).await.unwrap().close().await.unwrap();
    let before = lasting(folder.path());
    let options = || with(&path, words("words"));
    let error = SqliteStore::open(options().kdf_limits(low)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    for part in ["64 KiB", "32 KiB", "kdf_limits"] {
        assert!(error.to_string().contains(part), "{error}");
    }
    assert!(before == lasting(folder.path()));
    let raised = KdfLimits { memory_kib: 64, ..low };
    let store = SqliteStore::open(options().kdf_limits(raised)).await.unwrap();
    // The cheaper parameters of the change do not count.
    store.change_keys(KeyChange::SetPassphrase(words("others"), quick())).await.unwrap();
    store.close().await.unwrap();
    let error = SqliteStore::open(with(&path, words("others")).kdf_limits(low)).await.unwrap_err();
    assert!(error.to_string().contains("64 KiB, 2 passes and 2 lanes"), "{error}");
}

#[tokio::test]
async fn an_empty_passphrase_makes_no_store() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    assert_eq!(refusal(with(&path, words(""))).await, ErrorKind::Invalid);
    make(&path, words("words")).await;
    let store = open_with(&path, words("words")).await;
    let emptied = store.change_keys(KeyChange::SetPassphrase(words(""), quick())).await;
    assert_eq!(emptied.unwrap_err().kind(), ErrorKind::Invalid);
    store.close().await.unwrap();
    open_with(&path, words("words")).await.close().await.unwrap();
}

/// Reads the lengths of the stored messages.
fn lengths(path: &std::path::Path) -> BTreeSet<i64> {
    let conn = raw(path);
    let mut select = conn.prepare("SELECT length(payload) FROM message").unwrap();
    let found = select.query_map((), |row| row.get(0)).unwrap();
    found.map(Result::unwrap).collect()
}

#[tokio::test]
async fn padded_messages_look_alike_and_are_read_by_everybody() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    let open = |padding| SqliteStore::open(with(&path, key()).padding(padding));
    let texts = ["yes", "no", "a sentence of some words"];
    let written = |n: usize, text: &str| Message {
        content: Json::new(format!(r#"{{"body":"{text}"}}"#)).unwrap(),
        ..message("a", &format!("e{n}"), n as u64)
    };
    let store = open(Padding::None).await.unwrap();
    let mut batch = WriteBatch::strict();
    batch.put_room(room("a")).put_media(media("cat"), pattern(100_000));
    for (n, text) in texts.iter().enumerate() {
        batch.put_message(written(n, text));
    }
    store.apply(batch).await.unwrap();
    store.close().await.unwrap();
    assert_eq!(lengths(&path).len(), 3, "as long as they are");

    // The option at the rotation counts for all existing rows.
    let store = open(Padding::Buckets).await.unwrap();
    store.maintain(Maintenance::Rotate, Progress::none()).await.unwrap();
    let mut batch = WriteBatch::strict();
    batch.put_message(written(9, "another"));
    store.apply(batch).await.unwrap();
    store.close().await.unwrap();
    assert_eq!(lengths(&path), [256 + 1 + 31].into());

    for padding in [Padding::None, Padding::Padme] {
        let store = open(padding).await.unwrap();
        let slice = store.timeline(&room_id("a"), Page::oldest(9)).await.unwrap();
        let found: Vec<_> = slice.messages().filter_map(|found| found.content.text("body")).collect();
        assert_eq!(found, [&texts[..], &["another"]].concat());
        let cat = store.media(&media_key("cat"), ByteRange::ALL).await.unwrap().unwrap();
        assert_eq!(cat.bytes, pattern(100_000));
        assert_eq!(check(&store).await, Vec::<String>::new());
        store.close().await.unwrap();
    }
}
