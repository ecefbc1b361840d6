//! The law of the log: against a model of a store, its mirror and everything that happens between two writes.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::fold::Fold;
use super::frame::{Frame, Head, Kind, Mark, Scan, StoredPending, scan};
use super::judge::{Known, Plan, State, judge};
use super::log::{OutboxImage, after, before, whole};
use crate::{Codec, EventType, Json, Key, ParkReason, Pending, PendingState, Revision, RoomId, TxnId};

const BOOT: u64 = 7;

fn codec() -> Codec {
    Codec::plain()
}

fn txn(n: u8) -> TxnId {
    TxnId::new(format!("t{n}")).unwrap()
}

fn key(n: u8) -> Key {
    codec().txn_key(&txn(n))
}

fn row(n: u8, seq: u64, revision: u64, body: u64) -> Pending {
    let (room, kind) = (RoomId::new("!r").unwrap(), EventType::new("m.room.message").unwrap());
    let content = Json::of(&format!("body {body}")).unwrap();
    Pending { seq, revision: Revision(revision), ..Pending::new(txn(n), room, kind, content, 0) }
}

fn stored(row: &Pending) -> StoredPending {
    let made = codec().pending_row(row).unwrap();
    let Pending { seq, not_before_ms, revision, .. } = *row;
    StoredPending { key: made.key, seq, not_before_ms, revision, payload: made.payload.into_bytes() }
}

fn decode(row: &StoredPending) -> Option<Pending> {
    row.read(&codec()).ok()
}

fn fold(bytes: &[u8]) -> Option<Fold> {
    match scan(bytes) {
        Scan { kind: Kind::Ours(head), frames, has_holes } => Some(Fold::of(head, frames, has_holes)),
        _ => None,
    }
}

/// A store and its mirror, and what its users were told.
#[derive(Debug, Clone, Default)]
struct World {
    rows: BTreeMap<u8, Pending>,
    revision: u64,
    last_seq: u64,
    mirror: Vec<u8>,
    /// The transactions of a batch whose caller has no answer yet.
    unanswered: Vec<u8>,
}

#[derive(Debug, Clone)]
enum Step {
    /// A batch of one handle: puts and removals.
    Batch(bool, Vec<(u8, bool)>),
    /// A commit without outbox rows.
    Other,
    Compact(bool),
    Close,
}

impl World {
    fn image(&self) -> OutboxImage {
        let rows = self.rows.values().map(stored).collect();
        OutboxImage {
            revision: Revision(self.revision),
            last_seq: self.last_seq,
            rows,
            ..OutboxImage::default()
        }
    }

    fn append(&mut self, frames: &[Frame]) {
        frames.iter().for_each(|frame| frame.encode(&mut self.mirror));
    }

    fn mark(&self, closed: bool) -> Mark {
        Mark { boot: BOOT, revision: Revision(self.revision), closed }
    }

    fn commit(&mut self, ops: &[(u8, bool)]) {
        self.revision += 1;
        for (n, is_put) in ops {
            if *is_put {
                let seq = self.rows.get(n).map_or(self.last_seq + 1, |row| row.seq);
                self.last_seq = self.last_seq.max(seq);
                self.rows.insert(*n, row(*n, seq, self.revision, self.revision));
            } else {
                self.rows.remove(n);
            }
        }
    }

    /// Takes the step; gives the world after each of its writes.
    fn take(&mut self, step: &Step, seen: &mut Vec<Self>) {
        let by = |is_second: &bool| 1 + u64::from(*is_second);
        match step {
            Step::Batch(handle, ops) => {
                let now = fold(&self.mirror);
                let is_fresh = |(n, is_put): &(u8, bool)| *is_put && !self.rows.contains_key(n);
                let keys: Vec<_> = ops.iter().map(|op| (key(op.0), is_fresh(op))).collect();
                self.unanswered = ops.iter().map(|(n, _)| *n).collect();
                if let Some(fold) = &now {
                    self.append(&before(fold, by(handle), &keys));
                    seen.push(self.clone());
                }
                self.commit(ops);
                seen.push(self.clone());
                // With the intents in it, as the handle knows it then.
                match now.and_then(|_| fold(&self.mirror)) {
                    Some(fold) => {
                        let found: Vec<_> =
                            ops.iter().map(|(n, _)| (key(*n), self.rows.get(n).map(stored))).collect();
                        self.append(&after(&fold, by(handle), found, Revision(self.revision)));
                    }
                    None => self.mirror = whole(&self.image(), key(0), self.mark(false), by(handle), []),
                }
                self.unanswered.clear();
            }
            Step::Other => self.revision += 1,
            Step::Compact(handle) => {
                if let Some(fold) = fold(&self.mirror) {
                    let others = fold.open_of_others(by(handle), &self.image().rows);
                    self.mirror = whole(&self.image(), key(0), self.mark(false), by(handle), others);
                }
            }
            Step::Close => {
                if !self.mirror.is_empty() {
                    Frame::Known(self.mark(true)).encode(&mut self.mirror);
                }
            }
        }
        seen.push(self.clone());
    }

