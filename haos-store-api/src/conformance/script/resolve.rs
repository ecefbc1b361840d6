//! Turns the numbers of a script into operations, with the model's knowledge.

use super::model::Model;
use super::step::{Expect, Said, Seen, Sketch, Unsent};
use crate::conformance::make::{self, at, bytes, event, json, kind, media_key, room, state, txn, user};
use crate::*;

/// Neighbours in the middle and at both ends.
pub(super) fn position(n: u8) -> Position {
    match n {
        0 => Position::MIN,
        1 => Position::MIN.newer(1).unwrap_or(Position::MIN),
        10 => Position::MAX.older(1).unwrap_or(Position::MAX),
        11 => Position::MAX,
        n => at(u64::from(n)),
    }
}

pub(super) fn moment(n: u8) -> i64 {
    [i64::MIN, -1, 10, 2_000].get(usize::from(n)).copied().unwrap_or(0)
}

fn len(n: u8) -> usize {
    [0, 1, 5, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 3].get(usize::from(n)).copied().unwrap_or(0)
}

/// Scope 0 is the account.
pub(super) fn scope(n: u8) -> Scope {
    n.checked_sub(1).map_or(Scope::Account, |n| Scope::Room(room(n.into())))
}

fn relation(n: u8, target: u8) -> Relation {
    let (kind, key) = match n {
        0 => (RelationKind::Edit, None),
        1 => (RelationKind::Reaction, Some("+".to_owned())),
        2 => (RelationKind::Thread, None),
        _ => (RelationKind::Other("x".to_owned()), None),
    };
    Relation { kind, target: event(target.into()), key }
}

pub(super) fn batch(model: &Model, strict: bool, expect: &[Expect], ops: &[Sketch]) -> WriteBatch {
    let mut batch = if strict { WriteBatch::strict() } else { WriteBatch::relaxed() };
    for one in expect {
        batch.expect(precondition(model, one));
    }
    for draft in ops {
        batch.push(op(model, draft));
    }
    batch
}

fn precondition(model: &Model, expect: &Expect) -> Precondition {
    let pick = |now: Option<Revision>, seen: Seen| match seen {
        Seen::AsItIs => now,
        Seen::Absent => None,
        Seen::Older => Some(now.map_or(Revision(1), |revision| Revision(revision.0.wrapping_sub(1)))),
    };
    match expect {
        Expect::Room { room: n, seen } => {
            let id = room((*n).into());
            let now = model.room(&id).map(|room| room.revision);
            Precondition::Room(id, pick(now, *seen))
        }
        Expect::Pending { txn: n, seen } => {
            let id = txn((*n).into());
            let now = model.pending.iter().find(|row| row.txn_id == id).map(|row| row.revision);
            Precondition::Pending(id, pick(now, *seen))
        }
        Expect::Gap { room: n, at, seen } => {
            let (id, at) = (room((*n).into()), position(*at));
            let now = model.gaps.iter().find(|gap| gap.room == id && gap.position == at);
            let now = now.map(|gap| gap.revision);
            Precondition::Gap(id, at, pick(now, *seen))
        }
    }
}

pub(super) fn op(model: &Model, draft: &Sketch) -> Op {
    let places = |n: u8| model.timeline(&room(n.into())).iter().map(Item::position).collect::<Vec<_>>();
    match draft {
        Sketch::Room { room: n, name, active, space } => Op::PutRoom(Room {
            name: (*name > 0).then(|| name.to_string()),
            spaces: space.then(|| room(9)).into_iter().collect(),
            membership: if *name == 2 { Membership::Leave } else { Membership::Join },
            last_activity_ms: moment(*active),
            ..make::a_room((*n).into())
        }),
        Sketch::DropRoom { room: n } => Op::RemoveRoom(room((*n).into())),
        Sketch::Message(said) => Op::PutMessage(message(said)),
        Sketch::DropMessage { room: n, event: e } => Op::RemoveMessage(room((*n).into()), event((*e).into())),
        Sketch::Redact { room: n, event: e, by } => Op::Redact(Redact {
            room: room((*n).into()),
            target: event((*e).into()),
            by: event((*by).into()),
            content: Json::empty(),
        }),
        Sketch::Prune { room: n, keep, protect } => Op::Prune(Prune {
            room: room((*n).into()),
            keep: (*keep).into(),
            protect: protect.iter().map(|e| event((*e).into())).collect(),
        }),
        Sketch::Gap { room: n, at, token } => Op::PutGap(Gap {
            room: room((*n).into()),
            position: position(*at),
            token: token.map(|token| token.to_string()),
            revision: Revision::ZERO,
        }),
        Sketch::DropGap { room: n, at } => Op::RemoveGap(room((*n).into()), position(*at)),
        Sketch::Renumber { room: n, pairs } => {
            let moves = pairs.iter().map(|(from, to)| (position(*from), position(*to)));
            Op::Renumber(room((*n).into()), moves.collect())
        }
        Sketch::Swap { room: n, first, second } => {
            let places = places(*n);
            let pair = places.get(usize::from(*first)).zip(places.get(usize::from(*second)));
            let moves = pair.into_iter().flat_map(|(a, b)| [(*a, *b), (*b, *a)]);
            // An item with itself is one move.
            let moves = moves.take(if first == second { 1 } else { 2 });
            Op::Renumber(room((*n).into()), moves.collect())
        }
        Sketch::Pack { room: n, from } => {
            let from = position(*from);
            let moves = places(*n).into_iter().enumerate().filter_map(|(i, old)| {
                let new = from.newer(i as u64)?;
                Some((old, new))
            });
            Op::Renumber(room((*n).into()), moves.collect())
        }
        Sketch::Pending(unsent) => Op::PutPending(pending(unsent)),
        Sketch::DropPending { txn: n } => Op::RemovePending(txn((*n).into())),
        _ => media_or_state(model, draft),
    }
}

