//! Conversions that fail, that lose their caller, or that are killed leave no plain row, and no file.

use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use futures_util::future::{Either, select};
use tokio::sync::Notify;

use super::*;
use crate::conformance::durable::child::{Child, WRITTEN};

/// The last row cannot be read: everything before it has been written in plain by then.
pub(crate) async fn a_failed_conversion_leaves_nothing(harness: &Durable) -> Outcome {
    let (Some(sealing), Some(damages)) = (harness.sealing(), harness.damages()) else { return Ok(()) };
    let path = place(harness);
    for to_plain in [true, false] {
        make(harness, if to_plain { sealed(&path) } else { Opening::at(&path) }).await?;
        damages.spoil_row(&path, Collection::State);
        let before = all_names(harness)?;
        let (steps, at) = (Arc::new(AtomicU64::new(0)), harness.folder().to_owned());
        let (seen, plain_rows) = (steps.clone(), Arc::new(AtomicU64::new(0)));
        let found = plain_rows.clone();
        let progress = Progress::to(move |_, _| {
            seen.fetch_add(1, Ordering::Relaxed);
            found.fetch_add(u64::from(has_bytes(&at, PLAIN)), Ordering::Relaxed);
        });
        let converted = match to_plain {
            true => sealing.unseal(sealed(&path), progress).await,
            false => sealing.seal(sealed(&path), progress).await,
        };
        fails(converted, ErrorKind::Corrupt)?;
        holds(steps.load(Ordering::Relaxed) > 3, "it was under way")?;
        if to_plain {
            holds(plain_rows.load(Ordering::Relaxed) > 0, "the bytes looked for can be found")?;
            holds(!has_bytes(harness.folder(), PLAIN), "no plain row is left")?;
        }
        same(all_names(harness)?, before)?;
        stands_alone(harness)?;
        clear(harness, &path)?;
    }
    Ok(())
}

pub(crate) async fn an_unsealing_that_nobody_waits_for_leaves_nothing(harness: &Durable) -> Outcome {
    let Some(sealing) = harness.sealing() else { return Ok(()) };
    let path = place(harness);
    make(harness, sealed(&path)).await?;
    let before = all_names(harness)?;
    let begun = Arc::new(Notify::new());
    let (told, (goes_on, waits)) = (begun.clone(), mpsc::channel::<()>());
    let waits = Mutex::new(waits);
    let progress = Progress::to(move |_, _| {
        told.notify_one();
        // Until the other end is gone.
        let _ = lock(&waits).recv();
    });
    match select(sealing.unseal(sealed(&path), progress), pin!(begun.notified())).await {
        Either::Left(_) => return Err(Failure::new("it waits for us")),
        Either::Right(((), unsealing)) => drop(unsealing),
    }
    holds(all_names(harness)?.len() > before.len(), "it was under way")?;
    drop(goes_on);
    // It lets go of the store when it has cleared away.
    let store = harness.open(sealed(&path)).await?;
    same(txns(&store).await?.len(), 3)?;
    store.close().await?;
    same(all_names(harness)?, before)
}

pub(crate) async fn what_a_killed_unsealing_wrote_goes_with_the_next_one_who_opens_the_store(
    harness: &Durable,
) -> Outcome {
    let Some(sealing) = harness.sealing() else { return Ok(()) };
    let path = place(harness);
    make(harness, Opening::at(&path)).await?;
    let plain = all_names(harness)?;
    sealing.seal(sealed(&path), Progress::none()).await?;
    let before = all_names(harness)?;
    for unseals in [false, true] {
        let mut child = Child::start(harness, "unseal", &path)?;
        holds(child.lines().any(|line| line == WRITTEN), "the child writes all rows")?;
        // While it lives, nobody clears away its files.
        holds(has_bytes(harness.folder(), PLAIN), "the bytes looked for can be found")?;
        child.kill()?;
        holds(has_bytes(harness.folder(), PLAIN), "the bytes looked for can be found")?;
        if unseals {
            sealing.unseal(sealed(&path), Progress::none()).await?;
            let store = open(harness, &path).await?;
            same(txns(&store).await?.len(), 3)?;
            store.close().await?;
            same(all_names(harness)?, plain.clone())?;
        } else {
            harness.open(sealed(&path)).await?.close().await?;
            holds(!has_bytes(harness.folder(), PLAIN), "no plain row is left")?;
            same(all_names(harness)?, before.clone())?;
        }
    }
    Ok(())
}
