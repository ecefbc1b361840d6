//! The pages that map pointers: for each page, what it is and which page points to it.

use super::number::word;
use super::{PAGE, Source};

/// The bytes of an entry: a type and a page.
const ENTRY: usize = 5;
/// The pages that one page of the map is about.
const SPAN: u32 = (PAGE / ENTRY) as u32;
/// The page with the bytes that SQLite locks, which holds nothing.
const LOCKS: u32 = (1 << 30) / PAGE as u32 + 1;

/// The use of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    Root,
    Free,
    /// The first page of a chain, with the page whose cell it continues.
    First(u32),
    /// A later one, with the page before it.
    Next(u32),
    /// A page of a b-tree, with its parent.
    Child(u32),
}

/// Reads the map, page by page.
#[derive(Debug)]
pub(super) struct Map<'s> {
    source: &'s Source,
    is_there: bool,
    cached: std::cell::RefCell<Option<(u32, Box<super::Bytes>)>>,
}

impl<'s> Map<'s> {
    pub(super) fn of(source: &'s Source) -> Self {
        // A readable header says whether there is a map; the stores that this library makes have one.
        let says_no =
            |page: Box<super::Bytes>| page.starts_with(b"SQLite format 3\0") && word(&*page, 52) == Some(0);
        let is_there = !source.page(1).is_some_and(says_no);
        Self { source, is_there, cached: std::cell::RefCell::default() }
    }

    /// Returns the use of a page; absent if the map does not tell.
    pub(super) fn get(&self, page: u32) -> Option<Use> {
        if !self.is_there || page < 3 || page == LOCKS {
            return None;
        }
        let home = home(page);
        let at = ENTRY * (page.checked_sub(home + 1)? as usize);
        let mut cached = self.cached.borrow_mut();
        if cached.as_ref().is_none_or(|(nr, _)| *nr != home) {
            *cached = self.source.page(home).map(|bytes| (home, bytes));
        }
        let (_, bytes) = cached.as_ref()?;
        let other = word(bytes.as_slice(), at + 1)?;
        match bytes.get(at)? {
            1 => Some(Use::Root),
            2 => Some(Use::Free),
            3 => Some(Use::First(other)),
            4 => Some(Use::Next(other)),
            5 => Some(Use::Child(other)),
            _ => None,
        }
    }

    /// Tells whether a page is one of the map's own.
    pub(super) fn is_own(&self, page: u32) -> bool {
        self.is_there && page >= 2 && home(page) == page
    }

    /// Tells whether the map tells the use of every page.
    pub(super) fn is_whole(&self) -> bool {
        let named = self.source.page(1).and_then(|page| word(&*page, 28)).unwrap_or(u32::MAX);
        let last = self.source.count();
        // A file that ends early lacks parts of the map too.
        self.is_there
            && (named <= last || home(named.min(u32::MAX - SPAN)) <= last)
            && (3..=last).all(|page| page == LOCKS || self.is_own(page) || self.get(page).is_some())
    }
}

/// Returns the page of the map that is about a page; its own number for itself.
fn home(page: u32) -> u32 {
    let nth = (page - 2) / (SPAN + 1);
    let home = nth * (SPAN + 1) + 2;
    if home == LOCKS { home + 1 } else { home }
}
