//! Which events are emptied, and by which redactions.

use haos_store_api::backend::{SortedMap, SortedSet};
use haos_store_api::{EventId, RelationKind};

use super::gather::RoomView;
use crate::Event;

/// The event that a redaction is about.
pub(super) fn redacts(event: &Event) -> Option<&EventId> {
    let relation = event.relation.as_ref()?;
    (relation.kind == RelationKind::Redaction).then_some(&relation.target)
}

/// Stored redactions that hold, by target, oldest first.
pub(super) type Stored = SortedMap<EventId, Vec<EventId>>;

/// The events that the redactions of an answer empty, and those of the answer that stored ones empty.
///
/// A redaction counts where it stands: what it emptied stays empty when it is redacted itself, and what comes
/// after that it does not empty. The first that counts is the one that emptied an event.
#[derive(Debug, Default)]
pub(super) struct Redactions<'a>(SortedMap<&'a EventId, &'a EventId>);

impl<'a> Redactions<'a> {
    /// Judges an answer's events, oldest first, in a room of which this is stored.
    pub(super) fn of(events: &'a [Event], view: Option<&'a RoomView>) -> Self {
        let is_spent = |id: &EventId| {
            view.and_then(|view| view.messages.get(id)).is_some_and(|stored| stored.redacted_by.is_some())
        };
        Self::judge(events, view.map(|view| &view.redactions), &is_spent)
    }

    /// Judges an answer's `events`, oldest first, after the `stored` redactions. `is_spent`: whether an event is
    /// stored as emptied.
    pub(super) fn judge(
        events: &'a [Event],
        stored: Option<&'a Stored>,
        is_spent: &dyn Fn(&EventId) -> bool,
    ) -> Self {
        let mut emptied = SortedMap::new();
        let mut live = Live::default();
        for (target, by) in stored.into_iter().flat_map(Stored::iter) {
            by.iter().for_each(|by| live.add(target, by));
        }
        let here: SortedSet<&EventId> = events.iter().map(|event| &event.id).collect();
        let mut passed = SortedSet::new();
        for event in events {
            let before = live.first(&event.id);
            if let Some(by) = before.or(event.redacted_by.as_ref()) {
                emptied.or_insert_with(&event.id, || by);
            }
            passed.insert(&event.id);
            let Some(target) = redacts(event).filter(|target| before.is_none() && **target != event.id)
            else {
                continue;
            };
            // A redaction that is stored as emptied had emptied its targets in the store when it came.
            let is_spent = is_spent(&event.id);
            if passed.contains(target) || (!here.contains(target) && !is_spent) {
                emptied.or_insert_with(target, || &event.id);
            }
            live.remove(target);
            if event.redacted_by.is_none() && !is_spent {
                live.add(target, &event.id);
            }
        }
        Self(emptied)
    }

    /// The redaction that empties an event.
    pub(super) fn of_event(&self, event: &EventId) -> Option<&'a EventId> {
        self.0.get(event).copied()
    }

    /// The emptied events, by id.
    pub(super) fn events(&self) -> SortedSet<&'a EventId> {
        self.0.keys().copied().collect()
    }
}

/// Redactions that are not redacted themselves so far.
#[derive(Default)]
struct Live<'a> {
    /// By target, in the order in which they came.
    of: SortedMap<&'a EventId, SortedMap<usize, &'a EventId>>,
    /// Each one's target and number.
    targets: SortedMap<&'a EventId, (&'a EventId, usize)>,
}

impl<'a> Live<'a> {
    fn add(&mut self, target: &'a EventId, by: &'a EventId) {
        let number = self.targets.len();
        if !self.targets.contains_key(by) {
            self.targets.insert(by, (target, number));
            self.of.or_default(target).insert(number, by);
        }
    }

    fn remove(&mut self, by: &EventId) {
        // The number is given once: what is removed keeps its place in `targets`.
        if let Some((target, number)) = self.targets.get(by)
            && let Some(of) = self.of.get_mut(target)
        {
            of.remove(number);
        }
    }

    fn first(&self, target: &EventId) -> Option<&'a EventId> {
        self.of.get(target)?.values().next().copied()
    }
}

