//! The readable part of a damaged store that cannot be fetched again: the outbox, the media it sends and the drafts.

use std::fs;
use std::path::Path;

use haos_store_api::Result;
use haos_store_api::backend::native::{Mirror, Options, Salvage};
use haos_store_api::backend::{Codec, kv};

use crate::damage::copy_folder;
use crate::db::{Db, Layer, Tree};
use crate::error::{fault, guarded, io};
use crate::home::{MIRROR, sled_of};
use crate::marker::Mark;
use crate::open::{Opened, TREE};
use crate::options::settings;
use crate::shared::Files;

/// Reads as much as possible, from a copy in a folder that is made for it: sled cuts off unreadable data.
pub(crate) fn read(options: &Options, mended: &Path, mark: Mark) -> Salvage {
    let (mut found, mirror) = (None, Mirror::read(options.path(), MIRROR).after(mark.revision));
    // The second time without sled's snapshots: the log alone tells all.
    for with_snapshots in [true, false] {
        let _ = fs::remove_dir_all(mended);
        match attempt(options, mended, with_snapshots, &mirror) {
            Ok(salvage) => {
                found = Some(salvage);
                break;
            }
            Err(error) => tracing::warn!(%error, "the damaged store cannot be read"),
        }
    }
    let _ = fs::remove_dir_all(mended);
    let mut found = found.unwrap_or_else(|| {
        let mut found = Salvage::default();
        mirror.complete(&mut found, &options.codec, None, None);
        found
    });
    found.last_seq = found.last_seq.max(mark.last_seq);
    // Later than any revision that the damaged store has published.
    found.revision = found.revision.max(mark.revision).next();
    found
}

/// Writes the salvaged rows into a fresh store, in one commit.
pub(crate) fn write(salvage: &Salvage, opened: &mut Opened, codec: &Codec) -> Result<()> {
    guarded("open", || {
        let mut layer = Layer::new(opened.head);
        let tree = opened.files.tree.clone();
        salvage.write(&mut kv::Transaction::new(&tree, codec, &mut layer, salvage.revision))?;
        layer.head.last_seq = salvage.last_seq;
        layer.head.revision = salvage.revision;
        opened.write(layer)
    })
}

/// Opens a copy and reads it.
fn attempt(options: &Options, mended: &Path, with_snapshots: bool, mirror: &Mirror) -> Result<Salvage> {
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
        let db = settings(options.profile, mended).open().map_err(sled)?;
        let tree = Tree(db.open_tree(TREE).map_err(sled)?);
        Ok(Files { db, tree })
    })?;
    let db = Db::new(&files.tree, &options.codec, "open");
    let salvage = guarded("open", || Ok(kv::salvage(db, mirror, None)));
    files.release();
    salvage
}
