//! Entries beside a store: copies of it that were set aside, and the property of others.

use super::*;
use crate::files::{Sign, StoreId, beside, random_name};

/// Folders with the right kind of name, and even a sign of ours, are not the store's without its id.
pub(crate) async fn what_is_not_known_to_be_ours_is_left_alone(harness: &Durable) -> Outcome {
    let (Some(sealing), Some(damages)) = (harness.sealing(), harness.damages()) else { return Ok(()) };
    let path = place(harness);
    make(harness, Opening::at(&path)).await?;
    let mut others = Vec::new();
    for ending in [".converting", ".converted", ".fresh", ".mended"] {
        others.push((beside(&path, ending), None));
    }
    others.push((beside(&path, ".damaged-1"), Some("set aside")));
    for what in [Some("scratch"), Some("being sealed"), Some("set aside"), None] {
        others.push((beside(&path, format!(".{}", random_name()?)), what));
    }
    let other = StoreId::random()?;
    for (folder, what) in &others {
        std::fs::create_dir(folder)?;
        std::fs::write(folder.join("letter"), "untouched")?;
        what.map(|what| Sign::new(what, other).write(folder)).transpose()?;
    }
    let kept = names_but_mirror(harness)?;
    // This one is ours.
    let name = random_name()?;
    let ours = if path.is_dir() { path.join(name) } else { beside(&path, format!(".{name}")) };
    std::fs::create_dir(&ours)?;
    Sign::new("scratch", sealing.id(&path)).write(&ours)?;

    sealing.seal(sealed(&path), Progress::none()).await?;
    let store = harness.open(sealed(&path)).await?;
    same(store.info().set_aside, Vec::<String>::new())?;
    store.close().await?;
    holds(!ours.exists(), "our copies are removed")?;
    damages.spoil(&path);
    let store = harness.open(sealed(&path)).await?;
    same(store.info().set_aside, [beside(&path, ".damaged-2").display().to_string()])?;
    store.change_keys(KeyChange::Shred).await?;
    same(names_but_mirror(harness)?, kept)?;
    for (folder, _) in others {
        same(std::fs::read(folder.join("letter"))?, b"untouched")?;
    }
    Ok(())
}

/// Two copies, one of the plain store and one of the sealed, are reported by every call that may leave them in the old
/// form.
pub(crate) async fn copies_that_were_set_aside_are_told_and_go_with_the_keys(harness: &Durable) -> Outcome {
    let (Some(sealing), Some(damages)) = (harness.sealing(), harness.damages()) else { return Ok(()) };
    let (path, folder) = (place(harness), harness.folder());
    let [first, second] = [1, 2].map(|n| beside(&path, format!(".damaged-{n}")).display().to_string());
    make(harness, Opening::at(&path)).await?;
    let id = sealing.id(&path);
    damages.spoil(&path);
    let store = open(harness, &path).await?;
    same(store.info().set_aside, std::slice::from_ref(&first))?;
    let aside = some(store.info().recovery.and_then(|recovery| recovery.set_aside))?;
    holds(Path::new(&aside).starts_with(&first), "the recovery tells the same")?;
    store.apply(sample_with(1000)).await?;
    store.close().await?;
    same(sealing.id(&path), id).map_err(|f| f.within("the fresh store has the id of the old one"))?;

    let report = sealing.seal(sealed(&path), Progress::none()).await?;
    // It is plain, and that is reported.
    same(report.set_aside, std::slice::from_ref(&first))?;
    same(sealing.id(&path), id).map_err(|f| f.within("the sealed store has the id of the plain one"))?;
    let keyring = sealing.keyring(&path);
    damages.spoil(&path);
    let store = harness.open(sealed(&path)).await?;
    same(store.info().set_aside, [first.clone(), second.clone()])?;
    same(sealing.id(&path), id).map_err(|f| f.within("it is still the same store"))?;
    store.change_keys(KeyChange::AddKey("other".to_owned(), Secret::key([6; 32]))).await?;
    // The caller of a change of keys can see them.
    same(store.info().set_aside, [first, second.clone()])?;
    let aside = some(store.info().recovery.and_then(|recovery| recovery.set_aside))?;
    store.close().await?;
    holds(Path::new(&aside).starts_with(&second), "the recovery tells the same")?;
    let copy = refusal(harness, sealed(Path::new(&aside)).refusing()).await?;
    same(copy.kind(), ErrorKind::Corrupt).map_err(|f| f.within("the copy is as it was"))?;

    let store = harness.open(sealed(&path)).await?;
    holds(has_bytes(folder, PLAIN) && has_bytes(folder, &keyring), "the bytes looked for can be found")?;
    store.change_keys(KeyChange::Shred).await?;
    holds(!has_bytes(folder, PLAIN) && !has_bytes(folder, &keyring[5..]), "all of it is gone")?;
    stands_alone(harness)
}
