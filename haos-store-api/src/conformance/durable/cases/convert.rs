//! Sealing and unsealing an existing store.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::select;
use tokio::sync::Notify;

use super::*;

/// Makes a store of the sample, some changes later: numbers and counters have moved on from their rows.
async fn make_used(harness: &Durable) -> Result<Everything> {
    let store = open(harness, &place(harness)).await?;
    store.apply(sample()).await?;
    let mut batch = WriteBatch::relaxed();
    batch.put_media(media("gone"), pattern(70_000)).put_pending(pending("b", "t4"));
    store.apply(batch).await?;
    let mut batch = WriteBatch::relaxed();
    batch.remove_media(media_key("gone")).remove_pending(txn("t4"));
    store.apply(batch).await?;
    let all = Everything::of(&*store).await?;
    store.close().await?;
    Ok(all)
}

/// The store is sound, has its former content, and continues as it would have.
async fn is_as_before(harness: &Durable, opening: Opening, sealed: bool, before: &Everything) -> Outcome {
    let store = harness.open(opening).await?;
    same(store.info().sealed, sealed)?;
    same(&Everything::of(&*store).await?, before)?;
    is_sound(&store).await?;
    Ok(store.close().await?)
}

pub(crate) async fn there_and_back_everything_is_as_it_was(harness: &Durable) -> Outcome {
    let Some(sealing) = harness.sealing() else { return Ok(()) };
    let path = place(harness);
    let before = make_used(harness).await?;
    let told = Arc::new(AtomicU64::new(0));
    let heard = told.clone();
    let progress = Progress::to(move |done, _| heard.store(done, Ordering::Relaxed));
    let report = sealing.seal(sealed(&path), progress).await?;
    same(report.rows, told.load(Ordering::Relaxed))?;
    is_as_before(harness, sealed(&path), true, &before).await?;
    same(refusal(harness, Opening::at(&path)).await?.kind(), ErrorKind::Sealed)?;

    sealing.unseal(sealed(&path), Progress::none()).await?;
    is_as_before(harness, Opening::at(&path), false, &before).await?;
    let store = open(harness, &path).await?;
    let mut batch = WriteBatch::strict();
    batch.put_pending(pending("b", "t5"));
    let assigned = store.apply(batch).await?.assigned;
    same(assigned, [(txn("t5"), 5)]).map_err(|f| f.within("no number is given twice"))?;
    store.close().await?;
    stands_alone(harness)
}

pub(crate) async fn what_cannot_be_done_changes_nothing(harness: &Durable) -> Outcome {
    let Some(sealing) = harness.sealing() else { return Ok(()) };
    let path = place(harness);
    let before = make_used(harness).await?;
    let seal = |opening| sealing.seal(opening, Progress::none());
    let unseal = |opening| sealing.unseal(opening, Progress::none());
    fails(seal(Opening::at(&path)).await, ErrorKind::Invalid)?;
    fails(unseal(sealed(&path)).await, ErrorKind::NotSealed)?;
    fails(unseal(Opening::at(&path)).await, ErrorKind::NotSealed)?;
    fails(seal(sealed(&harness.folder().join("none"))).await, ErrorKind::Io)?;
    let user = open(harness, &path).await?;
    fails(seal(sealed(&path).busy_ms(50)).await, ErrorKind::Busy)?;
    same(&Everything::of(&*user).await?, &before)?;
    user.close().await?;
    seal(sealed(&path)).await?;
    fails(seal(sealed(&path)).await, ErrorKind::Invalid)?;
    fails(unseal(Opening::at(&path)).await, ErrorKind::Sealed)?;
    fails(unseal(Opening::at(&path).secret(Secret::key([6; 32]))).await, ErrorKind::WrongKey)?;
    is_as_before(harness, sealed(&path), true, &before).await
}

/// The conversion is cut off after each of its steps, begun again with another secret, and resumed.
pub(crate) async fn cut_off_anywhere_it_goes_on(harness: &Durable) -> Outcome {
    let Some(sealing) = harness.sealing() else { return Ok(()) };
    let path = place(harness);
    let before = make_used(harness).await?;
    for (steps, key) in [(1, 5), (2, 6), (2, 5), (3, 5), (4, 5), (5, 5)] {
        let (cut, seen) = (Arc::new(Notify::new()), AtomicU64::new(0));
        let cutter = cut.clone();
        let progress = Progress::to(move |_, _| {
            if seen.fetch_add(1, Ordering::Relaxed) + 1 == steps {
                cutter.notify_one();
                std::thread::sleep(Duration::from_millis(20));
            }
        });
        let secret = Secret::key([key; 32]);
        let seal = sealing.seal(Opening::at(&path).secret(secret), progress);
        drop(select(seal, pin!(cut.notified())).await);
        // The interrupted conversion lets go of the file in its own time.
        match harness.open(Opening::at(&path).busy_ms(5000)).await {
            Ok(store) => {
                same(&Everything::of(&*store).await?, &before)?;
                store.close().await?;
            }
            Err(e) => same(e.kind(), ErrorKind::Sealed)?,
        }
    }
    if let Err(e) = sealing.seal(sealed(&path), Progress::none()).await {
        // The last cut came too late: it is sealed already.
        same(e.kind(), ErrorKind::Invalid)?;
    }
    is_as_before(harness, sealed(&path), true, &before).await
}
