//! The consequences for the rows that wait, in any family: the batches against a naive model.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::FutureExt as _;
use proptest::prelude::*;

use super::*;
use crate::Protocol;
use crate::machine::{Family, adopt, echo, move_children, plan};

/// A row outlives the one it waits for if its content says whom it answers.
struct Plain;

impl Protocol for Plain {
    fn edit(
        &self,
        _: &EventId,
        kind: &EventType,
        content: &Json,
        _: Option<&Json>,
    ) -> Result<(EventType, Json)> {
        Ok((kind.clone(), content.clone()))
    }

    fn redaction(&self) -> Result<(EventType, Json)> {
        Ok((EventType::new("redaction")?, Json::empty()))
    }

    fn outlives_parent(&self, row: &Pending) -> bool {
        row.content.text("answers").is_some()
    }
}

/// The generator's idea of a row: its parent, if any, and its kind.
#[derive(Debug, Clone)]
struct Sketch {
    parent: Option<prop::sample::Index>,
    upload: bool,
    outlives: bool,
    parked: bool,
    /// Whose ids its content and its target name, beside those it waits for.
    names: prop::sample::Index,
    wire: bool,
}

fn sketch() -> impl Strategy<Value = Sketch> {
    let index = any::<prop::sample::Index>;
    let parent = prop_oneof![1 => Just(None), 5 => index().prop_map(Some)];
    (parent, any::<bool>(), any::<bool>(), prop::bool::weighted(0.2), index(), any::<bool>()).prop_map(
        |(parent, upload, outlives, parked, names, wire)| Sketch {
            parent,
            upload,
            outlives,
            parked,
            names,
            wire,
        },
    )
}

fn txn(n: usize) -> TxnId {
    TxnId::new(format!("t{n}")).unwrap()
}

fn key(n: usize, format: &str) -> MediaKey {
    let uri = MediaUri::new(format!("haos-local:t{n}")).unwrap();
    MediaKey { uri, format: MediaFormat::new(format).unwrap() }
}

/// Ids of other rows in a content: as whole strings, and in words, which stay.
fn content(n: usize, outlives: bool, of: usize) -> Json {
    let to = if outlives { "answers" } else { "to" };
    Json::new(format!(
        r#"{{"n":{n},"{to}":"~t{of}","also":["~t{of}","~t{of}9"],"url":"haos-local:t{of}","body":"~t{of} is it"}}"#
    ))
    .unwrap()
}

/// The rows of the sketches; a row waits for an earlier one.
fn rows(sketches: &[Sketch]) -> Vec<Pending> {
    let mut rows: Vec<Pending> = Vec::new();
    for (n, sketch) in sketches.iter().enumerate() {
        let parent = sketch.parent.filter(|_| n > 0).map(|of| of.index(n));
        let of = sketch.names.index(n + 1);
        let named = parent.filter(|_| sketch.outlives).unwrap_or(of);
        let kind = if sketch.upload { UPLOAD } else { "m.room.message" };
        let media = match (sketch.upload, parent) {
            (true, _) => vec![key(n, ""), key(n, "small")],
            (false, Some(parent)) => vec![key(parent, "small"), key(of, ""), key(of, "other")],
            (false, None) => Vec::new(),
        };
        let state = match (parent, sketch.parked) {
            (Some(_), false) => PendingState::Blocked,
            (Some(_), true) => PendingState::Parked(ParkReason::Expired),
            (None, false) => PendingState::Sending,
            (None, true) => PendingState::Parked(ParkReason::Forbidden),
        };
        rows.push(Pending {
            state,
            media,
            fence: 3,
            parent: parent.map(txn),
            target: (!sketch.upload).then(|| EventId::new(format!("~t{of}")).unwrap()),
            wire: sketch.wire.then(|| content(100 + n, false, of)),
            remote: sketch.upload.then(|| MediaUri::new(format!("mxc://x/{n}")).unwrap()),
            ..Pending::new(
                txn(n),
                RoomId::new("!r").unwrap(),
                EventType::new(kind).unwrap(),
                content(n, sketch.outlives, named),
                0,
            )
        });
    }
    rows
}

