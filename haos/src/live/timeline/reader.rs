//! The reading of a timeline: what changed is read again, the rest is kept.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use async_trait::async_trait;
use haos_queue::RECEIPT;
use haos_store_api::backend::law::sort_by;
use haos_store_api::{
    Change, EventId, EventType, Item, Json, MessageQuery, Pending, PendingQuery, RelationKind, RelationQuery,
    Result, RoomId, Scope, StateKey, StateQuery, Touched, TxnId, UserId,
};

use super::stored::{Read, Stored};
use super::window::{Window, is_shown};
use super::{Profile, TimelineItem};
use crate::base::{Base, Signals, gathered};
use crate::live::list::Reader;

/// Reads a room's timeline within a window.
pub(super) struct TimelineReader {
    pub(super) base: Base,
    pub(super) room: RoomId,
    pub(super) window: Window,
    pub(super) stored: Stored,
    stale: Stale,
}

/// The parts that are to be read again.
#[derive(Debug, Clone)]
struct Stale {
    timeline: Part,
    state: bool,
}

/// A part of the timeline.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    /// These messages: no others changed.
    Messages(BTreeSet<EventId>),
    /// All of it.
    All,
}

impl Stale {
    const ALL: Self = Self { timeline: Part::All, state: true };
}

impl TimelineReader {
    pub(super) fn new(base: Base, room: RoomId, window: Window) -> Self {
        Self { base, room, window, stored: Stored::default(), stale: Stale::ALL }
    }

    /// Shows another part of the timeline.
    pub(super) fn show(&mut self, window: Window) {
        (self.window, self.stale.timeline) = (window, Part::All);
    }

    /// Reads the outbox. Returns the rows that went since it was read before.
    async fn read_rows(&mut self) -> Result<Vec<Pending>> {
        let query =
            PendingQuery { room: Some(self.room.clone()), skip_damaged: true, ..PendingQuery::default() };
        let rows = self.base.store.pending(query).await?;
        let protocol = &self.base.protocol;
        let rows = rows.into_iter().map(|row| (row.clone(), protocol.row_relation(&row))).collect();
        let before = std::mem::replace(&mut self.stored.rows, rows);
        let there: HashSet<&TxnId> = self.stored.rows.iter().map(|(row, _)| &row.txn_id).collect();
        Ok(before.into_iter().map(|(row, _)| row).filter(|row| !there.contains(&row.txn_id)).collect())
    }

    async fn read_timeline(&mut self) -> Result<()> {
        let store = &*self.base.store;
        let mut items = self.window.read(store, &self.room).await?;
        compact(&mut items);
        let shown = items.iter().filter_map(Item::as_message).filter(|message| is_shown(message));
        let targets: Vec<EventId> = shown.map(|message| message.id.clone()).collect();
        let stored = &mut self.stored;
        (stored.items, stored.related, stored.is_live) = (items, HashMap::new(), self.window.is_live());
        stored.quoted.clear();
        self.read_related(targets).await
    }

    /// Reads what relates to messages, and what they answer.
    async fn read_related(&mut self, shown: Vec<EventId>) -> Result<()> {
        let store = &*self.base.store;
        let elsewhere = self.stored.unquoted();
        let mut quoted = Vec::new();
        if !elsewhere.is_empty() {
            let query = MessageQuery::Ids { room: self.room.clone(), events: elsewhere };
            quoted = store.messages(query).await?;
        }
        let edited = quoted.iter().map(|message| message.id.clone()).collect();
        let queries = [(shown, None), (edited, Some(RelationKind::Edit))];
        for (targets, kind) in queries.into_iter().filter(|(targets, _)| !targets.is_empty()) {
            let query = RelationQuery { room: self.room.clone(), targets, kind, limit: usize::MAX };
            let related = store.related(query).await?;
            self.stored.related.extend(related.into_iter().map(|message| (message.id.clone(), message)));
        }
        self.stored.quoted.extend(quoted.into_iter().map(|message| (message.id.clone(), message)));
        Ok(())
    }

