//! Paths that open, paths that are refused, and that refused files stay unchanged.

use futures_util::future::join_all;

use super::*;

/// Opening fails with this kind and these words, and changes no file.
async fn refused_untouched(harness: &Durable, path: &Path, kind: ErrorKind, says: &str) -> Outcome {
    let before = files(harness.folder())?;
    let error = refusal(harness, Opening::at(path)).await?;
    same(error.kind(), kind)?;
    holds(error.to_string().contains(says), &format!("{error} says: {says}"))?;
    holds(before == files(harness.folder())?, "a refused store is not changed")
}

pub(crate) async fn paths_that_hold_no_store(harness: &Durable) -> Outcome {
    let path = place(harness);
    let missing = harness.folder().join("no").join(harness.layout().name);
    let empty = if harness.layout().is_folder { "path of a folder" } else { "path of a file" };
    for (path, kind, says) in [
        (missing.as_path(), ErrorKind::Io, "does not exist: create it"),
        (Path::new(""), ErrorKind::Invalid, empty),
        (Path::new(":memory:"), ErrorKind::Invalid, "MemoryStore"),
    ] {
        refused_untouched(harness, path, kind, says).await?;
        same(refusal(harness, Opening::at(path)).await?.operation(), "open")?;
    }
    let error = refusal(harness, Opening::at(&path).existing()).await?;
    same(error.kind(), ErrorKind::Io)?;
    holds(error.to_string().contains("no store"), "the error names the absent store")?;
    same(names(harness.folder())?, Vec::<String>::new())?;
    if harness.layout().is_folder {
        std::fs::write(&path, b"notes\n")?;
        refused_untouched(harness, &path, ErrorKind::Invalid, "is no folder").await
    } else {
        std::fs::create_dir(&path)?;
        refused_untouched(harness, &path, ErrorKind::Invalid, "is a folder").await
    }
}

#[cfg(target_os = "linux")]
pub(crate) async fn places_where_nothing_can_be_made(harness: &Durable) -> Outcome {
    let path = Path::new("/proc").join(harness.layout().name);
    let error = refusal(harness, Opening::at(path)).await?;
    same(error.kind(), ErrorKind::Io)?;
    holds(error.to_string().contains("folder"), "the folder is said to be at fault")?;
    same(refusal(harness, Opening::at("/dev/full")).await?.kind(), ErrorKind::Invalid)
}

#[cfg(not(target_os = "linux"))]
pub(crate) async fn places_where_nothing_can_be_made(_: &Durable) -> Outcome {
    Ok(())
}

pub(crate) async fn names_that_a_uri_would_misread(harness: &Durable) -> Outcome {
    for name in ["a b.db", "q?mode=memory", "h#x", "p%20q.db", "é.db", "file:x.db"] {
        let path = harness.folder().join(name);
        make(harness, Opening::at(&path)).await?;
        holds(path.exists(), name)?;
        let store = open(harness, &path).await?;
        same(txns(&store).await?.len(), 3)?;
        store.close().await?;
    }
    Ok(())
}

pub(crate) async fn a_newer_store_is_refused(harness: &Durable) -> Outcome {
    let Some(damages) = harness.damages() else { return Ok(()) };
    let path = place(harness);
    make(harness, Opening::at(&path)).await?;
    damages.make_newer(&path);
    stands_alone(harness)?;
    refused_untouched(harness, &path, ErrorKind::NewerSchema, "format 99").await
}

pub(crate) async fn a_fresh_store_opened_many_times_at_once(harness: &Durable) -> Outcome {
    let rounds = if harness.layout().shared { 5 } else { 1 };
    for round in 0..rounds {
        let path = harness.folder().join(format!("{round}"));
        let opens = (0..8).map(async |n| {
            let store = harness.open(Opening::at(&path).busy_ms(60_000)).await?;
            if !harness.layout().shared {
                store.apply(put(&format!("r{n}"))).await?;
                store.close().await?;
            }
            Ok::<_, Error>(store)
        });
        let stores = join_all(opens).await.into_iter().collect::<Result<Vec<_>>>()?;
        if harness.layout().shared {
            for (n, store) in (1..).zip(&stores) {
                same(store.apply(put(&format!("r{n}"))).await?.revision, Revision(n))?;
            }
            for store in &stores {
                same(store.rooms(RoomQuery::default()).await?.len(), 8)?;
                store.close().await?;
            }
        }
        let store = open(harness, &path).await?;
        same(store.info().opened_at, Revision(8))?;
        same(store.rooms(RoomQuery::default()).await?.len(), 8)?;
        store.close().await?;
    }
    Ok(())
}
