//! The law of the timeline: what is shown of what is stored. A pure function.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use haos_queue::local_event_id;
use haos_store_api::backend::law::sort_by;
use haos_store_api::{
    EventId, Item, Json, Message, MessageView, Pending, Position, Relation, RelationKind, Slice, TxnId,
    UserId, ViewItem, view,
};

use super::profiles::{Profiles, previous};
use super::stored::{Stored, answer_of, is_event};
use super::{
    Edited, EventItem, LocalItem, Post, Quote, Reaction, Receipt, SendStatus, ThreadSummary, TimelineItem,
    TimelineItemKind,
};
use crate::content::{Content, Mentions};

/// The most characters of a quoted message.
const QUOTED: usize = 200;
/// The most people who are named as having read up to an event.
const READERS: usize = 50;
const DAY_MS: i64 = 24 * 3600 * 1000;

impl Stored {
    /// Returns the shown items, oldest first. Their ids differ.
    pub(super) fn shown(&self) -> Vec<Arc<TimelineItem>> {
        let unsent = Unsent::of(self);
        let related = self.related.values().chain(&unsent.additions);
        let related: Vec<Message> =
            related.filter(|message| !unsent.redactions.contains_key(&message.id)).cloned().collect();
        let items = self.items.iter().cloned().chain(unsent.messages.iter().cloned().map(Item::Message));
        let view = view::aggregate(Slice { items: items.collect(), more: false }, &related, self.me.as_ref());
        let sight =
            Sight { stored: self, unsent: &unsent, profiles: Profiles::of(&self.items, &self.members) };
        let indexes: HashMap<&EventId, usize> = self
            .items
            .iter()
            .enumerate()
            .filter_map(|(at, item)| Some((&item.as_message()?.id, at)))
            .collect();
        let quotes = sight.quotes(&view.items, &related);
        let mut list = List::new(self.offset_ms);
        let mut readers = sight.readers(&indexes);
        let marker = self.read_upto.as_ref().and_then(|event| indexes.get(event)).copied();
        let mut gaps = gap_ids(&self.items).into_iter();
        for item in &view.items {
            let ViewItem::Message(view) = item else {
                list.push(gaps.next().unwrap_or_default(), TimelineItemKind::Gap);
                continue;
            };
            let at = indexes.get(&view.message.id).copied();
            let place = at.unwrap_or(self.items.len());
            // Who has read up to what shows elsewhere has read up to what stands before it.
            let rest = readers.split_off(&place);
            list.readers(std::mem::replace(&mut readers, rest).into_values().flatten());
            if is_spent(&view.message) {
                continue;
            }
            // The first message of somebody else behind the one that was read.
            if at.is_some() && marker.is_some_and(|marker| marker < place) && !sight.is_own(&view.message) {
                list.marker();
            }
            let post = sight.post(view, at.unwrap_or(usize::MAX), &quotes);
            list.message(view, post, unsent.row_of(&view.message.id));
        }
        // What was read behind the last shown item.
        list.readers(readers.into_values().flatten());
        list.items.into_iter().map(Arc::new).collect()
    }
}

/// What the outbox adds: messages, and what is about messages.
struct Unsent<'a> {
    /// Messages that nobody has confirmed, as if they stood at the end.
    messages: Vec<Message>,
    /// Edits and reactions.
    additions: Vec<Message>,
    /// The messages that are being taken back, with the rows that do it.
    redactions: HashMap<EventId, &'a Pending>,
    rows: HashMap<EventId, &'a Pending>,
    status: HashMap<&'a TxnId, (SendStatus, Option<&'a str>)>,
}

