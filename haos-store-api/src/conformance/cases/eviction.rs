//! Eviction: the media that a policy removes.

use crate::conformance::check::*;
use crate::conformance::make::*;
use crate::conformance::{Failure, Harness, Outcome};
use crate::*;

use super::media::{all, whole};

const KEEP_ALL: MediaPolicy = MediaPolicy { max_total: u64::MAX, max_item: u64::MAX, max_idle_ms: i64::MAX };

/// Items 1 to 5 of 10, 20, … bytes, last used at 100, 200, …
async fn five(harness: &mut dyn Harness) -> Result<Store, Failure> {
    let store = harness.open().await?;
    put(&store, |batch| {
        (1..=5).fold(batch, |batch, n| batch.put_media(media(n, n as i64 * 100), bytes(n as usize * 10)))
    })
    .await?;
    Ok(store)
}

pub(crate) async fn eviction_takes_what_is_too_large(harness: &mut dyn Harness) -> Outcome {
    let store = five(harness).await?;
    put(&store, |batch| batch.evict_media(MediaPolicy { max_item: 30, ..KEEP_ALL }, 1_000)).await?;
    same(all(&store).await?, [1, 2, 3].map(media_key))
}

pub(crate) async fn eviction_takes_what_is_unused_for_too_long(harness: &mut dyn Harness) -> Outcome {
    let store = five(harness).await?;
    put(&store, |batch| batch.evict_media(MediaPolicy { max_idle_ms: 700, ..KEEP_ALL }, 1_000)).await?;
    same(all(&store).await?, [3, 4, 5].map(media_key))
}

pub(crate) async fn eviction_takes_the_longest_unused_until_the_rest_fits(
    harness: &mut dyn Harness,
) -> Outcome {
    let store = five(harness).await?;
    put(&store, |batch| batch.touch_media(vec![media_key(1)], 900)).await?;
    // 150 bytes in all: 2 and 3 must go, 1 was just used.
    put(&store, |batch| batch.evict_media(MediaPolicy { max_total: 100, ..KEEP_ALL }, 1_000)).await?;
    same(all(&store).await?, [4, 5, 1].map(media_key))
}

pub(crate) async fn eviction_spares_what_is_pinned_or_unsent(harness: &mut dyn Harness) -> Outcome {
    let store = five(harness).await?;
    let unsent = Pending { media: vec![media_key(4), media_key(2)], ..pending(1) };
    put(&store, |batch| {
        batch.put_media(MediaInfo { pinned: true, ..media(1, 100) }, bytes(10)).put_pending(unsent)
    })
    .await?;
    let nothing = MediaPolicy { max_total: 0, max_item: 0, max_idle_ms: 0 };
    let commit = put(&store, |batch| batch.evict_media(nothing, 1_000)).await?;
    holds(commit.changed, "an eviction is a change")?;
    same(all(&store).await?, [1, 2, 4].map(media_key))?;
    holds(whole(&store, 4).await? == Some(bytes(40)), "unsent media keeps its bytes")?;
    same(put(&store, |batch| batch.evict_media(nothing, 1_000)).await?.changed, false)?;
    put(&store, |batch| batch.remove_pending(txn(1)).evict_media(nothing, 1_000)).await?;
    same(all(&store).await?, [media_key(1)])
}

pub(crate) async fn a_pin_keeps_an_item_until_it_is_taken_off(harness: &mut dyn Harness) -> Outcome {
    let store = five(harness).await?;
    let commit = put(&store, |batch| batch.pin_media(media_key(2), true)).await?;
    holds(commit.changed, "a pin is a change")?;
    let nothing = MediaPolicy { max_total: 0, max_item: 0, max_idle_ms: 0 };
    put(&store, |batch| batch.evict_media(nothing, 1_000)).await?;
    same(all(&store).await?, [media_key(2)])?;
    holds(whole(&store, 2).await? == Some(bytes(20)), "a pin changes no bytes")?;
    let pinned = store.media_index(MediaQuery::default()).await?;
    same(pinned, [MediaInfo { pinned: true, size: 20, ..media(2, 200) }])?;
    put(&store, |batch| batch.pin_media(media_key(2), false).evict_media(nothing, 1_000)).await?;
    same(all(&store).await?, [])
}

pub(crate) async fn a_pin_of_nothing_or_as_it_is_changes_nothing(harness: &mut dyn Harness) -> Outcome {
    let store = five(harness).await?;
    let same_again = put(&store, |batch| batch.pin_media(media_key(1), false)).await?;
    let unknown = put(&store, |batch| batch.pin_media(media_key(8), true)).await?;
    same((same_again.changed, unknown.changed), (false, false))?;
    same(all(&store).await?, (1..=5).map(media_key).collect::<Vec<_>>())?;
    put(&store, |batch| batch.pin_media(media_key(1), true)).await?;
    same(put(&store, |batch| batch.pin_media(media_key(1), true)).await?.changed, false)
}

pub(crate) async fn eviction_of_nothing_changes_nothing(harness: &mut dyn Harness) -> Outcome {
    let store = five(harness).await?;
    same(put(&store, |batch| batch.evict_media(MediaPolicy::default(), 1_000)).await?.changed, false)?;
    // A clock that went back is no reason to evict.
    let policy = MediaPolicy { max_idle_ms: 0, ..KEEP_ALL };
    same(put(&store, |batch| batch.evict_media(policy, i64::MIN)).await?.changed, false)
}