fn media_or_state(model: &Model, draft: &Sketch) -> Op {
    let item = |n: u8| media_key(n.into());
    match draft {
        Sketch::Media { item: n, len: l, shared, used, pinned } => {
            let info = MediaInfo {
                rooms: if *shared { vec![room(0), room(1)] } else { vec![room(1)] },
                pinned: *pinned,
                ..make::media((*n).into(), moment(*used))
            };
            Op::PutMedia(info, bytes(len(*l)))
        }
        Sketch::Append { item: n, len: l, fits } => {
            let size = model.media.iter().find(|(info, _)| info.key == item(*n)).map_or(0, |(i, _)| i.size);
            Op::AppendMedia { key: item(*n), at: size + u64::from(!fits), bytes: bytes(len(*l)) }
        }
        Sketch::Rename { from, to } => Op::RenameMedia(item(*from), item(*to)),
        Sketch::Touch { items, now } => {
            Op::TouchMedia(items.iter().map(|n| item(*n)).collect(), moment(*now))
        }
        Sketch::Pin { item: n, pinned } => Op::PinMedia(item(*n), *pinned),
        Sketch::DropMedia { item: n } => Op::RemoveMedia(item(*n)),
        Sketch::Evict { total, each, idle, now } => {
            let bytes = |n: u8| [0, 4, 70_000, u64::MAX].get(usize::from(n)).copied().unwrap_or(0);
            let max_idle_ms = [0, 100, i64::MAX].get(usize::from(*idle)).copied().unwrap_or(0);
            let policy = MediaPolicy { max_total: bytes(*total), max_item: bytes(*each), max_idle_ms };
            Op::EvictMedia(policy, moment(*now))
        }
        Sketch::DropState { scope: s, name } => {
            let (kind, key) = name_of(*name);
            Op::RemoveState(scope(*s), kind, key)
        }
        Sketch::State { scope: s, name, value } => {
            let (kind, key) = name_of(*name);
            let event_id = (*value == 2).then(|| event(0));
            let entry = state(scope(*s), kind.as_str(), key.as_str(), &value.to_string());
            Op::PutState(StateEntry { event_id, ..entry })
        }
        // The others are not handed on.
        _ => Op::TouchMedia(Vec::new(), 0),
    }
}

fn name_of(n: u8) -> (EventType, StateKey) {
    let (kind_text, key_text) = [("b", ""), ("a", "x"), ("b", "x")][usize::from(n % 3)];
    (kind(kind_text), make::key(key_text))
}

fn message(said: &Said) -> Message {
    Message {
        room: room(said.room.into()),
        id: event(said.event.into()),
        position: position(said.at),
        sender: user(said.sender.into()),
        timestamp_ms: moment(said.body),
        content: json(&format!("{{\"body\":{}}}", said.body)),
        relation: said.about.map(|(kind, target)| relation(kind, target)),
        // An event has one transaction id, if any.
        txn_id: (said.own && said.event < 3).then(|| txn(said.event.into())),
        redacted_by: said.emptied.then(|| event(7)),
        provisional: said.provisional,
        extra: (said.body == 2).then(Json::empty),
        ..make::message(0)
    }
}

fn pending(unsent: &Unsent) -> Pending {
    Pending {
        room: room(unsent.room.into()),
        content: json(&unsent.body.to_string()),
        wire: unsent.wire.map(|n| json(&n.to_string())),
        wire_kind: unsent.wire.filter(|n| *n == 1).map(|_| make::kind("m.wire")),
        ambiguous: unsent.doubted,
        first_attempt_ms: unsent.tried.then_some(5),
        created_ms: i64::from(unsent.fence),
        attempts: unsent.due.into(),
        fence: unsent.fence.into(),
        not_before_ms: moment(unsent.due),
        event_id: unsent.sent_as.map(|n| event(n.into())),
        anchor: unsent.anchor.map(|n| event(n.into())),
        parent: unsent.parent.map(|n| txn(n.into())),
        target: unsent.target.map(|n| event(n.into())),
        media: unsent.media.map(|n| media_key(n.into())).into_iter().collect(),
        ..make::pending(unsent.txn.into())
    }
}
