//! The steps of a script, over a space of keys so small that they collide.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{Just, Strategy, any, prop_oneof};

/// A step. Its numbers name keys; see `resolve.rs` for what they mean.
#[derive(Debug, Clone)]
pub(super) enum Step {
    /// Applies a batch.
    Apply { strict: bool, expect: Vec<Expect>, ops: Vec<Draft> },
    /// Opens the store anew.
    Reopen,
    /// Takes a cursor from a page, to be followed by all later steps.
    Hold { room: u8, limit: u8, older: bool },
}

/// A precondition that holds (if what it names is as the script knows it), or one that may not.
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
pub(super) enum Draft {
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
    pub(super) wire: Option<u8>,
    pub(super) fence: u8,
    pub(super) due: u8,
    pub(super) sent_as: Option<u8>,
    pub(super) target: Option<u8>,
    pub(super) media: Option<u8>,
}

pub(super) const ROOMS: u8 = 3;
pub(super) const EVENTS: u8 = 6;
pub(super) const POSITIONS: u8 = 12;
pub(super) const TXNS: u8 = 3;
pub(super) const ITEMS: u8 = 2;
pub(super) const NAMES: u8 = 3;

/// A script: up to twelve steps.
pub(super) fn script() -> impl Strategy<Value = Vec<Step>> {
    vec(step(), 1..=12)
}

fn step() -> impl Strategy<Value = Step> {
    let apply = (any::<bool>(), vec(expect(), 0..=1), vec(draft(), 1..=4));
    let expecting = (any::<bool>(), vec(expect(), 1..=2), vec(draft(), 0..=2));
    let hold = (room(), 1..4u8, any::<bool>());
    prop_oneof![
        8 => apply.prop_map(|(strict, expect, ops)| Step::Apply { strict, expect, ops }),
        2 => expecting.prop_map(|(strict, expect, ops)| Step::Apply { strict, expect, ops }),
        1 => Just(Step::Reopen),
        2 => hold.prop_map(|(room, limit, older)| Step::Hold { room, limit, older }),
    ]
}

/// The first two rooms are there from the start, the third must be put.
fn room() -> impl Strategy<Value = u8> {
    prop_oneof![6 => Just(0u8), 3 => Just(1u8), 1 => Just(2u8)]
}

fn expect() -> impl Strategy<Value = Expect> {
    let seen = || prop_oneof![6 => Just(Seen::AsItIs), 1 => Just(Seen::Absent), 1 => Just(Seen::Older)];
    prop_oneof![
        (room(), seen()).prop_map(|(room, seen)| Expect::Room { room, seen }),
        (0..TXNS, seen()).prop_map(|(txn, seen)| Expect::Pending { txn, seen }),
        (room(), 0..POSITIONS, seen()).prop_map(|(room, at, seen)| Expect::Gap { room, at, seen }),
    ]
}

fn draft() -> impl Strategy<Value = Draft> {
    prop_oneof![2 => timeline().boxed(), 1 => others().boxed()]
}

fn timeline() -> impl Strategy<Value = Draft> {
    let event = || 0..EVENTS;
    let at = || 0..POSITIONS;
    let space = any::<bool>();
    prop_oneof![
        2 => (room(), 0..3u8, 0..4u8, space)
            .prop_map(|(room, name, active, space)| Draft::Room { room, name, active, space }),
        1 => room().prop_map(|room| Draft::DropRoom { room }),
        12 => said().prop_map(Draft::Message),
        1 => (room(), event()).prop_map(|(room, event)| Draft::DropMessage { room, event }),
        2 => (room(), event(), event()).prop_map(|(room, event, by)| Draft::Redact { room, event, by }),
        2 => (room(), 0..5u8, option::of(event()))
            .prop_map(|(room, keep, protect)| Draft::Prune { room, keep, protect }),
        4 => (room(), at(), option::of(0..2u8)).prop_map(|(room, at, token)| Draft::Gap { room, at, token }),
        1 => (room(), at()).prop_map(|(room, at)| Draft::DropGap { room, at }),
        1 => (room(), vec((at(), at()), 0..3)).prop_map(|(room, pairs)| Draft::Renumber { room, pairs }),
        1 => (room(), 0..4u8, 0..4u8).prop_map(|(room, first, second)| Draft::Swap { room, first, second }),
        1 => (room(), at()).prop_map(|(room, from)| Draft::Pack { room, from }),
    ]
}

fn said() -> impl Strategy<Value = Said> {
    let rarely = || prop_oneof![7 => Just(false), 1 => Just(true)];
    let place = (room(), 0..EVENTS, 0..POSITIONS);
    let what = (0..3u8, 0..2u8, option::of((0..4u8, 0..EVENTS)));
    let flags = (any::<bool>(), any::<bool>(), rarely());
    (place, what, flags).prop_map(
        |((room, event, at), (body, sender, about), (own, provisional, emptied))| Said {
            room,
            event,
            at,
            body,
            sender,
            about,
            own,
            provisional,
            emptied,
        },
    )
}

fn others() -> impl Strategy<Value = Draft> {
    let item = || 0..ITEMS;
    let entry = || (0..=ROOMS, 0..NAMES);
    prop_oneof![
        5 => unsent().prop_map(Draft::Pending),
        1 => (0..TXNS).prop_map(|txn| Draft::DropPending { txn }),
        3 => (item(), 0..6u8, any::<bool>(), 0..4u8, any::<bool>())
            .prop_map(|(item, len, shared, used, pinned)| Draft::Media { item, len, shared, used, pinned }),
        2 => (item(), 0..6u8, prop_oneof![4 => Just(true), 1 => Just(false)])
            .prop_map(|(item, len, fits)| Draft::Append { item, len, fits }),
        1 => (item(), item()).prop_map(|(from, to)| Draft::Rename { from, to }),
        1 => (vec(item(), 0..3), 0..4u8).prop_map(|(items, now)| Draft::Touch { items, now }),
        1 => item().prop_map(|item| Draft::DropMedia { item }),
        1 => (0..4u8, 0..4u8, 0..3u8, 0..4u8)
            .prop_map(|(total, each, idle, now)| Draft::Evict { total, each, idle, now }),
        3 => (entry(), 0..3u8).prop_map(|((scope, name), value)| Draft::State { scope, name, value }),
        1 => entry().prop_map(|(scope, name)| Draft::DropState { scope, name }),
    ]
}

fn unsent() -> impl Strategy<Value = Unsent> {
    let which = (0..TXNS, prop_oneof![9 => Just(0u8), 1 => Just(1u8)]);
    let what = (0..2u8, any::<bool>(), option::of(0..2u8), 0..4u8, 0..3u8);
    let rest = (option::of(0..EVENTS), option::of(0..EVENTS), option::of(0..ITEMS));
    (which, what, rest).prop_map(
        |((txn, room), (body, tried, wire, fence, due), (sent_as, target, media))| Unsent {
            txn,
            room,
            body,
            tried,
            wire,
            fence,
            due,
            sent_as,
            target,
            media,
        },
    )
}