    /// Reads these messages again, of which alone it is known that they changed. Returns false if that does not do.
    async fn update(&mut self, events: &BTreeSet<EventId>) -> Result<bool> {
        if events.is_empty() {
            return Ok(true);
        }
        let query = MessageQuery::Ids { room: self.room.clone(), events: events.iter().cloned().collect() };
        let found = self.base.store.messages(query).await?;
        let has_older = self.window.has_older();
        let Some(fresh) = self.stored.update(events, found, has_older) else { return Ok(false) };
        if self.stored.items.len() > self.window.limit() {
            return Ok(false);
        }
        if !fresh.is_empty() {
            self.read_related(fresh).await?;
        }
        Ok(true)
    }

    /// Finds out how far the own user has read: the furthest of what the server has and of what it is to be told.
    async fn read_marker(&mut self) -> Result<()> {
        let protocol = &self.base.protocol;
        let unsent = self.stored.rows.iter().rev().filter_map(|(row, _)| protocol.read_marker(row));
        let unsent = unsent.filter_map(|entry| protocol.read_upto(&entry));
        let mut events: Vec<EventId> = unsent.chain(self.stored.marker.clone()).collect();
        events.dedup();
        if events.len() > 1 {
            let query = MessageQuery::Ids { room: self.room.clone(), events: events.clone() };
            let furthest =
                self.base.store.messages(query).await?.into_iter().max_by_key(|message| message.position);
            events.splice(0..0, furthest.map(|message| message.id));
        }
        self.stored.read_upto = events.into_iter().next();
        Ok(())
    }

    /// Reads who is who, and who has read what.
    async fn read_state(&mut self) -> Result<()> {
        let store = &*self.base.store;
        let scope = || Scope::Room(self.room.clone());
        if self.stale.state {
            self.stored.members.clear();
            let receipts = StateQuery::kind(scope(), EventType::new("haos.receipt")?);
            let marker = StateQuery::one(scope(), EventType::new("m.fully_read")?, StateKey::new("")?);
            let mut lists = store.states(vec![receipts, marker]).await?.into_iter();
            let [receipts, marker] = [(); 2].map(|()| lists.next().unwrap_or_default());
            self.stored.receipts = latest(receipts.iter().map(|entry| (&entry.key, &entry.value)));
            self.stored.marker = marker.first().and_then(|entry| self.base.protocol.read_upto(entry));
        }
        let stored = &self.stored;
        let senders = stored.items.iter().filter_map(Item::as_message).chain(stored.quoted.values());
        let people = senders.map(|message| &message.sender).chain(&stored.me);
        let shown: HashSet<&EventId> =
            stored.items.iter().filter_map(|item| Some(&item.as_message()?.id)).collect();
        let readers =
            stored.receipts.iter().filter(|read| shown.contains(&read.event)).map(|read| &read.user);
        let unknown = people.chain(readers).filter(|user| !stored.members.contains_key(*user));
        let unknown: BTreeSet<UserId> = gathered(unknown.cloned());
        if unknown.is_empty() {
            return Ok(());
        }
        let kind = EventType::new("m.room.member")?;
        let member =
            |user: &UserId| Ok(StateQuery::one(scope(), kind.clone(), StateKey::new(user.as_str())?));
        let lists = store.states(unknown.iter().map(member).collect::<Result<_>>()?).await?;
        for (user, entries) in unknown.into_iter().zip(lists) {
            let content = entries.first().and_then(|event| event.value.member("content"));
            let profile = Profile::of(&user, content.as_ref());
            self.stored.members.insert(user, profile);
        }
        Ok(())
    }
}

#[cfg_attr(not(target_arch = "wasm32"), async_trait)]
#[cfg_attr(target_arch = "wasm32", async_trait(?Send))]
impl Reader for TimelineReader {
    type Item = Arc<TimelineItem>;

    fn key(item: &Self::Item) -> &str {
        &item.id
    }

