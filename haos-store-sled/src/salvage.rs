//! The salvage of a damaged store, from a copy: sled cuts off what it cannot read.

use std::fs;
use std::path::Path;

use haos_store_api::kv::Salvage;
use haos_store_api::{Codec, Result};

use crate::damage::copy_folder;
use crate::db::{Db, Draft, Tree};
use crate::error::{fault, guarded, io};
use crate::home::sled_of;
use crate::marker::Mark;
use crate::open::{Opened, TREE};
use crate::options::SledOptions;
use crate::shared::Files;

/// Reads whatever can be read, in a folder that is made for it.
pub(crate) fn salvage(options: &SledOptions, mended: &Path, mark: Mark) -> Salvage {
    let mut found = Salvage::default();
    // The second time without sled's snapshots: the log alone tells all.
    for with_snapshots in [true, false] {
        let _ = fs::remove_dir_all(mended);
        match attempt(options, mended, with_snapshots) {
            Ok(salvage) => {
                found = salvage;
                break;
            }
            Err(error) => tracing::warn!(%error, "the damaged store cannot be read"),
        }
    }
    let _ = fs::remove_dir_all(mended);
    found.last_seq = found.last_seq.max(mark.last_seq);
    // Later than anything that the damaged store has told anybody.
    found.revision = found.revision.max(mark.revision).next();
    found
}

/// Writes a salvage into a fresh store, in one commit.
pub(crate) fn restore(salvage: &Salvage, opened: &mut Opened, codec: &Codec) -> Result<()> {
    guarded("open", || {
        let mut draft = Draft::new(opened.head);
        salvage.write(&opened.files.tree, codec, &mut draft)?;
        opened.write(draft)
    })
}

/// Opens a copy and reads it.
fn attempt(options: &SledOptions, mended: &Path, with_snapshots: bool) -> Result<Salvage> {
    copy_folder(&sled_of(options.path()), mended).map_err(|e| io("open", e))?;
    if !with_snapshots {
        for entry in fs::read_dir(mended).map_err(|e| io("open", e))?.flatten() {
            if entry.file_name().to_string_lossy().starts_with("snap.") {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
    let sled = |e| fault("open", e);
    let files = guarded("open", || {
        let db = options.sled(mended).open().map_err(sled)?;
        let tree = Tree(db.open_tree(TREE).map_err(sled)?);
        Ok(Files { db, tree })
    })?;
    let db = Db::new(&files.tree, &options.codec, "open");
    let salvage = guarded("open", || Ok(Salvage::gather(db, &|read| guarded("open", read))));
    files.release();
    salvage
}