fn stored(store: &MemoryStore) -> Vec<Pending> {
    store.pending(PendingQuery::default()).now_or_never().unwrap().unwrap()
}

fn put_all(rows: &[Pending]) -> (MemoryStore, Vec<Pending>) {
    let store = MemoryStore::new();
    let mut batch = WriteBatch::relaxed();
    batch.put_room(Room::new(RoomId::new("!r").unwrap(), Membership::Join));
    store.apply(batch).now_or_never().unwrap().unwrap();
    for row in rows {
        let mut batch = WriteBatch::relaxed();
        batch.put_pending(row.clone());
        store.apply(batch).now_or_never().unwrap().unwrap();
    }
    let rows = stored(&store);
    (store, rows)
}

/// The outbox as a naive reader of the rules has it.
#[derive(Debug, Clone)]
struct Model {
    rows: BTreeMap<TxnId, Pending>,
    /// Media that are removed and renamed.
    removed: Vec<MediaKey>,
    renamed: Vec<(MediaKey, MediaKey)>,
}

impl Model {
    fn new(rows: &[Pending]) -> Self {
        let rows = rows.iter().map(|row| (row.txn_id.clone(), row.clone())).collect();
        Self { rows, removed: Vec::new(), renamed: Vec::new() }
    }

    fn children(&self, of: &TxnId) -> Vec<TxnId> {
        let mut children: Vec<_> = self.rows.values().filter(|row| row.parent.as_ref() == Some(of)).collect();
        children.sort_by_key(|row| row.seq);
        children.into_iter().map(|row| row.txn_id.clone()).collect()
    }

    fn descendants(&self, of: &TxnId) -> BTreeSet<TxnId> {
        let children = self.children(of);
        children.iter().flat_map(|child| self.descendants(child)).chain(children.clone()).collect()
    }

    /// Renames a row in those that wait for it.
    fn rename(&mut self, of: &TxnId, from: &str, to: &str) {
        let media = self.renamed.clone();
        for txn_id in self.descendants(of) {
            let row = self.rows.get_mut(&txn_id).unwrap();
            let text = row.content.as_str().replace(&format!("\"{from}\""), &format!("\"{to}\""));
            row.content = Json::new(text).unwrap();
            if row.target.as_ref().is_some_and(|target| target.as_str() == from) {
                row.target = Some(EventId::new(to).unwrap());
            }
            for key in &mut row.media {
                if let Some((_, now)) = media.iter().find(|(was, _)| was == key) {
                    *key = now.clone();
                }
            }
        }
    }

    /// Lets the rows go on that waited for one.
    fn release(&mut self, of: &TxnId) {
        for child in self.children(of) {
            let child = self.rows.get_mut(&child).unwrap();
            child.parent = None;
            if child.state == PendingState::Blocked {
                child.state = PendingState::Queued;
            }
        }
    }

    fn deliver(&mut self, of: &TxnId, event_id: &str) {
        self.rename(of, &format!("~{of}"), event_id);
        self.release(of);
    }

    fn upload(&mut self, of: &TxnId) {
        let row = self.rows[of].clone();
        let remote = row.remote.unwrap();
        self.renamed = row
            .media
            .iter()
            .map(|key| (key.clone(), MediaKey { uri: remote.clone(), ..key.clone() }))
            .collect();
        self.rename(of, &format!("haos-local:{of}"), remote.as_str());
        self.release(of);
        self.rows.remove(of);
    }

    /// The event that an upload is for.
    fn is_for(&self, of: &TxnId) -> TxnId {
        match self.children(of).first() {
            Some(next) if Class::of(&self.rows[of]) == Class::Upload => self.is_for(next),
            _ => of.clone(),
        }
    }

