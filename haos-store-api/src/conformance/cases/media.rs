//! Media: bytes, ranges, use and eviction.

use crate::conformance::check::*;
use crate::conformance::make::*;
use crate::conformance::{Harness, Outcome};
use crate::*;

async fn numbers(store: &Store, query: MediaQuery) -> Result<Vec<MediaKey>> {
    Ok(store.media_index(query).await?.into_iter().map(|info| info.key).collect())
}

pub(super) async fn all(store: &Store) -> Result<Vec<MediaKey>> {
    numbers(store, MediaQuery::default()).await
}

pub(super) async fn whole(store: &Store, n: u64) -> Result<Option<Vec<u8>>> {
    Ok(store.media(&media_key(n), ByteRange::ALL).await?.map(|media| media.bytes))
}

pub(crate) async fn every_field_comes_back(harness: &mut dyn Harness) -> Outcome {
    let store = harness.open().await?;
    // The store ignores the caller's size; media needs no room row.
    let info = MediaInfo {
        size: 12_345,
        mime: None,
        rooms: vec![room(2), room(1)],
        fetched_at_ms: -3,
        pinned: true,
        ..media(1, i64::MIN)
    };
    put(&store, |batch| batch.put_media(info.clone(), bytes(10))).await?;
    let expected = MediaInfo { size: 10, ..info };
    same(
        store.media(&media_key(1), ByteRange::ALL).await?,
        Some(Media { info: expected.clone(), bytes: bytes(10) }),
    )?;
    same(store.media_index(MediaQuery::default()).await?, [expected])
}

pub(crate) async fn absent_is_none(harness: &mut dyn Harness) -> Outcome {
    let store = harness.open().await?;
    same(store.media(&media_key(1), ByteRange::ALL).await?, None)?;
    same(store.media_index(MediaQuery::default()).await?, [])
}

pub(crate) async fn an_empty_item_is_an_item(harness: &mut dyn Harness) -> Outcome {
    let store = harness.open().await?;
    put(&store, |batch| batch.put_media(media(1, 0), Vec::new())).await?;
    same(whole(&store, 1).await?, Some(Vec::new()))?;
    put(&store, |batch| batch.append_media(media_key(1), 0, bytes(3))).await?;
    same(whole(&store, 1).await?, Some(bytes(3)))
}

pub(crate) async fn a_later_item_replaces_bytes_and_info(harness: &mut dyn Harness) -> Outcome {
    let store = harness.open().await?;
    put(&store, |batch| batch.put_media(media(1, 5), bytes(200_000))).await?;
    let later = MediaInfo { mime: Some("video/mp4".to_owned()), ..media(1, 3) };
    put(&store, |batch| batch.put_media(later.clone(), vec![9; 7])).await?;
    let found = some(store.media(&media_key(1), ByteRange::ALL).await?)?;
    same(found, Media { info: MediaInfo { size: 7, ..later }, bytes: vec![9; 7] })?;
    put(&store, |batch| batch.append_media(media_key(1), 7, vec![8; 100_000])).await?;
    same(some(whole(&store, 1).await?)?.len(), 100_007)
}

pub(crate) async fn the_same_item_changes_nothing(harness: &mut dyn Harness) -> Outcome {
    let store = harness.open().await?;
    put(&store, |batch| batch.put_media(media(1, 5), bytes(100_000))).await?;
    let again = put(&store, |batch| batch.put_media(media(1, 5), bytes(100_000))).await?;
    same(again.changed, false)?;
    let mut other = bytes(100_000);
    other[99_999] ^= 1;
    let commit = put(&store, |batch| batch.put_media(media(1, 5), other)).await?;
    holds(commit.changed, "one other byte is a change")
}

pub(crate) async fn renditions_are_items_of_their_own(harness: &mut dyn Harness) -> Outcome {
    let store = harness.open().await?;
    let format = MediaFormat::new("thumb-96x96-crop")?;
    let thumb = MediaInfo { key: MediaKey { format, ..media_key(1) }, ..media(1, 0) };
    put(&store, |batch| batch.put_media(media(1, 0), bytes(9)).put_media(thumb.clone(), bytes(3))).await?;
    same(whole(&store, 1).await?, Some(bytes(9)))?;
    put(&store, |batch| batch.remove_media(media_key(1))).await?;
    same(all(&store).await?, [thumb.key])
}

pub(crate) async fn ranges_cross_chunks(harness: &mut dyn Harness) -> Outcome {
    let store = harness.open().await?;
    let chunk = CHUNK_BYTES as u64;
    let content = bytes(3 * CHUNK_BYTES + 5);
    let size = content.len() as u64;
    put(&store, |batch| batch.put_media(media(1, 0), content.clone())).await?;
    let ranges = [
        (0, 1),
        (0, chunk),
        (chunk - 1, chunk),
        (chunk - 1, chunk + 1),
        (chunk, 2 * chunk),
        (1, 3 * chunk + 1),
        (3 * chunk, size),
        (size - 1, size),
        (size - 1, u64::MAX),
        (7, size + 1),
        (0, u64::MAX),
    ];
    for (start, end) in ranges {
        let found = some(store.media(&media_key(1), ByteRange { start, end }).await?)?;
        same(found.info.size, size)?;
        let expected = &content[start as usize..end.min(size) as usize];
        holds(found.bytes == expected, &format!("bytes {start}..{end} are those that were put"))?;
    }
    Ok(())
}

