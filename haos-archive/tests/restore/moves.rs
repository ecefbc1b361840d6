//! The outbox of two stores, with restores and moves that are cut off anywhere: a row is sent by one of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures_util::FutureExt as _;
use haos_archive::{MoveOptions, Moved, RestoreOptions, copy, move_outbox, move_store};
use haos_backends::on_every_store;
use haos_queue::local_media_uri;
use haos_sim::{Blow, Blows, Brittle};
use haos_store_api::*;
use proptest::prelude::*;

use crate::dump::{Dump, revision};
use crate::sample::{account, fill, media, message, room, row, txn};

/// A step of somebody; `side`: the store, or the one that is moved or restored from.
#[derive(Debug, Clone)]
enum Turn {
    Write {
        side: usize,
        room: usize,
        child: bool,
    },
    /// The first row that may go is sent, and the answer comes.
    Send {
        side: usize,
        room: usize,
        echo: bool,
    },
    /// It is begun, and reaches the server or not; no answer comes.
    Begin {
        side: usize,
        room: usize,
        reaches: bool,
    },
    /// Whoever sent it is gone.
    LoseLeases {
        side: usize,
    },
    Cancel {
        side: usize,
        nth: usize,
    },
    Restore {
        side: usize,
        cut: Cut,
    },
    Move {
        side: usize,
        cut: Cut,
        take: bool,
    },
}

/// Where a call is cut off: in which store, at which write, before or after it.
type Cut = Option<(usize, u64, bool)>;

fn turn() -> impl Strategy<Value = Turn> {
    let (side, room) = (0..2_usize, 0..2_usize);
    let cut = || proptest::option::weighted(0.6, (0..2_usize, 0..6_u64, any::<bool>()));
    prop_oneof![
        4 => (side.clone(), room.clone(), any::<bool>())
            .prop_map(|(side, room, child)| Turn::Write { side, room, child }),
        3 => (side.clone(), room.clone(), any::<bool>())
            .prop_map(|(side, room, echo)| Turn::Send { side, room, echo }),
        2 => (side.clone(), room, any::<bool>())
            .prop_map(|(side, room, reaches)| Turn::Begin { side, room, reaches }),
        1 => side.clone().prop_map(|side| Turn::LoseLeases { side }),
        1 => (side.clone(), 0..6_usize).prop_map(|(side, nth)| Turn::Cancel { side, nth }),
        2 => (side.clone(), cut()).prop_map(|(side, cut)| Turn::Restore { side, cut }),
        4 => (side, cut(), any::<bool>()).prop_map(|(side, cut, take)| Turn::Move { side, cut, take }),
    ]
}

struct World {
    stores: [MemoryStore; 2],
    written: BTreeMap<TxnId, String>,
    arrived: BTreeSet<TxnId>,
    cancelled: BTreeSet<TxnId>,
    last: Option<(usize, TxnId)>,
}

fn is_live(row: &Pending) -> bool {
    !matches!(row.state, PendingState::Parked(_) | PendingState::Sent)
}

impl World {
    fn new() -> Self {
        let stores = [MemoryStore::new(), MemoryStore::new()];
        for store in &stores {
            let mut batch = WriteBatch::relaxed();
            batch.put_state(account(state_kind::OWN_USER, "\"@ada:x\""));
            for n in 0..2 {
                batch.put_room(Room::new(room(n), Membership::Join));
            }
            store.apply(batch).now_or_never().unwrap().unwrap();
        }
        let (written, arrived, cancelled) = Default::default();
        Self { stores, written, arrived, cancelled, last: None }
    }

    fn rows(&self, side: usize) -> Vec<Pending> {
        self.stores[side].outbox().now_or_never().unwrap().unwrap()
    }

    fn apply(&self, side: usize, fill: impl FnOnce(&mut WriteBatch)) {
        let mut batch = WriteBatch::strict();
        fill(&mut batch);
        self.stores[side].apply(batch).now_or_never().unwrap().unwrap();
    }

