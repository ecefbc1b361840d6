//! Scans that go on behind damage.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::super::keys;
use super::super::reader::{Order, Reader, Scan};
use super::super::tree::{Pair, Tree};
use super::probes::probes;
use crate::Result;

/// A find of a sweep.
pub(super) enum Found<B> {
    Pair(Pair<B>),
    /// Pairs may be missing here.
    Torn,
}

/// Visits the readable pairs of a collection in the order of their keys: up to the first unreadable one, and on from
/// every key that an index names, and from the lowest that is reached from the end.
pub(super) fn sweep<T: Tree>(
    from: Reader<'_, T>,
    tag: u8,
    visit: &mut dyn FnMut(Found<T::Bytes>) -> Result<()>,
) -> Result<()> {
    let (mut start, end) = keys::whole(tag);
    let mut last = None;
    let mut starts: Option<BTreeSet<Vec<u8>>> = None;
    loop {
        if run(from, (start.clone(), end.clone()), &mut last, visit)? {
            return Ok(());
        }
        visit(Found::Torn)?;
        let starts = starts.get_or_insert_with(|| {
            let mut starts = probes(from, tag);
            starts.extend(lowest_from_the_end(from, tag, last.as_ref()));
            starts
        });
        let reached = last.clone().max(Some(start));
        match starts.iter().find(|key| Some(*key) > reached.as_ref()) {
            Some(next) => start = next.clone(),
            None => return Ok(()),
        }
    }
}

/// Visits the pairs of a span that are beyond `last`; `false`: up to an unreadable one.
fn run<T: Tree>(
    from: Reader<'_, T>,
    span: (Vec<u8>, Vec<u8>),
    last: &mut Option<Vec<u8>>,
    visit: &mut dyn FnMut(Found<T::Bytes>) -> Result<()>,
) -> Result<bool> {
    let Some(mut scan) = guarded(|| from.scan(span, Order::Up)) else { return Ok(false) };
    loop {
        match next(&mut scan) {
            None => return Ok(false),
            Some(None) => return Ok(true),
            Some(Some((key, _))) if last.as_deref().is_some_and(|last| *key <= *last) => {}
            Some(Some(pair)) => {
                *last = Some(pair.0.to_vec());
                visit(Found::Pair(pair))?;
            }
        }
    }
}

/// Returns the lowest key that is readable from the end on.
fn lowest_from_the_end<T: Tree>(from: Reader<'_, T>, tag: u8, last: Option<&Vec<u8>>) -> Option<Vec<u8>> {
    let mut scan = guarded(|| from.scan(keys::whole(tag), Order::Down))?;
    let mut lowest = None;
    while let Some(Some((key, _))) = next(&mut scan)
        && last.is_none_or(|last| **last < *key)
    {
        lowest = Some(key.to_vec());
    }
    lowest
}

/// Reads the next pair; absent if that is not readable. A scan that failed is not used again.
fn next<B: std::ops::Deref<Target = [u8]> + Clone + From<Vec<u8>>>(
    scan: &mut Scan<'_, B>,
) -> Option<Option<Pair<B>>> {
    guarded(|| scan.next().transpose().ok())?
}

/// Returns what a read gives that may panic.
pub(super) fn guarded<T>(read: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(read)).ok()
}
