//! Every read, compared with the model.

use futures_util::future::{try_join_all, try_join3, try_join4};

use super::model::Model;
use super::resolve::{moment, scope};
use super::step::{EVENTS, ITEMS, NAMES, ROOMS, TXNS};
use crate::conformance::check::same;
use crate::conformance::make::{Store, event, kind, media_key, room, txn, user};
use crate::conformance::{Failure, Outcome};
use crate::*;

/// A cursor under way, and its meaning.
#[derive(Debug, Clone)]
pub(super) struct Held {
    room: RoomId,
    cursor: Cursor,
    position: Position,
    anchor: Option<(EventId, Position)>,
}

impl Held {
    /// Takes the cursor that continues a page.
    pub(super) async fn take(
        store: &Store,
        room: RoomId,
        limit: usize,
        older: bool,
    ) -> Result<Option<Self>, Failure> {
        let page = if older { Page::newest(limit) } else { Page::oldest(limit) };
        let items = store.timeline(&room, page).await?;
        let cursor = if older { items.older() } else { items.newer() };
        let Some(cursor) = cursor else { return Ok(None) };
        let (edge, near) = if older {
            (items.items.first(), items.messages().next())
        } else {
            (items.items.last(), items.messages().next_back())
        };
        let anchor = near.map(|message| (message.id.clone(), message.position));
        Ok(edge.map(|edge| Self { room, cursor, position: edge.position(), anchor }))
    }

    /// Returns its present place: the same distance from its message as before.
    fn place(&self, model: &Model) -> i64 {
        let number = |position: Position| position.get() as i64;
        let moved = self.anchor.as_ref().and_then(|(event, then)| {
            let message = model.messages.iter().find(|m| m.room == self.room && m.id == *event)?;
            Some(number(message.position) - number(*then))
        });
        (number(self.position) + moved.unwrap_or(0)).clamp(0, number(Position::MAX))
    }

    async fn check(&self, store: &Store, model: &Model) -> Outcome {
        let place = self.place(model);
        let items = model.timeline(&self.room);
        let (older, rest): (Vec<Item>, Vec<Item>) =
            items.into_iter().partition(|item| (item.position().get() as i64) < place);
        let newer: Vec<Item> = rest.into_iter().filter(|item| item.position().get() as i64 > place).collect();
        let expected =
            Slice { more: older.len() > 2, items: older[older.len().saturating_sub(2)..].to_vec() };
        same(store.timeline(&self.room, Page::older_than(self.cursor.clone(), 2)).await?, expected)?;
        let expected = Slice { more: newer.len() > 2, items: newer.into_iter().take(2).collect() };
        same(store.timeline(&self.room, Page::newer_than(self.cursor.clone(), 2)).await?, expected)
    }
}

/// Compares everything. `turn` varies limits and the room that is compared closely. The parts read side by side: a slow
/// read (in a browser) is slow to answer, not busy.
pub(super) async fn compare(store: &Store, model: &Model, held: &[Held], turn: usize) -> Outcome {
    let timelines = (0..ROOMS).map(|n| timeline(store, model, n, turn));
    let held = held.iter().map(|held| held.check(store, model));
    let records =
        try_join4(rooms(store, model, turn), outbox(store, model), media(store, model), state(store, model));
    try_join3(records, try_join_all(timelines), try_join_all(held)).await.map(drop)
}

async fn timeline(store: &Store, model: &Model, n: u8, turn: usize) -> Outcome {
    let id = room(n.into());
    let items = model.timeline(&id);
    let whole = Slice { items: items.clone(), more: false };
    same(store.timeline(&id, Page::oldest(usize::MAX)).await?, whole)?;
    let gaps: Vec<Gap> = items.iter().filter_map(Item::as_gap).cloned().collect();
    same(store.gaps(&id).await?, gaps)?;
    if turn % usize::from(ROOMS) == usize::from(n) {
        walk(store, &id, &items, Direction::Older, 1 + turn % 4).await?;
        walk(store, &id, &items, Direction::Newer, 1 + turn % 3).await?;
        messages(store, model, &id).await?;
    }
    Ok(())
}