pub(crate) async fn a_range_beyond_the_end_is_empty(harness: &mut dyn Harness) -> Outcome {
    let store = harness.open().await?;
    put(&store, |batch| batch.put_media(media(1, 0), bytes(10))).await?;
    for (start, end) in [(10, 20), (11, u64::MAX), (u64::MAX, u64::MAX), (5, 5), (6, 5)] {
        let found = some(store.media(&media_key(1), ByteRange { start, end }).await?)?;
        same((found.bytes, found.info.size), (Vec::new(), 10))?;
    }
    Ok(())
}

pub(crate) async fn exact_chunks_have_no_tail(harness: &mut dyn Harness) -> Outcome {
    let store = harness.open().await?;
    for len in [CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES] {
        put(&store, |batch| batch.put_media(media(1, 0), bytes(len))).await?;
        holds(whole(&store, 1).await? == Some(bytes(len)), &format!("{len} bytes come back"))?;
    }
    Ok(())
}

pub(crate) async fn streamed_in_by_appending(harness: &mut dyn Harness) -> Outcome {
    let store = harness.open().await?;
    let content = bytes(3 * CHUNK_BYTES + 100);
    put(&store, |batch| batch.put_media(media(1, 0), Vec::new())).await?;
    let mut done = 0;
    for step in [1, CHUNK_BYTES - 1, 10, CHUNK_BYTES, 0, 2 * CHUNK_BYTES] {
        let part = content[done..content.len().min(done + step)].to_vec();
        let at = done as u64;
        done += part.len();
        put(&store, |batch| batch.append_media(media_key(1), at, part)).await?;
        let found = some(store.media(&media_key(1), ByteRange::ALL).await?)?;
        same(found.info.size, done as u64)?;
        holds(found.bytes == content[..done], &format!("the first {done} bytes are whole"))?;
    }
    same(done, content.len())
}

pub(crate) async fn appending_elsewhere_is_a_conflict(harness: &mut dyn Harness) -> Outcome {
    let store = harness.open().await?;
    put(&store, |batch| batch.put_media(media(1, 0), bytes(10))).await?;
    for at in [0, 9, 11] {
        let result = put(&store, |batch| batch.append_media(media_key(1), at, bytes(5))).await;
        fails(result, ErrorKind::Conflict)?;
    }
    let unknown = put(&store, |batch| batch.append_media(media_key(2), 0, bytes(5))).await;
    fails(unknown, ErrorKind::Conflict)?;
    same(whole(&store, 1).await?, Some(bytes(10)))
}

pub(crate) async fn appending_nothing_changes_nothing(harness: &mut dyn Harness) -> Outcome {
    let store = harness.open().await?;
    put(&store, |batch| batch.put_media(media(1, 0), bytes(10))).await?;
    same(put(&store, |batch| batch.append_media(media_key(1), 10, Vec::new())).await?.changed, false)
}

pub(crate) async fn a_rename_keeps_the_bytes(harness: &mut dyn Harness) -> Outcome {
    let store = harness.open().await?;
    let staged = MediaInfo { pinned: true, ..media(1, 4) };
    put(&store, |batch| batch.put_media(staged.clone(), bytes(100_000))).await?;
    put(&store, |batch| batch.rename_media(media_key(1), media_key(2))).await?;
    same(store.media(&media_key(1), ByteRange::ALL).await?, None)?;
    let found = some(store.media(&media_key(2), ByteRange::ALL).await?)?;
    same(found.info, MediaInfo { key: media_key(2), size: 100_000, ..staged })?;
    holds(found.bytes == bytes(100_000), "the bytes are those that were put")?;
    put(&store, |batch| batch.append_media(media_key(2), 100_000, bytes(5))).await?;
    same(some(whole(&store, 2).await?)?.len(), 100_005)?;
    // The old name is free again.
    put(&store, |batch| batch.put_media(media(1, 0), bytes(3))).await?;
    same(whole(&store, 1).await?, Some(bytes(3)))?;
    same(some(whole(&store, 2).await?)?.len(), 100_005)
}

pub(crate) async fn a_rename_replaces_what_is_there(harness: &mut dyn Harness) -> Outcome {
    let store = harness.open().await?;
    put(&store, |batch| batch.put_media(media(1, 1), bytes(3)).put_media(media(2, 2), bytes(200_000)))
        .await?;
    put(&store, |batch| batch.rename_media(media_key(1), media_key(2))).await?;
    same(all(&store).await?, [media_key(2)])?;
    same(whole(&store, 2).await?, Some(bytes(3)))
}

