//! What can be read of a damaged store and cannot be fetched again: the outbox, the media it sends and
//! the drafts.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use haos_store_api::law::Rows;
use haos_store_api::native::Options;
use haos_store_api::{
    ByteRange, Codec, Media, Pending, Result, Revision, Room, Scope, StateEntry, state_kind,
};

use crate::damage::copy_folder;
use crate::db::{Db, Order, Pair};
use crate::draft::Draft;
use crate::error::{fault, guarded, io};
use crate::home::sled_of;
use crate::keys;
use crate::marker::Mark;
use crate::open::{Opened, TREE};
use crate::options::settings;
use crate::record::Cut;
use crate::rows::SledRows;
use crate::shared::Files;

/// What was read.
#[derive(Debug, Default)]
pub(crate) struct Salvage {
    pub(crate) pending: Vec<Pending>,
    /// Outbox rows that an index or a key names and that cannot be read.
    pub(crate) unreadable: u64,
    media: Vec<Media>,
    drafts: Vec<(Option<Room>, StateEntry)>,
    last_seq: u64,
    revision: Revision,
}

impl Salvage {
    /// Reads what it can, from a copy in a folder that is made for it: sled cuts off what it cannot read.
    pub(crate) fn read(options: &Options, mended: &Path, mark: Mark) -> Self {
        let mut found = Self::default();
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

    fn gather(db: Db<'_>) -> Self {
        let mut found = Self::default();
        let mut seqs = BTreeSet::new();
        // From either end and through each index: damage cuts off what lies behind it.
        for (tag, order) in [
            (keys::PENDING, Order::Up),
            (keys::PENDING, Order::Down),
            (keys::PENDING_TXN, Order::Up),
            (keys::PENDING_ROOM, Order::Up),
        ] {
            each(db, tag, order, |(key, row)| {
                seqs.extend(match tag {
                    keys::PENDING_TXN => Cut(&row).count().ok(),
                    _ => keys::parse_seq(&key),
                });
            });
        }
        for seq in seqs {
            match guarded("open", || db.pending_at(seq)) {
                Ok(Some(row)) => found.pending.push(row),
                _ => found.unreadable += 1,
            }
        }
        let wanted: BTreeSet<_> = found.pending.iter().flat_map(|row| &row.media).collect();
        let media =
            wanted.into_iter().filter_map(|key| guarded("open", || db.media(key, ByteRange::ALL)).ok()?);
        found.media = media.collect();
        each(db, keys::STATE, Order::Up, |(key, row)| {
            if let Ok(entry) = db.read_state(&key, &row)
                && entry.kind.as_str() == state_kind::DRAFT
            {
                let room = match &entry.scope {
                    Scope::Account => None,
                    Scope::Room(id) => db.room(id).ok().flatten().map(|(_, room)| room),
                };
                found.drafts.push((room, entry));
            }
        });
        let head = guarded("open", || db.head()).ok().flatten().unwrap_or_default();
        let highest = found.pending.iter().map(|row| row.seq).max().unwrap_or_default();
        found.last_seq = head.last_seq.max(highest);
        let latest = found.pending.iter().map(|row| row.revision).max().unwrap_or_default();
        found.revision = head.revision.max(latest);
        found
    }

    /// Writes it into a fresh store, in one commit.
    pub(crate) fn write(&self, opened: &mut Opened, codec: &Codec) -> Result<()> {
        guarded("open", || {
            let mut draft = Draft::new(opened.head);
            let tree = opened.files.tree.clone();
            let mut rows = SledRows::new(&tree, codec, &mut draft, self.revision);
            for row in &self.pending {
                rows.write_pending(row)?;
            }
            for media in &self.media {
                rows.write_media_info(&media.info)?;
                rows.append_media(&media.info.key, 0, &media.bytes)?;
            }
            for (room, entry) in &self.drafts {
                match (&entry.scope, room) {
                    (Scope::Room(_), None) => continue,
                    (Scope::Room(id), Some(room)) if rows.room(id)?.is_none() => rows.write_room(room)?,
                    _ => {}
                }
                rows.write_state(entry)?;
            }
            draft.head.last_seq = self.last_seq;
            draft.head.revision = self.revision;
            opened.write(draft)
        })
    }
}

/// Opens a copy and reads it.
fn attempt(options: &Options, mended: &Path, with_snapshots: bool) -> Result<Salvage> {
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
        let tree = db.open_tree(TREE).map_err(sled)?;
        Ok(Files { db, tree })
    })?;
    let db = Db { tree: &files.tree, changes: None, codec: &options.codec, operation: "open" };
    let salvage = guarded("open", || Ok(Salvage::gather(db)));
    files.release();
    salvage
}

/// The pairs of a collection, until one cannot be read.
fn each(db: Db<'_>, tag: u8, order: Order, mut take: impl FnMut(Pair)) {
    let _ = guarded("open", || {
        for pair in db.scan(keys::whole(tag), order) {
            take(pair?);
        }
        Ok(())
    });
}
