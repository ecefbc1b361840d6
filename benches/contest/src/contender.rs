use std::path::Path;

use crate::Made;

/// A store that takes part. What it cannot do, it answers with none. It panics where its store fails: that ends its
/// process, and the contest. Several threads may call it at once, as far as its store allows that.
pub trait Contender: Sized + Sync {
    /// Messages as the store takes them, made before the clock runs.
    type Batch: Send;

    /// Its content is there again after a restart.
    const KEEPS: bool = true;

    /// Opens the store in a folder, and makes it if it is missing.
    fn open(folder: &Path) -> Self;

    /// Puts the rooms before anything else; the activity of each is its number.
    fn put_rooms(&self, rooms: usize);

    /// Makes a batch; with a token, it is what a sync brings: the messages, their room's row and the token. If it is
    /// `strict`, its commit has to survive a loss of power.
    fn batch(&self, messages: Vec<Made>, token: Option<String>, strict: bool) -> Self::Batch;

    /// Commits it.
    fn commit(&self, batch: Self::Batch);

    /// Reads the newest messages of a room; tells how many.
    fn newest(&self, room: usize, limit: usize) -> usize;

    /// Reads the messages before a position.
    fn older(&self, room: usize, before: u64, limit: usize) -> Option<usize>;

    /// Reads a message by its id and this number on each side of it.
    fn around(&self, room: usize, id: &str, each_side: usize) -> Option<usize>;

    /// Reads a message.
    fn get(&self, room: usize, id: &str) -> bool;

    /// Reads what relates to a message, up to a hundred.
    fn related(&self, room: usize, id: &str) -> Option<usize>;

    /// Reads the rooms of latest activity.
    fn rooms(&self, limit: usize) -> Option<usize>;

    /// Stores what the user wrote, so that it survives a loss of power, and then that it was sent.
    fn send(&self, message: &Made) -> Option<()>;

    /// Stores a file.
    fn put_media(&self, n: usize, bytes: Vec<u8>) -> Option<()>;

    /// Reads a part of it, and tells how many bytes that was.
    fn media(&self, n: usize, from: u64, bytes: u64) -> Option<usize>;

    /// Closes the store, with everything in its files.
    fn close(self);
}
