//! The check: reads every row, follows every index both ways, and reports contradictions. Changes nothing.

mod row;

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::*;

use self::row::{Finding, NO_INDEX, NO_ROOM, WRONG_KEY, has};
use super::head::{Head, Sums};
use super::keys;
use super::reader::{Order, Reader};
use super::record::{MessageRecord, media_columns};
use super::tree::{Pair, Tree};

/// Rows checked in one read; commits come in between.
const STEP: usize = 256;

/// Runs a read that sees whole commits.
pub type Reading<'r, T> = &'r dyn Fn(&mut dyn FnMut(Reader<'_, T>) -> Result<()>) -> Result<()>;

/// A check under way.
struct Check<'c> {
    progress: &'c Progress,
    total: u64,
    report: Report,
    /// The rows of each collection, counted.
    counts: BTreeMap<Collection, u64>,
    blobs: HashSet<u64>,
    orphans: u64,
    /// Rooms met in the present step.
    rooms: HashMap<u32, Option<RoomId>>,
}

/// Checks every row and every index, a few hundred rows in one read.
///
/// # Errors
/// Those of `read`, except damage, which is a finding.
pub fn check<T: Tree>(read: Reading<'_, T>, progress: &Progress) -> Result<Report> {
    let before = head(read)?;
    let mut check = Check {
        progress,
        total: before.sums.rows(),
        report: Report::default(),
        counts: BTreeMap::new(),
        blobs: HashSet::new(),
        orphans: 0,
        rooms: HashMap::new(),
    };
    for tag in keys::ROOM..=keys::STATE {
        check.walk(read, tag)?;
    }
    // Counts are meaningless if the store was written to meanwhile.
    if head(read)?.revision == before.revision {
        check.totals(&before.sums);
    }
    progress.step(check.report.rows, check.report.rows);
    Ok(check.report)
}

impl Check<'_> {
    fn find(&mut self, what: &str, fault: impl std::fmt::Display) {
        self.report.find(format_args!("{what}: {fault}"));
    }

    /// Walks a collection or an index, step by step.
    fn walk<T: Tree>(&mut self, read: Reading<'_, T>, tag: u8) -> Result<()> {
        let (mut from, to) = keys::whole(tag);
        loop {
            let mut last = None;
            let read_on = read(&mut |reader| {
                self.rooms.clear();
                for pair in reader.scan((from.clone(), to.clone()), Order::Up).take(STEP) {
                    let pair = pair?;
                    last = Some(pair.0.to_vec());
                    self.judge(reader, tag, pair)?;
                }
                Ok(())
            });
            match read_on {
                // The rest behind it cannot be reached.
                Err(error) if error.kind() == ErrorKind::Corrupt => {
                    self.find(name(tag).0, error);
                    return Ok(());
                }
                other => other?,
            }
            self.progress.step(self.report.rows, self.total.max(self.report.rows));
            // The least key after the last one seen.
            match last {
                Some(mut key) => {
                    key.push(0);
                    from = key;
                }
                None => return Ok(()),
            }
        }
    }

    /// Tells a finding from an error that ends the check.
    fn judge<T: Tree>(&mut self, reader: Reader<'_, T>, tag: u8, pair: Pair<T::Bytes>) -> Result<()> {
        let (name, of) = name(tag);
        if let Some(of) = of {
            *self.counts.entry(of).or_default() += 1;
            self.report.rows += 1;
        }
        match self.look(reader, tag, pair) {
            Ok(Some(fault)) => self.find(name, fault),
            Err(error) if reader.codec.is_damage(&error) => self.find(name, error),
            other => drop(other?),
        }
        Ok(())
    }

    fn look<T: Tree>(&mut self, reader: Reader<'_, T>, tag: u8, (key, row): Pair<T::Bytes>) -> Finding {
        match tag {
            keys::ROOM => row::room(reader, &key, &row),
            keys::NUMBER => row::number(reader, &key, &row),
            keys::ACTIVITY => row::activity(reader, &key),
            keys::MESSAGE => self.message(reader, &key, row),
            keys::EVENT | keys::TARGET | keys::TXN => row::message_index(reader, tag, &key, &row),
            keys::GAP => self.gap(reader, &key, &row),
            keys::PENDING => row::pending(reader, &key, &row),
            keys::PENDING_TXN | keys::PENDING_ROOM => row::pending_index(reader, tag, &key, &row),
            keys::MEDIA => self.media(reader, &key, &row),
            keys::CHUNK => {
                let known = keys::parse_chunk(&key).is_some_and(|(blob, _)| self.blobs.contains(&blob));
                self.orphans += u64::from(!known);
                Ok(None)
            }
            _ => row::state(reader, &key, &row),
        }
    }

    fn room_of<T: Tree>(&mut self, reader: Reader<'_, T>, nr: u32) -> Result<Option<RoomId>> {
        if let Some(room) = self.rooms.get(&nr) {
            return Ok(room.clone());
        }
        let room = reader.room_at(nr)?.map(|(_, room)| room.id);
        self.rooms.insert(nr, room.clone());
        Ok(room)
    }

    fn message<T: Tree>(&mut self, reader: Reader<'_, T>, key: &[u8], row: T::Bytes) -> Finding {
        let Some((nr, at)) = keys::parse_place(key) else { return Ok(Some(WRONG_KEY)) };
        let Some(room) = self.room_of(reader, nr)? else { return Ok(Some(NO_ROOM)) };
        let record = MessageRecord::decode(row.clone())?;
        let message = reader.read_message(reader.codec.room_ref(&room), at, row)?;
        let codec = reader.codec;
        let fits = codec.event_key(&room, &message.id) == record.event
            && codec.sender_key(&room, &message.sender) == record.sender
            && message.relation.map(|relation| codec.event_key(&room, &relation.target)) == record.target
            && message.txn_id.map(|txn_id| codec.txn_key(&txn_id)) == record.txn;
        let is_found = reader.get(&keys::event(nr, &record.event))?.as_deref() == Some(&keys::position(at))
            && has(reader, record.target.map(|target| keys::target(nr, &target, at)))?
            && has(reader, record.txn.map(|txn| keys::txn(&txn, nr, at)))?;
        Ok(match (fits, is_found) {
            (false, _) => Some(WRONG_KEY),
            (_, false) => Some(NO_INDEX),
            _ => None,
        })
    }

    fn gap<T: Tree>(&mut self, reader: Reader<'_, T>, key: &[u8], row: &[u8]) -> Finding {
        let Some((nr, at)) = keys::parse_place(key) else { return Ok(Some(WRONG_KEY)) };
        let Some(room) = self.room_of(reader, nr)? else { return Ok(Some(NO_ROOM)) };
        reader.read_gap(reader.codec.room_ref(&room), at, row)?;
        Ok(reader.has(&keys::message(nr, at))?.then_some("a message stands at its position"))
    }

    fn media<T: Tree>(&mut self, reader: Reader<'_, T>, key: &[u8], row: &[u8]) -> Finding {
        self.blobs.insert(media_columns(row)?.0.blob);
        let (blob, info) = reader.read_media(key, row)?;
        reader.media_bytes(blob, info.size, ByteRange::ALL)?;
        Ok((keys::media(&reader.codec.media_key(&info.key)) != key).then_some(WRONG_KEY))
    }

    fn totals(&mut self, sums: &Sums) {
        for of in Collection::ALL {
            if self.counts.get(&of).copied().unwrap_or_default() != sums.of(of).rows {
                self.find(of.name(), "the sums kept are not those of the rows");
            }
        }
        if self.orphans > 0 {
            self.find("media", format!("{} chunks belong to no item", self.orphans));
        }
    }
}

