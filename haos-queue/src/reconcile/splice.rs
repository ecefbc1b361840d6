//! The order of a timeline after a segment is worked into it.

use haos_store_api::backend::SortedMap;
use haos_store_api::{EventId, Position};

use super::timeline::{Slot, Stored, Window};

/// A run of events from the server, oldest first, without a hole among them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Segment<'a> {
    /// The ids of its events.
    pub(super) events: Vec<&'a EventId>,
    /// The knowledge of the history before the first event.
    pub(super) older: Older,
    /// The gap it was fetched from: its last event is followed by whatever follows the gap.
    /// None: its last event is the newest of the room.
    pub(super) gap: Option<Position>,
}

/// The history before the first event of a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Older {
    /// Whatever the store has: nothing was left out.
    Joined,
    /// Possibly more, to be fetched with the token.
    Token(Option<String>),
    /// Nothing: the beginning of history.
    Start,
    /// Nothing: the first event is the room's first. What is stored, and is not in the segment, is newer.
    First,
}

impl Older {
    fn is_start(&self) -> bool {
        matches!(self, Self::Start | Self::First)
    }
}

/// A slot of the new order: stored before (at a position), or new.
pub(super) type Ordered = (Option<Position>, Slot);

/// The window's items in their new order, with the segment's new events and moved gaps among them.
/// Items of the window that are missing in the answer are gone (closed gaps, provisional messages that
/// are now placed for good).
pub(super) fn splice(window: &Window, segment: &Segment<'_>) -> Vec<Ordered> {
    Splice::new(window, segment).run()
}

struct Splice<'a> {
    window: &'a Window,
    segment: &'a Segment<'a>,
    /// Inserted before and after each item of the window, and at the end.
    before: Vec<Vec<Slot>>,
    after: Vec<Vec<Slot>>,
    tail: Vec<Slot>,
    gone: Vec<bool>,
    retoken: Vec<Option<Option<String>>>,
}

impl<'a> Splice<'a> {
    fn new(window: &'a Window, segment: &'a Segment<'a>) -> Self {
        let len = window.items.len();
        Self {
            window,
            segment,
            before: vec![Vec::new(); len],
            after: vec![Vec::new(); len],
            tail: Vec::new(),
            gone: vec![false; len],
            retoken: vec![None; len],
        }
    }

    fn run(mut self) -> Vec<Ordered> {
        let index: SortedMap<&EventId, usize> = self.segment.events.iter().copied().zip(0..).collect();
        // Where each event of the segment stands already, if it does for good.
        let mut stands: Vec<Option<usize>> = vec![None; self.segment.events.len()];
        for (slot, stored) in self.window.items.iter().enumerate() {
            match &stored.item {
                Slot::Anchor(id) => {
                    if let Some(event) = index.get(id) {
                        stands[*event] = Some(slot);
                    }
                }
                Slot::Provisional(id) if index.contains_key(id) => self.gone[slot] = true,
                _ => {}
            }
        }
        let gap = self.gap_slot();
        let mut anchors: Vec<(usize, usize)> =
            stands.iter().enumerate().filter_map(|(event, slot)| Some((event, (*slot)?))).collect();
        // A fetched page is followed by what follows its gap, unless it reaches over the gap itself.
        if let Some(gap) = gap
            && anchors.last().is_none_or(|(_, slot)| *slot < gap)
            && gap + 1 < self.window.items.len()
        {
            anchors.push((self.segment.events.len(), gap + 1));
        }
        self.leading(anchors.first().copied(), gap);
        for pair in anchors.windows(2) {
            self.between(pair[0], pair[1]);
        }
        if let Some(last) = anchors.last() {
            self.trailing(*last, gap);
        }
        self.rebuild()
    }

    fn gap_slot(&self) -> Option<usize> {
        let position = self.segment.gap?;
        self.window.items.iter().position(|stored| stored.position == position && stored.item.is_gap())
    }

    fn news(&self, from: usize, to: usize) -> Vec<Slot> {
        (from..to).map(Slot::New).collect()
    }

    /// The gap that goes before the segment, where one is owed. A gap that the segment only narrowed
    /// keeps its own token if the server gave none.
    fn older_gap(&self, narrowed: Option<usize>) -> Option<Slot> {
        let own = narrowed.map(|slot| match &self.window.items[slot].item {
            Slot::Gap(token) => token.clone(),
            _ => None,
        });
        match (&self.segment.older, own) {
            (Older::Start | Older::First, _) => None,
            (Older::Token(token), own) => Some(Slot::Gap(token.clone().or(own.flatten()))),
            (Older::Joined, own) => own.map(Slot::Gap),
        }
    }

