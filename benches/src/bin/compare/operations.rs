//! The operations that are measured, in this order.

use haos_contest::Order;

pub(crate) const BULK: &str = "bulk insert, CPU a message";
pub(crate) const IMPORT: &str = "initial import in one commit, a message";
pub(crate) const NEWEST: &str = "newest 50";
pub(crate) const DEEP: &str = "page of 50, deep";
pub(crate) const AROUND: &str = "page of 51 around a message";
pub(crate) const GET: &str = "get by id";
pub(crate) const RELATED: &str = "what relates to a message";
pub(crate) const ROOMS: &str = "50 rooms by recency";
pub(crate) const RELAXED: &str = "sync commit, Relaxed";
pub(crate) const STRICT: &str = "sync commit, Strict";
pub(crate) const SEND: &str = "enqueue + sent";
pub(crate) const WARM: &str = "open + first page, warm";
pub(crate) const COLD: &str = "open + first page, cold";
pub(crate) const SIZE: &str = "size of the files";

const KIB_4: usize = 4 << 10;
const MIB_1: usize = 1 << 20;
const MIB_50: usize = 50 << 20;

/// After the bulk: how it is called, what a pass is, and whether there are few passes.
pub(crate) const OPERATIONS: [(&str, Order, bool); 20] = [
    (NEWEST, Order::Newest(300), false),
    (DEEP, Order::Deep(300), false),
    (AROUND, Order::Around(300), false),
    (GET, Order::Get(1000), false),
    (RELATED, Order::Related(500), false),
    (ROOMS, Order::Rooms(100), false),
    (WARM, Order::Restart { cold: false }, false),
    (COLD, Order::Restart { cold: true }, false),
    (RELAXED, Order::Sync { calls: 60, strict: false }, false),
    (STRICT, Order::Sync { calls: 60, strict: true }, false),
    (SEND, Order::Send(60), false),
    ("put 4 KiB of media", Order::PutMedia { calls: 60, bytes: KIB_4 }, false),
    ("read 4 KiB of media", Order::Media { calls: 60, bytes: KIB_4, part: false }, false),
    ("put 1 MiB of media", Order::PutMedia { calls: 10, bytes: MIB_1 }, false),
    ("read 1 MiB of media", Order::Media { calls: 10, bytes: MIB_1, part: false }, false),
    ("4 KiB out of 1 MiB", Order::Media { calls: 60, bytes: MIB_1, part: true }, false),
    ("put 50 MiB of media", Order::PutMedia { calls: 1, bytes: MIB_50 }, true),
    ("read 50 MiB of media", Order::Media { calls: 1, bytes: MIB_50, part: false }, true),
    ("4 KiB out of 50 MiB", Order::Media { calls: 10, bytes: MIB_50, part: true }, true),
    (BUSY, Order::Busy { readers: 8, ms: 2000 }, true),
];

/// A table of its own.
pub(crate) const BUSY: &str = "newest 50 beside a writer";

/// Those that write.
pub(crate) const WRITES: [&str; 5] = [BULK, IMPORT, RELAXED, STRICT, SEND];
