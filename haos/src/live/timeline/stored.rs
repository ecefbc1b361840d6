//! What the store has of a timeline's window.

use std::collections::{BTreeSet, HashMap, HashSet};

use haos_queue::machine::Class;
use haos_store_api::backend::law::sort_by;
use haos_store_api::{EventId, Item, Json, Message, Pending, Relation, RelationKind, UserId};

use super::Profile;
use super::window::is_shown;
use crate::base::gathered;

/// What the store has of a timeline's window.
#[derive(Debug, Clone, Default)]
pub(super) struct Stored {
    /// Messages and gaps, oldest first.
    pub(super) items: Vec<Item>,
    /// What relates to them, and to the quoted messages.
    pub(super) related: HashMap<EventId, Message>,
    /// The outbox rows of the room with their relations, in order.
    pub(super) rows: Vec<(Pending, Option<Relation>)>,
    /// Messages that are answered here and are stored elsewhere.
    pub(super) quoted: HashMap<EventId, Message>,
    /// The present profiles of the senders and the readers.
    pub(super) members: HashMap<UserId, Profile>,
    /// The latest receipt of each user.
    pub(super) receipts: Vec<Read>,
    /// The event up to which the own user has read, as the server has it.
    pub(super) marker: Option<EventId>,
    /// The event up to which the own user has read, told to the server or not.
    pub(super) read_upto: Option<EventId>,
    /// True if the window ends at the live end.
    pub(super) is_live: bool,
    /// The own user.
    pub(super) me: Option<UserId>,
    /// The offset of the days from UTC, in milliseconds.
    pub(super) offset_ms: i64,
}

/// Somebody has read up to an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Read {
    pub(super) user: UserId,
    pub(super) event: EventId,
    pub(super) timestamp_ms: Option<i64>,
}

impl Stored {
    /// Returns the answered messages that are neither here nor known from elsewhere.
    pub(super) fn unquoted(&self) -> Vec<EventId> {
        let here: HashSet<&EventId> = self.messages().map(|message| &message.id).collect();
        let answered: BTreeSet<EventId> = gathered(self.messages().filter_map(answer_of));
        let is_known = |event: &EventId| here.contains(event) || self.quoted.contains_key(event);
        answered.into_iter().filter(|event| !is_known(event)).collect()
    }

    pub(super) fn messages(&self) -> impl Iterator<Item = &Message> {
        self.items.iter().filter_map(Item::as_message)
    }

    /// Takes the messages `events` as they are now, of which those that are not `found` are gone. Returns the new ones
    /// that are shown here; absent if the window has to be read again.
    pub(super) fn update(
        &mut self,
        events: &BTreeSet<EventId>,
        found: Vec<Message>,
        has_older: bool,
    ) -> Option<Vec<EventId>> {
        let there: HashSet<&EventId> = found.iter().map(|message| &message.id).collect();
        for gone in events.iter().filter(|event| !there.contains(event)) {
            self.items.retain(|item| item.as_message().is_none_or(|message| message.id != *gone));
            self.related.remove(gone);
            self.quoted.remove(gone);
        }
        let mut places: HashMap<EventId, usize> = HashMap::new();
        for (at, item) in self.items.iter().enumerate() {
            places.extend(item.as_message().map(|message| (message.id.clone(), at)));
        }
        let (mut fresh, mut inserted) = (Vec::new(), false);
        for message in found {
            if self.quoted.contains_key(&message.id) {
                self.quoted.insert(message.id.clone(), message.clone());
            }
            if let Some(place) = places.get(&message.id) {
                // It went to another place, or has become another kind of message.
                let held = self.items[*place].as_message()?;
                if held.position != message.position || held.relation != message.relation {
                    return None;
                }
                self.items[*place] = Item::Message(message.clone());
            } else if self.has_place(&message, has_older) {
                if is_shown(&message) {
                    fresh.push(message.id.clone());
                }
                self.items.push(Item::Message(message.clone()));
                inserted = true;
            }
            self.related.insert(message.id.clone(), message);
        }
        if inserted {
            sort_by(&mut self.items, |a, b| a.position().cmp(&b.position()));
        }
        let here: HashSet<&EventId> =
            self.items.iter().filter_map(|item| Some(&item.as_message()?.id)).collect();
        let quoted = &self.quoted;
        self.related.retain(|_, message| {
            message.relation.as_ref().is_some_and(|relation| {
                here.contains(&relation.target)
                    || relation.kind == RelationKind::Edit && quoted.contains_key(&relation.target)
            })
        });
        Some(fresh)
    }

    /// Tells whether the event of each of these rows is here.
    pub(super) fn has_echoes_of(&self, rows: &[Pending]) -> bool {
        let is_echo = |message: &Message, row: &Pending| {
            message.txn_id.as_ref() == Some(&row.txn_id) || row.event_id.as_ref() == Some(&message.id)
        };
        let mut events = rows.iter().filter(|row| is_event(row));
        events.all(|row| self.messages().chain(self.related.values()).any(|message| is_echo(message, row)))
    }