    /// The events before the first anchor; all of them without one.
    fn leading(&mut self, first: Option<(usize, usize)>, gap: Option<usize>) {
        let Some((event, slot)) = first else {
            return self.unanchored(gap);
        };
        let run = self.news(0, event);
        let narrowed = slot.checked_sub(1).filter(|older| self.window.items[*older].item.is_gap());
        let fetched_from = gap.is_some() && narrowed == gap;
        let at_start = self.segment.older.is_start();
        if let Some(older) = narrowed
            && (!run.is_empty() || fetched_from || (at_start && gap.is_none()))
        {
            let mut slots: Vec<Slot> = self.older_gap(Some(older)).into_iter().collect();
            slots.extend(run);
            self.gone[older] = true;
            self.before[slot].extend(slots);
            return;
        }
        // A page that lies wholly above its gap: the gap stays and is fetched further down.
        if let Some(gap) = gap
            && gap < slot
        {
            match self.older_gap(Some(gap)) {
                Some(Slot::Gap(token)) => self.retoken[gap] = Some(token),
                _ => self.gone[gap] = true,
            }
        }
        let at_head = slot == 0 && !self.window.older;
        let mut slots = Vec::new();
        if at_head && !run.is_empty() && matches!(self.segment.older, Older::Token(_)) {
            slots.extend(self.older_gap(None));
        }
        slots.extend(run);
        self.before[slot].extend(slots);
    }

    /// No event of the segment is stored: it follows everything, behind a gap if one is owed.
    fn unanchored(&mut self, gap: Option<usize>) {
        let is_held = |stored: &Stored| matches!(stored.item, Slot::Anchor(_));
        let may_hold = self.window.older || self.window.items.iter().any(is_held);
        if gap.is_none() && self.segment.older == Older::First && may_hold {
            return self.first();
        }
        let guess = |stored: &Stored| matches!(stored.item, Slot::Provisional(_));
        let last = self.window.items.iter().rposition(|stored| !guess(stored));
        let at_end = last.filter(|last| self.window.items[*last].item.is_gap());
        if gap.is_none() && matches!(self.segment.older, Older::Joined) {
            // Nothing was left out: whatever gap is at the end stays.
        } else if let (Some(Slot::Gap(token)), Some(gap), true) =
            (self.older_gap(gap.or(at_end)), gap.or(at_end), self.segment.events.is_empty())
        {
            self.retoken[gap] = Some(token);
        } else {
            self.tail.extend(self.older_gap(gap));
            // The beginning of history leaves no hole before it.
            let at_start = self.segment.older.is_start();
            if let Some(gap) = gap.or(at_end.filter(|_| at_start)) {
                self.gone[gap] = true;
            }
        }
        let all = self.news(0, self.segment.events.len());
        self.tail.extend(all);
    }

    /// The room's first events precede everything, and what may be between stays open.
    fn first(&mut self) {
        let mut slots = self.news(0, self.segment.events.len());
        let mut known =
            self.window.items.iter().filter(|stored| !matches!(stored.item, Slot::Provisional(_)));
        if known.next().is_some_and(|first| !first.item.is_gap()) {
            slots.push(Slot::Gap(None));
        }
        self.before.first_mut().unwrap_or(&mut self.tail).extend(slots);
    }

    /// The events between two neighbouring anchors. What the segment spans holds no gap any more.
    fn between(&mut self, (event, slot): (usize, usize), (next_event, next_slot): (usize, usize)) {
        for older in slot + 1..next_slot.max(slot + 1) {
            if self.window.items[older].item.is_gap() {
                self.gone[older] = true;
            }
        }
        let run = self.news(event + 1, next_event);
        self.after[slot].extend(run);
    }

    /// The events after the last anchor.
    fn trailing(&mut self, (event, slot): (usize, usize), gap: Option<usize>) {
        if let Some(gap) = gap.filter(|gap| *gap > slot) {
            self.gone[gap] = true;
        }
        let run = self.news(event + 1, self.segment.events.len());
        let guesses = |stored: &Stored| matches!(stored.item, Slot::Provisional(_));
        if !self.window.newer && self.window.items[slot + 1..].iter().all(guesses) {
            self.tail.extend(run);
        } else {
            self.after[slot].extend(run);
        }
    }

    fn rebuild(mut self) -> Vec<Ordered> {
        let mut order = Vec::with_capacity(self.window.items.len() + self.segment.events.len());
        let new = |slots: &mut Vec<Slot>| std::mem::take(slots).into_iter().map(|slot| (None, slot));
        for (at, stored) in self.window.items.iter().enumerate() {
            order.extend(new(&mut self.before[at]));
            if !self.gone[at] {
                let item = match self.retoken[at].take() {
                    Some(token) => Slot::Gap(token),
                    None => stored.item.clone(),
                };
                order.push((Some(stored.position), item));
            }
            order.extend(new(&mut self.after[at]));
        }
        order.extend(new(&mut self.tail));
        without_doubled_gaps(order)
    }
}

/// Two holes in a row are one: the newer token pages through both.
pub(super) fn without_doubled_gaps(mut order: Vec<Ordered>) -> Vec<Ordered> {
    let doubled: Vec<bool> =
        order.windows(2).map(|pair| pair[0].1.is_gap() && pair[1].1.is_gap()).chain([false]).collect();
    let mut doubled = doubled.into_iter();
    order.retain(|_| !doubled.next().unwrap_or(false));
    order
}
