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

/// An item leaves its row when it grows, and has every byte on either side of that.
#[tokio::test]
async fn an_item_grows_out_of_its_row() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    make(&path, key()).await;
    let store = unsealed(&path).await;
    let whole = pattern(80_000);
    let inline = || -> bool {
        let sql = "SELECT bytes IS NOT NULL FROM media ORDER BY nr DESC LIMIT 1";
        raw(&path).query_row(sql, (), |row| row.get(0)).unwrap()
    };
    let mut batch = WriteBatch::relaxed();
    batch.put_media(media("ant"), whole[..1].to_vec());
    store.apply(batch).await.unwrap();
    let ends = [(1, true), (5_000, true), (8_192, true), (8_193, false), (70_000, false), (80_000, false)];
    for (at, (end, is_inline)) in ends.iter().map(|(end, _)| *end).zip(&ends[1..]) {
        assert_eq!(inline(), at <= 8_192, "{at} bytes");
        let mut batch = WriteBatch::relaxed();
        batch.append_media(media_key("ant"), at as u64, whole[at..*end].to_vec());
        store.apply(batch).await.unwrap();
        assert_eq!(inline(), *is_inline, "{end} bytes");
        let found = store.media(&media_key("ant"), ByteRange::ALL).await.unwrap().unwrap();
        assert_eq!((found.info.size, found.bytes.as_slice()), (*end as u64, &whole[..*end]));
        let range = ByteRange { start: at as u64 - 1, end: *end as u64 };
        let found = store.media(&media_key("ant"), range).await.unwrap().unwrap();
        assert_eq!(found.bytes, whole[at - 1..*end]);
        assert_check_finds(&store, &[]).await;
    }
}

#[tokio::test]
async fn whatever_is_done_to_the_bytes_of_small_items_is_noticed() {
    let changes = [
        (
            "they are another item's",
            "UPDATE media SET bytes = (SELECT bytes FROM media WHERE nr = 2) WHERE nr = 1",
        ),
        ("they are gone", "UPDATE media SET bytes = NULL WHERE nr = 1"),
        ("they are empty", "UPDATE media SET bytes = x'' WHERE nr = 1"),
        ("they are text", "UPDATE media SET bytes = 'text' WHERE nr = 1"),
    ];
    for (what, change) in changes {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.db");
        let store = unsealed(&path).await;
        store.apply(twins(40)).await.unwrap();
        let conn = raw(&path);
        if conn.execute_batch(change).is_err() {
            assert_eq!(what, "they are text", "the column takes bytes alone");
            continue;
        }
        Target::Inline.assert_corrupt(&store, One, what).await;
        assert_others_read(&store, &[(Target::Inline, One)]).await;
        assert_check_finds(&store, &["media"]).await;
    }
}

/// A row that cannot be read gives way to what comes in its place, and takes its bytes along.
#[tokio::test]
async fn an_item_whose_row_is_damaged_is_removed_and_replaced() {
    let spoil = "UPDATE media SET payload = x'00' WHERE nr = 1";
    let sizes = [40, 20_000];
    for (before, after) in sizes.iter().flat_map(|before| [0, 40, 20_000].map(|after| (*before, after))) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.db");
        let store = unsealed(&path).await;
        store.apply(twins(before)).await.unwrap();
        raw(&path).execute_batch(spoil).unwrap();
        let mut batch = WriteBatch::relaxed();
        batch.put_media(media("cat"), pattern(after));
        assert!(store.apply(batch).await.unwrap().changed);
        let found = store.media(&media_key("cat"), ByteRange::ALL).await.unwrap().unwrap();
        assert_eq!(found.bytes, pattern(after), "{before} bytes, then {after}");
        assert_check_finds(&store, &[]).await;
    }
    let removes = |batch: &mut WriteBatch| {
        batch.remove_media(media_key("cat"));
    };
    let renames = |batch: &mut WriteBatch| {
        batch.rename_media(media_key("dog"), media_key("cat"));
    };
    type Change<'a> = &'a dyn Fn(&mut WriteBatch);
    let changes: [(&str, Change<'_>); 2] = [("removed", &removes), ("renamed over", &renames)];
    for (what, change) in changes {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.db");
        let store = unsealed(&path).await;
        store.apply(twins(40)).await.unwrap();
        raw(&path).execute_batch(spoil).unwrap();
        let mut batch = WriteBatch::relaxed();
        change(&mut batch);
        assert!(store.apply(batch).await.unwrap().changed, "{what}");
        assert_eq!(store.media_index(MediaQuery::default()).await.unwrap().len(), 1, "{what}");
        assert_check_finds(&store, &[]).await;
    }
}
