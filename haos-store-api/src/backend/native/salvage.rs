use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use super::mirror::Plan;
use crate::law::Rows;
use crate::{
    Error, Media, MediaKey, Pending, Recovery, Result, Revision, Room, RoomId, Scope, StateEntry, state_kind,
};

/// The readable rows of a damaged store that cannot be fetched again: the outbox, the media it sends and the drafts.
/// Its readers may fail and panic.
#[derive(Debug, Default)]
pub struct Salvage {
    pending: Vec<Pending>,
    /// The outbox rows that are named somewhere and are unreadable.
    unreadable: BTreeSet<u64>,
    media: Vec<Media>,
    drafts: Vec<(Option<Room>, StateEntry)>,
    /// The latest sequence number given.
    pub last_seq: u64,
    /// The latest revision published.
    pub revision: Revision,
}

impl Salvage {
    /// Reads the outbox rows that have these numbers.
    pub fn read_pending(&mut self, seqs: &BTreeSet<u64>, read: impl Fn(u64) -> Result<Option<Pending>>) {
        for seq in seqs {
            match attempt(|| read(*seq)) {
                Some(row) => {
                    self.last_seq = self.last_seq.max(row.seq);
                    self.revision = self.revision.max(row.revision);
                    self.pending.push(row);
                }
                None => drop(self.unreadable.insert(*seq)),
            }
        }
    }

    /// Returns the outbox rows read so far.
    pub(super) fn rows(&self) -> &[Pending] {
        &self.pending
    }

    /// Completes the outbox rows from the store's mirror.
    pub(super) fn merge(&mut self, plan: Plan) {
        let Plan { put, drop, last_seq, revision } = plan;
        self.pending.retain(|row| !drop.contains(&row.txn_id));
        for row in put {
            self.unreadable.remove(&row.seq);
            self.pending.retain(|own| own.txn_id != row.txn_id);
            self.pending.push(row);
        }
        self.pending.sort_by_key(|row| row.seq);
        self.count(last_seq, revision);
    }

    /// Reads all bytes of the media that the outbox sends.
    pub fn read_media(&mut self, read: impl Fn(&MediaKey) -> Result<Option<Media>>) {
        let wanted: BTreeSet<_> = self.pending.iter().flat_map(|row| &row.media).collect();
        self.media = wanted.into_iter().filter_map(|key| attempt(|| read(key))).collect();
    }

    /// Keeps a state entry if it is a draft, with its room.
    pub fn keep_draft(&mut self, entry: StateEntry, room: impl Fn(&RoomId) -> Result<Option<Room>>) {
        if entry.kind.as_str() == state_kind::DRAFT {
            let room = match &entry.scope {
                Scope::Account => None,
                Scope::Room(id) => attempt(|| room(id)),
            };
            self.drafts.push((room, entry));
        }
    }

    /// Takes over the values of counters.
    pub fn count(&mut self, last_seq: u64, revision: Revision) {
        self.last_seq = self.last_seq.max(last_seq);
        self.revision = self.revision.max(revision);
    }

    /// Writes the rows into a fresh store.
    ///
    /// # Errors
    /// Those of the rows.
    pub fn write(&self, rows: &mut impl Rows) -> Result<()> {
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
        Ok(())
    }

    /// Reports the outcome for the store, which was set `aside`.
    pub fn recovery(&self, aside: &Path, cause: &Error) -> Recovery {
        let (salvaged, unreadable) = (self.pending.len() as u64, self.unreadable.len() as u64);
        tracing::warn!(set_aside = %aside.display(), salvaged, unreadable, %cause, "a damaged store was set aside");
        let set_aside = Some(aside.display().to_string());
        Recovery { set_aside, salvaged, unreadable, cause: cause.to_string() }
    }
}

/// Returns the value if it is present and readable.
fn attempt<T>(read: impl FnOnce() -> Result<Option<T>>) -> Option<T> {
    catch_unwind(AssertUnwindSafe(read)).ok()?.ok()?
}
