//! A b-tree page and its cells.

use super::number::{short, varint, word};
use super::{Bytes, PAGE};

/// The kind of a b-tree page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    TableLeaf,
    TableInterior,
    IndexLeaf,
    IndexInterior,
}

impl Kind {
    pub(super) fn is_interior(self) -> bool {
        matches!(self, Self::TableInterior | Self::IndexInterior)
    }
}

/// A row's local part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cell<'p> {
    /// The key in a table; 0 in an index.
    pub(super) id: i64,
    /// The bytes of the whole record.
    pub(super) size: u64,
    /// Its first bytes.
    pub(super) local: &'p [u8],
    /// The page with the next ones.
    pub(super) overflow: Option<u32>,
}

/// A b-tree page.
#[derive(Debug, Clone, Copy)]
pub(super) struct Page<'p> {
    pub(super) kind: Kind,
    bytes: &'p Bytes,
    header: usize,
    cells: usize,
}

impl<'p> Page<'p> {
    /// Reads the head of a page; absent if it is not one of a b-tree.
    pub(super) fn of(nr: u32, bytes: &'p Bytes) -> Option<Self> {
        let header = if nr == 1 { 100 } else { 0 };
        let kind = match bytes[header] {
            13 => Kind::TableLeaf,
            5 => Kind::TableInterior,
            10 => Kind::IndexLeaf,
            2 => Kind::IndexInterior,
            _ => return None,
        };
        let cells = short(bytes, header + 3)?;
        let page = Self { kind, bytes, header, cells };
        (page.pointers_end() <= PAGE).then_some(page)
    }

    fn pointers(&self) -> usize {
        self.header + if self.kind.is_interior() { 12 } else { 8 }
    }

    fn pointers_end(&self) -> usize {
        self.pointers() + 2 * self.cells
    }

    /// Counts the cells that the head names.
    pub(super) fn len(&self) -> usize {
        self.cells
    }

    /// Returns the bytes from the start of a cell to the end of the page.
    fn cell_bytes(&self, nth: usize) -> Option<&'p [u8]> {
        let at = short(self.bytes, self.pointers() + 2 * nth).filter(|_| nth < self.cells)?;
        if at < self.pointers_end() { None } else { self.bytes.get(at..) }
    }

    /// Returns the right-most child of an interior page.
    pub(super) fn last_child(&self) -> Option<u32> {
        word(self.bytes, self.header + 8).filter(|_| self.kind.is_interior())
    }

    /// Reads a child, and the largest key below it in a table.
    pub(super) fn child(&self, nth: usize) -> Option<(u32, i64)> {
        let cell = self.cell_bytes(nth).filter(|_| self.kind.is_interior())?;
        let key = match self.kind {
            Kind::TableInterior => varint(cell.get(4..)?)?.0.cast_signed(),
            _ => 0,
        };
        Some((word(cell, 0)?, key))
    }

    /// Reads a cell that holds a record; those of a table's interior pages hold none.
    pub(super) fn cell(&self, nth: usize) -> Option<Cell<'p>> {
        Some(self.sized_cell(nth)?.0)
    }

    /// Reads a cell and its length in the page.
    fn sized_cell(&self, nth: usize) -> Option<(Cell<'p>, usize)> {
        let all = self.cell_bytes(nth)?;
        let start = match self.kind {
            Kind::TableInterior => return None,
            Kind::IndexInterior => all.get(4..)?,
            Kind::TableLeaf | Kind::IndexLeaf => all,
        };
        let (size, rest) = varint(start)?;
        let (id, rest) = match self.kind {
            Kind::TableLeaf => varint(rest).map(|(id, rest)| (id.cast_signed(), rest))?,
            _ => (0, rest),
        };
        let length = local(self.kind, size);
        let body = rest.get(..length)?;
        let overflow = if length as u64 == size { None } else { Some(word(rest, length)?) };
        let used = all.len() - rest.len() + length + if overflow.is_some() { 4 } else { 0 };
        Some((Cell { id, size, local: body, overflow }, used))
    }

    /// Tells whether cells, free blocks and what is between fill a leaf exactly: a wrong count of cells does not.
    pub(super) fn is_full(&self) -> bool {
        let sum = || {
            let mut used = self.pointers_end();
            for nth in 0..self.cells {
                used += self.sized_cell(nth)?.1.max(4);
            }
            let start = match short(self.bytes, self.header + 5)? {
                0 => 1 << 16,
                start => start,
            };
            used += start.checked_sub(self.pointers_end())?;
            let (mut block, mut blocks) = (short(self.bytes, self.header + 1)?, 0);
            while block != 0 {
                used += short(self.bytes, block + 2)?;
                block = short(self.bytes, block).filter(|next| *next == 0 || *next > block)?;
                blocks += 1;
                if blocks > PAGE / 4 {
                    return None;
                }
            }
            Some(used + usize::from(self.bytes[self.header + 7]))
        };
        sum() == Some(PAGE)
    }
}

/// Returns the number of a record's bytes that are in the page itself.
fn local(kind: Kind, size: u64) -> usize {
    let most = match kind {
        Kind::TableLeaf | Kind::TableInterior => PAGE - 35,
        Kind::IndexLeaf | Kind::IndexInterior => (PAGE - 12) * 64 / 255 - 23,
    };
    if size <= most as u64 {
        return size as usize;
    }
    let least = (PAGE - 12) * 32 / 255 - 23;
    let fit = least + ((size - least as u64) % (PAGE as u64 - 4)) as usize;
    if fit <= most { fit } else { least }
}