    fn judged(
        &self,
        mirror: &[u8],
        rows: &[Pending],
        revision: Option<u64>,
        state: State,
        boot: u64,
    ) -> Plan {
        let Some(fold) = fold(mirror) else { return Plan::default() };
        let known = Known { rows, revision: revision.map(Revision), state };
        judge(&fold, known, boot, decode, |txn| codec().txn_key(txn))
    }

    /// The outbox after the plan.
    fn applied(&self, rows: &[Pending], plan: &Plan) -> BTreeMap<u8, Pending> {
        let nr = |txn: &TxnId| txn.as_str()[1..].parse::<u8>().unwrap();
        let mut all: BTreeMap<u8, Pending> = rows.iter().map(|row| (nr(&row.txn_id), row.clone())).collect();
        plan.drop.iter().for_each(|txn| drop(all.remove(&nr(txn))));
        all.extend(plan.put.iter().map(|row| (nr(&row.txn_id), row.clone())));
        all
    }
}

fn is_parked(row: &Pending) -> bool {
    row.state == PendingState::Parked(ParkReason::Paused) && row.ambiguous
}

fn step() -> impl Strategy<Value = Step> {
    let ops = prop::collection::vec((0_u8..5, prop::bool::weighted(0.6)), 1..4);
    prop_oneof![
        6 => (any::<bool>(), ops).prop_map(|(handle, ops)| Step::Batch(handle, ops)),
        1 => Just(Step::Other),
        1 => any::<bool>().prop_map(Step::Compact),
        1 => Just(Step::Close),
    ]
}