    fn cancel(&mut self, of: &TxnId) {
        let upload = Class::of(&self.rows[of]) == Class::Upload;
        let judged = |child: &TxnId| !Plain.outlives_parent(&self.rows[&self.is_for(child)]);
        let children: Vec<_> =
            self.children(of).into_iter().map(|child| (upload || judged(&child), child)).collect();
        for (goes, child) in children {
            match goes {
                true => self.cancel(&child),
                false => self.park(&child),
            }
        }
        let gone = self.rows.remove(of).unwrap();
        if upload {
            self.removed.extend(gone.media);
        }
    }

    fn park(&mut self, txn_id: &TxnId) {
        self.rows.get_mut(txn_id).unwrap().state = PendingState::Parked(ParkReason::ParentFailed);
    }
}

/// Rows without what a store gives them.
fn bare<'a>(rows: impl IntoIterator<Item = &'a Pending>) -> BTreeMap<TxnId, Pending> {
    let bare = |row: &Pending| Pending { revision: Revision::ZERO, seq: 0, ..row.clone() };
    rows.into_iter().map(|row| (row.txn_id.clone(), bare(row))).collect()
}

/// Every row that a batch touches is expected as it was read, and so is the row it is about.
fn expects_what_it_writes(batch: &WriteBatch, of: &TxnId, before: &[Pending]) -> Result<(), TestCaseError> {
    let expected: BTreeMap<_, _> = batch
        .preconditions()
        .iter()
        .filter_map(|precondition| match precondition {
            Precondition::Pending(txn_id, revision) => Some((txn_id.clone(), *revision)),
            _ => None,
        })
        .collect();
    let written = batch.ops().iter().filter_map(|op| match op {
        Op::PutPending(row) => Some(row.txn_id.clone()),
        Op::RemovePending(txn_id) => Some(txn_id.clone()),
        _ => None,
    });
    for txn_id in written.chain([of.clone()]) {
        let was = before.iter().find(|row| row.txn_id == txn_id).map(|row| row.revision);
        prop_assert_eq!(expected.get(&txn_id), Some(&was), "{}", txn_id);
    }
    Ok(())
}

/// A batch leads from the stored rows to those of the model, and moves the media that the model moves.
fn leads_to(store: &MemoryStore, batch: WriteBatch, of: &TxnId, model: &Model) -> Result<(), TestCaseError> {
    expects_what_it_writes(&batch, of, &stored(store))?;
    let of_media = |op: &Op| match op {
        Op::RemoveMedia(key) => Some((key.clone(), None)),
        Op::RenameMedia(from, to) => Some((from.clone(), Some(to.clone()))),
        _ => None,
    };
    let media: BTreeMap<_, _> =
        batch.ops().iter().filter_map(of_media).map(|(a, b)| (format!("{a:?}"), b)).collect();
    let removed = model.removed.iter().map(|key| (format!("{key:?}"), None));
    let renamed = model.renamed.iter().map(|(from, to)| (format!("{from:?}"), Some(to.clone())));
    prop_assert_eq!(media, removed.chain(renamed).collect::<BTreeMap<_, _>>());
    let mut rows_only = WriteBatch::relaxed();
    for op in batch.ops() {
        if matches!(op, Op::PutPending(_) | Op::RemovePending(_)) {
            rows_only.push(op.clone());
        }
    }
    store.apply(rows_only).now_or_never().unwrap().unwrap();
    prop_assert_eq!(bare(&stored(store)), bare(model.rows.values()));
    Ok(())
}

