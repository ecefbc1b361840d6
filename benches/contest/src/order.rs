use serde::{Deserialize, Serialize};

/// An order to a contender, a line of JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Order {
    /// Stores this number of messages more, in commits of at most `commit`. One time: of all commits.
    Bulk {
        /// How many messages.
        messages: usize,
        /// How many in a commit.
        commit: usize,
    },
    /// This number of commits of five messages of a room, its row and a token, one after the other.
    Sync {
        /// How many.
        calls: usize,
        /// Each has to survive a loss of power.
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
    /// The answers to a message.
    Related(usize),
    /// The 50 rooms of latest activity.
    Rooms(usize),
    /// A message written by the user, durably, and then that it was sent.
    Send(usize),
    /// A file of this number of bytes.
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
        /// Only a part is read.
        part: bool,
    },
    /// Closes the store, and opens it and reads the newest 50 of a room: one time.
    Restart {
        /// The operating system is told to forget the store's files in between.
        cold: bool,
    },
    /// This number of threads read the newest 50 of rooms by chance, while another commits, relaxed, one sync after the
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

/// The outcome.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Told {
    /// The time of each call, in microseconds; none if the store has no such call.
    pub wall_us: Vec<f64>,
    /// The processor time of all of them, of every thread, in microseconds.
    pub cpu_us: f64,
    /// The sum of the calls' findings: contenders that do the same find the same.
    pub found: usize,
    /// Commits of the writer beside the readers.
    pub commits: usize,
    /// The most that was resident in memory so far, in bytes.
    pub peak_bytes: u64,
}