    fn play(&mut self, turn: &Turn) -> Result<(), TestCaseError> {
        match turn {
            Turn::Write { side, room: n, child } => {
                let name = format!("t{}", self.written.len());
                let mut row = row(&name, &room(*n));
                let last = self.rows(*side).into_iter().rfind(|last| last.room == row.room && is_live(last));
                if let Some(parent) = last.filter(|_| *child) {
                    (row.state, row.parent) = (PendingState::Blocked, Some(parent.txn_id));
                }
                self.written.insert(row.txn_id.clone(), row.content.as_str().to_owned());
                self.apply(*side, |batch| _ = batch.put_pending(row));
            }
            Turn::Send { side, room: n, echo } => {
                let Some(row) = self.head(*side, *n) else { return Ok(()) };
                self.send(*side, &row)?;
                self.deliver(*side, row, *echo);
            }
            Turn::Begin { side, room: n, reaches } => {
                let Some(row) = self.head(*side, *n) else { return Ok(()) };
                if *reaches {
                    self.send(*side, &row)?;
                }
                let lease = Some(Lease { owner: "x".to_owned(), until_ms: 1 });
                let first_attempt_ms = row.first_attempt_ms.or(Some(1));
                let next = Pending { state: PendingState::Sending, lease, first_attempt_ms, ..row };
                self.apply(*side, |batch| _ = batch.put_pending(next));
            }
            Turn::LoseLeases { side } => {
                for row in self.rows(*side).into_iter().filter(|row| row.state == PendingState::Sending) {
                    let next = Pending { state: PendingState::Queued, ambiguous: true, lease: None, ..row };
                    self.apply(*side, |batch| _ = batch.put_pending(next));
                }
            }
            Turn::Cancel { side, nth } => {
                let rows: Vec<_> = self
                    .rows(*side)
                    .into_iter()
                    .filter(|row| row.state == PendingState::Queued && !row.ambiguous)
                    .collect();
                let Some(row) = rows.get(*nth) else { return Ok(()) };
                let waits =
                    self.rows(*side).into_iter().filter(|other| other.parent.as_ref() == Some(&row.txn_id));
                for child in waits {
                    let free = Pending { state: PendingState::Queued, parent: None, ..child };
                    self.apply(*side, |batch| _ = batch.put_pending(free));
                }
                self.cancelled.insert(row.txn_id.clone());
                self.apply(*side, |batch| _ = batch.remove_pending(row.txn_id.clone()));
            }
            Turn::Restore { side, cut } => {
                let (from, to) = self.brittle(*side, *cut);
                let done = copy(&from, &to, RestoreOptions::default(), Progress::none()).now_or_never();
                prop_assert!(done.is_none_or(|done| done.is_ok()));
            }
            Turn::Move { side, cut, take } => {
                let (from, to) = self.brittle(*side, *cut);
                let options = if *take { MoveOptions::TakeSending } else { MoveOptions::LeaveSending };
                let done = move_outbox(&from, &to, options).now_or_never();
                prop_assert!(done.as_ref().is_none_or(|done| done.is_ok()), "{:?}", done);
            }
        }
        Ok(())
    }

    fn brittle(&self, side: usize, cut: Cut) -> (Brittle<MemoryStore>, Brittle<MemoryStore>) {
        let brittle = |n: usize| {
            let mut blows = Blows::default();
            if let Some((_, write, after)) = cut.filter(|(of, ..)| *of == n) {
                blows.after(write, if after { Blow::DieAfter } else { Blow::DieBefore });
            }
            Brittle::new(self.stores[n].clone(), Arc::new(Mutex::new(blows)))
        };
        (brittle(side), brittle(1 - side))
    }

    /// The row whose turn it is in a room.
    fn head(&self, side: usize, n: usize) -> Option<Pending> {
        let rows = self.rows(side);
        let head = rows.into_iter().find(|row| row.room == room(n) && is_live(row))?;
        let parent_waits = head
            .parent
            .as_ref()
            .is_some_and(|parent| self.rows(side).iter().any(|row| row.txn_id == *parent));
        (head.state != PendingState::Sending && !parent_waits).then_some(head)
    }

