//! The numbers of items, in the items' order.

use std::cmp::Ordering;
use std::iter::Flatten;
use std::{slice, vec};

/// The most numbers of a short list.
pub(super) const MOST: usize = 64;

/// Numbers in short lists: one is found by two binary searches, and what is put or taken out moves a short list's numbers
/// at most, and now and then the list of lists.
#[derive(Debug, Clone, Default)]
pub(super) struct Order {
    /// None of them is empty.
    pub(super) lists: Vec<Vec<usize>>,
    len: usize,
    /// The numbers of items that are gone.
    free: Vec<usize>,
}

/// The place of a number: its list, and its place in that.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place(usize, usize);

impl Place {
    /// The place of the first item.
    pub(super) const FIRST: Self = Self(0, 0);
    /// The place after the last one.
    pub(super) const END: Self = Self(usize::MAX, 0);

    /// Returns the place after it.
    pub(super) fn next(self) -> Self {
        Self(self.0, self.1 + 1)
    }
}

/// All numbers, in order.
pub(super) type Numbers = Flatten<vec::IntoIter<Vec<usize>>>;

impl Order {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Returns the place of an item, or the place where it belongs. `compare` tells how an item stands to that one.
    pub(super) fn find(&self, compare: &dyn Fn(usize) -> Ordering) -> Result<Place, Place> {
        let begins_before =
            |list: &Vec<usize>| list.first().is_some_and(|first| compare(*first) != Ordering::Greater);
        let list = self.lists.partition_point(begins_before).saturating_sub(1);
        let within = |numbers: &Vec<usize>| numbers.binary_search_by(|number| compare(*number));
        match self.lists.get(list).map_or(Err(0), within) {
            Ok(place) => Ok(Place(list, place)),
            Err(place) => Err(Place(list, place)),
        }
    }

    /// Returns the number at a place that was found.
    pub(super) fn number(&self, Place(list, place): Place) -> usize {
        self.lists[list][place]
    }

    /// Gives a new item its number, at the place where it belongs.
    pub(super) fn insert(&mut self, Place(mut list, mut place): Place) -> usize {
        let number = self.free.pop().unwrap_or(self.len);
        self.len += 1;
        if self.lists.is_empty() {
            self.lists.push(Vec::new());
        }
        if self.lists[list].len() >= MOST {
            // What grows at its end leaves full lists behind.
            let at_end = place == MOST && list + 1 == self.lists.len();
            let middle = if at_end { MOST } else { MOST / 2 };
            let upper = self.lists[list].split_off(middle);
            self.lists.insert(list + 1, upper);
            if place >= middle {
                (list, place) = (list + 1, place - middle);
            }
        }
        self.lists[list].insert(place, number);
        number
    }

    /// Takes a number out, which is free for another item.
    pub(super) fn remove(&mut self, Place(list, place): Place) -> usize {
        let number = self.lists[list].remove(place);
        if self.lists[list].is_empty() {
            self.lists.remove(list);
        }
        self.len -= 1;
        self.free.push(number);
        number
    }

    /// Takes out the numbers that are not wanted.
    pub(super) fn retain(&mut self, is_wanted: &mut dyn FnMut(usize) -> bool) {
        let before = self.free.len();
        let free = &mut self.free;
        self.lists.retain_mut(|list| {
            list.retain(|number| {
                let stays = is_wanted(*number);
                if !stays {
                    free.push(*number);
                }
                stays
            });
            !list.is_empty()
        });
        self.len -= free.len() - before;
    }

    /// Visits the numbers from a place on, up to another.
    pub(super) fn numbers_between(&self, from: Place, to: Place) -> impl DoubleEndedIterator<Item = &usize> {
        let within = |nth: usize, low: usize, high: usize| {
            let list = self.lists.get(nth).map_or(&[][..], Vec::as_slice);
            list.get(low..high.min(list.len())).unwrap_or_default()
        };
        let (head, tail) = match from.0.cmp(&to.0) {
            Ordering::Less => (within(from.0, from.1, usize::MAX), within(to.0, 0, to.1)),
            Ordering::Equal => (within(from.0, from.1, to.1), &[][..]),
            // Upside down: nothing is between them.
            Ordering::Greater => (&[][..], &[][..]),
        };
        let middle = self.lists.get(from.0 + 1..to.0.min(self.lists.len())).unwrap_or_default();
        head.iter().chain(middle.iter().flatten()).chain(tail)
    }

    pub(super) fn numbers(&self) -> Flatten<slice::Iter<'_, Vec<usize>>> {
        self.lists.iter().flatten()
    }

    pub(super) fn into_numbers(self) -> Numbers {
        self.lists.into_iter().flatten()
    }
}
