//! Keys from which a scan may go on behind damage.

use std::collections::BTreeSet;

use super::super::columns::Cut;
use super::super::keys;
use super::super::reader::{Order, Reader};
use super::super::tree::{Pair, Tree};
use super::sweep::guarded;
use crate::Position;

/// The most keys that are tried, those of the lowest: each costs a descent.
const MOST: usize = 100_000;

/// Lists keys of a collection that indexes name, and some that divide it.
pub(super) fn probes<T: Tree>(from: Reader<'_, T>, tag: u8) -> BTreeSet<Vec<u8>> {
    // Most keys begin with a hash.
    let mut found: BTreeSet<Vec<u8>> = (0..=u8::MAX).map(|byte| vec![tag, byte]).collect();
    let mut add = |key: Option<Vec<u8>>| {
        found.extend(key);
        if found.len() > MOST {
            found.pop_last();
        }
    };
    match tag {
        keys::ROOM => {
            each(from, keys::NUMBER, Order::Up, |(_, row)| {
                add(Cut(&row).key().ok().map(|key| keys::room(&key)))
            });
            each(from, keys::ACTIVITY, Order::Up, |(key, _)| {
                add(keys::parse_last(&key).map(|key| keys::room(&key)));
            });
        }
        keys::MESSAGE => each(from, keys::EVENT, Order::Up, |(key, row)| {
            let place = keys::parse_event(&key).zip(keys::parse_position(&row));
            add(place.map(|((nr, _), at)| keys::message(nr, at)));
        }),
        keys::GAP => each(from, keys::NUMBER, Order::Up, |(key, _)| {
            let nr = key.get(1..).and_then(|key| Cut(key).nr().ok());
            add(nr.map(|nr| keys::gap(nr, Position::MIN)));
        }),
        keys::PENDING => seqs(from).into_iter().for_each(|seq| add(Some(keys::pending(seq)))),
        _ => {}
    }
    found
}

/// Counts the outbox rows that an index names.
pub(super) fn named_seqs<T: Tree>(from: Reader<'_, T>) -> u64 {
    seqs(from).len() as u64
}

fn seqs<T: Tree>(from: Reader<'_, T>) -> BTreeSet<u64> {
    let mut seqs = BTreeSet::new();
    for order in [Order::Up, Order::Down] {
        each(from, keys::PENDING_TXN, order, |(_, row)| seqs.extend(Cut(&row).count().ok()));
        each(from, keys::PENDING_ROOM, order, |(key, _)| seqs.extend(keys::parse_seq(&key)));
    }
    seqs
}

/// Takes the pairs of a collection, up to the first unreadable one.
fn each<T: Tree>(from: Reader<'_, T>, tag: u8, order: Order, take: impl FnMut(Pair<T::Bytes>)) {
    let pairs = || from.scan(keys::whole(tag), order).map_while(Result::ok).for_each(take);
    // What was taken before a panic stays.
    let _ = guarded(pairs);
}