async fn rooms(store: &Store, model: &Model, turn: usize) -> Outcome {
    let mut all = model.rooms.clone();
    all.sort_by_key(|room| (std::cmp::Reverse(room.last_activity_ms), room.id.clone()));
    same(&store.rooms(RoomQuery::default()).await?, &all)?;
    let mut page = RoomQuery::latest(1 + turn % 2);
    let mut walked = Vec::new();
    loop {
        let found = store.rooms(page.clone()).await?;
        let Some(last) = found.last() else { break };
        page.after = Some(last.into());
        walked.extend(found);
        if walked.len() > all.len() {
            break;
        }
    }
    same(&walked, &all)?;
    for n in 0..ROOMS {
        let id = room(n.into());
        same(store.room(&id).await?.as_ref(), model.room(&id))?;
    }
    let space = RoomQuery { space: Some(room(9)), ..RoomQuery::default() };
    let of_space: Vec<Room> = all.iter().filter(|r| r.spaces.contains(&room(9))).cloned().collect();
    same(store.rooms(space).await?, of_space)?;
    let left = RoomQuery { membership: Some(Membership::Leave), ..RoomQuery::default() };
    all.retain(|room| room.membership == Membership::Leave);
    same(store.rooms(left).await?, all)
}

async fn walk(store: &Store, id: &RoomId, items: &[Item], direction: Direction, limit: usize) -> Outcome {
    let mut rest = items.to_vec();
    let mut start = Start::End;
    loop {
        let page = Page { start, direction, limit };
        let found = store.timeline(id, page).await?;
        let count = limit.min(rest.len());
        let part = match direction {
            Direction::Older => rest.split_off(rest.len() - count),
            Direction::Newer => rest.drain(..count).collect(),
        };
        same(&found, &Slice { items: part, more: !rest.is_empty() })?;
        let next = match direction {
            Direction::Older => found.older(),
            Direction::Newer => found.newer(),
        };
        match next {
            Some(cursor) if found.more => start = Start::Beyond(cursor),
            _ => return Ok(()),
        }
    }
}

/// Compares the view of a timeline with one made by looking at every pair of messages.
async fn view(store: &Store, id: &RoomId, all: &[Message]) -> Outcome {
    use RelationKind::*;
    let about = |message: &Message| message.relation.clone().map(|relation| (relation.kind, relation.target));
    let is_shown = |message: &&Message| {
        about(message).is_none_or(|(kind, _)| ![Edit, Reaction, Redaction, Ignored].contains(&kind))
    };
    let expected = all.iter().filter(is_shown).map(|message| {
        let live: Vec<_> = all.iter().filter(|other| other.redacted_by.is_none()).collect();
        let of = |kind: RelationKind| {
            live.iter().filter(move |other| about(other) == Some((kind.clone(), message.id.clone())))
        };
        let mut edits: Vec<_> = of(Edit)
            .filter(|edit| (&edit.sender, &edit.kind) == (&message.sender, &message.kind))
            .filter(|edit| edit.state_key.is_none() && message.state_key.is_none())
            .filter(|_| message.redacted_by.is_none())
            .collect();
        edits.sort_by_key(|edit| edit.id.clone());
        edits.sort_by_key(|edit| edit.timestamp_ms);
        edits.sort_by_key(|edit| if edit.provisional { Some(edit.position) } else { None });
        let senders: std::collections::BTreeSet<_> =
            of(Reaction).filter(|_| message.redacted_by.is_none()).map(|reaction| &reaction.sender).collect();
        (
            message.id.clone(),
            edits.last().map(|edit| edit.id.clone()),
            senders.len() as u64,
            of(Thread).count(),
        )
    });
    let expected: Vec<_> = expected.collect();
    let found = store.timeline_view(id, Page::newest(usize::MAX)).await?;
    let found = found.items.into_iter().filter_map(|item| match item {
        ViewItem::Message(view) => {
            let reactions = view.reactions.iter().map(|group| group.count).sum::<u64>();
            Some((view.message.id, view.edit.map(|edit| edit.id), reactions, view.thread as usize))
        }
        ViewItem::Gap(_) => None,
    });
    same(found.collect::<Vec<_>>(), expected)
}