impl<'a> Unsent<'a> {
    fn of(stored: &'a Stored) -> Self {
        let mut unsent = Self {
            messages: Vec::new(),
            additions: Vec::new(),
            redactions: HashMap::new(),
            rows: HashMap::new(),
            status: HashMap::new(),
        };
        let stored_messages =
            || stored.items.iter().filter_map(Item::as_message).chain(stored.related.values());
        // The echo of a row may have come since the outbox was read.
        let echoed: HashSet<&TxnId> =
            stored_messages().filter_map(|message| message.txn_id.as_ref()).collect();
        let ids: HashSet<&EventId> = stored_messages().map(|message| &message.id).collect();
        let by_txn: HashMap<&TxnId, &Pending> =
            stored.rows.iter().map(|(row, _)| (&row.txn_id, row)).collect();
        let local = |txn_id: &TxnId| local_event_id(txn_id).ok();
        // Content names what is sent by the id that it was given meanwhile, or by its local one.
        let sent: HashMap<EventId, EventId> = (stored.rows.iter())
            .filter_map(|(row, _)| Some((local(&row.txn_id)?, row.event_id.clone()?)))
            .collect();
        let count = stored.rows.len() as u64;
        for (nr, (row, relation)) in stored.rows.iter().enumerate() {
            let is_echoed = echoed.contains(&row.txn_id)
                || row.event_id.as_ref().is_some_and(|event| ids.contains(event));
            let id = row.event_id.clone().or_else(|| local(&row.txn_id));
            let (Some(id), true, false) = (id, is_event(row), is_echoed) else { continue };
            let status = SendStatus::of_message(row, |txn_id| by_txn.get(txn_id).copied());
            unsent.status.insert(&row.txn_id, status);
            let mut relation = relation.clone();
            if let Some(relation) = &mut relation
                && let Some(event) = sent.get(&relation.target)
            {
                relation.target = event.clone();
            }
            let is_hidden = relation.as_ref().is_some_and(|relation| relation.kind.is_hidden());
            match relation {
                Some(relation) if relation.kind == RelationKind::Redaction => {
                    unsent.redactions.insert(relation.target, row);
                }
                _ if is_hidden || stored.is_live => {
                    let place = Position::MAX.older(count - nr as u64).unwrap_or(Position::MAX);
                    let message = message_of(row, id.clone(), relation, place, stored.me.as_ref());
                    let Some(message) = message else { continue };
                    unsent.rows.insert(id, row);
                    match is_hidden {
                        true => unsent.additions.push(message),
                        false => unsent.messages.push(message),
                    }
                }
                _ => {}
            }
        }
        unsent
    }

    fn row_of(&self, event: &EventId) -> Option<(&'a Pending, SendStatus, Option<&'a str>)> {
        let row = *self.rows.get(event)?;
        let (status, error) = *self.status.get(&row.txn_id)?;
        Some((row, status, error))
    }

    fn status_of(&self, event: &EventId) -> Option<SendStatus> {
        self.row_of(event).map(|(_, status, _)| status)
    }
}

/// Makes a message of a row, as if the server had it.
fn message_of(
    row: &Pending,
    id: EventId,
    relation: Option<Relation>,
    position: Position,
    me: Option<&UserId>,
) -> Option<Message> {
    // Whoever never logged in has no name yet.
    let sender = me.cloned().or_else(|| UserId::new("me").ok())?;
    Some(Message {
        room: row.room.clone(),
        id,
        position,
        sender,
        timestamp_ms: row.created_ms,
        kind: row.kind.clone(),
        state_key: None,
        content: row.content.clone(),
        relation,
        txn_id: Some(row.txn_id.clone()),
        redacted_by: None,
        provisional: true,
        extra: None,
    })
}

/// What a message's item is made from, besides its view.
struct Sight<'a> {
    stored: &'a Stored,
    unsent: &'a Unsent<'a>,
    profiles: Profiles<'a>,
}

