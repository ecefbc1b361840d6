//! A store has one real path, through any link to it.

use std::os::unix::fs::symlink;

use futures_util::future::join;

use super::*;

/// Makes a store and a link to it, in folders of their own.
fn linked(harness: &Durable) -> Result<(PathBuf, PathBuf), Failure> {
    let (stores, links) = (harness.folder().join("real"), harness.folder().join("links"));
    std::fs::create_dir(&stores)?;
    std::fs::create_dir(&links)?;
    let (real, link) = (stores.join(harness.layout().name), links.join("l"));
    symlink(&real, &link)?;
    Ok((real, link))
}

/// The folder of links holds the link and nothing else.
fn is_left_alone(link: &Path) -> Outcome {
    holds(link.is_symlink(), "the link is left as it is")?;
    same(names(link.parent().unwrap_or(link))?, ["l"])
}

pub(crate) async fn a_conversion_through_a_link_converts_the_store_it_leads_to(harness: &Durable) -> Outcome {
    let Some(sealing) = harness.sealing() else { return Ok(()) };
    let (real, link) = linked(harness)?;
    make(harness, Opening::at(&real)).await?;
    sealing.seal(sealed(&link), Progress::none()).await?;
    holds(!real.is_symlink(), "the store is no link")?;
    holds(!has_bytes(harness.folder(), PLAIN), "no plain row is left anywhere")?;
    for path in [&real, &link] {
        same(refusal(harness, Opening::at(path)).await?.kind(), ErrorKind::Sealed)?;
    }
    sealing.unseal(sealed(&link), Progress::none()).await?;
    same(txns(&open(harness, &real).await?).await?.len(), 3)?;
    is_left_alone(&link)
}

pub(crate) async fn a_damaged_store_is_replaced_once_whoever_comes_by_link_or_path(
    harness: &Durable,
) -> Outcome {
    let Some(damages) = harness.damages() else { return Ok(()) };
    let (real, link) = linked(harness)?;
    make(harness, Opening::at(&real)).await?;
    damages.spoil(&real);
    let mut batch = WriteBatch::strict();
    batch.put_pending(pending("a", "later"));
    if harness.layout().shared {
        let (one, two) = join(open(harness, &real), open(harness, &link)).await;
        let (one, two) = (one?, two?);
        let told = [&one, &two].into_iter().filter(|store| store.info().recovery.is_some()).count();
        same(told, 1)?;
        one.apply(batch).await?;
        same(txns(&two).await?, ["t1", "t2", "t3", "later"])?;
        same(one.info().location, two.info().location)?;
        one.close().await?;
        two.close().await?;
    } else {
        let store = open(harness, &link).await?;
        let aside = crate::files::beside(&real, ".damaged-1").display().to_string();
        same(some(store.info().recovery)?.set_aside, Some(aside))?;
        same(refusal(harness, Opening::at(&real).busy_ms(50)).await?.kind(), ErrorKind::Busy)?;
        store.apply(batch).await?;
        same(txns(&store).await?, ["t1", "t2", "t3", "later"])?;
        store.close().await?;
    }
    is_left_alone(&link)?;
    let name = harness.layout().name;
    without_mirror(harness, &real)?;
    same(names(real.parent().unwrap_or(&real))?, [name.to_owned(), format!("{name}.damaged-1")])
}

pub(crate) async fn a_link_that_leads_nowhere_makes_no_store_there(harness: &Durable) -> Outcome {
    let (real, link) = linked(harness)?;
    let error = refusal(harness, Opening::at(&link)).await?;
    same(error.kind(), ErrorKind::Invalid)?;
    holds(error.to_string().contains("leads nowhere"), &format!("{error} says where it leads"))?;
    holds(!real.exists(), "nothing is made")?;
    is_left_alone(&link)
}