/// Returns the name of a collection or index, and the collection it counts for.
fn name(tag: u8) -> (&'static str, Option<Collection>) {
    match tag {
        keys::ROOM => ("rooms", Some(Collection::Rooms)),
        keys::NUMBER | keys::ACTIVITY => ("an index of rooms", None),
        keys::MESSAGE => ("messages", Some(Collection::Messages)),
        keys::EVENT | keys::TARGET | keys::TXN => ("an index of messages", None),
        keys::GAP => ("gaps", Some(Collection::Gaps)),
        keys::PENDING => ("pending", Some(Collection::Pending)),
        keys::PENDING_TXN | keys::PENDING_ROOM => ("an index of pending", None),
        keys::MEDIA => ("media", Some(Collection::Media)),
        keys::CHUNK => ("media", None),
        _ => ("state", Some(Collection::State)),
    }
}

fn head<T: Tree>(read: Reading<'_, T>) -> Result<Head> {
    let mut found = None;
    read(&mut |reader| {
        found = reader.head()?;
        Ok(())
    })?;
    Ok(found.unwrap_or_default())
}

/// Reads the counters, and checks the outbox: it has as many rows as were counted, each found by its indexes. An empty
/// tree has no counters.
///
/// # Errors
/// `Corrupt` where rows or the counters are absent, and those of the tree.
pub fn examine<T: Tree>(reader: Reader<'_, T>) -> Result<Option<Head>> {
    let head = reader.head()?;
    if head.is_none() && reader.scan(keys::whole(keys::ROOM), Order::Up).next().is_some() {
        return Err(reader.corrupt("the store's counters are missing"));
    }
    let rows = reader.pending(&PendingQuery::default())?;
    if rows.len() as u64 != head.unwrap_or_default().sums.of(Collection::Pending).rows {
        return Err(reader.corrupt("rows of the outbox are missing"));
    }
    for row in &rows {
        if !reader.is_indexed(row)? {
            return Err(reader.corrupt("an index of the outbox lacks a row"));
        }
    }
    Ok(head)
}