async fn messages(store: &Store, model: &Model, id: &RoomId) -> Outcome {
    let mut all: Vec<Message> = model.messages.iter().filter(|m| m.room == *id).cloned().collect();
    all.sort_by_key(|message| message.position);
    same(store.count(id, None).await?, all.len() as u64)?;
    let events: Vec<EventId> = (0..EVENTS).map(|n| event(n.into())).collect();
    for event in &events {
        let message = all.iter().find(|message| message.id == *event);
        same(store.message(id, event).await?.as_ref(), message)?;
        let newer = message.map_or(0, |read| all.iter().filter(|m| m.position > read.position).count());
        same(store.count(id, Some(event)).await?, newer as u64)?;
    }
    let some = events.iter().skip(2).cloned().collect::<Vec<_>>();
    let expected: Vec<_> = all.iter().filter(|m| some.contains(&m.id)).cloned().collect();
    same(store.messages(MessageQuery::Ids { room: id.clone(), events: some }).await?, expected)?;

    let asks = [(events.clone(), None, usize::MAX), (events, None, 2), (vec![event(1), event(0)], None, 9)];
    let kinds = [RelationKind::Edit, RelationKind::Other("x".to_owned())];
    let kinds = kinds.map(|kind| (vec![event(0), event(1)], Some(kind), 9));
    for (targets, kind, limit) in asks.into_iter().chain(kinds) {
        let related = all.iter().filter(|message| {
            message.relation.as_ref().is_some_and(|relation| {
                targets.contains(&relation.target) && kind.as_ref().is_none_or(|k| *k == relation.kind)
            })
        });
        let expected: Vec<Message> = related.take(limit).cloned().collect();
        same(store.related(RelationQuery { room: id.clone(), targets, kind, limit }).await?, expected)?;
    }
    view(store, id, &all).await?;
    for (sender, limit) in [(0, usize::MAX), (1, 2)] {
        let by = all.iter().rev().filter(|message| message.sender == user(sender));
        let expected: Vec<Message> = by.take(limit).cloned().collect();
        let query = MessageQuery::Sender { room: id.clone(), sender: user(sender), limit };
        same(store.messages(query).await?, expected)?;
    }
    all.sort_by_key(|message| (message.timestamp_ms, message.position));
    for (from_ms, until_ms, limit) in [(i64::MIN, i64::MAX, 9), (-1, 10, 9), (-1, 11, 2)] {
        let during = all.iter().filter(|m| m.timestamp_ms >= from_ms && m.timestamp_ms < until_ms);
        let expected: Vec<Message> = during.take(limit).cloned().collect();
        let query = MessageQuery::Time { room: id.clone(), from_ms, until_ms, limit };
        same(store.messages(query).await?, expected)?;
    }
    Ok(())
}

