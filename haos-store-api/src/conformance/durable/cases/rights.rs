//! The owner and the rights of the files.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;

use super::*;
use crate::conformance::durable::Layout;
use crate::files::beside;

fn mode(path: &Path) -> Result<u32, Failure> {
    Ok(path.symlink_metadata()?.permissions().mode() & 0o777)
}

/// Every folder is the owner's alone, and so is every file, except those that the database makes in a folder.
fn are_private(folder: &Path, layout: &Layout) -> Outcome {
    for name in names(folder)? {
        let path = folder.join(&name);
        let expected = if path.is_dir() { 0o700 } else { 0o600 };
        same((path.display().to_string(), mode(&path)?), (path.display().to_string(), expected))?;
        let is_foreign = layout.passing.iter().any(|ending| ending.trim_start_matches('/') == name);
        if path.is_dir() && !is_foreign {
            are_private(&path, layout)?;
        }
    }
    Ok(())
}

pub(crate) async fn what_is_made_is_private_from_its_first_byte_on(harness: &Durable) -> Outcome {
    let (path, layout) = (place(harness), harness.layout());
    let store = open(harness, &path).await?;
    store.apply(sample()).await?;
    let expected: Vec<String> = layout.while_open.iter().map(|end| format!("{}{end}", layout.name)).collect();
    same(names(harness.folder())?, expected)?;
    are_private(harness.folder(), &layout)?;
    store.close().await?;
    are_private(harness.folder(), &layout)?;
    if let Some(sealing) = harness.sealing() {
        let (looks, at) = (Looks::default(), harness.folder().to_owned());
        let watch = looks.at_each_step(move || are_private(&at, &layout));
        sealing.seal(sealed(&path), watch).await?;
        looks.outcome()?;
        are_private(harness.folder(), &layout)?;
        sealing.unseal(sealed(&path), Progress::none()).await?;
    }
    if let Some(damages) = harness.damages() {
        damages.spoil(&path);
        open(harness, &path).await?.close().await?;
    }
    are_private(harness.folder(), &layout)
}

pub(crate) async fn a_store_that_is_replaced_keeps_its_rights(harness: &Durable) -> Outcome {
    let (Some(sealing), Some(damages)) = (harness.sealing(), harness.damages()) else { return Ok(()) };
    let path = place(harness);
    make(harness, Opening::at(&path)).await?;
    let parts = || harness.layout().rights.iter().map(|ending| beside(&path, ending));
    let shared = |part: &Path| if part.is_dir() { 0o750 } else { 0o640 };
    for part in parts() {
        std::fs::set_permissions(&part, Permissions::from_mode(shared(&part)))?;
    }
    let keeps = |what: &str| {
        let mut parts = parts();
        parts.try_for_each(|part| same(mode(&part)?, shared(&part))).map_err(|f| f.within(what))
    };
    sealing.seal(sealed(&path), Progress::none()).await?;
    keeps("sealed")?;
    sealing.unseal(sealed(&path), Progress::none()).await?;
    keeps("unsealed")?;
    damages.spoil(&path);
    open(harness, &path).await?.close().await?;
    keeps("damaged")?;
    let aside = beside(&path, ".damaged-1");
    same(mode(&aside)?, 0o700)?;
    match harness.layout().is_folder {
        true => Ok(()),
        false => same(mode(&aside.join(harness.layout().name))?, 0o640),
    }
}