    /// An attempt: whoever is in doubt asks the server first.
    fn send(&mut self, side: usize, row: &Pending) -> Result<(), TestCaseError> {
        let knows = row.ambiguous && self.arrived.contains(&row.txn_id);
        if !knows {
            prop_assert!(!self.cancelled.contains(&row.txn_id), "{} was cancelled", row.txn_id);
            prop_assert!(self.arrived.insert(row.txn_id.clone()), "{} is sent twice", row.txn_id);
        }
        self.last = Some((side, row.txn_id.clone()));
        Ok(())
    }

    fn deliver(&self, side: usize, row: Pending, echo: bool) {
        let page = self.stores[side].timeline(&row.room, Page::newest(1)).now_or_never().unwrap().unwrap();
        let newest = page.items.last().map_or(0, |item| item.position().get() - Position::FIRST.get());
        let position = newest + 1;
        let event = message(&row.room, &format!("of-{}", row.txn_id), position);
        let children: Vec<_> =
            self.rows(side).into_iter().filter(|other| other.parent.as_ref() == Some(&row.txn_id)).collect();
        self.apply(side, |batch| {
            batch.remove_pending(row.txn_id.clone());
            for child in children {
                let state = if is_live(&child) { PendingState::Queued } else { child.state };
                batch.put_pending(Pending { state, parent: None, ..child });
            }
            if echo {
                batch.put_message(Message { txn_id: Some(row.txn_id), ..event });
            }
        });
    }

    /// No row is live in two stores, and none that was neither sent nor cancelled is in no store.
    fn check(&self) -> Result<(), TestCaseError> {
        let rows = [self.rows(0), self.rows(1)];
        for (txn_id, content) in &self.written {
            let of = |side: usize| rows[side].iter().find(|row| row.txn_id == *txn_id);
            let live = [0, 1].map(|side| of(side).is_some_and(is_live));
            prop_assert!(live != [true, true], "{} is live in both", txn_id);
            let is_over = self.arrived.contains(txn_id) || self.cancelled.contains(txn_id);
            prop_assert!(is_over || of(0).is_some() || of(1).is_some(), "{} is lost", txn_id);
            for row in [of(0), of(1)].into_iter().flatten() {
                prop_assert_eq!(row.content.as_str(), content);
            }
        }
        Ok(())
    }

