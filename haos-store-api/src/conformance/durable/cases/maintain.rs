//! Chores: the check, and a store's report of its size.

use futures_util::FutureExt;
use futures_util::future::join;

use super::*;

pub(crate) async fn a_sound_store_has_no_findings(harness: &Durable) -> Outcome {
    let store = open(harness, &place(harness)).await?;
    store.apply(sample()).await?;
    let (progress, steps) = recorder();
    let report = store.maintain(Maintenance::Check, progress).await?;
    same(report.findings, Vec::<String>::new())?;
    same(report.rows, 2 + 21 + 1 + 3 + 1 + 3)?;
    same(lock(&steps).last(), Some(&(report.rows, report.rows)))
}

pub(crate) async fn what_does_not_fit_together_is_found(harness: &Durable) -> Outcome {
    let Some(damages) = harness.damages() else { return Ok(()) };
    for (nth, tamper) in damages.tampers().into_iter().enumerate() {
        let path = harness.folder().join(nth.to_string());
        is_found(harness, damages, &path, tamper).await.map_err(|f| f.within(tamper.name))?;
    }
    Ok(())
}

async fn is_found(harness: &Durable, damages: &dyn Damages, path: &Path, tamper: Tamper) -> Outcome {
    let store = open(harness, path).await?;
    store.apply(sample()).await?;
    store.close().await?;
    without_mirror(harness, path)?;
    damages.tamper(path, tamper.name);
    let store = open(harness, path).await?;
    same(store.info().recovery, None)?;
    let findings = store.maintain(Maintenance::Check, Progress::none()).await?.findings;
    let is_told = findings.iter().any(|finding| finding.contains(tamper.finding));
    holds(is_told, &format!("{} is among {findings:?}", tamper.finding))?;
    let told = findings.join("\n");
    holds(!told.contains("unsent") && !told.contains("text of"), "no content is told")?;
    store.close().await?;
    if tamper.at_open {
        let refused = refusal(harness, Opening::at(path).checked().refusing()).await?;
        same(refused.kind(), ErrorKind::Corrupt)?;
    }
    Ok(())
}

pub(crate) async fn a_check_and_writes_at_once_find_nothing(harness: &Durable) -> Outcome {
    let store = open(harness, &place(harness)).await?;
    store.apply(sample()).await?;
    let is_written = std::cell::Cell::new(false);
    let writes = async {
        for n in 0..100_u64 {
            let mut batch = WriteBatch::relaxed();
            batch
                .put_message(message("a", &format!("w{n}"), 100 + n))
                .put_media(media("dog"), pattern(70_000));
            batch.remove_pending(txn("x")).put_pending(pending("a", "x")).remove_media(media_key("cat"));
            store.apply(batch).await?;
        }
        is_written.set(true);
        Ok(())
    };
    let checks = async {
        while !is_written.get() {
            is_sound(&store).await?;
        }
        Ok(())
    };
    let (written, checked): (Outcome, Outcome) = join(writes, checks).await;
    written.and(checked)?;
    is_sound(&store).await
}

pub(crate) async fn a_check_ends_with_its_caller_and_with_the_store(harness: &Durable) -> Outcome {
    let store = open(harness, &place(harness)).await?;
    for part in 0..20 {
        let mut batch = put("a");
        for n in part * 1000..(part + 1) * 1000 {
            batch.put_message(message("a", &format!("m{n}"), n));
        }
        store.apply(batch).await?;
    }
    let check = || store.maintain(Maintenance::Check, Progress::none());
    holds(check().now_or_never().is_none(), "it takes longer than a poll")?;
    // It may be fast.
    match join(check(), store.close()).await {
        (Err(error), closed) => closed.map_err(Failure::from).and(same(error.kind(), ErrorKind::Closed)),
        (Ok(_), closed) => Ok(closed?),
    }
}

pub(crate) async fn usage_follows_every_change(harness: &Durable) -> Outcome {
    let store = open(harness, &place(harness)).await?;
    store.apply(sample()).await?;
    let rows = |usage: &Usage| usage.collections.iter().map(|(_, size)| size.rows).collect::<Vec<_>>();
    let usage = store.usage().await?;
    same(rows(&usage), [2, 21, 1, 3, 1, 3])?;
    holds(usage.collections[4].1.bytes > 100_000, "media count")?;

    let mut batch = WriteBatch::relaxed();
    batch.redact(Redact {
        room: room_id("a"),
        target: event_id("a0"),
        by: event_id("r"),
        content: Json::empty(),
    });
    store.apply(batch).await?;
    let less = store.usage().await?;
    holds(less.collections[1].1.bytes < usage.collections[1].1.bytes, "redacted content is removed")?;

    let mut batch = WriteBatch::relaxed();
    batch.prune(Prune { room: room_id("b"), keep: 3, protect: Vec::new() }).remove_room(room_id("a"));
    store.apply(batch).await?;
    same(rows(&store.usage().await?), [1, 3, 1, 3, 1, 1])?;
    // The check counts them one by one.
    is_sound(&store).await?;

    let mut batch = WriteBatch::relaxed();
    batch.remove_room(room_id("b"));
    store.apply(batch).await?;
    same(store.usage().await?.collections[1].1, Size::default())
}