/// Gives the worlds of a history between any two writes. A kill at any of them is the end of a handle: the next steps
/// of that handle are those of a process that was started again, with the same number or another.
fn worlds(steps: &[Step]) -> Vec<World> {
    let (mut world, mut seen) = (World::default(), Vec::new());
    for step in steps {
        world.take(step, &mut seen);
    }
    seen
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever the store still tells, every row comes back as it was; one whose change was under way waits.
    #[test]
    fn a_damaged_store_has_every_row_back(
        steps in prop::collection::vec(step(), 1..20),
        readable in any::<u8>(),
        counts in any::<bool>(),
    ) {
        for world in worlds(&steps) {
            let rows: Vec<_> = world.rows.iter()
                .filter(|(n, _)| readable >> **n & 1 == 1).map(|(_, row)| row.clone()).collect();
            let revision = counts.then_some(world.revision);
            let plan = world.judged(&world.mirror, &rows, revision, State::Damaged, BOOT);
            let all = world.applied(&rows, &plan);
            for (n, row) in &world.rows {
                match all.get(n) {
                    Some(found) if found == row => {}
                    Some(found) => prop_assert!(is_parked(found) && world.unanswered.contains(n), "{found:?}"),
                    None => prop_assert!(world.unanswered.contains(n), "{n} is lost"),
                }
            }
            for (n, row) in all.iter().filter(|(n, _)| !world.rows.contains_key(n)) {
                prop_assert!(is_parked(row) && world.unanswered.contains(n), "{n} is back: {row:?}");
            }
        }
    }

    /// A mirror that is cut or changed anywhere takes nothing from a sound store, and gives nothing to it.
    #[test]
    fn a_sound_store_stays_as_it_is_whatever_its_mirror(
        steps in prop::collection::vec(step(), 1..12),
        flips in prop::collection::vec((any::<prop::sample::Index>(), 0_u8..8), 1..20),
    ) {
        let worlds = worlds(&steps);
        let (last, others) = worlds.split_last().unwrap();
        let check = |world: &World, mirror: &[u8]| {
            let rows: Vec<_> = world.rows.values().cloned().collect();
            for boot in [BOOT, 8] {
                let plan = world.judged(mirror, &rows, Some(world.revision), State::Sound, boot);
                prop_assert!(plan.is_empty(), "{plan:?}");
            }
            Ok(())
        };
        for world in others {
            check(world, &world.mirror)?;
        }
        for cut in 0..=last.mirror.len() {
            check(last, &last.mirror[..cut])?;
        }
        for (at, bit) in flips.iter().filter(|_| !last.mirror.is_empty()) {
            let mut mirror = last.mirror.clone();
            *at.get_mut(&mut mirror) ^= 1 << bit;
            check(last, &mirror)?;
        }
    }

    /// After a power cut the mirror may be of any earlier moment: what it alone has waits for the person, unless
    /// nothing says that the store went on.
    #[test]
    fn an_older_mirror_sends_nothing_on_its_own(
        steps in prop::collection::vec(step(), 2..20),
        back in any::<prop::sample::Index>(),
    ) {
        let worlds = worlds(&steps);
        let (now, then) = (worlds.last().unwrap(), back.get(&worlds));
        let plan = now.judged(&then.mirror, &[], Some(now.revision), State::Damaged, 8);
        let known = fold(&then.mirror).map_or(Revision::ZERO, |fold| fold.known);
        for row in plan.put.iter().filter(|row| !is_parked(row)) {
            prop_assert_eq!(known, Revision(now.revision));
            prop_assert!(now.rows.values().any(|own| own == row), "{:?}", row);
        }
    }

    /// A store that came up older than its mirror goes on where the mirror stands.
    #[test]
    fn a_store_that_lost_commits_has_the_outbox_of_its_mirror(
        steps in prop::collection::vec(step(), 2..20),
        back in any::<prop::sample::Index>(),
    ) {
        let worlds: Vec<_> = worlds(&steps).into_iter().filter(|world| world.unanswered.is_empty()).collect();
        let (now, then) = (worlds.last().unwrap(), back.get(&worlds));
        let known = fold(&now.mirror).map_or(Revision::ZERO, |fold| fold.known);
        if then.revision < known.0 {
            let rows: Vec<_> = then.rows.values().cloned().collect();
            let plan = now.judged(&now.mirror, &rows, Some(then.revision), State::Sound, BOOT);
            let all = now.applied(&rows, &plan);
            prop_assert_eq!(all.values().filter(|row| !is_parked(row)).collect::<Vec<_>>(),
                now.rows.values().filter(|row| !all.get(&nr(row)).is_some_and(is_parked)).collect::<Vec<_>>());
            prop_assert!(now.rows.keys().all(|n| all.contains_key(n)));
        }
    }

    #[test]
    fn what_is_written_is_read_back(steps in prop::collection::vec(step(), 1..20)) {
        let worlds = worlds(&steps);
        let world = worlds.last().unwrap();
        if let Some(fold) = fold(&world.mirror) {
            let rows: Vec<_> = world.rows.values().map(stored).collect();
            prop_assert!(fold.is_even(&codec(), &rows));
        }
    }

    #[test]
    fn no_bytes_are_too_odd(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        let _ = scan(&bytes);
    }
}

fn head() -> Head {
    let mark = Mark::default();
    Head { id: None, check: key(0), keyring: None, mark, last_seq: 0, rows: 0 }
}

fn nr(row: &Pending) -> u8 {
    row.txn_id.as_str()[1..].parse().unwrap()
}

fn mirror_of(rows: &[Pending]) -> Vec<u8> {
    let rows: Vec<_> = rows.iter().map(stored).collect();
    let last_seq = rows.len() as u64;
    let image = OutboxImage { revision: Revision(9), last_seq, rows, ..OutboxImage::default() };
    whole(&image, key(0), Mark { boot: BOOT, ..Mark::default() }, 1, [])
}

#[test]
fn a_reader_goes_on_behind_a_damaged_frame() {
    let bytes = mirror_of(&[row(1, 1, 1, 1), row(2, 2, 2, 2), row(3, 3, 3, 3)]);
    let start = head().encode().len();
    for at in start..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x20;
        let fold = fold(&damaged).unwrap();
        assert!(fold.has_holes, "{at}");
        assert_eq!(fold.rows().count(), 2, "{at}: one frame is lost and no other");
    }
}

