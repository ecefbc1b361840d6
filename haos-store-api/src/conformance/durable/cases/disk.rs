//! A disk that is too small, and one that cannot be written.

use super::*;

pub(crate) async fn no_space_for_a_new_store(harness: &Durable) -> Outcome {
    let Some(disk) = harness.disk("64k") else { return Ok(()) };
    // A page of the system is enough for an empty store of some kinds, and less than that for none.
    std::fs::write(disk.path().join("ballast"), vec![1; 60 << 10])?;
    let error = refusal(harness, Opening::at(disk.path().join(harness.layout().name))).await?;
    same(error.kind(), ErrorKind::Full)
}

pub(crate) async fn a_read_only_disk(harness: &Durable) -> Outcome {
    let Some(disk) = harness.disk("3m") else { return Ok(()) };
    let path = disk.path().join(harness.layout().name);
    let mut large = put("a");
    let content = Json::of(&"x".repeat(40_000))?;
    large.put_message(Message { content, ..message("a", "m", 0) }).put_pending(pending("a", "t"));
    let store = open(harness, &path).await?;
    store.apply(large).await?;
    store.close().await?;
    holds(disk.remount("ro"), "the disk is mounted again")?;
    let mut refused = vec![disk.path().join("new")];
    if harness.layout().reads_only {
        let store = open(harness, &path).await?;
        holds(store.info().read_only, "it is said")?;
        same(txns(&store).await?, ["t"])?;
        fails(store.apply(put("b")).await, ErrorKind::ReadOnly)?;
    } else {
        refused.push(path);
    }
    for path in refused {
        let error = refusal(harness, Opening::at(path)).await?;
        same(error.kind(), ErrorKind::ReadOnly)?;
        let says = if harness.layout().reads_only { "read-only" } else { "has to" };
        holds(error.to_string().contains(says), &format!("{error} says: {says}"))?;
    }
    Ok(())
}
