//! The steps of a script, over a space of keys so small that they collide.

use proptest::array::{uniform4, uniform12};
use proptest::collection::vec;
use proptest::prelude::{Strategy, any};

/// A step. Its numbers name keys; `resolve.rs` gives their meaning.
#[derive(Debug, Clone)]
pub(super) enum Action {
    /// Applies a batch.
    Apply { strict: bool, expect: Vec<Expect>, ops: Vec<Sketch> },
    /// Opens the store again.
    Reopen,
    /// Takes a cursor from a page, to be followed by all later steps.
    Hold { room: u8, limit: u8, older: bool },
}

/// A precondition that holds (if its subject is as the script knows it), or one that may not.
#[derive(Debug, Clone)]
pub(super) enum Expect {
    Room { room: u8, seen: Seen },
    Pending { txn: u8, seen: Seen },
    Gap { room: u8, at: u8, seen: Seen },
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Seen {
    AsItIs,
    Absent,
    Older,
}

/// An operation.
#[derive(Debug, Clone)]
pub(super) enum Sketch {
    Room {
        room: u8,
        name: u8,
        active: u8,
        space: bool,
    },
    DropRoom {
        room: u8,
    },
    Message(Said),
    DropMessage {
        room: u8,
        event: u8,
    },
    Redact {
        room: u8,
        event: u8,
        by: u8,
    },
    Prune {
        room: u8,
        keep: u8,
        protect: Option<u8>,
    },
    Gap {
        room: u8,
        at: u8,
        token: Option<u8>,
    },
    DropGap {
        room: u8,
        at: u8,
    },
    /// Any pairs of positions.
    Renumber {
        room: u8,
        pairs: Vec<(u8, u8)>,
    },
    /// Two items of the timeline change places.
    Swap {
        room: u8,
        first: u8,
        second: u8,
    },
    /// All items move next to each other, from a position on.
    Pack {
        room: u8,
        from: u8,
    },
    Pending(Unsent),
    DropPending {
        txn: u8,
    },
    Media {
        item: u8,
        len: u8,
        shared: bool,
        used: u8,
        pinned: bool,
    },
    Append {
        item: u8,
        len: u8,
        fits: bool,
    },
    Rename {
        from: u8,
        to: u8,
    },
    Touch {
        items: Vec<u8>,
        now: u8,
    },
    Pin {
        item: u8,
        pinned: bool,
    },
    DropMedia {
        item: u8,
    },
    Evict {
        total: u8,
        each: u8,
        idle: u8,
        now: u8,
    },
    State {
        scope: u8,
        name: u8,
        value: u8,
    },
    DropState {
        scope: u8,
        name: u8,
    },
}

#[derive(Debug, Clone)]
pub(super) struct Said {
    pub(super) room: u8,
    pub(super) event: u8,
    pub(super) at: u8,
    pub(super) body: u8,
    pub(super) sender: u8,
    pub(super) about: Option<(u8, u8)>,
    pub(super) own: bool,
    pub(super) provisional: bool,
    pub(super) emptied: bool,
}

#[derive(Debug, Clone)]
pub(super) struct Unsent {
    pub(super) txn: u8,
    pub(super) room: u8,
    pub(super) body: u8,
    pub(super) tried: bool,
    pub(super) doubted: bool,
    pub(super) wire: Option<u8>,
    pub(super) fence: u8,
    pub(super) due: u8,
    pub(super) sent_as: Option<u8>,
    pub(super) anchor: Option<u8>,
    pub(super) parent: Option<u8>,
    pub(super) target: Option<u8>,
    pub(super) media: Option<u8>,
}

pub(super) const ROOMS: u8 = 3;
pub(super) const EVENTS: u8 = 6;
pub(super) const POSITIONS: u8 = 12;
pub(super) const TXNS: u8 = 3;
pub(super) const ITEMS: u8 = 2;
pub(super) const NAMES: u8 = 3;

/// Makes a script: up to twelve steps, each read off a few random bytes. Bytes shrink towards zero, and so do the keys,
/// without a strategy for each shape.
pub(super) fn script() -> impl Strategy<Value = Vec<Action>> {
    let draft = || uniform12(any::<u8>());
    let step = (any::<u8>(), vec(uniform4(any::<u8>()), 0..=2), vec(draft(), 1..=4));
    vec(step, 1..=12)
        .prop_map(|steps| steps.into_iter().map(|(kind, expect, ops)| step_of(kind, &expect, &ops)).collect())
}

fn step_of(kind: u8, expect: &[[u8; 4]], ops: &[[u8; 12]]) -> Action {
    match kind % 16 {
        14 => Action::Reopen,
        13 | 15 => {
            let [room, limit, older, ..] = ops.first().copied().unwrap_or_default();
            Action::Hold { room: room_of(room), limit: 1 + limit % 3, older: older % 2 == 1 }
        }
        n => {
            // Most batches expect nothing, since one wrong guess refuses all of it.
            let expect = if n < 10 { &[] } else { expect };
            Action::Apply {
                strict: n % 2 == 0,
                expect: expect.iter().map(expect_of).collect(),
                ops: ops.iter().map(draft_of).collect(),
            }
        }
    }
}

/// The first two rooms are there from the start, the third must be put.
fn room_of(byte: u8) -> u8 {
    match byte % 16 {
        0..10 => 0,
        10..15 => 1,
        _ => 2,
    }
}

/// `None` for a third of the bytes, zero included.
fn maybe(byte: u8, keys: u8) -> Option<u8> {
    match byte % 3 {
        0 => None,
        _ => Some(byte / 3 % keys),
    }
}

fn expect_of([kind, room, which, seen]: &[u8; 4]) -> Expect {
    let seen = match seen % 8 {
        6 => Seen::Absent,
        7 => Seen::Older,
        _ => Seen::AsItIs,
    };
    let room = room_of(*room);
    match kind % 3 {
        0 => Expect::Room { room, seen },
        1 => Expect::Pending { txn: which % TXNS, seen },
        _ => Expect::Gap { room, at: which % POSITIONS, seen },
    }
}

pub(super) fn draft_of(bytes: &[u8; 12]) -> Sketch {
    let [kind, room, a, b, c, d, ..] = *bytes;
    let room = room_of(room);
    match kind % 64 {
        0..16 => Sketch::Message(said_of(bytes)),
        16..19 => Sketch::Room { room, name: a % 3, active: b % 4, space: c % 2 == 1 },
        19 => Sketch::DropRoom { room },
        20..22 => Sketch::DropMessage { room, event: a % EVENTS },
        22..25 => Sketch::Redact { room, event: a % EVENTS, by: b % EVENTS },
        25..28 => Sketch::Prune { room, keep: a % 5, protect: maybe(b, EVENTS) },
        28..33 => Sketch::Gap { room, at: a % POSITIONS, token: maybe(b, 2) },
        33..35 => Sketch::DropGap { room, at: a % POSITIONS },
        35 => {
            let pairs = [(a, b), (c, d)].map(|(from, to)| (from % POSITIONS, to % POSITIONS));
            Sketch::Renumber { room, pairs: pairs[..usize::from(c % 3)].to_vec() }
        }
        36..38 => Sketch::Swap { room, first: a % 4, second: b % 4 },
        38..40 => Sketch::Pack { room, from: a % POSITIONS },
        40..46 => Sketch::Pending(unsent_of(bytes)),
        46 => Sketch::DropPending { txn: a % TXNS },
        47..51 => Sketch::Media {
            item: a % ITEMS,
            len: b % 6,
            shared: c % 2 == 1,
            used: d % 4,
            pinned: d % 16 > 11,
        },
        51..53 => Sketch::Append { item: a % ITEMS, len: b % 6, fits: c % 5 != 4 },
        53 => Sketch::Pin { item: a % ITEMS, pinned: b % 2 == 1 },
        54 => Sketch::Rename { from: a % ITEMS, to: b % ITEMS },
        55 => Sketch::Touch { items: vec![a % ITEMS, b % ITEMS], now: c % 4 },
        56 => Sketch::DropMedia { item: a % ITEMS },
        57..59 => Sketch::Evict { total: a % 4, each: b % 4, idle: c % 3, now: d % 4 },
        59..63 => Sketch::State { scope: a % (ROOMS + 1), name: b % NAMES, value: c % 3 },
        _ => Sketch::DropState { scope: a % (ROOMS + 1), name: b % NAMES },
    }
}

fn said_of([_, room, event, at, body, sender, about, target, flags, ..]: &[u8; 12]) -> Said {
    Said {
        room: room_of(*room),
        event: event % EVENTS,
        at: at % POSITIONS,
        body: body % 3,
        sender: sender % 2,
        about: maybe(*about, 4).map(|kind| (kind, target % EVENTS)),
        own: flags & 1 != 0,
        provisional: flags & 2 != 0,
        emptied: flags & 0b11100 == 0b11100,
    }
}

fn unsent_of(
    [_, room, txn, body, tried, wire, fence, due, sent_as, target, media, ties]: &[u8; 12],
) -> Unsent {
    Unsent {
        txn: txn % TXNS,
        room: u8::from(room % 8 == 7),
        body: body % 2,
        tried: tried % 2 == 1,
        doubted: tried % 8 == 3,
        wire: maybe(*wire, 2),
        fence: fence % 4,
        due: due % 3,
        sent_as: maybe(*sent_as, EVENTS),
        anchor: maybe(ties % 16, EVENTS),
        parent: maybe(ties / 16, TXNS),
        target: maybe(*target, EVENTS),
        media: maybe(*media, ITEMS),
    }
}
