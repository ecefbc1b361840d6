//! The readable rows of a damaged tree, into a fresh one.

mod probes;
mod rooms;
mod sweep;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::columns::Cut;
use super::head::Head;
use super::keys;
use super::layer::Layer;
use super::reader::Reader;
use super::record::{MessageRecord, media_columns};
use super::rows::Transaction;
use super::tree::Tree;
use crate::law::{Inserted, MediaRows, RoomRows, StateRows, TimelineRows};
use crate::native::{Salvage, Weaver, gaps_where_some_were_lost};
use crate::*;
use sweep::{Found, sweep};

/// Rows, and bytes, about, of one layer.
const STEP_ROWS: u64 = 512;
const STEP_BYTES: usize = 1 << 20;

/// Writes a layer of changes.
type Write<'w, B> = &'w mut dyn FnMut(Layer<B>) -> Result<()>;

/// Carries every readable row of a damaged tree, whose reads may fail and panic, over to an empty one whose counters
/// are `head`: every row at the revision that wrote it. Hands out a layer every few hundred rows or MiB, to be written
/// before the next one is made. The outbox is only added to `found`; [`finish`] writes it.
///
/// # Errors
/// Those of the fresh tree and of `write`.
pub fn salvage<F: Tree, T: Tree>(
    from: Reader<'_, F>,
    to: &T,
    head: Head,
    found: &mut Salvage,
    write: Write<'_, T::Bytes>,
) -> Result<Head> {
    if let Some(head) = attempt(|| from.head()) {
        found.count(head.last_seq, head.revision);
        head.sums.collections().iter().for_each(|(of, size)| found.named(*of, size.rows));
    }
    let codec = from.codec.lenient();
    let from = from.through_codec(&codec);
    let layer = Layer::new(head);
    let mut carry =
        Carry { from, to, codec: &codec, found, rooms: BTreeMap::new(), layer, rows: 0, bytes: 0, write };
    carry.rooms()?;
    let torn = carry.gaps()?;
    carry.messages()?;
    carry.mend_gaps(&torn)?;
    carry.state()?;
    carry.media()?;
    carry.pending()?;
    carry.flush()?;
    Ok(carry.layer.head)
}

/// Writes the outbox and the counters, as the revision after all that were found.
///
/// # Errors
/// Those of the tree.
pub fn finish<T: Tree>(to: &T, codec: &Codec, head: Head, found: &Salvage) -> Result<Layer<T::Bytes>> {
    let mut layer = Layer::new(head);
    let revision = found.revision.next();
    found.finish(&mut Transaction::new(to, codec, &mut layer, revision))?;
    (layer.head.last_seq, layer.head.revision) = (found.last_seq, revision);
    Ok(layer)
}

/// Returns the value if it is present and readable.
fn attempt<T>(read: impl FnOnce() -> Result<Option<T>>) -> Option<T> {
    catch_unwind(AssertUnwindSafe(read)).ok()?.ok()?
}

/// A salvage under way.
struct Carry<'a, F: Tree, T: Tree> {
    from: Reader<'a, F>,
    to: &'a T,
    codec: &'a Codec,
    found: &'a mut Salvage,
    /// The rooms of the fresh tree, by their numbers in the damaged one.
    rooms: BTreeMap<u32, RoomId>,
    layer: Layer<T::Bytes>,
    rows: u64,
    bytes: usize,
    write: Write<'a, T::Bytes>,
}

