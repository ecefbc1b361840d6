use std::collections::BTreeSet;

use super::columns::Cut;
use super::draft::Draft;
use super::keys;
use super::reader::{Order, Reader};
use super::rows::Transaction;
use super::tree::{Pair, Tree};
use crate::law::{MediaRows, OutboxRows, RoomRows, StateRows};
use crate::{ByteRange, Codec, Media, Pending, Reads, Result, Revision, Room, Scope, StateEntry, state_kind};

/// Runs a read of a damaged tree, which may panic, and turns a panic into an error.
pub type Guard<'g> = &'g dyn Fn(&mut dyn FnMut() -> Result<()>) -> Result<()>;

/// The rows of a damaged tree that cannot be fetched again: the outbox, the media it sends and the drafts.
#[derive(Debug, Default)]
pub struct Salvage {
    /// Outbox rows.
    pub pending: Vec<Pending>,
    /// Outbox rows that an index or a key names and that cannot be read.
    pub unreadable: u64,
    /// The latest sequence number that was given, as far as can be read.
    pub last_seq: u64,
    /// The latest commit, as far as can be read.
    pub revision: Revision,
    media: Vec<Media>,
    drafts: Vec<(Option<Room>, StateEntry)>,
}

impl Salvage {
    /// Reads whatever can be read.
    pub fn gather<T: Tree>(reader: Reader<'_, T>, guard: Guard<'_>) -> Self {
        let mut found = Self::default();
        for seq in sequence_numbers(reader, guard) {
            match guarded(guard, || reader.pending_at(seq)) {
                Some(Some(row)) => found.pending.push(row),
                _ => found.unreadable += 1,
            }
        }
        let wanted: BTreeSet<_> = found.pending.iter().flat_map(|row| &row.media).collect();
        let media =
            wanted.into_iter().filter_map(|key| guarded(guard, || reader.media(key, ByteRange::ALL))?);
        found.media = media.collect();
        each(reader, guard, keys::STATE, Order::Up, |(key, row)| {
            if let Ok(entry) = reader.read_state(&key, &row)
                && entry.kind.as_str() == state_kind::DRAFT
            {
                let room = match &entry.scope {
                    Scope::Account => None,
                    Scope::Room(id) => reader.room(id).ok().flatten(),
                };
                found.drafts.push((room, entry));
            }
        });
        let head = guarded(guard, || reader.head()).flatten().unwrap_or_default();
        let highest = found.pending.iter().map(|row| row.seq).max().unwrap_or_default();
        found.last_seq = head.last_seq.max(highest);
        let latest = found.pending.iter().map(|row| row.revision).max().unwrap_or_default();
        found.revision = head.revision.max(latest);
        found
    }

    /// Writes the rows into a draft over a fresh tree, at the counters of this salvage.
    ///
    /// # Errors
    /// Whatever the tree reports.
    pub fn write<T: Tree>(&self, tree: &T, codec: &Codec, draft: &mut Draft<T::Bytes>) -> Result<()> {
        let mut rows = Transaction::new(tree, codec, draft, self.revision);
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
        Ok(())
    }
}

/// Lists the outbox rows that a key or an index names, from either end and through each index: damage cuts off what
/// lies behind it.
fn sequence_numbers<T: Tree>(reader: Reader<'_, T>, guard: Guard<'_>) -> BTreeSet<u64> {
    let mut seqs = BTreeSet::new();
    for (tag, order) in [
        (keys::PENDING, Order::Up),
        (keys::PENDING, Order::Down),
        (keys::PENDING_TXN, Order::Up),
        (keys::PENDING_ROOM, Order::Up),
    ] {
        each(reader, guard, tag, order, |(key, row)| {
            seqs.extend(match tag {
                keys::PENDING_TXN => Cut(&row).count().ok(),
                _ => keys::parse_seq(&key),
            });
        });
    }
    seqs
}

/// Takes the pairs of a collection, until one cannot be read.
fn each<T: Tree>(
    reader: Reader<'_, T>,
    guard: Guard<'_>,
    tag: u8,
    order: Order,
    mut take: impl FnMut(Pair<T::Bytes>),
) {
    let _ = guard(&mut || {
        for pair in reader.scan(keys::whole(tag), order) {
            take(pair?);
        }
        Ok(())
    });
}

fn guarded<R>(guard: Guard<'_>, read: impl Fn() -> Result<R>) -> Option<R> {
    let mut found = None;
    guard(&mut || {
        found = Some(read()?);
        Ok(())
    })
    .ok()?;
    found
}