#[cfg(test)]
mod tests {
    use haos_store_api::{EventType, Json, Relation, UserId};

    use super::*;

    fn id(name: &str) -> EventId {
        EventId::new(format!("${name}")).unwrap()
    }

    /// An event; `r>x` is a redaction of `x`.
    fn event(text: &str) -> Event {
        let (name, target) = text.split_once('>').map_or((text, None), |(name, of)| (name, Some(id(of))));
        Event {
            id: id(name),
            sender: UserId::new("@a").unwrap(),
            timestamp_ms: 0,
            kind: EventType::new("m.room.message").unwrap(),
            state_key: None,
            content: Json::empty(),
            relation: target.map(|target| Relation { kind: RelationKind::Redaction, target, key: None }),
            txn_id: None,
            redacted_by: None,
            extra: None,
        }
    }

    /// Lists the events of a text that are emptied after stored redactions, as `x<r`.
    fn emptied(stored: &[&str], events: &str) -> Vec<String> {
        let events: Vec<Event> = events.split(' ').map(event).collect();
        let mut before = Stored::new();
        for by in stored.iter().map(|text| event(text)) {
            before.or_default(redacts(&by).unwrap().clone()).push(by.id);
        }
        judged(&before, false, &events)
    }

    fn judged(stored: &Stored, spent: bool, events: &[Event]) -> Vec<String> {
        let redactions = Redactions::judge(events, Some(stored), &|_| spent);
        let told = |event: &EventId| {
            let by = redactions.of_event(event).unwrap();
            format!("{}<{}", &event.as_str()[1..], &by.as_str()[1..])
        };
        redactions.events().into_iter().map(told).collect()
    }

    #[test]
    fn a_redaction_empties_what_came_before_it_and_what_comes_after() {
        assert_eq!(emptied(&[], "x r>x"), ["x<r"]);
        assert_eq!(emptied(&[], "r>x x"), ["x<r"]);
        assert_eq!(emptied(&[], "r>old"), ["old<r"]);
        assert_eq!(emptied(&["r>x"], "x"), ["x<r"]);
        assert_eq!(emptied(&[], "x y"), [""; 0]);
    }

    #[test]
    fn of_several_redactions_the_first_counts() {
        assert_eq!(emptied(&[], "x r>x s>x"), ["x<r"]);
        assert_eq!(emptied(&["r>x", "q>x"], "s>x x"), ["x<r"]);
    }

    #[test]
    fn what_was_emptied_stays_empty_when_the_redaction_is_redacted() {
        assert_eq!(emptied(&[], "x r>x s>r"), ["r<s", "x<r"]);
        assert_eq!(emptied(&[], "r>old s>r"), ["old<r", "r<s"]);
    }

    #[test]
    fn a_redaction_that_was_redacted_before_its_target_came_does_not_count() {
        assert_eq!(emptied(&[], "r>x s>r x"), ["r<s"]);
        assert_eq!(emptied(&["r>x"], "s>r x"), ["r<s"]);
        assert_eq!(emptied(&[], "r>x q>x s>r x"), ["r<s", "x<q"]);
        // Nor does a redaction of a redaction that was redacted before.
        assert_eq!(emptied(&[], "s>r t>s r>x x"), ["s<t", "x<r"]);
    }

    #[test]
    fn a_redaction_of_itself_empties_nothing() {
        assert_eq!(emptied(&[], "r>r x"), [""; 0]);
    }

    #[test]
    fn an_emptied_copy_of_a_redaction_counts_for_what_came_before_it() {
        let by = Event { redacted_by: Some(id("s")), ..event("r>x") };
        let all = |events: &[&Event], spent: bool| {
            judged(&Stored::new(), spent, &events.iter().copied().cloned().collect::<Vec<_>>())
        };
        assert_eq!(all(&[&event("x"), &by], false), ["r<s", "x<r"]);
        assert_eq!(all(&[&by, &event("x")], false), ["r<s"]);
        assert_eq!(all(&[&by], false), ["r<s", "x<r"], "what is stored");
        assert_eq!(all(&[&by], true), ["r<s"], "it was emptied when the redaction came");
    }
}
