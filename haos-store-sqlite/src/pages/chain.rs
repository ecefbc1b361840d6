//! Records that go on over a chain of pages.

use super::Source;
use super::cell::Cell;
use super::map::{Map, Use};
use super::number::{Pages, word};

/// The longest record that is read, as in SQLite's own reads.
const LONGEST: u64 = 256 << 20;

/// Reads whole records. A page is part of one chain alone, so that no file makes this read it twice.
pub(super) struct Chains<'s> {
    source: &'s Source,
    map: Map<'s>,
    used: Pages,
}

/// A whole record.
pub(super) struct Record {
    pub(super) bytes: Vec<u8>,
    /// False if the map says that a page of the chain is another's.
    pub(super) is_sure: bool,
}

impl<'s> Chains<'s> {
    pub(super) fn of(source: &'s Source) -> Self {
        Self { source, map: Map::of(source), used: Pages::up_to(source.count()) }
    }

    /// Reads the record of a cell on a page.
    pub(super) fn read(&mut self, page: u32, cell: &Cell<'_>) -> Option<Record> {
        let mut record = Record { bytes: cell.local.to_vec(), is_sure: true };
        if cell.size > LONGEST {
            return None;
        }
        let (mut before, mut next) = (page, cell.overflow);
        let mut is_first = true;
        while (record.bytes.len() as u64) < cell.size {
            let at = next.filter(|next| *next > 0)?;
            if !self.used.add(at) {
                return None;
            }
            let expected = if is_first { Use::First(before) } else { Use::Next(before) };
            record.is_sure &= self.map.get(at).is_none_or(|found| found == expected);
            let bytes = self.source.page(at)?;
            let left = (cell.size - record.bytes.len() as u64).min(bytes.len() as u64 - 4) as usize;
            record.bytes.extend_from_slice(&bytes[4..4 + left]);
            (before, next, is_first) = (at, word(&*bytes, 0), false);
        }
        Some(record)
    }
}
