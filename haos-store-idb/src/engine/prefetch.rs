//! What a batch names, loaded together before the laws run.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::try_join_all;
use haos_store_api::{Codec, Key, MediaKey, Op, Position, Precondition, Result, Scope, WriteBatch};

use super::head::Head;
use super::keys;
use super::known::Known;
use super::kv::{Answer, HEAD, Kv, Table};
use super::load;
use super::tables::state_place;

/// From so many messages on it pays to ask first which rooms are empty: what is not there is not looked up.
const MANY: usize = 64;

/// What a batch names.
#[derive(Default)]
struct Named {
    records: BTreeSet<(Table, Vec<u8>)>,
    /// Rooms whose gaps the laws look at.
    timelines: BTreeSet<Key>,
    /// By room.
    events: BTreeMap<Key, BTreeSet<Key>>,
    /// The least and the greatest position of new messages, by room.
    places: BTreeMap<Key, (Position, Position)>,
}

impl Named {
    fn of(codec: &Codec, batch: &WriteBatch) -> Self {
        let mut named = Self::default();
        for precondition in batch.preconditions() {
            match precondition {
                Precondition::Room(room, _) => named.record(Table::Rooms, &codec.room_key(room)),
                Precondition::Pending(txn, _) => named.record(Table::OutboxIds, &codec.txn_key(txn)),
                Precondition::Gap(room, ..) => drop(named.timelines.insert(codec.room_key(room))),
                Precondition::State(scope, kind, key, _) => {
                    named.records.insert((Table::State, state_place(codec, scope, kind, key)));
                }
            }
        }
        // Messages come in runs of one room.
        let mut latest = None;
        for op in batch.ops() {
            named.op(codec, op, &mut latest);
        }
        named
    }

    fn op<'b>(&mut self, codec: &Codec, op: &'b Op, latest: &mut Option<(&'b haos_store_api::RoomId, Key)>) {
        let mut room_key = |room: &'b haos_store_api::RoomId| match latest {
            Some((id, key)) if *id == room => *key,
            _ => {
                let key = codec.room_key(room);
                *latest = Some((room, key));
                key
            }
        };
        let media = |named: &mut Self, key: &MediaKey| named.record(Table::Media, &codec.media_key(key));
        match op {
            Op::PutRoom(room) => self.record(Table::Rooms, &room_key(&room.id)),
            Op::PutMessage(message) => {
                let room = room_key(&message.room);
                self.timeline(&room);
                self.event(room, codec.event_key(&message.room, &message.id));
                self.position(room, message.position);
            }
            Op::RemoveMessage(id, event) => {
                let room = room_key(id);
                self.timeline(&room);
                self.event(room, codec.event_key(id, event));
            }
            Op::Redact(redact) => {
                let room = room_key(&redact.room);
                self.timeline(&room);
                self.event(room, codec.event_key(&redact.room, &redact.target));
            }
            Op::RemoveRoom(id) | Op::RemoveGap(id, _) => self.timeline(&room_key(id)),
            Op::Prune(prune) => self.timeline(&room_key(&prune.room)),
            Op::PutGap(gap) => {
                let room = room_key(&gap.room);
                self.timeline(&room);
                self.position(room, gap.position);
            }
            Op::Renumber(id, moves) => {
                let room = room_key(id);
                self.timeline(&room);
                moves.iter().for_each(|(from, to)| {
                    self.position(room, *from);
                    self.position(room, *to);
                });
            }
            Op::PutPending(row) => self.record(Table::OutboxIds, &codec.txn_key(&row.txn_id)),
            Op::RemovePending(txn_id) => self.record(Table::OutboxIds, &codec.txn_key(txn_id)),
            Op::PutMedia(info, _) => media(self, &info.key),
            Op::AppendMedia { key, .. } | Op::PinMedia(key, _) | Op::RemoveMedia(key) => media(self, key),
            Op::RenameMedia(from, to) => {
                media(self, from);
                media(self, to);
            }
            Op::TouchMedia(keys, _) => keys.iter().for_each(|key| media(self, key)),
            Op::EvictMedia(..) => {}
            Op::PutState(entry) => {
                if let Scope::Room(room) = &entry.scope {
                    self.record(Table::Rooms, &room_key(room));
                }
                let place = state_place(codec, &entry.scope, &entry.kind, &entry.key);
                self.records.insert((Table::State, place));
            }
            Op::RemoveState(scope, kind, key) => {
                self.records.insert((Table::State, state_place(codec, scope, kind, key)));
            }
        }
    }

    fn record(&mut self, table: Table, key: &Key) {
        self.records.insert((table, key.as_bytes().to_vec()));
    }

    fn timeline(&mut self, room: &Key) {
        if self.timelines.insert(*room) {
            self.record(Table::Rooms, room);
        }
    }

    fn event(&mut self, room: Key, event: Key) {
        self.events.entry(room).or_default().insert(event);
    }

    fn position(&mut self, room: Key, at: Position) {
        let (oldest, newest) = self.places.entry(room).or_insert((at, at));
        (*oldest, *newest) = ((*oldest).min(at), (*newest).max(at));
    }
}

