use serde::{Deserialize, Serialize};

/// What a contender is told to do, a line of JSON each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Order {
    /// Stores so many messages more, in commits of at most so many. One time: of all commits.
    Bulk {
        /// How many messages.
        messages: usize,
        /// How many in a commit.
        commit: usize,
    },
    /// So many commits of five messages of a room, its row and a token, one after the other.
    Sync {
        /// How many.
        calls: usize,
        /// Whether each has to survive a loss of power.
        strict: bool,
    },
    /// The newest 50 of a room.
    Newest(usize),
    /// The 50 before the middle of a room.
    Deep(usize),
    /// A message and 25 on each side of it.
    Around(usize),
    /// A message by its id.
    Get(usize),
    /// What answers a message.
    Related(usize),
    /// The 50 rooms of latest activity.
    Rooms(usize),
    /// A message written by the user, durably, and then that it was sent.
    Send(usize),
    /// A file of so many bytes.
    PutMedia {
        /// How many files.
        calls: usize,
        /// The size of each.
        bytes: usize,
    },
    /// The whole of a file of that size, or 4 KiB from its middle.
    Media {
        /// How many reads.
        calls: usize,
        /// The size of the files that are read.
        bytes: usize,
        /// Whether only a part is read.
        part: bool,
    },
    /// Closes the store, and opens it and reads the newest 50 of a room: one time.
    Restart {
        /// Whether the operating system is told to forget the store's files in between.
        cold: bool,
    },
    /// So many threads read the newest 50 of rooms by chance, while another commits, relaxed, one sync after the
    /// other. The times are those of the reads.
    Busy {
        /// How many threads read.
        readers: usize,
        /// For how long, in milliseconds.
        ms: u64,
    },
    /// Closes the store, and ends.
    End,
}

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Told {
    /// The time of each call, in microseconds; none if the store has no such call.
    pub wall_us: Vec<f64>,
    /// The processor time of all of them, of every thread, in microseconds.
    pub cpu_us: f64,
    /// What the calls found, added up: contenders that do the same find the same.
    pub found: usize,
    /// Commits of the writer beside the readers.
    pub commits: usize,
    /// The most that was resident in memory so far, in bytes.
    pub peak_bytes: u64,
}
