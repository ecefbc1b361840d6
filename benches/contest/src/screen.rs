use serde::{Deserialize, Serialize};

/// A first screen, out of a store that was filled before: the list of rooms, and the end of one room's timeline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Screen {
    /// From before the store is opened until it can be asked, in microseconds.
    pub open_us: f64,
    /// From then until the rooms are listed, each with its name and its latest message, in microseconds.
    pub rooms_us: f64,
    /// From then until the items are there, in microseconds.
    pub items_us: f64,
    /// The processor time of all of it, of every thread, in microseconds.
    pub cpu_us: f64,
    /// The most that was resident in memory, in bytes.
    pub peak_bytes: u64,
    /// The rooms, in the order of the list.
    pub rooms: Vec<ScreenRoom>,
    /// The ids of the events that are items, oldest first.
    pub events: Vec<String>,
    /// Items whose sender has a name.
    pub named: usize,
}

/// A room in the list.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ScreenRoom {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The sender of its latest message, if it shows one.
    pub sender: Option<String>,
}

/// A store that holds an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filled {
    /// Events in the timelines of all rooms.
    pub events: usize,
    /// Rooms.
    pub rooms: usize,
}

/// How a store is locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lock {
    /// Not at all.
    Open,
    /// With a key of 32 bytes.
    Key,
    /// With a passphrase, from which a key is derived.
    Passphrase,
}

impl Lock {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Open, Self::Key, Self::Passphrase];
    /// The key.
    pub const KEY: [u8; 32] = [7; 32];
    /// The passphrase.
    pub const WORDS: &str = "red green blue";

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "plain",
            Self::Key => "key",
            Self::Passphrase => "passphrase",
        }
    }

    /// The lock of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|lock| lock.name() == name)
    }
}
