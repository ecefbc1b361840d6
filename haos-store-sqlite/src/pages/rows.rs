//! The rows of a table, one after the other.

use super::cell::Page;
use super::chain::Chains;
use super::tree::{Leaf, Plan, keys_of};
use super::{Shape, Source};

/// A step through a table's rows, by ascending keys.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Step<'r> {
    /// A record.
    Row(i64, &'r [u8]),
    /// A row whose record is not readable.
    Unreadable(i64),
    /// Rows may be missing here.
    Torn,
}

/// Visits the rows of a table.
pub(crate) fn rows<E>(
    source: &Source,
    plan: &Plan,
    visit: &mut dyn FnMut(Step<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let mut rows = Rows { chains: Chains::of(source), shape: plan.shape, last: None, torn: false, visit };
    let mut tears = plan.tears.iter().copied().peekable();
    for (nth, leaf) in plan.leaves.iter().enumerate() {
        let older = nth.checked_sub(1).and_then(|nth| plan.leaves.get(nth));
        let newer = plan.leaves.get(nth + 1);
        let Some(bytes) = source.page(leaf.page) else { continue };
        let Some(page) = Page::of(leaf.page, &bytes) else { continue };
        for (id, cell) in keys_of(&page, plan.shape) {
            let is_between =
                older.is_none_or(|other| other.mid < id) && newer.is_none_or(|other| id < other.mid);
            while tears.next_if(|after| *after < id).is_some() {
                rows.torn = true;
            }
            if is_between {
                rows.row(leaf, &page, id, cell)?;
            } else {
                rows.torn = true;
            }
        }
        rows.torn |= !leaf.is_whole;
    }
    if rows.torn || tears.next().is_some() {
        (rows.visit)(Step::Torn)?;
    }
    Ok(())
}

struct Rows<'s, 'v, E> {
    chains: Chains<'s>,
    shape: Shape,
    last: Option<i64>,
    torn: bool,
    visit: &'v mut dyn FnMut(Step<'_>) -> Result<(), E>,
}

impl<E> Rows<'_, '_, E> {
    fn row(&mut self, leaf: &Leaf, page: &Page<'_>, id: i64, nth: usize) -> Result<(), E> {
        let Some(cell) = page.cell(nth).filter(|_| self.last.is_none_or(|last| last < id)) else {
            return Ok(());
        };
        if self.torn || !leaf.is_whole {
            (self.visit)(Step::Torn)?;
        }
        (self.last, self.torn) = (Some(id), false);
        let record = self.chains.read(leaf.page, &cell);
        // Nothing else tells whether the bytes of plain media are the right ones.
        let is_told = !matches!(self.shape, Shape::Media | Shape::Chunk);
        match record.filter(|record| record.is_sure || is_told) {
            Some(record) => (self.visit)(Step::Row(id, &record.bytes)),
            None => (self.visit)(Step::Unreadable(id)),
        }
    }
}
