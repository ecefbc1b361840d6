//! Rows that were given another parent beneath the adapter: no read returns a false row, and the change is noticed.

use std::fmt::Debug;

use crate::conformance::check::*;
use crate::conformance::make::*;
use crate::conformance::{Failure, Harness, Move, Outcome};
use crate::*;

/// Row `n` of each collection, 0 or 1. The two differ in every parent.
struct Twin {
    room: Room,
    message: Message,
    gap: Gap,
    pending: Pending,
    media: MediaInfo,
    bytes: Vec<u8>,
    state: StateEntry,
}

fn twin(n: u64) -> Twin {
    let room = Room { last_activity_ms: 10 * (n as i64 + 1), ..a_room(n) };
    let kinds = ["m.room.member", "m.room.topic"];
    let scope = Scope::Room(room.id.clone());
    Twin {
        message: Message {
            room: room.id.clone(),
            sender: user(n),
            txn_id: Some(txn(10 + n)),
            ..about(RelationKind::Reply, 100 + n, message(n))
        },
        gap: Gap { room: room.id.clone(), ..gap(50 + n, Some(&format!("token {n}"))) },
        pending: Pending { room: room.id.clone(), ..pending(n) },
        media: media(n, 10 * (n as i64 + 1)),
        // More than a backend keeps in the item's row.
        bytes: vec![n as u8; 20_000],
        state: state(scope, kinds[n as usize], &format!("key {n}"), &format!("{n}")),
        room,
    }
}

async fn write(store: &Store) -> Result<()> {
    for twin in [twin(0), twin(1)] {
        put(store, |batch| {
            batch
                .put_room(twin.room)
                .put_message(twin.message)
                .put_gap(twin.gap)
                .put_pending(twin.pending)
                .put_media(twin.media, twin.bytes)
                .put_state(twin.state)
        })
        .await?;
    }
    Ok(())
}

/// The outcome of the reads.
#[derive(Default)]
struct Seen {
    /// Refused reads of a single row, and of the outbox.
    refused: u64,
    /// Rows that are absent from the place where they were written.
    missing: u64,
}

impl Seen {
    /// Judges a single row: as written, absent, or refused.
    #[track_caller]
    fn one<T: PartialEq + Debug>(&mut self, what: &str, read: Result<Option<T>>, wrote: &T) -> Outcome {
        match read {
            Err(error) if error.kind() == ErrorKind::Corrupt => self.refused += 1,
            Err(error) => return Err(error.into()),
            Ok(None) => self.missing += 1,
            Ok(Some(found)) => {
                return same(&found, wrote)
                    .map_err(|failure| failure.within(format_args!("{what} is untrue")));
            }
        }
        Ok(())
    }

    /// Judges a list, which leaves out unreadable rows, and shows none that does not belong in it.
    #[track_caller]
    fn list<T: PartialEq + Debug>(&mut self, what: &str, read: Result<Vec<T>>, wrote: &[&T]) -> Outcome {
        let found = read.map_err(|error| Failure::from(error).within(format_args!("the list of {what}")))?;
        holds(found.len() <= wrote.len(), &format!("the list of {what} shows no row twice"))?;
        for row in &found {
            let context = format_args!("the list of {what} shows {row:?}").to_string();
            holds(wrote.contains(&row), &context)?;
        }
        self.missing += (wrote.len() - found.len()) as u64;
        Ok(())
    }

    /// Judges the outbox, which is whole or refused.
    #[track_caller]
    fn outbox(&mut self, what: &str, read: Result<Vec<Pending>>, wrote: &[&Pending]) -> Outcome {
        match read {
            Err(error) if error.kind() == ErrorKind::Corrupt => {
                self.refused += 1;
                Ok(())
            }
            Err(error) => Err(error.into()),
            Ok(found) => same(found.iter().collect::<Vec<_>>(), wrote)
                .map_err(|failure| failure.within(format_args!("the outbox, {what}"))),
        }
    }
}

/// Fills in the store's revisions and sequence numbers.
fn as_stored(mut twins: [Twin; 2]) -> [Twin; 2] {
    for (n, twin) in twins.iter_mut().enumerate() {
        let revision = Revision(n as u64 + 1);
        (twin.room.revision, twin.gap.revision, twin.pending.revision) = (revision, revision, revision);
        twin.pending.seq = n as u64 + 1;
        twin.media.size = twin.bytes.len() as u64;
    }
    twins
}