impl<F: Tree, T: Tree> Carry<'_, F, T> {
    fn lose(&mut self, of: Collection) -> Result<()> {
        self.found.lost(of);
        Ok(())
    }

    /// Returns the fresh rows, as the commit `written` writes them.
    fn rows(&mut self, written: Revision) -> Transaction<'_, T> {
        Transaction::new(self.to, self.codec, &mut self.layer, written)
    }

    /// Counts a row that was carried over.
    fn step(&mut self, of: Collection, bytes: usize) -> Result<()> {
        self.found.carried(of);
        self.rows += 1;
        self.bytes += bytes;
        if self.rows >= STEP_ROWS || self.bytes >= STEP_BYTES { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<()> {
        let next = Layer::new(self.layer.head);
        (self.rows, self.bytes) = (0, 0);
        (self.write)(std::mem::replace(&mut self.layer, next))
    }

    /// Returns the places between which gaps are lost.
    fn gaps(&mut self) -> Result<Vec<(Place, Place)>> {
        let (from, mut torn, mut last, mut is_torn) = (self.from, Vec::new(), FIRST, false);
        sweep(from, keys::GAP, &mut |pair| {
            let Found::Pair((key, row)) = pair else {
                is_torn = true;
                return Ok(());
            };
            let Some(place) = keys::parse_place(&key) else { return self.lose(Collection::Gaps) };
            if std::mem::take(&mut is_torn) {
                torn.push((last, place));
            }
            last = place;
            let read = self
                .rooms
                .get(&place.0)
                .map(|id| from.gap_or_unknown(from.codec.room_ref(id), place.1, &row));
            let Some(Ok(gap)) = read else { return self.lose(Collection::Gaps) };
            self.found.see(gap.revision);
            self.rows(Revision::ZERO).write_gap(&gap)?;
            self.step(Collection::Gaps, row.len())
        })?;
        if is_torn {
            torn.push((last, LAST));
        }
        Ok(torn)
    }

    fn messages(&mut self) -> Result<()> {
        let (from, mut weaver) = (self.from, Weaver::default());
        sweep(from, keys::MESSAGE, &mut |pair| {
            let Found::Pair((key, row)) = pair else {
                weaver.tear();
                return Ok(());
            };
            let place = keys::parse_place(&key).and_then(|(nr, at)| Some((self.rooms.get(&nr)?, at)));
            // Without a room there is no timeline that lacks it.
            let Some((id, at)) = place else { return self.lose(Collection::Messages) };
            let written = MessageRecord::decode(row.clone()).map(|record| record.written);
            let read = from.read_message(from.codec.room_ref(id), at, row.clone());
            let (Ok(message), Ok(written)) = (read, written) else {
                weaver.tear();
                return self.lose(Collection::Messages);
            };
            if !matches!(self.rows(written).insert_message(&message)?, Inserted::Done) {
                weaver.tear();
                return self.lose(Collection::Messages);
            }
            self.found.see(written);
            let mut rows = Transaction::new(self.to, self.codec, &mut self.layer, written);
            weaver.message(&mut rows, self.found, &message.room, message.position)?;
            self.step(Collection::Messages, row.len())
        })?;
        weaver.end(self.found);
        Ok(())
    }

    /// Puts gaps where some may have been lost.
    fn mend_gaps(&mut self, torn: &[(Place, Place)]) -> Result<()> {
        for ((first, oldest), (last, newest)) in torn {
            for (nr, id) in self.rooms.range(*first..=*last) {
                let oldest = if nr == first { *oldest } else { Position::MIN };
                let newest = if nr == last { *newest } else { Position::MAX };
                let mut rows = Transaction::new(self.to, self.codec, &mut self.layer, Revision::ZERO);
                gaps_where_some_were_lost(&mut rows, self.found, id, (oldest, newest))?;
            }
        }
        Ok(())
    }

    fn state(&mut self) -> Result<()> {
        let from = self.from;
        sweep(from, keys::STATE, &mut |pair| {
            let Found::Pair((key, row)) = pair else { return Ok(()) };
            let (Ok(entry), Ok(written)) = (from.read_state(&key, &row), Cut(&row).revision()) else {
                return self.lose(Collection::State);
            };
            if let Scope::Room(id) = &entry.scope
                && self.rows(written).room(id)?.is_none()
            {
                self.bare_room(id)?;
            }
            self.found.see(written);
            self.rows(written).write_state(&entry)?;
            self.step(Collection::State, row.len())
        })?;
        Ok(())
    }

    /// Carries over the items all of whose bytes are readable: half an item is none.
    fn media(&mut self) -> Result<()> {
        let from = self.from;
        sweep(from, keys::MEDIA, &mut |pair| {
            let Found::Pair((key, row)) = pair else { return Ok(()) };
            let read = || {
                let (blob, info) = from.read_media(&key, &row)?;
                let bytes = from.media_bytes(blob, info.size, ByteRange::ALL)?;
                Ok(Some((info, bytes, media_columns(&row)?.0.written)))
            };
            let Some((info, bytes, written)) = attempt(read) else { return self.lose(Collection::Media) };
            self.found.see(written);
            self.rows(written).write_media_info(&info)?;
            self.rows(written).append_media(&info.key, 0, &bytes)?;
            self.step(Collection::Media, bytes.len())
        })?;
        Ok(())
    }

    fn pending(&mut self) -> Result<()> {
        let (from, mut rows) = (self.from, 0);
        sweep(from, keys::PENDING, &mut |pair| {
            let Found::Pair((key, row)) = pair else { return Ok(()) };
            rows += 1;
            let read = from.read_seq(&key).and_then(|seq| from.read_pending(seq, &row));
            if let Ok(row) = read {
                self.found.add_pending(row);
            }
            Ok(())
        })?;
        self.found.named(Collection::Pending, rows.max(probes::named_seqs(from)));
        Ok(())
    }
}

/// A room's number and a position.
type Place = (u32, Position);

const FIRST: Place = (0, Position::MIN);
const LAST: Place = (u32::MAX, Position::MAX);
