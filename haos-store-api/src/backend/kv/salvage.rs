use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::columns::Cut;
use super::keys;
use super::reader::{Order, Reader};
use super::tree::{Pair, Tree};
use crate::files::StoreId;
use crate::native::{Mirror, Salvage};
use crate::{ByteRange, Reads};

/// Reads all readable rows of a damaged tree, which may fail and panic, and completes the outbox from its mirror. `id` is
/// that of the store, if it is known.
pub fn salvage<T: Tree>(reader: Reader<'_, T>, mirror: &Mirror, id: Option<StoreId>) -> Salvage {
    let mut found = Salvage::default();
    found.read_pending(&sequence_numbers(reader), |seq| reader.pending_at(seq));
    let head = catch_unwind(AssertUnwindSafe(|| reader.head())).ok().and_then(Result::ok).flatten();
    mirror.complete(&mut found, reader.codec, id, head.map(|head| head.revision));
    found.read_media(|key| reader.media(key, ByteRange::ALL));
    each(reader, keys::STATE, Order::Up, |(key, row)| {
        if let Ok(entry) = reader.read_state(&key, &row) {
            found.keep_draft(entry, |id| reader.room(id));
        }
    });
    if let Some(head) = head {
        found.count(head.last_seq, head.revision);
    }
    found
}

/// Lists the outbox rows that a key or an index names, from either end and through each index: damage cuts off the rows
/// behind it.
fn sequence_numbers<T: Tree>(reader: Reader<'_, T>) -> BTreeSet<u64> {
    let mut seqs = BTreeSet::new();
    for (tag, order) in [
        (keys::PENDING, Order::Up),
        (keys::PENDING, Order::Down),
        (keys::PENDING_TXN, Order::Up),
        (keys::PENDING_ROOM, Order::Up),
    ] {
        each(reader, tag, order, |(key, row)| {
            seqs.extend(match tag {
                keys::PENDING_TXN => Cut(&row).count().ok(),
                _ => keys::parse_seq(&key),
            });
        });
    }
    seqs
}

/// Takes the pairs of a collection, up to the first unreadable one.
fn each<T: Tree>(reader: Reader<'_, T>, tag: u8, order: Order, take: impl FnMut(Pair<T::Bytes>)) {
    let pairs = || reader.scan(keys::whole(tag), order).map_while(Result::ok).for_each(take);
    // A scan that panicked is not used again.
    let _ = catch_unwind(AssertUnwindSafe(pairs));
}
