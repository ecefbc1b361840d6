//! The check: reads every row, follows every index both ways, and tells what does not fit together. It
//! changes nothing.

mod row;

use std::collections::{BTreeMap, HashMap, HashSet};

use haos_store_api::*;

use self::row::{Finding, NO_INDEX, NO_ROOM, WRONG_KEY, has};
use crate::db::{Db, Order, Pair};
use crate::head::Head;
use crate::keys;
use crate::record::{MessageRecord, media_columns};

/// Rows looked at in one read; commits come in between.
const STEP: usize = 256;

/// Runs a read that sees whole commits.
pub(crate) type Reading<'r> = &'r dyn Fn(&mut dyn FnMut(Db<'_>) -> Result<()>) -> Result<()>;

/// A check under way.
pub(crate) struct Check<'c> {
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

impl<'c> Check<'c> {
    pub(crate) fn run(read: Reading<'_>, progress: &'c Progress) -> Result<Report> {
        let mut check = Self {
            progress,
            total: 0,
            report: Report::default(),
            counts: BTreeMap::new(),
            blobs: HashSet::new(),
            orphans: 0,
            rooms: HashMap::new(),
        };
        let before = head(read)?;
        check.total = before.sums.iter().map(|size| size.rows).sum();
        for tag in keys::ROOM..=keys::STATE {
            check.walk(read, tag)?;
        }
        // Counts of a store that was written to meanwhile say nothing.
        if head(read)?.revision == before.revision {
            check.totals(before);
        }
        progress.step(check.report.rows, check.report.rows);
        Ok(check.report)
    }

    fn find(&mut self, what: &str, fault: impl std::fmt::Display) {
        self.report.find(format_args!("{what}: {fault}"));
    }

    /// A collection or an index, step by step.
    fn walk(&mut self, read: Reading<'_>, tag: u8) -> Result<()> {
        let (mut from, to) = keys::whole(tag);
        loop {
            let mut last = None;
            let read_on = read(&mut |db| {
                self.rooms.clear();
                for pair in db.scan((from.clone(), to.clone()), Order::Up).take(STEP) {
                    let pair = pair?;
                    last = Some(pair.0.to_vec());
                    self.judge(db, tag, pair)?;
                }
                Ok(())
            });
            match read_on {
                // What lies behind it cannot be reached.
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

    /// What a finding is, and what ends the check.
    fn judge(&mut self, db: Db<'_>, tag: u8, pair: Pair) -> Result<()> {
        let (name, of) = name(tag);
        if let Some(of) = of {
            *self.counts.entry(of).or_default() += 1;
            self.report.rows += 1;
        }
        match self.look(db, tag, pair) {
            Ok(Some(fault)) => self.find(name, fault),
            Err(error) if db.codec.is_damage(&error) => self.find(name, error),
            other => drop(other?),
        }
        Ok(())
    }

    fn look(&mut self, db: Db<'_>, tag: u8, (key, row): Pair) -> Finding {
        match tag {
            keys::ROOM => row::room(db, &key, &row),
            keys::NUMBER => row::number(db, &key, &row),
            keys::ACTIVITY => row::activity(db, &key),
            keys::MESSAGE => self.message(db, &key, row),
            keys::EVENT | keys::TARGET | keys::TXN => row::message_index(db, tag, &key, &row),
            keys::GAP => self.gap(db, &key, &row),
            keys::PENDING => row::pending(db, &key, &row),
            keys::PENDING_TXN | keys::PENDING_ROOM => row::pending_index(db, tag, &key, &row),
            keys::MEDIA => self.media(db, &key, &row),
            keys::CHUNK => {
                let known = keys::parse_chunk(&key).is_some_and(|(blob, _)| self.blobs.contains(&blob));
                self.orphans += u64::from(!known);
                Ok(None)
            }
            _ => row::state(db, &key, &row),
        }
    }

    fn room_of(&mut self, db: Db<'_>, nr: u32) -> Result<Option<RoomId>> {
        if let Some(room) = self.rooms.get(&nr) {
            return Ok(room.clone());
        }
        let room = db.room_at(nr)?.map(|(_, room)| room.id);
        self.rooms.insert(nr, room.clone());
        Ok(room)
    }

    fn message(&mut self, db: Db<'_>, key: &[u8], row: sled::IVec) -> Finding {
        let Some((nr, at)) = keys::parse_place(key) else { return Ok(Some(WRONG_KEY)) };
        let Some(room) = self.room_of(db, nr)? else { return Ok(Some(NO_ROOM)) };
        let record = MessageRecord::decode(row.clone())?;
        let message = db.read_message(db.codec.room_ref(&room), at, row)?;
        let codec = db.codec;
        let fits = codec.event_key(&room, &message.id) == record.event
            && codec.sender_key(&room, &message.sender) == record.sender
            && message.relation.map(|relation| codec.event_key(&room, &relation.target)) == record.target
            && message.txn_id.map(|txn_id| codec.txn_key(&txn_id)) == record.txn;
        let is_found = db.get(&keys::event(nr, &record.event))?.as_deref() == Some(&keys::position(at))
            && has(db, record.target.map(|target| keys::target(nr, &target, at)))?
            && has(db, record.txn.map(|txn| keys::txn(&txn, nr, at)))?;
        Ok(match (fits, is_found) {
            (false, _) => Some(WRONG_KEY),
            (_, false) => Some(NO_INDEX),
            _ => None,
        })
    }

    fn gap(&mut self, db: Db<'_>, key: &[u8], row: &[u8]) -> Finding {
        let Some((nr, at)) = keys::parse_place(key) else { return Ok(Some(WRONG_KEY)) };
        let Some(room) = self.room_of(db, nr)? else { return Ok(Some(NO_ROOM)) };
        db.read_gap(db.codec.room_ref(&room), at, row)?;
        Ok(db.has(&keys::message(nr, at))?.then_some("a message stands at its position"))
    }

    fn media(&mut self, db: Db<'_>, key: &[u8], row: &[u8]) -> Finding {
        self.blobs.insert(media_columns(row)?.0.blob);
        let (blob, info) = db.read_media(key, row)?;
        db.media_bytes(blob, info.size, ByteRange::ALL)?;
        Ok((keys::media(&db.codec.media_key(&info.key)) != key).then_some(WRONG_KEY))
    }

    fn totals(&mut self, mut head: Head) {
        for of in Collection::ALL {
            if self.counts.get(&of).copied().unwrap_or_default() != head.sum(of).rows {
                self.find(of.name(), "the sums kept are not those of the rows");
            }
        }
        if self.orphans > 0 {
            self.find("media", format!("{} chunks belong to no item", self.orphans));
        }
    }
}

/// What is checked, and the collection it counts for.
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

fn head(read: Reading<'_>) -> Result<Head> {
    let mut found = None;
    read(&mut |db| {
        found = db.head()?;
        Ok(())
    })?;
    Ok(found.unwrap_or_default())
}