/// Loads it. Everything that depends on nothing is asked for at once.
pub(crate) async fn batch<K: Kv>(kv: &K, codec: &Codec, batch: &WriteBatch) -> Result<Known> {
    let mut known = Known::default();
    let head = kv.named(HEAD);
    let mut named = Named::of(codec, batch);
    if named.events.values().map(BTreeSet::len).sum::<usize>() >= MANY {
        leave_out_empty_rooms(kv, &mut known, &mut named).await?;
    }
    let records = fire(named.records, |(table, key)| kv.get(*table, key));
    let gaps = fire(named.timelines, |room| {
        kv.range(Table::Timeline, &keys::gaps(room, Position::MIN, Position::MAX), None)
    });
    let events: Vec<(Key, Key)> = named
        .events
        .into_iter()
        .flat_map(|(room, all)| all.into_iter().map(move |event| (room, event)))
        .collect();
    let events = fire(events, |(_, event)| kv.holders(&keys::event_entry(event)));
    let places =
        fire(named.places, |(room, (oldest, _))| kv.last_key(&keys::segments(room, *oldest, Position::MAX)));

    known.head = head.await?.map(|head| Head::decode("apply", &head)).transpose()?.unwrap_or_default();
    for ((table, key), value) in both(records).await? {
        if let (Table::OutboxIds, Some(value)) = (table, &value) {
            let seq = value.get(table.key_bytes()..).unwrap_or_default().to_vec();
            let row = kv.get(Table::Outbox, &seq).await?;
            known.note(Table::Outbox, seq, row);
        }
        known.note(table, key, value);
    }
    for (room, values) in both(gaps).await? {
        let span = keys::gaps(&room, Position::MIN, Position::MAX);
        load::note_range(&mut known, Table::Timeline, span, values)?;
    }
    for ((room, event), holders) in both(events).await? {
        load::resolve(kv, &mut known, &room, &event, &holders).await?;
    }
    for ((room, (oldest, newest)), above) in both(places).await? {
        // One step: new messages mostly stand above everything or below everything. What else they meet,
        // the laws ask for.
        load::beyond(kv, &mut known, &room, oldest, newest, above).await?;
    }
    Ok(known)
}

/// Rooms without a record have no messages.
async fn leave_out_empty_rooms<K: Kv>(kv: &K, known: &mut Known, named: &mut Named) -> Result<()> {
    let rooms: Vec<Key> = named.events.keys().copied().collect();
    let firsts = fire(rooms, |room| kv.keys(Table::Timeline, &keys::timeline(room), Some(1)));
    for (room, first) in both(firsts).await? {
        if first.is_empty() {
            known.events.extend(named.events.remove(&room).into_iter().flatten().map(|event| (event, None)));
            known.places.entry(room).or_default().note_loaded(Position::MIN, Position::MAX);
            named.places.remove(&room);
        }
    }
    Ok(())
}

type Fired<Q, A> = (Vec<Q>, Vec<Answer<A>>);

fn fire<Q, A>(all: impl IntoIterator<Item = Q>, ask: impl Fn(&Q) -> Answer<A>) -> Fired<Q, A> {
    all.into_iter()
        .map(|question| (ask(&question), question))
        .map(|(answer, question)| (question, answer))
        .unzip()
}

async fn both<Q, A>((questions, answers): Fired<Q, A>) -> Result<impl Iterator<Item = (Q, A)>> {
    Ok(questions.into_iter().zip(try_join_all(answers).await?))
}
