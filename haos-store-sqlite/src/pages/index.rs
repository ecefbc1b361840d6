//! The entries of an index: how many rows there were, as far as they are told.

use super::cell::{Kind, Page};
use super::map::{Map, Use};
use super::number::Pages;
use super::order::ascending;
use super::record::{Value, decode};
use super::shape::Index;
use super::tree::MOST_LEVELS;
use super::{Bytes, Source};

/// The number of rows that an index names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) rows: u64,
    /// True if nothing is wrong with any page of the index, so that there were no others.
    pub(crate) is_whole: bool,
}

impl Told {
    /// Chooses among several witnesses: the first whole index is right, or else the one that knows of most rows.
    pub(crate) fn most(witnesses: &[Self]) -> u64 {
        let whole = witnesses.iter().find(|told| told.is_whole);
        whole.or(witnesses.iter().max_by_key(|told| told.rows)).map_or(0, |told| told.rows)
    }
}

/// Visits the entries of an index, in its pages' order, as far as they are readable; returns the number of rows that
/// they name.
///
/// A page may claim more cells than it has, and then shows what was removed. Such an entry is rarely in its place: those
/// that do not ascend, or leave what the page above allows, are neither visited nor counted, and a row counts once.
pub(crate) fn entries(
    source: &Source,
    index: Index,
    root: Option<u32>,
    visit: &mut dyn FnMut(&[Value<'_>]),
) -> Told {
    // A freed page holds entries too.
    let root = root.filter(|root| matches!(Map::of(source).get(*root), None | Some(Use::Root)));
    let seen = Pages::up_to(source.count());
    let mut walk = Walk { source, index, seen, rows: Vec::new(), is_whole: true, visit };
    walk.walk(root.unwrap_or(0), (None, None), 0);
    let Walk { mut rows, is_whole, .. } = walk;
    let entries = rows.len();
    rows.sort_unstable();
    rows.dedup();
    // An empty index may be another one's.
    Told { rows: rows.len() as u64, is_whole: is_whole && entries == rows.len() && entries > 0 }
}

/// An entry.
type Entry<'p> = Vec<Value<'p>>;
/// The entries of the page above between which those of a page are.
type Bounds<'p> = (Option<&'p Entry<'p>>, Option<&'p Entry<'p>>);

struct Walk<'s, 'v> {
    source: &'s Source,
    index: Index,
    seen: Pages,
    /// The last value of each entry, which is the row's key.
    rows: Vec<i64>,
    is_whole: bool,
    visit: &'v mut dyn FnMut(&[Value<'_>]),
}

impl Walk<'_, '_> {
    fn walk(&mut self, nr: u32, bounds: Bounds<'_>, level: u32) {
        let bytes =
            if level > MOST_LEVELS || nr == 0 || !self.seen.add(nr) { None } else { self.source.page(nr) };
        match bytes {
            Some(bytes) => self.page(nr, &bytes, bounds, level),
            None => self.is_whole = false,
        }
    }

    fn page(&mut self, nr: u32, bytes: &Bytes, bounds: Bounds<'_>, level: u32) {
        let is_index = |page: &Page<'_>| matches!(page.kind, Kind::IndexLeaf | Kind::IndexInterior);
        let Some(page) = Page::of(nr, bytes).filter(is_index) else {
            self.is_whole = false;
            return;
        };
        let entries = self.in_order(&page, bounds);
        self.is_whole &= entries.len() == page.len() && page.is_full();
        // An interior page has its entries between its children.
        let mut next = entries.iter().peekable();
        let mut above = bounds.0;
        for nth in 0..page.len() {
            if let Some((child, _)) = page.child(nth) {
                self.walk(child, (above, next.peek().map(|(_, entry)| entry).or(bounds.1)), level + 1);
            }
            if let Some((_, entry)) = next.next_if(|(at, _)| *at == nth) {
                above = Some(entry);
                self.rows.extend(entry.last().and_then(|row| row.int()));
                (self.visit)(entry);
            }
        }
        if page.kind == Kind::IndexInterior {
            self.walk(page.last_child().unwrap_or(0), (above, bounds.1), level + 1);
        }
    }

    /// Lists the entries of a page that are of this index and in order, with the numbers of their cells.
    fn in_order<'p>(&self, page: &Page<'p>, (above, below): Bounds<'_>) -> Vec<(usize, Entry<'p>)> {
        let is_within = |entry: &Entry<'_>| {
            above.is_none_or(|above| above < entry) && below.is_none_or(|below| entry < below)
        };
        let mut found: Vec<(usize, Entry<'p>)> = (0..page.len())
            .filter_map(|nth| page.cell(nth).map(|cell| (nth, cell)))
            .filter(|(_, cell)| self.index.fits(cell.local))
            .filter_map(|(nth, cell)| decode(cell.local).map(|entry| (nth, entry)))
            .filter(|(_, entry)| is_within(entry))
            .collect();
        let keys: Vec<&Entry<'p>> = found.iter().map(|(_, entry)| entry).collect();
        ascending(&keys).into_iter().map(|nth| std::mem::take(&mut found[nth])).collect()
    }
}