impl Sight<'_> {
    fn is_own(&self, message: &Message) -> bool {
        self.stored.me.as_ref() == Some(&message.sender) || self.unsent.rows.contains_key(&message.id)
    }

    fn post(&self, view: &MessageView, at: usize, quotes: &HashMap<EventId, Quote>) -> Post {
        let (message, stored) = (&view.message, self.stored);
        let is_redacted = view.is_redacted() || self.unsent.redactions.contains_key(&message.id);
        let edit = view.edit.as_ref().filter(|_| !is_redacted);
        let raw = shown_content(message, edit);
        let mentions = Mentions::of(&raw);
        let is_own = self.is_own(message);
        let mentions_me = mentions.room || stored.me.as_ref().is_some_and(|me| mentions.calls(me));
        Post {
            sender: self.profiles.at(&message.sender, at),
            is_own,
            timestamp_ms: message.timestamp_ms,
            kind: message.kind.clone(),
            content: content_of(message, &raw),
            edited: edit.map(|edit| Edited {
                timestamp_ms: edit.timestamp_ms,
                sending: self.unsent.status_of(&edit.id),
            }),
            reply: answer_of(message).and_then(|event| quotes.get(&event).cloned()).filter(|_| !is_redacted),
            thread_root: match &message.relation {
                Some(relation) if relation.kind == RelationKind::Thread => Some(relation.target.clone()),
                _ => None,
            },
            thread: (view.thread > 0).then_some(ThreadSummary { count: view.thread }),
            reactions: if is_redacted { Vec::new() } else { self.reactions(view) },
            more_reactions: view.more_reactions,
            is_redacted,
            mentions_me: mentions_me && !is_own && !is_redacted,
            raw,
        }
    }

    fn reactions(&self, view: &MessageView) -> Vec<Reaction> {
        let own = |key: &str| {
            let addition = self.unsent.additions.iter().find(|addition| {
                addition.relation.as_ref().is_some_and(|relation| {
                    relation.kind == RelationKind::Reaction
                        && relation.target == view.message.id
                        && relation.key.as_deref() == Some(key)
                })
            });
            addition.and_then(|addition| self.unsent.status_of(&addition.id))
        };
        let me = self.stored.me.as_ref();
        let reaction = |group: &haos_store_api::Reactions| {
            let sending = own(&group.key);
            Reaction {
                key: group.key.clone(),
                count: group.count,
                is_own: me.map_or(sending.is_some(), |me| group.senders.contains(me)),
                senders: group.senders.clone(),
                sending,
            }
        };
        view.reactions.iter().map(reaction).collect()
    }

    /// Returns the quotes of the messages that are answered here.
    fn quotes(&self, items: &[ViewItem], related: &[Message]) -> HashMap<EventId, Quote> {
        let views: HashMap<&EventId, &MessageView> = items
            .iter()
            .filter_map(|item| match item {
                ViewItem::Message(view) => Some((&view.message.id, &**view)),
                ViewItem::Gap(_) => None,
            })
            .collect();
        let mut quotes = HashMap::new();
        for event in views.values().filter_map(|view| answer_of(&view.message)) {
            let elsewhere = self.stored.quoted.get(&event).map(|message| {
                let slice = Slice { items: vec![Item::Message(message.clone())], more: false };
                view::aggregate(slice, related, None)
            });
            let elsewhere = elsewhere.as_ref().and_then(|view| match view.items.first() {
                Some(ViewItem::Message(view)) => Some(&**view),
                _ => None,
            });
            let quoted = views.get(&event).copied().or(elsewhere);
            let quote = match quoted {
                None => Quote { event_id: event.clone(), sender: None, text: None },
                Some(view) => {
                    let message = &view.message;
                    // As they are now: who they were is known of what is in sight alone.
                    let sender = self.profiles.present(&message.sender);
                    let is_redacted = view.is_redacted() || self.unsent.redactions.contains_key(&message.id);
                    let text = (!is_redacted).then(|| {
                        let raw = shown_content(message, view.edit.as_ref());
                        let content = content_of(message, &raw);
                        content.plain().chars().take(QUOTED).collect()
                    });
                    Quote { event_id: event.clone(), sender: Some(sender), text }
                }
            };
            quotes.insert(event, quote);
        }
        quotes
    }

    /// Returns who has read up to which stored item, latest first.
    fn readers(&self, indexes: &HashMap<&EventId, usize>) -> BTreeMap<usize, Vec<Receipt>> {
        let mut readers: BTreeMap<usize, Vec<Receipt>> = BTreeMap::new();
        for read in self.stored.receipts.iter().filter(|read| self.stored.me.as_ref() != Some(&read.user)) {
            if let Some(at) = indexes.get(&read.event) {
                let user = self.profiles.at(&read.user, usize::MAX);
                readers.entry(*at).or_default().push(Receipt { user, timestamp_ms: read.timestamp_ms });
            }
        }
        readers
    }
}

/// The items as they come, with what stands between them.
struct List {
    items: Vec<TimelineItem>,
    ids: HashMap<Arc<str>, usize>,
    day: Option<i64>,
    offset_ms: i64,
    has_marker: bool,
}

