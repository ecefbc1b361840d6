//! The place of an item in its room's timeline.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// The order key of a message or a gap within its room: 40 bits, one item a position.
///
/// The sync engine assigns it; it is never derived from a sender's clock. The first message of a room
/// stands at [`Position::FIRST`], live messages follow upwards, older ones downwards, and a gap keeps
/// a hole of [`Position::HOLE`] free on its older side, so that filling it needs no renumbering.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
pub struct Position(u64);

impl Position {
    /// The bits of a position.
    pub const BITS: u32 = 40;
    /// The lowest position.
    pub const MIN: Self = Self(0);
    /// The highest position.
    pub const MAX: Self = Self((1 << Self::BITS) - 1);
    /// The place of a room's first message.
    pub const FIRST: Self = Self(1 << (Self::BITS - 1));
    /// The free positions that a gap keeps on its older side.
    pub const HOLE: u64 = 1 << 16;

    /// Checks the range.
    ///
    /// # Errors
    /// `Invalid` from 2^40 on.
    pub fn new(value: u64) -> Result<Self> {
        if value <= Self::MAX.0 {
            Ok(Self(value))
        } else {
            Err(Error::invalid("position", format!("{value} is no position: it has more than 40 bits")))
        }
    }

    /// Returns the number.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// Returns the position `n` places newer, unless the room's numbers end there.
    pub fn newer(self, n: u64) -> Option<Self> {
        self.0.checked_add(n).filter(|value| *value <= Self::MAX.0).map(Self)
    }

    /// Returns the position `n` places older, unless the room's numbers end there.
    pub fn older(self, n: u64) -> Option<Self> {
        self.0.checked_sub(n).map(Self)
    }
}

impl fmt::Display for Position {
    /// Shows the distance from the first message: `0`, `+12`, `-40`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.cmp(&Self::FIRST.0) {
            std::cmp::Ordering::Less => write!(f, "-{}", Self::FIRST.0 - self.0),
            std::cmp::Ordering::Equal => f.write_str("0"),
            std::cmp::Ordering::Greater => write!(f, "+{}", self.0 - Self::FIRST.0),
        }
    }
}

impl TryFrom<u64> for Position {
    type Error = Error;
    fn try_from(value: u64) -> Result<Self> {
        Self::new(value)
    }
}

impl From<Position> for u64 {
    fn from(position: Position) -> Self {
        position.0
    }
}