fn with_context<T>(run: impl FnOnce(&Context<'_>) -> T) -> T {
    run(&Context { now_ms: NOW_MS, chance: 7, options: &OutboxOptions::default() })
}

fn planned(family: &Family, event: &Event) -> Option<WriteBatch> {
    with_context(|context| {
        let decided = step(&family.row, event, context);
        plan(family, event, &decided, context, &Plain).unwrap()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// A row is sent, delivered, taken back or cancelled: what waits for it, however indirectly, becomes what
    /// the rules say, in one batch.
    #[test]
    fn a_family_becomes_what_the_rules_say(
        sketches in proptest::collection::vec(sketch(), 1..9),
        of in any::<prop::sample::Index>(),
    ) {
        let rows = rows(&sketches);
        let row = &rows[of.index(rows.len())];
        let txn_id = &row.txn_id;
        let event_id = EventId::new("$e1").unwrap();
        let read = || {
            let (store, rows) = put_all(&rows);
            let row = rows.iter().find(|row| row.txn_id == *txn_id).unwrap().clone();
            let family = Family::read(&store, row).now_or_never().unwrap().unwrap();
            (Model::new(&rows), store, family)
        };
        let class = Class::of(row);

        let (model, _, family) = read();
        let waiting: Vec<_> = family.waiting.iter().map(|row| row.txn_id.clone()).collect();
        prop_assert_eq!(waiting.iter().cloned().collect::<BTreeSet<_>>(), model.descendants(txn_id));
        for (at, waiting) in family.waiting.iter().enumerate() {
            let parent = waiting.parent.as_ref().unwrap();
            let is_before = family.waiting[..at].iter().any(|row| row.txn_id == *parent);
            prop_assert!(is_before || parent == txn_id, "parents first");
        }

        let (mut model, store, family) = read();
        let accepted = Event::Accepted((class == Class::Event).then(|| event_id.clone()));
        let batch = planned(&family, &accepted).unwrap();
        if class == Class::Event {
            let sent = model.rows.get_mut(txn_id).unwrap();
            (sent.state, sent.parent) = (PendingState::Sent, None);
            sent.event_id = Some(event_id.clone());
            model.deliver(txn_id, "$e1");
        } else {
            model.upload(txn_id);
        }
        leads_to(&store, batch, txn_id, &model)?;

        if class == Class::Event {
            let (mut model, store, family) = read();
            model.deliver(txn_id, "$e1");
            model.rows.remove(txn_id);
            let batch = planned(&family, &Event::Echo(event_id.clone())).unwrap();
            leads_to(&store, batch, txn_id, &model)?;
            // The same within a sync's batch, which is told what was written.
            let (before, store, family) = read();
            let mut batch = WriteBatch::relaxed();
            let written = echo(&mut batch, &family, &event_id).unwrap();
            leads_to(&store, batch, txn_id, &model)?;
            let differs = |row: &&Pending| before.rows[&row.txn_id] != **row;
            prop_assert_eq!(bare(&written), bare(model.rows.values().filter(differs)));
        }

        // Another row takes its place.
        let (mut model, store, family) = read();
        let other = TxnId::new("other").unwrap();
        model.rename(txn_id, &format!("~{txn_id}"), "~other");
        for child in model.children(txn_id) {
            model.rows.get_mut(&child).unwrap().parent = Some(other.clone());
        }
        let mut batch = WriteBatch::relaxed();
        move_children(&mut batch, &family, &other).unwrap();
        batch.expect_pending(txn_id, Some(family.row.revision));
        let last = family.waiting.len();
        leads_to(&store, batch, txn_id, &model)?;
        // They stand at the end of the outbox, in their order.
        let end = stored(&store).split_off(rows.len() - last);
        prop_assert_eq!(end.into_iter().map(|row| row.txn_id).collect::<Vec<_>>(), waiting);

        let (mut model, store, mut family) = read();
        family.row.state = PendingState::Queued;
        model.cancel(txn_id);
        let batch = planned(&family, &Event::Cancel).unwrap();
        leads_to(&store, batch, txn_id, &model)?;

        // A row that came too late to be with its parent when that left.
        if row.parent.is_some() {
            let parent = row.parent.clone().unwrap();
            let (mut model, store, family) = read();
            let outlives = Plain.outlives_parent(row);
            match outlives {
                true => model.park(txn_id),
                false => {
                    let gone = model.rows.remove(txn_id).unwrap();
                    if class == Class::Upload {
                        model.removed.extend(gone.media);
                    }
                }
            }
            let batch = with_context(|context| adopt(&family.row, &parent, None, context, &Plain));
            leads_to(&store, batch.unwrap().unwrap(), txn_id, &model)?;

            let (mut model, store, family) = read();
            let now = model.rows.get_mut(txn_id).unwrap();
            now.parent = None;
            if now.state == PendingState::Blocked {
                now.state = PendingState::Queued;
            }
            let mut alone = Model::new(&[Pending { parent: Some(parent.clone()), ..now.clone() }]);
            alone.rename(&parent, &format!("~{parent}"), "$e1");
            *now = Pending { parent: None, ..alone.rows[txn_id].clone() };
            let batch =
                with_context(|context| adopt(&family.row, &parent, Some(&event_id), context, &Plain));
            leads_to(&store, batch.unwrap().unwrap(), txn_id, &model)?;
        }
    }
}

/// A user's act survives a power loss, and so does the note that a row is about to be sent.
#[test]
fn what_users_do_is_committed_strictly() {
    use EventKind::{Cancel, Edit, Lease, Pause, Retry};
    let of = |kind: &str, phase| Pending {
        kind: EventType::new(kind).unwrap(),
        first_attempt_ms: None,
        remote: Some(MediaUri::new("mxc://x/0").unwrap()),
        ..row(phase)
    };
    let mut strict = BTreeSet::new();
    let mut written = BTreeSet::new();
    for kind in EventKind::ALL {
        for phase in Phase::ALL {
            for of in [of("m.room.message", phase), of(UPLOAD, phase), of(TYPING, phase)] {
                let decided = stepped(&of, &event(*kind));
                let batch = planned(&Family::alone(of), &event(*kind));
                let nothing = matches!(decided, Step::Keep | Step::Follow | Step::Replace);
                assert_eq!(batch.is_none(), nothing, "{kind:?} in {phase:?}: {decided:?}");
                if let Some(batch) = batch {
                    written.insert(*kind);
                    strict.extend((batch.durability() == Durability::Strict).then_some(*kind));
                    assert_eq!(batch.durability() == Durability::Strict, strict.contains(kind), "{kind:?}");
                }
            }
        }
    }
    assert_eq!(strict, BTreeSet::from([Lease, Cancel, Edit, Retry, Pause]));
    assert_eq!(written, EventKind::ALL.iter().copied().collect(), "every event writes something somewhere");
}

/// Without a place on the server, an upload cannot have been delivered: nothing is written.
#[test]
fn an_upload_without_a_place_is_not_done() {
    let upload = Pending { kind: EventType::new(UPLOAD).unwrap(), ..row(Phase::Sending) };
    assert!(planned(&Family::alone(upload), &Event::Accepted(None)).is_none());
}

#[test]
fn a_signal_that_is_done_or_refused_is_removed_alone() {
    for event in [Event::Accepted(None), event(EventKind::Permanent)] {
        let signal =
            Pending { kind: EventType::new(TYPING).unwrap(), media: vec![key(1, "")], ..row(Phase::Sending) };
        let batch = planned(&Family::alone(signal.clone()), &event).unwrap();
        assert_eq!(batch.ops(), [Op::RemovePending(signal.txn_id)]);
    }
}

/// Nothing is written for a row that its parent's leaving means nothing to.
#[test]
fn what_does_not_wait_is_not_adopted() {
    let parent = TxnId::new("p").unwrap();
    for phase in [Phase::Queued, Phase::Sending, Phase::Sent] {
        for event_id in [None, Some(EventId::new("$e").unwrap())] {
            let batch = with_context(|context| {
                adopt(&row(phase), &parent, event_id.as_ref(), context, &Plain).unwrap()
            });
            assert!(batch.is_none(), "{phase:?}");
        }
    }
}