pub(crate) async fn what_is_replaced_leaves_no_bytes_behind(harness: &mut dyn Harness) -> Outcome {
    let store = harness.open().await?;
    let used = async || {
        let usage = store.usage().await?;
        let media = usage.collections.into_iter().find(|(collection, _)| *collection == Collection::Media);
        Ok::<_, Error>(media.map_or(0, |(_, size)| size.bytes))
    };
    put(&store, |batch| batch.put_media(media(1, 1), bytes(3)).put_media(media(2, 2), bytes(200_000)))
        .await?;
    holds(used().await? >= 200_000, "stored bytes are counted")?;
    put(&store, |batch| batch.rename_media(media_key(1), media_key(2))).await?;
    holds(used().await? < 100_000, "a rename removes the item that it replaces")?;
    put(&store, |batch| batch.put_media(media(2, 2), bytes(200_000))).await?;
    put(&store, |batch| batch.put_media(media(2, 2), bytes(3))).await?;
    holds(used().await? < 100_000, "a later item leaves nothing of the one before")?;
    put(&store, |batch| batch.put_media(media(2, 2), bytes(200_000))).await?;
    put(&store, |batch| batch.remove_media(media_key(2))).await?;
    same(used().await?, 0)
}

pub(crate) async fn a_rename_of_nothing_or_to_itself_changes_nothing(harness: &mut dyn Harness) -> Outcome {
    let store = harness.open().await?;
    put(&store, |batch| batch.put_media(media(1, 1), bytes(3))).await?;
    let commit = put(&store, |batch| {
        batch.rename_media(media_key(1), media_key(1)).rename_media(media_key(8), media_key(1))
    })
    .await?;
    same(commit.changed, false)?;
    same(whole(&store, 1).await?, Some(bytes(3)))
}

pub(crate) async fn a_use_is_noted_if_it_is_later(harness: &mut dyn Harness) -> Outcome {
    let store = harness.open().await?;
    put(&store, |batch| batch.put_media(media(1, 10), bytes(1)).put_media(media(2, 20), bytes(1))).await?;
    same(all(&store).await?, [1, 2].map(media_key))?;
    let keys = || vec![media_key(1), media_key(3), media_key(1)];
    put(&store, |batch| batch.touch_media(keys(), 30)).await?;
    same(all(&store).await?, [2, 1].map(media_key))?;
    same(put(&store, |batch| batch.touch_media(keys(), 30)).await?.changed, false)?;
    same(put(&store, |batch| batch.touch_media(keys(), 29)).await?.changed, false)?;
    // Reading does not count as use.
    whole(&store, 2).await?;
    same(all(&store).await?, [2, 1].map(media_key))
}

pub(crate) async fn the_index_is_ordered_and_filtered(harness: &mut dyn Harness) -> Outcome {
    let store = harness.open().await?;
    let in_rooms =
        |n, rooms: &[u64], ms| MediaInfo { rooms: rooms.iter().copied().map(room).collect(), ..media(n, ms) };
    put(&store, |batch| {
        batch
            .put_media(in_rooms(1, &[0, 1], 5), bytes(1))
            .put_media(in_rooms(4, &[1], 3), bytes(1))
            .put_media(in_rooms(3, &[], 3), bytes(1))
            .put_media(in_rooms(2, &[0], i64::MIN), bytes(1))
    })
    .await?;
    let query = MediaQuery::default;
    same(all(&store).await?, [2, 3, 4, 1].map(media_key))?;
    same(numbers(&store, MediaQuery { limit: 2, ..query() }).await?, [2, 3].map(media_key))?;
    same(numbers(&store, MediaQuery { limit: 0, ..query() }).await?, [])?;
    same(numbers(&store, MediaQuery { room: Some(room(0)), ..query() }).await?, [2, 1].map(media_key))?;
    same(numbers(&store, MediaQuery { room: Some(room(1)), limit: 1, ..query() }).await?, [media_key(4)])?;
    same(numbers(&store, MediaQuery { key: Some(media_key(3)), ..query() }).await?, [media_key(3)])?;
    let both = MediaQuery { key: Some(media_key(3)), room: Some(room(0)), ..query() };
    same(numbers(&store, both).await?, [])
}

pub(crate) async fn removed_is_gone(harness: &mut dyn Harness) -> Outcome {
    let store = harness.open().await?;
    put(&store, |batch| batch.put_media(media(1, 0), bytes(100_000))).await?;
    put(&store, |batch| batch.remove_media(media_key(1))).await?;
    same(whole(&store, 1).await?, None)?;
    same(put(&store, |batch| batch.remove_media(media_key(1))).await?.changed, false)?;
    put(&store, |batch| batch.put_media(media(1, 0), bytes(2))).await?;
    same(whole(&store, 1).await?, Some(bytes(2)))
}