/// Another handle has removed the row since, and has written the mirror again.
#[test]
fn a_row_that_comes_late_is_not_back() {
    let late = Frame::Row { by: 2, row: stored(&row(4, 2, 5, 5)) };
    let mut bytes = mirror_of(&[row(1, 1, 1, 1), row(2, 2, 2, 2), row(3, 3, 3, 3)]);
    late.encode(&mut bytes);
    let read = fold(&bytes).unwrap();
    assert_eq!(read.rows().count(), 3);
    Frame::Row { by: 2, row: stored(&row(4, 4, 10, 10)) }.encode(&mut bytes);
    assert_eq!(fold(&bytes).unwrap().rows().count(), 4, "written again later");
}

/// A row that is missing in a store that seems sound makes it look at all of itself; not so one whose removal was
/// under way, nor where the mirror has lost frames or the system was started again.
#[test]
fn a_row_that_is_missing_for_no_reason_is_odd() {
    let rows = [row(1, 1, 1, 1), row(2, 2, 2, 2)];
    let sound = mirror_of(&rows);
    let mut open = sound.clone();
    Frame::Intent { by: 1, key: key(2) }.encode(&mut open);
    let torn = sound[..sound.len() - 1].to_vec();
    for (mirror, boot, expected) in
        [(&sound, BOOT, true), (&sound, 8, false), (&open, BOOT, false), (&torn, BOOT, false)]
    {
        let known = Known { rows: &rows[..1], revision: Some(Revision(20)), state: State::Sound };
        let plan = judge(&fold(mirror).unwrap(), known, boot, decode, |txn| codec().txn_key(txn));
        assert_eq!((plan.is_odd, plan.is_empty()), (expected, true));
    }
}

/// A hostile file costs no more than a few looks at each of its bytes.
#[test]
fn frames_that_claim_everything_cost_little() {
    let mut bytes = head().encode();
    for _ in 0..200_000 {
        bytes.extend([0xF7, b'H', b'O', 0x0B, 1, 0, 1, 0, 0]);
    }
    let began = std::time::Instant::now();
    assert!(scan(&bytes).has_holes);
    assert!(began.elapsed().as_secs() < 5);
}

#[test]
fn each_kind_of_file_is_told() {
    let bytes = mirror_of(&[row(1, 1, 1, 1)]);
    assert!(matches!(scan(&bytes).kind, Kind::Ours(_)));
    assert_eq!(scan(b"").kind, Kind::Damaged, "it was cut off");
    assert_eq!(scan(b"a letter to somebody").kind, Kind::Foreign);
    let mut damaged = bytes.clone();
    damaged[20] ^= 1;
    assert_eq!(scan(&damaged).kind, Kind::Damaged);
    damaged[..8].fill(0);
    assert_eq!(scan(&damaged).kind, Kind::Damaged, "its frames are ours");
    let mut later = bytes[..8].to_vec();
    later.extend(2_u32.to_be_bytes());
    later.extend(crate::Crc32::of(&later).to_be_bytes());
    later.extend(b"of another layout");
    assert_eq!(scan(&later).kind, Kind::Later(2));
}

/// The bytes of a whole mirror, to the letter: a change of them is a change of the format.
#[test]
fn the_format_stays() {
    let image = OutboxImage {
        id: Some(crate::files::StoreId([3; 16])),
        keyring: Some(vec![1, 2, 3]),
        revision: Revision(9),
        last_seq: 5,
        rows: vec![StoredPending {
            key: Key::from_bytes([4; 16]),
            seq: 5,
            not_before_ms: -1,
            revision: Revision(8),
            payload: b"payload".to_vec(),
        }],
    };
    let mark = Mark { boot: 6, revision: Revision::ZERO, closed: true };
    let mut bytes = whole(
        &image,
        Key::from_bytes([9; 16]),
        mark,
        2,
        [Frame::Intent { by: 1, key: Key::from_bytes([4; 16]) }],
    );
    Frame::Gone { by: 1, key: Key::from_bytes([5; 16]), revision: Revision(10) }.encode(&mut bytes);
    Frame::Known(Mark { boot: 6, revision: Revision(11), closed: false }).encode(&mut bytes);
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, include_str!("format-1.hex").trim_end());
}