impl List {
    fn new(offset_ms: i64) -> Self {
        Self { items: Vec::new(), ids: HashMap::new(), day: None, offset_ms, has_marker: false }
    }

    fn push(&mut self, id: String, kind: TimelineItemKind) {
        // Of several with one id, each later one has a number.
        let count = self.ids.entry(id.as_str().into()).or_insert(0);
        *count += 1;
        let id = if *count > 1 { format!("{id}#{count}").into() } else { id.into() };
        self.items.push(TimelineItem { id, kind });
    }

    fn marker(&mut self) {
        if !self.has_marker {
            self.has_marker = true;
            self.push("read-marker".to_owned(), TimelineItemKind::ReadMarker);
        }
    }

    fn message(&mut self, view: &MessageView, post: Post, row: Option<(&Pending, SendStatus, Option<&str>)>) {
        let days = (post.timestamp_ms.saturating_add(self.offset_ms)).div_euclid(DAY_MS);
        if self.day != Some(days) {
            self.day = Some(days);
            let date = date(days);
            self.push(format!("day-{date}"), TimelineItemKind::Day { days, date });
        }
        let message = &view.message;
        let id =
            message.txn_id.as_ref().map_or_else(|| message.id.to_string(), |txn_id| format!("txn-{txn_id}"));
        let kind = match row {
            Some((row, status, error)) => TimelineItemKind::Local(Box::new(LocalItem {
                txn_id: row.txn_id.clone(),
                post,
                status,
                error: error.map(str::to_owned),
            })),
            None => TimelineItemKind::Event(Box::new(EventItem {
                event_id: message.id.clone(),
                txn_id: message.txn_id.clone(),
                post,
                receipts: Vec::new(),
            })),
        };
        self.push(id, kind);
    }

    /// Puts those who have read up to here at the latest event.
    fn readers(&mut self, readers: impl Iterator<Item = Receipt>) {
        let events = self.items.iter_mut().rev().filter_map(|item| match &mut item.kind {
            TimelineItemKind::Event(event) => Some(event),
            _ => None,
        });
        let mut readers = readers.peekable();
        if readers.peek().is_some()
            && let Some(event) = { events }.next()
        {
            event.receipts.extend(readers);
            sort_by(&mut event.receipts, |a, b| {
                b.timestamp_ms.cmp(&a.timestamp_ms).then_with(|| a.user.id.cmp(&b.user.id))
            });
            event.receipts.truncate(READERS);
        }
    }
}

/// Returns a date as `YYYY-MM-DD` (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`).
pub(super) fn date(days: i64) -> String {
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let rest = day - (365 * year + year / 4 - year / 100);
    let month = (5 * rest + 2) / 153;
    let (day, month) = (rest - (153 * month + 2) / 5 + 1, if month < 10 { month + 3 } else { month - 9 });
    format!("{:04}-{month:02}-{day:02}", year + era * 400 + i64::from(month <= 2))
}

/// Reads a content of a message.
fn content_of(message: &Message, raw: &Json) -> Content {
    let prev = message.state_key.as_ref().and_then(|_| previous(message));
    Content::of(&message.kind, &message.sender, message.state_key.as_ref(), raw, prev.as_ref())
        .stored_as(message)
}

/// Returns the content that is shown: of the latest edit, else of the message.
pub(crate) fn shown_content(message: &Message, edit: Option<&Message>) -> Json {
    let edited = edit.and_then(|edit| edit.content.member("m.new_content"));
    edited.unwrap_or_else(|| message.content.clone())
}

/// Tells whether a message was about another one and lost what it was about when it was taken back.
fn is_spent(message: &Message) -> bool {
    message.redacted_by.is_some() && matches!(message.kind.as_str(), "m.reaction" | "m.room.redaction")
}

/// Returns the ids of the gaps, in order: each is known by the message behind it.
pub(super) fn gap_ids(items: &[Item]) -> Vec<String> {
    let (mut ids, mut behind) = (Vec::new(), "end");
    for item in items.iter().rev() {
        match item {
            Item::Message(message) => behind = message.id.as_str(),
            Item::Gap(_) => ids.push(format!("gap-{behind}")),
        }
    }
    ids.reverse();
    ids
}
