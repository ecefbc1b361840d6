//! Damaged stores: set aside, never changed, the outbox carried over.

use futures_util::future::join_all;

use super::*;

/// Returns the path at which the `n`th damaged store of the case is set aside.
fn aside(harness: &Durable, n: usize) -> String {
    let folder = crate::files::beside(&place(harness), format!(".damaged-{n}"));
    let store = if harness.layout().is_folder { folder } else { folder.join(harness.layout().name) };
    store.display().to_string()
}

pub(crate) async fn the_outbox_is_carried_over_row_by_row(harness: &Durable) -> Outcome {
    let Some(damages) = harness.damages() else { return Ok(()) };
    let path = place(harness);
    let store = open(harness, &path).await?;
    store.apply(sample()).await?;
    store.close().await?;
    damages.spoil_row(&path, Collection::Pending);
    without_mirror(harness, &path)?;
    damages.spoil(&path);

    let store = open(harness, &path).await?;
    let recovery = some(store.info().recovery)?;
    same((recovery.salvaged, recovery.unreadable), (2, 1))?;
    same(recovery.set_aside, Some(aside(harness, 1)))?;
    holds(store.info().opened_at > Revision(1), "no revision is told twice")?;
    same(txns(&store).await?, ["t1", "t2"])?;
    let rows = store.pending(PendingQuery::default()).await?;
    same(rows[0].content.text("body").as_deref(), Some("unsent t1"))?;
    // The media that the outbox sends comes along.
    same(some(store.media(&media_key("cat"), ByteRange::ALL).await?)?.bytes, pattern(100_000))?;
    let draft = StateQuery::kind(Scope::Room(room_id("a")), kind("haos.draft"));
    same(store.state(draft).await?.len(), 1)?;
    is_sound(&store).await?;
    let mut batch = WriteBatch::strict();
    batch.put_pending(pending("a", "later"));
    same(store.apply(batch).await?.assigned, [(txn("later"), 4)]).map_err(|f| f.within("numbers go on"))?;
    store.close().await?;
    let store = open(harness, &path).await?;
    same(store.info().recovery, None).map_err(|f| f.within("it is told once"))?;
    store.close().await?;
    same(names_but_mirror(harness)?.len(), 2).map_err(|f| f.within("nothing is left over"))
}

pub(crate) async fn every_readable_row_is_carried_over(harness: &Durable) -> Outcome {
    let Some(damages) = harness.damages() else { return Ok(()) };
    let path = place(harness);
    let store = open(harness, &path).await?;
    store.apply(sample()).await?;
    let before = Everything::of(&*store).await?.at_any_revision();
    let gaps = store.gaps(&room_id("a")).await?;
    store.close().await?;
    damages.spoil(&path);

    let store = open(harness, &path).await?;
    let recovery = some(store.info().recovery)?;
    for (of, rows) in [
        (Collection::Rooms, 2),
        (Collection::Messages, 21),
        (Collection::Gaps, 1),
        (Collection::Pending, 3),
        (Collection::Media, 1),
        (Collection::State, 3),
    ] {
        let found = recovery.collections.iter().find(|(other, _)| *other == of);
        same(found.map(|found| found.1), Some(CarriedOver { rows, unreadable: 0 }))
            .map_err(|f| f.within(of.name()))?;
    }
    same(Everything::of(&*store).await?.at_any_revision(), before)?;
    same(store.gaps(&room_id("a")).await?, gaps)?;
    same(store.sync_token().await?.as_deref(), Some("s1")).map_err(|f| f.within("nothing is lost"))?;
    is_sound(&store).await
}

pub(crate) async fn what_a_sync_tells_once_makes_the_next_one_begin_again(harness: &Durable) -> Outcome {
    let Some(damages) = harness.damages() else { return Ok(()) };
    let path = place(harness);
    make(harness, Opening::at(&path)).await?;
    damages.spoil_row(&path, Collection::State);
    damages.spoil(&path);
    let store = open(harness, &path).await?;
    let collections = some(store.info().recovery)?.collections;
    let state = collections.iter().find(|(of, _)| *of == Collection::State);
    same(state.map(|found| found.1), Some(CarriedOver { rows: 2, unreadable: 1 }))?;
    same(store.sync_token().await?, None)?;
    same(store.count(&room_id("a"), None).await?, 11)?;
    is_sound(&store).await
}

pub(crate) async fn a_damaged_entry_refuses_no_other_that_is_read_with_it(harness: &Durable) -> Outcome {
    let Some(damages) = harness.damages() else { return Ok(()) };
    let path = place(harness);
    make(harness, Opening::at(&path)).await?;
    damages.spoil_row(&path, Collection::State);
    let store = open(harness, &path).await?;
    let in_room = || Scope::Room(room_id("a"));
    let one = |scope, of, key| Ok::<_, Error>(StateQuery::one(scope, kind(of), StateKey::new(key)?));
    let queries = [
        one(Scope::Account, "haos.sync_token", "")?,
        one(in_room(), "m.room.member", "@ada:example.org")?,
        one(in_room(), "haos.draft", "")?,
    ];
    let mut alone = Vec::new();
    for query in &queries {
        match store.state(query.clone()).await {
            Err(error) => same(error.kind(), ErrorKind::Corrupt)?,
            Ok(list) => alone.push(list),
        }
    }
    same(alone.len(), 2)?;
    let before = store.info().damaged;
    let mut together = store.states(queries.to_vec()).await?;
    same(together.len(), 3)?;
    together.retain(|list| !list.is_empty());
    same(together, alone)?;
    same(store.info().damaged - before, 1)
}

pub(crate) async fn refusing_touches_nothing(harness: &Durable) -> Outcome {
    let Some(damages) = harness.damages() else { return Ok(()) };
    let path = place(harness);
    make(harness, Opening::at(&path)).await?;
    damages.spoil(&path);
    let before = lasting(harness)?;
    let error = refusal(harness, Opening::at(&path).refusing()).await?;
    same(error.kind(), ErrorKind::Corrupt)?;
    holds(error.to_string().contains("SetAside"), &format!("{error} says what helps"))?;
    stands_alone(harness)?;
    holds(before == lasting(harness)?, "nothing is changed")?;
    same(some(open(harness, &path).await?.info().recovery)?.salvaged, 3)
}

pub(crate) async fn each_damaged_store_keeps_a_name_of_its_own(harness: &Durable) -> Outcome {
    let Some(damages) = harness.damages() else { return Ok(()) };
    let path = place(harness);
    make(harness, Opening::at(&path)).await?;
    for n in 1..=3 {
        damages.spoil(&path);
        let store = open(harness, &path).await?;
        let recovery = some(store.info().recovery)?;
        same((recovery.set_aside, recovery.salvaged), (Some(aside(harness, n)), 3))?;
        store.close().await?;
    }
    Ok(())
}

pub(crate) async fn a_damaged_store_opened_often_at_once_is_recovered_once(harness: &Durable) -> Outcome {
    let Some(damages) = harness.damages() else { return Ok(()) };
    let path = place(harness);
    make(harness, Opening::at(&path)).await?;
    damages.spoil(&path);
    let opens = (0..4).map(async |_| {
        let store = harness.open(Opening::at(&path).busy_ms(60_000)).await?;
        let rows = txns(&store).await?.len();
        if !harness.layout().shared {
            store.close().await?;
        }
        Ok::<_, Error>((store, rows))
    });
    let mut recoveries = 0;
    for opened in join_all(opens).await {
        let (store, rows) = opened?;
        recoveries += usize::from(store.info().recovery.is_some());
        same(rows, 3)?;
    }
    same(recoveries, 1)
}
