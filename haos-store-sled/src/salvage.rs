//! The readable part of a damaged store.

use std::fs;
use std::path::Path;

use haos_store_api::backend::files::StoreId;
use haos_store_api::backend::kv;
use haos_store_api::backend::native::{Mirror, Options, Salvage};
use haos_store_api::{Result, Revision};

use crate::damage::copy_folder;
use crate::db::{Db, Tree};
use crate::error::{fault, guarded, io};
use crate::home::{MIRROR, sled_of};
use crate::marker::Mark;
use crate::open::{Opened, TREE};
use crate::options::settings;
use crate::shared::Files;

/// Carries as much as possible over to a fresh store. Reads a copy in a folder that is made for it: sled cuts off
/// unreadable data. `id`: that of the damaged store, if it is known; the outbox of another one is not taken over.
pub(crate) fn carry_over(
    options: &Options,
    mended: &Path,
    (mark, id): (Mark, Option<StoreId>),
    opened: &mut Opened,
) -> Result<Salvage> {
    let (mut found, mirror) = (Salvage::default(), Mirror::read(options.path(), MIRROR).after(mark.revision));
    // The second time without sled's snapshots: the log alone tells all.
    for with_snapshots in [true, false] {
        let _ = fs::remove_dir_all(mended);
        match open(options, mended, with_snapshots) {
            Ok(files) => {
                let carried = guarded("open", || carry(options, &files, opened, &mut found));
                files.release();
                carried?;
                break;
            }
            Err(error) => tracing::warn!(%error, "the damaged store cannot be read"),
        }
    }
    let _ = fs::remove_dir_all(mended);
    found.count(mark.last_seq, mark.revision);
    let revision = Some(found.revision).filter(|revision| *revision > Revision::ZERO);
    mirror.complete(&mut found, &options.codec, id, revision);
    guarded("open", || {
        let layer = kv::finish(&opened.files.tree, &options.codec, opened.head, &found)?;
        opened.write(layer)
    })?;
    Ok(found)
}

/// Opens a copy.
fn open(options: &Options, mended: &Path, with_snapshots: bool) -> Result<Files> {
    copy_folder(&sled_of(options.path()), mended).map_err(|e| io("open", e))?;
    if !with_snapshots {
        for entry in fs::read_dir(mended).map_err(|e| io("open", e))?.flatten() {
            if entry.file_name().to_string_lossy().starts_with("snap.") {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
    let sled = |e| fault("open", e);
    guarded("open", || {
        let db = settings(options.profile, mended).open().map_err(sled)?;
        let tree = Tree(db.open_tree(TREE).map_err(sled)?);
        Ok(Files { db, tree })
    })
}

fn carry(options: &Options, files: &Files, opened: &mut Opened, found: &mut Salvage) -> Result<()> {
    let from = Db::new(&files.tree, &options.codec, "open");
    let (tree, head) = (opened.files.tree.clone(), opened.head);
    kv::salvage(from, &tree, head, found, &mut |layer| opened.write(layer))?;
    Ok(())
}
