//! Maps and sets in the order of their keys, whose code is small.
//!
//! Each kind of `BTreeMap` brings 5 to 10 KB of code into a module for browsers, and each kind of `HashMap` 2 to 3 KB. One
//! of these brings some hundred bytes: what is where is the work of [`Order`], which knows numbers alone.

mod order;

use std::borrow::Borrow;
use std::iter::Map;
use std::ops::{Bound, RangeBounds};
use std::{fmt, mem};

use order::{Order, Place};

/// A map in the order of its keys.
#[derive(Clone)]
pub struct SortedMap<K, V> {
    order: Order,
    /// The items by their numbers; those that are gone leave holes for others.
    items: Vec<Option<(K, V)>>,
}

impl<K: Ord, V> SortedMap<K, V> {
    /// Makes an empty map.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the number of keys.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Tells whether there are no keys.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the place of a key, or the place where it belongs.
    fn place<Q: Ord + ?Sized>(&self, key: &Q) -> Result<Place, Place>
    where
        K: Borrow<Q>,
    {
        self.order.find(&|number| match &self.items[number] {
            Some((item, _)) => item.borrow().cmp(key),
            None => std::cmp::Ordering::Less,
        })
    }

    /// Returns the number of a key's item.
    fn number<Q: Ord + ?Sized>(&self, key: &Q) -> Option<usize>
    where
        K: Borrow<Q>,
    {
        self.place(key).ok().map(|place| self.order.number(place))
    }

    /// Returns the value of a key.
    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.items[self.number(key)?].as_ref().map(|(_, value)| value)
    }

    /// Returns the value of a key, to be changed.
    pub fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        let number = self.number(key)?;
        self.items[number].as_mut().map(|(_, value)| value)
    }

    /// Tells whether the map has the key.
    pub fn contains_key<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.place(key).is_ok()
    }

    /// Puts a value; returns the one that the key had. A key that is there already stays as it is.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        match self.place(&key) {
            Ok(place) => {
                let (_, held) = self.items[self.order.number(place)].as_mut()?;
                Some(mem::replace(held, value))
            }
            Err(place) => {
                let number = self.add(place);
                self.items[number] = Some((key, value));
                None
            }
        }
    }

    /// Returns the value of a key, which is made where it is absent.
    pub fn or_insert_with(&mut self, key: K, value: impl FnOnce() -> V) -> &mut V {
        let number = match self.place(&key) {
            Ok(place) => self.order.number(place),
            Err(place) => self.add(place),
        };
        &mut self.items[number].get_or_insert_with(|| (key, value())).1
    }

    /// Returns the value of a key, which is the default where it is absent.
    pub fn or_default(&mut self, key: K) -> &mut V
    where
        V: Default,
    {
        self.or_insert_with(key, V::default)
    }

    /// Adds a hole for an item at its place; returns its number.
    fn add(&mut self, place: Place) -> usize {
        let number = self.order.insert(place);
        if number == self.items.len() {
            self.items.push(None);
        }
        number
    }

    /// Takes a key out; returns its value.
    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let place = self.place(key).ok()?;
        self.items[self.order.remove(place)].take().map(|(_, value)| value)
    }

    /// Returns the least key and its value.
    pub fn first(&self) -> Option<(&K, &V)> {
        self.iter().next()
    }

    /// Takes the least key out.
    pub fn pop_first(&mut self) -> Option<(K, V)> {
        if self.is_empty() { None } else { self.items[self.order.remove(Place::FIRST)].take() }
    }

    /// Visits the items, the least key first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&K, &V)> {
        self.order
            .numbers()
            .filter_map(|number| self.items[*number].as_ref().map(|(key, value)| (key, value)))
    }

    /// Visits the items of a range of keys, the least first.
    pub fn range<Q: Ord + ?Sized>(
        &self,
        range: impl RangeBounds<Q>,
    ) -> impl DoubleEndedIterator<Item = (&K, &V)>
    where
        K: Borrow<Q>,
    {
        let from = match range.start_bound() {
            Bound::Unbounded => Place::FIRST,
            Bound::Included(key) => self.place(key).unwrap_or_else(|place| place),
            Bound::Excluded(key) => self.place(key).map_or_else(|place| place, Place::next),
        };
        let to = match range.end_bound() {
            Bound::Unbounded => Place::END,
            Bound::Included(key) => self.place(key).map_or_else(|place| place, Place::next),
            Bound::Excluded(key) => self.place(key).unwrap_or_else(|place| place),
        };
        let numbers = self.order.numbers_between(from, to);
        numbers.filter_map(|number| self.items[*number].as_ref().map(|(key, value)| (key, value)))
    }

    /// Takes everything out.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Visits the keys, the least first.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &K> {
        self.iter().map(|(key, _)| key)
    }

    /// Visits the values in the order of their keys.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &V> {
        self.iter().map(|(_, value)| value)
    }

    /// Visits the values in no order, to be changed.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.items.iter_mut().flatten().map(|(_, value)| value)
    }

    /// Turns the map into its values, in the order of their keys.
    pub fn into_values(self) -> impl Iterator<Item = V> {
        self.into_iter().map(|(_, value)| value)
    }

    /// Takes out the items that are not wanted.
    pub fn retain(&mut self, mut is_wanted: impl FnMut(&K, &mut V) -> bool) {
        let items = &mut self.items;
        self.order.retain(&mut |number| {
            let stays = items[number].as_mut().is_some_and(|(key, value)| is_wanted(key, value));
            if !stays {
                items[number] = None;
            }
            stays
        });
    }
}