async fn outbox(store: &Store, model: &Model) -> Outcome {
    let mut all = model.pending.clone();
    all.sort_by_key(|row| row.seq);
    same(&store.pending(PendingQuery::default()).await?, &all)?;
    let none = PendingQuery::default;
    let middle = all.get(all.len() / 2).map_or(0, |row| row.seq);
    let asks = [
        PendingQuery { room: Some(room(0)), ..none() },
        PendingQuery { room: Some(room(1)), limit: 1, ..none() },
        PendingQuery { event_id: Some(event(1)), ..none() },
        PendingQuery { due_ms: Some(moment(1)), ..none() },
        PendingQuery { parent: Some(txn(1)), ..none() },
        PendingQuery { skip_damaged: true, ..none() },
        PendingQuery { after_seq: middle, room: Some(room(0)), limit: 1, ..none() },
        PendingQuery { txn_id: Some(txn(0)), due_ms: Some(moment(2)), ..none() },
    ];
    for query in asks {
        let found = all.iter().filter(|row| {
            query.room.as_ref().is_none_or(|room| row.room == *room)
                && query.event_id.as_ref().is_none_or(|event| row.event_id.as_ref() == Some(event))
                && query.txn_id.as_ref().is_none_or(|txn_id| row.txn_id == *txn_id)
                && query.due_ms.is_none_or(|due_ms| row.not_before_ms <= due_ms)
                && query.parent.as_ref().is_none_or(|parent| row.parent.as_ref() == Some(parent))
                && row.seq > query.after_seq
        });
        let expected: Vec<Pending> = found.take(query.limit).cloned().collect();
        same(store.pending(query).await?, expected)?;
    }
    for n in 0..TXNS {
        let own = model.messages.iter().filter(|message| message.txn_id == Some(txn(n.into())));
        let mut expected: Vec<Message> = own.cloned().collect();
        expected.sort_by_key(|message| message.room.clone());
        same(store.messages(MessageQuery::Txn(txn(n.into()))).await?, expected)?;
    }
    Ok(())
}

async fn media(store: &Store, model: &Model) -> Outcome {
    let mut all: Vec<MediaInfo> = model.media.iter().map(|(info, _)| info.clone()).collect();
    all.sort_by_key(|info| (info.last_access_ms, info.key.clone()));
    same(&store.media_index(MediaQuery::default()).await?, &all)?;
    let first: Vec<MediaInfo> = all.iter().take(1).cloned().collect();
    same(store.media_index(MediaQuery { limit: 1, ..MediaQuery::default() }).await?, first)?;
    all.retain(|info| info.rooms.contains(&room(0)));
    same(store.media_index(MediaQuery { room: Some(room(0)), ..MediaQuery::default() }).await?, all)?;
    let chunk = CHUNK_BYTES as u64;
    for n in 0..ITEMS {
        let key = media_key(n.into());
        let stored = model.media.iter().find(|(info, _)| info.key == key);
        for (start, end) in [(0, u64::MAX), (chunk - 2, chunk + 2), (2, 4)] {
            let found = store.media(&key, ByteRange { start, end }).await?;
            same(found.as_ref().map(|media| &media.info), stored.map(|(info, _)| info))?;
            let cut = |bytes: &Vec<u8>| {
                let end = usize::try_from(end).unwrap_or(usize::MAX).min(bytes.len());
                bytes[(start as usize).min(end)..end].to_vec()
            };
            if found.map(|media| media.bytes) != stored.map(|(_, bytes)| cut(bytes)) {
                return Err(Failure::new(format_args!("other bytes than were put at {start}..{end}")));
            }
        }
    }
    Ok(())
}

async fn state(store: &Store, model: &Model) -> Outcome {
    for n in 0..=ROOMS {
        let mut all: Vec<_> = model.state.iter().filter(|entry| entry.scope == scope(n)).cloned().collect();
        all.sort_by_key(|entry| (entry.kind.clone(), entry.key.clone()));
        debug_assert!(all.len() <= usize::from(NAMES));
        same(&store.state(StateQuery::all(scope(n))).await?, &all)?;
        all.retain(|entry| entry.kind == kind("b"));
        same(&store.state(StateQuery::kind(scope(n), kind("b"))).await?, &all)?;
        same(store.count_state(&scope(n), &kind("b")).await?, all.len() as u64)?;
        // Whatever the order of pages is, two make the whole, and the second begins where the first ends.
        let page = |after, limit| StateQuery::page(scope(n), kind("b"), after, limit);
        let mut pages = store.state(page(None, 2)).await?;
        if let Some(last) = pages.get(1) {
            pages.extend(store.state(page(Some(last.key.clone()), usize::MAX)).await?);
        }
        pages.sort_by_key(|entry| entry.key.clone());
        same(&pages, &all)?;
    }
    Ok(())
}