    /// In the end everything is moved to one store: what is not over is live there, and is sent once.
    fn finish(&mut self) -> Result<(), TestCaseError> {
        self.play(&Turn::Move { side: 0, cut: None, take: true })?;
        prop_assert_eq!(self.rows(0), []);
        let rows = self.rows(1);
        for txn_id in self.written.keys() {
            let is_over = self.arrived.contains(txn_id) || self.cancelled.contains(txn_id);
            let live = rows.iter().find(|row| row.txn_id == *txn_id).is_some_and(is_live);
            prop_assert!(is_over || live, "{} waits for ever", txn_id);
        }
        self.check()?;
        self.play(&Turn::LoseLeases { side: 1 })?;
        for n in [0, 1] {
            for _ in 0..self.written.len() {
                self.play(&Turn::Send { side: 1, room: n, echo: true })?;
            }
        }
        for txn_id in self.written.keys() {
            prop_assert!(self.arrived.contains(txn_id) != self.cancelled.contains(txn_id), "{}", txn_id);
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: std::env::var("PROPTEST_CASES").map_or(1500, |cases| cases.parse().unwrap()),
        rng_seed: proptest::test_runner::RngSeed::Fixed(0x4841_4f53),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn each_row_is_sent_by_one_store_and_none_is_lost(turns in proptest::collection::vec(turn(), 1..24)) {
        let mut world = World::new();
        for turn in &turns {
            world.play(turn)?;
            world.check()?;
        }
        world.finish()?;
    }
}

#[tokio::test]
async fn a_move_leaves_what_is_being_sent_and_what_comes_behind_it() {
    let (from, to) = (MemoryStore::new(), MemoryStore::new());
    let lease = Some(Lease { owner: "x".to_owned(), until_ms: 9 });
    let sending =
        Pending { state: PendingState::Sending, lease, first_attempt_ms: Some(1), ..row("b", &room(0)) };
    let mut batch = WriteBatch::strict();
    for row in [row("a", &room(0)), sending, row("c", &room(1)), row("d", &room(0))] {
        batch.put_pending(row);
    }
    from.apply(batch).await.unwrap();
    let moved = move_outbox(&from, &to, MoveOptions::LeaveSending).await.unwrap();
    assert_eq!(moved, Moved { moved: 2, left: vec![txn("b"), txn("d")], doubtful: Vec::new() });
    let names = |rows: Vec<Pending>| rows.iter().map(|row| row.txn_id.to_string()).collect::<Vec<_>>();
    assert_eq!(names(to.outbox().await.unwrap()), ["a", "c"]);
    assert_eq!(names(from.outbox().await.unwrap()), ["b", "d"]);
    let moved = move_outbox(&from, &to, MoveOptions::TakeSending).await.unwrap();
    assert_eq!(moved, Moved { moved: 2, ..Moved::default() });
    let rows = to.outbox().await.unwrap();
    assert_eq!(names(rows.clone()), ["a", "c", "b", "d"]);
    assert!(
        rows.iter().all(|row| row.state == PendingState::Queued && row.ambiguous == (row.txn_id == txn("b")))
    );
}

#[tokio::test]
async fn a_move_takes_staged_bytes_along_and_leaves_the_rest_as_it_is() {
    on_every_store(async |mut home| {
        let from = MemoryStore::new();
        fill(&from, 2, 10).await;
        let to = home.open().await;
        let before = Dump::of(&from).await;
        let options = RestoreOptions::default;
        let (restored, moved) =
            move_store(&from, &*to, options(), MoveOptions::TakeSending, Progress::none()).await.unwrap();
        assert_eq!((moved.moved, restored.of(Collection::Pending)), (7, haos_archive::Counts::default()));
        let expected = crate::fresh::expected(&before, haos_archive::Outbox::TakeOver);
        assert_eq!(Dump::of(&*to).await, expected);
        assert_eq!(Dump::of(&from).await, Dump { pending: Vec::new(), ..before });
        let held = (revision(&from).await, revision(&*to).await);
        move_store(&from, &*to, options(), MoveOptions::TakeSending, Progress::none()).await.unwrap();
        assert_eq!((revision(&from).await, revision(&*to).await), held, "moving twice changes nothing");
        to.close().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn bytes_come_along_without_a_copy_of_all() {
    let (from, to) = (MemoryStore::new(), MemoryStore::new());
    let (info, bytes) = media(local_media_uri(&txn("up")).unwrap().as_str(), 700_000);
    let mut batch = WriteBatch::strict();
    batch.put_media(info.clone(), bytes.clone());
    batch.put_pending(Pending { media: vec![info.key.clone()], ..row("up", &room(0)) });
    from.apply(batch).await.unwrap();
    move_outbox(&from, &to, MoveOptions::default()).await.unwrap();
    assert_eq!(Dump::of(&to).await.media, [(info, bytes)]);
}

#[tokio::test]
async fn a_row_that_was_moved_does_not_come_back_from_an_older_archive() {
    let (from, to, archive) = (MemoryStore::new(), MemoryStore::new(), MemoryStore::new());
    for store in [&from, &archive] {
        let mut batch = WriteBatch::strict();
        batch.put_pending(row("a", &room(0)));
        store.apply(batch).await.unwrap();
    }
    move_outbox(&from, &to, MoveOptions::default()).await.unwrap();
    for store in [&from, &to] {
        let held = revision(store).await;
        copy(&archive, store, RestoreOptions::default(), Progress::none()).await.unwrap();
        assert_eq!(revision(store).await, held);
    }
    assert_eq!(from.outbox().await.unwrap(), []);
}

/// A store that is moved to: when its first rows are there, something happens in the one that they come from.
struct Watched {
    to: MemoryStore,
    from: MemoryStore,
    then: Mutex<Option<WriteBatch>>,
}

impl fmt::Debug for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watched")
    }
}

#[async_trait]
impl StorageAdapter for Watched {
    async fn apply(&self, batch: WriteBatch) -> Result<Commit> {
        let commit = self.to.apply(batch).await?;
        let then = self.then.lock().unwrap().take();
        if let Some(then) = then {
            self.from.apply(then).await?;
        }
        Ok(commit)
    }

    forward_store! { self => self.to; except apply }
}

/// Moves three rows, of which the second changes meanwhile. Gives the rows of either store that may be sent.
async fn moved_meanwhile(
    change: impl FnOnce(&mut WriteBatch, Pending),
) -> (Moved, [Vec<String>; 2], MemoryStore) {
    let (from, to) = (MemoryStore::new(), MemoryStore::new());
    let mut batch = WriteBatch::strict();
    batch.put_room(Room::new(room(0), Membership::Join));
    for (n, name) in ["a", "b", "c"].into_iter().enumerate() {
        batch.put_pending(row(name, &room(n)));
    }
    from.apply(batch).await.unwrap();
    let mut then = WriteBatch::strict();
    change(&mut then, row("b", &room(1)));
    let watched = Watched { to: to.clone(), from: from.clone(), then: Mutex::new(Some(then)) };
    let moved = move_outbox(&from, &watched, MoveOptions::LeaveSending).await.unwrap();
    let live = async |store: &MemoryStore| {
        let rows = store.outbox().await.unwrap();
        rows.iter().filter(|row| is_live(row)).map(|row| row.txn_id.to_string()).collect::<Vec<_>>()
    };
    (moved, [live(&from).await, live(&to).await], to)
}

#[tokio::test]
async fn a_row_that_changes_while_it_is_moved_is_sent_by_one_store() {
    let lease = Some(Lease { owner: "x".to_owned(), until_ms: 9 });
    let sending = |batch: &mut WriteBatch, row| {
        let row = Pending { state: PendingState::Sending, lease, first_attempt_ms: Some(1), ..row };
        batch.put_pending(row);
    };
    let (moved, live, to) = moved_meanwhile(sending).await;
    assert_eq!(
        (moved.left, live),
        (vec![txn("b")], [vec!["b".to_owned()], vec!["a".to_owned(), "c".to_owned()]])
    );
    assert_eq!(to.outbox().await.unwrap().len(), 2, "no copy is left");

    let cancelled = |batch: &mut WriteBatch, row: Pending| _ = batch.remove_pending(row.txn_id);
    let (moved, live, to) = moved_meanwhile(cancelled).await;
    assert_eq!((moved.doubtful, live), (vec![txn("b")], [vec![], vec!["a".to_owned(), "c".to_owned()]]));
    assert_eq!(to.outbox().await.unwrap().len(), 3, "it is held back, and the user decides");

    let sent = |batch: &mut WriteBatch, row: Pending| {
        let event = Message { txn_id: Some(row.txn_id.clone()), ..message(&room(0), "of-b", 1) };
        batch.remove_pending(row.txn_id).put_message(event);
    };
    let (moved, live, to) = moved_meanwhile(sent).await;
    assert_eq!((moved.doubtful, live), (vec![], [vec![], vec!["a".to_owned(), "c".to_owned()]]));
    assert_eq!(to.outbox().await.unwrap().len(), 2, "it has arrived");

    let edited = |batch: &mut WriteBatch, row: Pending| {
        batch.put_pending(Pending { content: Json::of("edited").unwrap(), ..row });
    };
    let (_, live, to) = moved_meanwhile(edited).await;
    assert_eq!(live, [vec![], ["a", "b", "c"].map(str::to_owned).to_vec()]);
    assert_eq!(to.outbox().await.unwrap()[1].content, Json::of("edited").unwrap());
}
