//! The bytes of media: chunks that are deleted, short, exchanged or made up.

use haos_store_api::backend::*;

use haos_store_api::*;

use crate::common::*;
use crate::target::Row::One;
use crate::target::{Target, assert_check_finds, assert_others_read};
use crate::vault::*;

/// The changes to the two chunks of the first item, and to the row if needed.
const CHANGES: [(&str, &str); 8] = [
    ("the first chunk is gone", "DELETE FROM media_chunk WHERE pos = 1 << 24"),
    ("the last chunk is gone", "DELETE FROM media_chunk WHERE pos = (1 << 24) + 1"),
    ("all chunks are gone", "DELETE FROM media_chunk WHERE pos >> 24 = 1"),
    ("a chunk is short", "UPDATE media_chunk SET payload = substr(payload, 1, 500) WHERE pos = 1 << 24"),
    ("a chunk is empty", "UPDATE media_chunk SET payload = x'' WHERE pos = 1 << 24"),
    (
        "the first chunk stands for the last as well",
        "UPDATE media_chunk SET payload = (SELECT payload FROM media_chunk WHERE pos = 1 << 24)
         WHERE pos = (1 << 24) + 1",
    ),
    (
        "a chunk is another item's",
        "UPDATE media_chunk SET payload = (SELECT payload FROM media_chunk WHERE pos = 2 << 24)
         WHERE pos = 1 << 24",
    ),
    (
        "a chunk moved up",
        "DELETE FROM media_chunk WHERE pos = 1 << 24;
         UPDATE media_chunk SET pos = 1 << 24 WHERE pos = (1 << 24) + 1",
    ),
];

#[tokio::test]
async fn whatever_is_done_to_chunks_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    make(&path, key()).await;
    let sound = std::fs::read(&path).unwrap();
    for (what, change) in CHANGES {
        std::fs::write(&path, &sound).unwrap();
        raw(&path).execute_batch(change).unwrap();
        let store = unsealed(&path).await;
        Target::Chunk.assert_corrupt(&store, One, what).await;
        assert_others_read(&store, &[(Target::Chunk, One)]).await;
        assert_check_finds(&store, &["media"]).await;
        store.close().await.unwrap();
    }
}

#[tokio::test]
async fn a_range_beside_a_bad_chunk_still_reads() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    make(&path, key()).await;
    raw(&path).execute_batch("UPDATE media_chunk SET payload = x'00' WHERE pos = (1 << 24) + 1").unwrap();
    let store = unsealed(&path).await;
    let chunk = CHUNK_BYTES as u64;
    let item = media_key("cat");
    let sound = store.media(&item, ByteRange { start: 10, end: chunk }).await.unwrap().unwrap();
    assert!(sound.bytes == pattern(100_000)[10..CHUNK_BYTES]);
    let error = store.media(&item, ByteRange { start: 10, end: chunk + 1 }).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
}

/// An item whose bytes were replaced has another number: its former chunks fit nowhere.
#[tokio::test]
async fn the_chunks_of_replaced_bytes_are_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    make(&path, key()).await;
    let store = unsealed(&path).await;
    let conn = raw(&path);
    let old = Target::Chunk.payload(&conn, One);
    let mut batch = WriteBatch::strict();
    batch.put_media(media("cat"), vec![9; 100_000]);
    store.apply(batch).await.unwrap();
    let sql = "UPDATE media_chunk SET payload = ?1 WHERE pos = (SELECT max(nr) FROM media) << 24";
    assert_eq!(conn.execute(sql, [&old]).unwrap(), 1);
    Target::Chunk.assert_corrupt(&store, One, "former bytes").await;
    assert_check_finds(&store, &["media"]).await;
}