    fn note(&mut self, change: &Change) -> bool {
        let Change::Commit { touched, .. } = change else {
            self.stale = Stale::ALL;
            return true;
        };
        let named = touched.iter().find_map(|item| match item {
            Touched::Messages(room, events) if *room == self.room => Some(events),
            _ => None,
        });
        let mut is_other = false;
        for item in touched.iter() {
            match item {
                Touched::Room(room) if *room == self.room => match (named, &mut self.stale.timeline) {
                    (Some(events), Part::Messages(stale)) => stale.extend(events.iter().cloned()),
                    _ => self.stale.timeline = Part::All,
                },
                Touched::State(Scope::Room(room)) if *room == self.room => self.stale.state = true,
                // Of which room a row was, the store does not say.
                Touched::Pending(_) => {}
                _ => continue,
            }
            is_other = true;
        }
        is_other
    }

    fn is_outdated(&self) -> bool {
        *self.base.me.borrow() != self.stored.me
    }

    fn signals(&self) -> Option<Signals> {
        Some(self.base.signals())
    }

    async fn read(&mut self) -> Result<Vec<Self::Item>> {
        self.stored.me.clone_from(&self.base.me.borrow());
        // The echo of a row comes in one commit with its end: read before the timeline, it is in one of them at least.
        let gone = self.read_rows().await?;
        // What is begun and fails is read as a whole.
        let is_updated = match std::mem::replace(&mut self.stale.timeline, Part::All) {
            // The echo of a row that went may be of a commit that was not noted yet.
            Part::Messages(events) => self.update(&events).await? && self.stored.has_echoes_of(&gone),
            Part::All => false,
        };
        if !is_updated {
            self.read_timeline().await?;
        }
        self.stale.timeline = Part::Messages(BTreeSet::new());
        // With a receipt that the server accepted, the marker moved, in a commit that may not be noted yet either.
        self.stale.state |= gone.iter().any(|row| row.kind.as_str() == RECEIPT);
        self.read_state().await?;
        self.stale.state = false;
        self.read_marker().await?;
        Ok(self.stored.shown())
    }
}

/// Lets messages share the names that they repeat, and gives back what is not needed: it is held as long as somebody
/// looks.
fn compact(items: &mut Vec<Item>) {
    let (mut users, mut kinds) = (HashSet::new(), HashSet::new());
    for item in &mut *items {
        let Item::Message(message) = item else { continue };
        share(&mut users, &mut message.sender);
        share(&mut kinds, &mut message.kind);
    }
    items.shrink_to_fit();
}

fn share<T: Clone + Eq + std::hash::Hash>(held: &mut HashSet<T>, name: &mut T) {
    match held.get(name) {
        Some(same) => *name = same.clone(),
        None => drop(held.insert(name.clone())),
    }
}

/// Returns the latest receipt of each user, of those that others see and that are not of a thread.
fn latest<'a>(entries: impl Iterator<Item = (&'a StateKey, &'a Json)>) -> Vec<Read> {
    let mut latest: HashMap<UserId, Read> = HashMap::new();
    for (_, value) in entries.filter(|(key, _)| key.as_str().starts_with("m.read|")) {
        let is_of_thread = value.text("thread_id").is_some_and(|thread| thread != "main");
        let user = value.text("user_id").and_then(|user| UserId::new(user).ok());
        let event = value.text("event_id").and_then(|event| EventId::new(event).ok());
        let (Some(user), Some(event), false) = (user, event, is_of_thread) else { continue };
        let timestamp_ms = value.member("ts").and_then(|ts| ts.parse().ok());
        let read = Read { user: user.clone(), event, timestamp_ms };
        match latest.get(&user) {
            Some(held) if held.timestamp_ms >= read.timestamp_ms => {}
            _ => drop(latest.insert(user, read)),
        }
    }
    let mut list: Vec<Read> = latest.into_values().collect();
    sort_by(&mut list, |a, b| a.user.cmp(&b.user));
    list
}