    /// Tells whether a message that is new here stands between the edges of the window.
    fn has_place(&self, message: &Message, has_older: bool) -> bool {
        match (self.items.first(), self.items.last()) {
            (Some(first), Some(last)) => {
                (!has_older || message.position > first.position())
                    && (self.is_live || message.position < last.position())
            }
            _ => !has_older && self.is_live,
        }
    }
}

/// Tells whether a row is of an event, which comes back by a sync.
pub(super) fn is_event(row: &Pending) -> bool {
    Class::of(row) == Class::Event
}

/// Returns the message that a message answers.
pub(super) fn answer_of(message: &Message) -> Option<EventId> {
    answered(message.relation.as_ref(), &message.content)
}

/// Returns the message that one with this relation and content answers. In a thread, an answer may be there for readers
/// without threads only.
pub(crate) fn answered(relation: Option<&Relation>, content: &Json) -> Option<EventId> {
    let relation = relation?;
    match relation.kind {
        RelationKind::Reply => Some(relation.target.clone()),
        RelationKind::Thread => {
            let relates = content.member("m.relates_to")?;
            let is_fallback = relates.member("is_falling_back").is_some_and(|flag| flag.as_str() == "true");
            let reply = relates.member("m.in_reply_to").filter(|_| !is_fallback)?;
            EventId::new(reply.text("event_id")?).ok()
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use haos_store_api::{Position, RelationKind as Kind};

    use super::*;
    use crate::live::rooms::tests::{about, text};

    fn said(at: u64) -> Message {
        text("!r", at, "@ada", "hello")
    }

    fn stored(places: &[u64]) -> Stored {
        let items = places.iter().map(|at| Item::Message(said(*at))).collect();
        Stored { items, is_live: true, ..Stored::default() }
    }

    /// Takes a message as if it alone had changed: the new ones that are shown, and the places of all.
    fn take(stored: &mut Stored, message: Message, has_older: bool) -> Option<(usize, Vec<u64>)> {
        let events = BTreeSet::from([message.id.clone()]);
        let fresh = stored.update(&events, vec![message], has_older)?.len();
        Some((fresh, stored.messages().map(|message| message.position.get()).collect()))
    }

    #[test]
    fn a_new_message_stands_where_it_belongs_or_not_here() {
        for (places, at, has_older, is_live, expected) in [
            (&[2, 6][..], 4, false, true, &[2, 4, 6][..]),
            (&[2, 6], 8, true, true, &[2, 6, 8]),
            (&[2, 6], 8, true, false, &[2, 6]),
            (&[2, 6], 1, false, true, &[1, 2, 6]),
            (&[2, 6], 1, true, true, &[2, 6]),
            (&[2, 6], 4, true, false, &[2, 4, 6]),
            (&[], 4, false, true, &[4]),
            (&[], 4, true, true, &[]),
            (&[], 4, false, false, &[]),
        ] {
            let mut stored = Stored { is_live, ..stored(places) };
            let fresh = expected.len() - places.len();
            let found = take(&mut stored, said(at), has_older);
            assert_eq!(found, Some((fresh, expected.to_vec())), "{places:?} {at} {has_older} {is_live}");
        }
    }

    #[test]
    fn one_that_moved_or_became_another_has_the_window_read_again() {
        let held = || stored(&[2, 6]);
        assert_eq!(take(&mut held(), said(6), true), Some((0, vec![2, 6])));
        let moved = Message { position: Position::new(7).unwrap(), ..said(6) };
        assert_eq!(take(&mut held(), moved, true), None);
        assert_eq!(take(&mut held(), about(Kind::Reply, "$2", said(6)), true), None);
        let mut edited = held();
        take(&mut edited, text("!r", 6, "@ada", "better"), true).unwrap();
        assert_eq!(edited.messages().last().unwrap().content.text("body").as_deref(), Some("better"));
    }

    #[test]
    fn what_is_gone_leaves_and_what_relates_to_nothing_here_with_it() {
        let mut stored = stored(&[2, 6]);
        for (at, kind, target) in [(7, Kind::Reaction, "$2"), (8, Kind::Edit, "$2"), (9, Kind::Edit, "$1")] {
            take(&mut stored, about(kind, target, said(at)), true).unwrap();
        }
        assert_eq!(stored.related.len(), 2, "the third is about nothing here");
        stored.quoted.insert(said(1).id, said(1));
        take(&mut stored, about(Kind::Edit, "$1", said(9)), true).unwrap();
        take(&mut stored, about(Kind::Reaction, "$1", said(10)), true).unwrap();
        assert_eq!(stored.related.len(), 3, "of a quoted message only its edits count");
        take(&mut stored, text("!r", 1, "@ada", "other"), true).unwrap();
        assert_eq!(stored.quoted[&said(1).id].content.text("body").as_deref(), Some("other"));
        let gone = BTreeSet::from([said(1).id, said(2).id]);
        assert_eq!(stored.update(&gone, Vec::new(), true), Some(Vec::new()));
        let left: Vec<u64> = stored.messages().map(|message| message.position.get()).collect();
        assert_eq!((left, stored.related.len(), stored.quoted.len()), (vec![6, 7, 8, 9, 10], 0, 0));
    }
}
