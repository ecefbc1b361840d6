//! The fate of a damaged store: its folder's content is set aside in another, never deleted.

use std::fs;
use std::path::Path;

use haos_store_api::backend::files::{self, beside, create_folder, sync_folder};
use haos_store_api::backend::native::Options;
use haos_store_api::{Error, Recovery, Result};

use crate::error::io;
use crate::home::{Home, MIRROR};
use crate::marker::Marker;
use crate::open::connect;
use crate::salvage;
use crate::seal;
use crate::switch::{Old, Scratch, switch};

/// Puts a fresh store with everything readable of the damaged one in its place.
pub(crate) fn replace(options: &Options, home: &Home, cause: &Error) -> Result<Recovery> {
    let path = options.path();
    let mark = Marker::open(&home.commits()).ok().and_then(|(_, mark)| mark).unwrap_or_default();
    let scratch = Scratch::create(home)?;
    let made = options.clone().create(true).check(false).at(scratch.path().to_owned());
    let new_home = Home::take(&made)?;
    if let Some(record) = seal::read(&home.keyring())? {
        seal::write(&new_home.keyring(), &record)?;
    }
    let (mut opened, _) = connect(&made, new_home).map_err(|(_, error)| error)?;
    let mended = scratch.path().join("mended");
    let carried = salvage::carry_over(options, &mended, (mark, home.known_id()), &mut opened);
    opened.release();
    let found = carried?;

    let aside = files::set_aside(path, home.id()).map_err(|e| io("open", e))?;
    // What the fresh store has of it is written again; the copy has it as it was.
    let _ = fs::hard_link(beside(path, MIRROR), beside(&aside, MIRROR));
    let old = Old::aside(path, &aside)?;
    switch(home, scratch, old).inspect_err(|_| {
        // If nothing was moved into it yet.
        let _ = fs::remove_file(beside(&aside, MIRROR));
        let _ = fs::remove_file(aside.join(files::SIGN)).and_then(|()| fs::remove_dir(&aside));
    })?;
    sync_folder(path.parent().unwrap_or(path));

    Ok(found.recovery(&aside, cause))
}

/// Copies a folder with everything in it.
pub(crate) fn copy_folder(from: &Path, to: &Path) -> std::io::Result<()> {
    create_folder(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