/// Reads everything in every way.
async fn read(store: &Store) -> Result<Seen, Failure> {
    let (twins, mut seen) = (as_stored([twin(0), twin(1)]), Seen::default());
    let [a, b] = &twins;
    seen.list("rooms", store.rooms(RoomQuery::latest(9)).await, &[&a.room, &b.room])?;
    seen.list("media", store.media_index(MediaQuery::default()).await, &[&a.media, &b.media])?;
    seen.outbox("all of it", store.pending(PendingQuery::default()).await, &[&a.pending, &b.pending])?;
    for Twin { room, message, gap, pending, media, bytes, state } in &twins {
        let id = &room.id;
        seen.one("a room", store.room(id).await, room)?;

        seen.one("a message", store.message(id, &message.id).await, message)?;
        for page in [Page::newest(9), Page::oldest(9)] {
            let items = store.timeline(id, page).await?.items;
            let gaps = items.iter().filter_map(Item::as_gap).cloned().collect();
            tokens(&mut seen, gaps, gap)?;
            let messages = items.into_iter().filter_map(|item| match item {
                Item::Message(message) => Some(message),
                Item::Gap(_) => None,
            });
            seen.list("a timeline", Ok(messages.collect()), &[message])?;
        }
        if let Some(relation) = &message.relation {
            let query = RelationQuery::of(id, &relation.target);
            seen.list("what relates to a message", store.related(query).await, &[message])?;
        }
        let (room, span) = (id.clone(), (message.timestamp_ms, message.timestamp_ms + 1));
        for query in [
            MessageQuery::Ids { room: room.clone(), events: vec![message.id.clone()] },
            MessageQuery::Txn(some(message.txn_id.clone())?),
            MessageQuery::Sender { room: room.clone(), sender: message.sender.clone(), limit: 9 },
            MessageQuery::Time { room: room.clone(), from_ms: span.0, until_ms: span.1, limit: 9 },
        ] {
            let what = format!("messages by {query:?}");
            seen.list(&what, store.messages(query).await, &[message])?;
        }
        tokens(&mut seen, store.gaps(id).await?, gap)?;

        let one = PendingQuery { txn_id: Some(pending.txn_id.clone()), ..PendingQuery::default() };
        let found = store.pending(one).await;
        seen.one("an outbox row", found.map(|mut found| found.pop()), pending)?;
        let of_room = PendingQuery { room: Some(room.clone()), ..PendingQuery::default() };
        // Another room's row is refused; its own may stand where the room does not look.
        match store.pending(of_room).await {
            Err(error) if error.kind() == ErrorKind::Corrupt => seen.refused += 1,
            found => seen.list("a room's outbox", found, &[pending])?,
        }

        let found = store.media(&media.key, ByteRange::ALL).await;
        let expected = Media { info: media.clone(), bytes: bytes.clone() };
        seen.one("a media item", found, &expected)?;
        let one = MediaQuery { key: Some(media.key.clone()), ..MediaQuery::default() };
        let found = store.media_index(one).await;
        seen.one("an item of the index", found.map(|mut found| found.pop()), media)?;

        let one = StateQuery::one(state.scope.clone(), state.kind.clone(), state.key.clone());
        seen.one("a state entry", store.state(one).await.map(|mut found| found.pop()), state)?;
        for kind in [None, Some(state.kind.clone())] {
            let query = StateQuery { kind, ..StateQuery::all(state.scope.clone()) };
            seen.list("state", store.state(query).await, &[state])?;
        }
    }
    Ok(seen)
}

/// Judges gaps: each stays a gap, without its token if that cannot be read.
fn tokens(seen: &mut Seen, found: Vec<Gap>, wrote: &Gap) -> Outcome {
    let known = found.into_iter().filter(|gap| gap.token.is_some()).collect();
    seen.list("gaps", Ok(known), &[wrote])
}

pub(crate) async fn the_rows_that_are_moved_read_well_before(harness: &mut dyn Harness) -> Outcome {
    let store = harness.open().await?;
    write(&store).await?;
    let seen = read(&store).await?;
    same((seen.refused, seen.missing, store.info().damaged), (0, 0, 0))?;
    same(store.maintain(Maintenance::Check, Progress::none()).await?.findings, [""; 0])
}

/// Opens a store with a move made in it; `None` if opening it already found and reported the damage.
async fn moved(harness: &mut dyn Harness, a_move: Move) -> Result<Option<Store>, Failure> {
    let store = harness.open().await?;
    write(&store).await?;
    store.close().await?;
    drop(store);
    harness.make(a_move.name).await?;
    match harness.reopen().await {
        Err(error) if error.kind() == ErrorKind::Corrupt => Ok(None),
        Ok(store) if store.info().recovery.is_some() => {
            store.close().await.map(|()| None).map_err(Into::into)
        }
        opened => Ok(Some(opened?)),
    }
}

/// Checks that the reads and the check notice a move.
async fn noticed(store: &Store, a_move: Move) -> Outcome {
    judge(store, a_move, read(store).await?).await
}

async fn judge(store: &Store, a_move: Move, seen: Seen) -> Outcome {
    if a_move.on_read {
        holds(
            seen.refused + store.info().damaged > 0,
            "a row under another parent is noticed when it is read",
        )?;
    }
    let findings = store.maintain(Maintenance::Check, Progress::none()).await?.findings;
    let of = a_move.of.name();
    holds(
        findings.iter().any(|text| text.contains(of)),
        &format!("a check names the row of {of}, and not only {findings:?}"),
    )
}

pub(crate) async fn a_row_under_another_parent_is_noticed(harness: &mut dyn Harness) -> Outcome {
    for a_move in harness.moves() {
        let Some(store) = moved(harness, a_move).await? else { continue };
        noticed(&store, a_move).await.map_err(|failure| failure.within(a_move.name))?;
        store.close().await?;
    }
    Ok(())
}

/// A rotation seals rows again without looking into them.
pub(crate) async fn a_rotation_does_not_make_a_moved_row_good(harness: &mut dyn Harness) -> Outcome {
    for a_move in harness.moves() {
        let Some(store) = moved(harness, a_move).await? else { continue };
        if store.info().sealed {
            store.maintain(Maintenance::Rotate, Progress::none()).await?;
            let damaged = store.info().damaged;
            let seen = read(&store).await?;
            // An index that was rewritten may be right again.
            if seen.missing + seen.refused + (store.info().damaged - damaged) > 0 {
                judge(&store, a_move, seen).await.map_err(|failure| failure.within(a_move.name))?;
            }
        }
        store.close().await?;
    }
    Ok(())
}
