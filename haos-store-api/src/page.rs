//! Pages of a timeline: keyset cursors over messages and gaps.

use std::fmt;
use std::str::FromStr;

use crate::{Error, EventId, Gap, Message, Position, Result};

/// An item of a timeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// A message.
    Message(Message),
    /// A hole.
    Gap(Gap),
}

impl Item {
    /// Returns its place.
    pub fn position(&self) -> Position {
        match self {
            Self::Message(message) => message.position,
            Self::Gap(gap) => gap.position,
        }
    }

    /// Returns the message, unless it is a gap.
    pub fn as_message(&self) -> Option<&Message> {
        match self {
            Self::Message(message) => Some(message),
            Self::Gap(_) => None,
        }
    }

    /// Returns the gap, unless it is a message.
    pub fn as_gap(&self) -> Option<&Gap> {
        match self {
            Self::Gap(gap) => Some(gap),
            Self::Message(_) => None,
        }
    }
}

/// The direction of a page. Its items are oldest first in both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the start point towards older items.
    Older,
    /// From the start point towards newer items.
    Newer,
}

/// The start of a page.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Start {
    /// At the end of the timeline that lies against the direction: newest for `Older`, oldest for `Newer`.
    End,
    /// Next to the cursor's item, which is not part of the page.
    Beyond(Cursor),
}

/// A request for part of a timeline.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Page {
    /// Its start.
    pub start: Start,
    /// Its direction.
    pub direction: Direction,
    /// The most items.
    pub limit: usize,
}

impl Page {
    /// Requests the newest `limit` items.
    pub fn newest(limit: usize) -> Self {
        Self { start: Start::End, direction: Direction::Older, limit }
    }

    /// Requests the oldest `limit` items.
    pub fn oldest(limit: usize) -> Self {
        Self { start: Start::End, direction: Direction::Newer, limit }
    }

    /// Requests up to `limit` items older than the cursor's.
    pub fn older_than(cursor: Cursor, limit: usize) -> Self {
        Self { start: Start::Beyond(cursor), direction: Direction::Older, limit }
    }

    /// Requests up to `limit` items newer than the cursor's.
    pub fn newer_than(cursor: Cursor, limit: usize) -> Self {
        Self { start: Start::Beyond(cursor), direction: Direction::Newer, limit }
    }
}

/// Part of a timeline: messages and gaps in one order, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Slice {
    /// The items, oldest first.
    pub items: Vec<Item>,
    /// True if the store has further items in the page's direction.
    pub more: bool,
}

impl Slice {
    /// Returns the cursor to older items; absent if the slice is empty.
    pub fn older(&self) -> Option<Cursor> {
        let first = self.items.first()?;
        Some(Cursor::at(first, self.items.iter().find_map(Item::as_message)))
    }

    /// Returns the cursor to newer items; absent if the slice is empty.
    pub fn newer(&self) -> Option<Cursor> {
        let last = self.items.last()?;
        Some(Cursor::at(last, self.items.iter().rev().find_map(Item::as_message)))
    }

    /// Returns the messages alone, oldest first.
    pub fn messages(&self) -> impl DoubleEndedIterator<Item = &Message> {
        self.items.iter().filter_map(Item::as_message)
    }

    /// Returns the gaps alone, oldest first.
    pub fn gaps(&self) -> impl DoubleEndedIterator<Item = &Gap> {
        self.items.iter().filter_map(Item::as_gap)
    }
}

/// A place in a timeline, to continue from. Opaque; a frontend can keep it as text.
///
/// It carries the nearest message's id, and so survives a renumbering.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Cursor {
    position: Position,
    anchor: Option<(EventId, Position)>,
}

impl Cursor {
    /// Points at a message.
    pub fn of(message: &Message) -> Self {
        Self { position: message.position, anchor: Some((message.id.clone(), message.position)) }
    }

    /// Points at a position, without a message as its anchor.
    pub fn at_position(position: Position) -> Self {
        Self { position, anchor: None }
    }

    fn at(item: &Item, near: Option<&Message>) -> Self {
        Self { position: item.position(), anchor: near.map(|message| (message.id.clone(), message.position)) }
    }

    /// Returns its message: a backend looks up the present position.
    pub fn anchor(&self) -> Option<&EventId> {
        self.anchor.as_ref().map(|(event, _)| event)
    }

    /// Returns the position of that message when the cursor was made, mostly still the present one.
    pub fn anchor_then(&self) -> Option<Position> {
        self.anchor.as_ref().map(|(_, then)| *then)
    }

    /// Returns the place it means, if its message stands at `anchor_now` (absent: no longer stored).
    pub fn resolve(&self, anchor_now: Option<Position>) -> Position {
        let (Some((_, then)), Some(now)) = (&self.anchor, anchor_now) else {
            return self.position;
        };
        if now >= *then {
            self.position.newer(now.get() - then.get()).unwrap_or(Position::MAX)
        } else {
            self.position.older(then.get() - now.get()).unwrap_or(Position::MIN)
        }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.anchor {
            None => write!(f, "1.{:x}", self.position.get()),
            Some((event, then)) => write!(f, "1.{:x}.{:x}.{event}", self.position.get(), then.get()),
        }
    }
}

impl FromStr for Cursor {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let fault =
            || Error::invalid("cursor", "not a cursor of this version: start from an end of the timeline");
        let hex = |part: &str| {
            u64::from_str_radix(part, 16).ok().and_then(|n| Position::new(n).ok()).ok_or_else(fault)
        };
        let mut parts = text.splitn(4, '.');
        if parts.next() != Some("1") {
            return Err(fault());
        }
        let position = hex(parts.next().ok_or_else(fault)?)?;
        let anchor = match (parts.next(), parts.next()) {
            (None, _) => None,
            (Some(then), Some(event)) => Some((EventId::new(event).map_err(|_| fault())?, hex(then)?)),
            (Some(_), None) => return Err(fault()),
        };
        Ok(Self { position, anchor })
    }
}

#[cfg(test)]
mod tests;