impl<K, V> Default for SortedMap<K, V> {
    fn default() -> Self {
        Self { order: Order::default(), items: Vec::new() }
    }
}

/// The items of a [`SortedMap`], in the order of their keys.
#[derive(Debug)]
pub struct IntoIter<K, V> {
    numbers: order::Numbers,
    items: Vec<Option<(K, V)>>,
}

impl<K, V> Iterator for IntoIter<K, V> {
    type Item = (K, V);

    fn next(&mut self) -> Option<Self::Item> {
        self.items[self.numbers.next()?].take()
    }
}

impl<K, V> IntoIterator for SortedMap<K, V> {
    type Item = (K, V);
    type IntoIter = IntoIter<K, V>;

    fn into_iter(self) -> Self::IntoIter {
        IntoIter { numbers: self.order.into_numbers(), items: self.items }
    }
}

impl<K: Ord, V> Extend<(K, V)> for SortedMap<K, V> {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, items: I) {
        items.into_iter().for_each(|(key, value)| drop(self.insert(key, value)));
    }
}

impl<K: Ord, V> FromIterator<(K, V)> for SortedMap<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(items: I) -> Self {
        let mut map = Self::default();
        map.extend(items);
        map
    }
}

impl<K: Ord, V: PartialEq> PartialEq for SortedMap<K, V> {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().eq(other.iter())
    }
}

impl<K: Ord, V: Eq> Eq for SortedMap<K, V> {}

impl<K: Ord + fmt::Debug, V: fmt::Debug> fmt::Debug for SortedMap<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

/// A set in its items' order.
#[derive(Clone, PartialEq, Eq)]
pub struct SortedSet<T: Ord>(SortedMap<T, ()>);

impl<T: Ord> SortedSet<T> {
    /// Makes an empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the number of items.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Tells whether there are no items.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Tells whether the set has the item.
    pub fn contains<Q: Ord + ?Sized>(&self, item: &Q) -> bool
    where
        T: Borrow<Q>,
    {
        self.0.contains_key(item)
    }

    /// Puts an item; tells whether it is new.
    pub fn insert(&mut self, item: T) -> bool {
        self.0.insert(item, ()).is_none()
    }

    /// Takes an item out; tells whether it was there.
    pub fn remove<Q: Ord + ?Sized>(&mut self, item: &Q) -> bool
    where
        T: Borrow<Q>,
    {
        self.0.remove(item).is_some()
    }

    /// Returns the least item.
    pub fn first(&self) -> Option<&T> {
        self.iter().next()
    }

    /// Takes the least item out.
    pub fn pop_first(&mut self) -> Option<T> {
        self.0.pop_first().map(|(item, ())| item)
    }

    /// Visits the items, the least first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.0.keys()
    }
}

impl<T: Ord> IntoIterator for SortedSet<T> {
    type Item = T;
    type IntoIter = Map<<SortedMap<T, ()> as IntoIterator>::IntoIter, fn((T, ())) -> T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter().map(|(item, ())| item)
    }
}

impl<T: Ord> Default for SortedSet<T> {
    fn default() -> Self {
        Self(SortedMap::default())
    }
}

impl<T: Ord> Extend<T> for SortedSet<T> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, items: I) {
        items.into_iter().for_each(|item| {
            self.insert(item);
        });
    }
}

impl<T: Ord> FromIterator<T> for SortedSet<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        let mut set = Self::default();
        set.extend(items);
        set
    }
}

impl<T: Ord + fmt::Debug> fmt::Debug for SortedSet<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests;
