//! Rooms for people: pages to read in a browser without a network, Markdown, or JSON.

mod entry;
mod folder;
mod html;
mod json;
mod markdown;
mod media;
mod name;
mod names;
mod room;
mod shows;

use std::fmt;

use haos_store_api::{Error, ErrorKind, Progress, Result, Room, RoomId, RoomQuery, StorageAdapter, UserId};

#[cfg(not(target_arch = "wasm32"))]
pub use folder::Directory;
pub use folder::{Folder, Written};
pub use shows::{Attachment, Shows};

/// The rooms that are read at once.
const ROOMS: usize = 64;

/// The form of an export.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// Pages of 1,000 messages for each room, which a browser shows without a network. They have no scripts.
    #[default]
    Html,
    /// One Markdown file for each room.
    Markdown,
    /// One JSON document for each room, with every field of each message, an item a line.
    Json,
}

/// An export of rooms to files that people can read without this library.
///
/// It reads page by page, whatever the length of a room. Messages are shown as in a timeline: edits, reactions and
/// answers stand at the messages that they are about. Times are in UTC. A message that comes while a room is read may
/// be missing; [`Backup`](crate::Backup) is for one moment of a whole store.
///
/// ```
/// use haos_archive::export::{Attachment, Directory, Export, Format, Shows};
/// use haos_store_api::{Membership, MemoryStore, MessageView, Room, RoomId, StorageAdapter, WriteBatch};
///
/// struct Plain;
///
/// impl Shows for Plain {
///     fn text(&self, view: &MessageView) -> Option<String> {
///         view.message.content.text("body")
///     }
///
///     fn attachment(&self, _: &MessageView) -> Option<Attachment> {
///         None
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> haos_store_api::Result<()> {
/// let store = MemoryStore::new();
/// let mut batch = WriteBatch::relaxed();
/// batch.put_room(Room::new(RoomId::new("!lobby")?, Membership::Join));
/// store.apply(batch).await?;
///
/// let folder = tempfile::tempdir().unwrap();
/// let mut directory = Directory::new(folder.path().join("chats"))?;
/// let exported = Export::new(&Plain, Format::Html).run(&store, &mut directory).await?;
/// assert_eq!(exported.rooms, 1);
/// assert!(folder.path().join("chats/index.html").exists());
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Export<'s> {
    shows: &'s dyn Shows,
    format: Format,
    filter: Filter,
    with_media: bool,
    progress: Progress,
}

/// The messages that are exported.
#[derive(Debug, Clone, Default)]
struct Filter {
    /// Empty: all.
    rooms: Vec<RoomId>,
    /// Empty: all.
    senders: Vec<UserId>,
    from_ms: Option<i64>,
    until_ms: Option<i64>,
}

/// The outcome of an export.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Exported {
    /// Rooms.
    pub rooms: u64,
    /// Messages that are shown in a place of their own.
    pub messages: u64,
    /// Gaps: places where messages are not stored.
    pub gaps: u64,
    /// Files of media.
    pub media: u64,
    /// Media that messages show and that are not stored.
    pub missing_media: u64,
}

impl<'s> Export<'s> {
    /// Makes an export of all rooms, with their media.
    pub fn new(shows: &'s dyn Shows, format: Format) -> Self {
        Self { shows, format, filter: Filter::default(), with_media: true, progress: Progress::none() }
    }

    /// Exports only these rooms.
    #[must_use]
    pub fn rooms(mut self, rooms: impl IntoIterator<Item = RoomId>) -> Self {
        self.filter.rooms = rooms.into_iter().collect();
        self
    }

    /// Exports only messages of these senders.
    #[must_use]
    pub fn senders(mut self, senders: impl IntoIterator<Item = UserId>) -> Self {
        self.filter.senders = senders.into_iter().collect();
        self
    }

    /// Exports only messages with a server time from this moment on, in milliseconds since 1970.
    #[must_use]
    pub fn from_ms(mut self, from_ms: i64) -> Self {
        self.filter.from_ms = Some(from_ms);
        self
    }

    /// Exports only messages with a server time before this moment, in milliseconds since 1970.
    #[must_use]
    pub fn until_ms(mut self, until_ms: i64) -> Self {
        self.filter.until_ms = Some(until_ms);
        self
    }

    /// Leaves out the bytes of media, or takes them along.
    #[must_use]
    pub fn media(mut self, with_media: bool) -> Self {
        self.with_media = with_media;
        self
    }

    /// Reports progress in messages.
    #[must_use]
    pub fn progress(mut self, progress: Progress) -> Self {
        self.progress = progress;
        self
    }

    /// Writes the export into the folder.
    ///
    /// # Errors
    /// `Invalid` for a room that is not stored, those of the store and of the folder. What was written before an error
    /// stays: begin again with another folder.
    pub async fn run(&self, store: &dyn StorageAdapter, folder: &mut dyn Folder) -> Result<Exported> {
        let rooms = self.rooms_of(store).await?;
        let mut steps = Steps { progress: self.progress.clone(), done: 0, total: 0 };
        for room in &rooms {
            steps.total += store.count(&room.id, None).await?;
        }
        steps.by(0);
        let (mut done, mut index) = (Exported::default(), Vec::new());
        for room in &rooms {
            let first = room::export(self, store, room, folder, &mut steps, &mut done).await?;
            done.rooms += 1;
            index.push((room, first));
        }
        if self.format == Format::Html {
            folder::write(folder, "index.html", &html::index(&index))?;
        }
        Ok(done)
    }

    async fn rooms_of(&self, store: &dyn StorageAdapter) -> Result<Vec<Room>> {
        let mut rooms = Vec::new();
        for id in &self.filter.rooms {
            let missing = || {
                let message = format!("the room {id} is not stored: name one that is");
                Error::new(ErrorKind::Invalid, "export", message)
            };
            rooms.push(store.room(id).await?.ok_or_else(missing)?);
        }
        if self.filter.rooms.is_empty() {
            let mut query = RoomQuery::latest(ROOMS);
            loop {
                let page = store.rooms(query.clone()).await?;
                let Some(last) = page.last() else { break };
                query.after = Some(last.into());
                rooms.extend(page);
            }
        }
        Ok(rooms)
    }
}

impl Filter {
    /// Tells whether every message of a room is exported.
    fn is_none(&self) -> bool {
        self.senders.is_empty() && self.from_ms.is_none() && self.until_ms.is_none()
    }

    fn accepts(&self, sender: &UserId, timestamp_ms: i64) -> bool {
        (self.senders.is_empty() || self.senders.contains(sender))
            && self.from_ms.is_none_or(|from| timestamp_ms >= from)
            && self.until_ms.is_none_or(|until| timestamp_ms < until)
    }
}

impl fmt::Debug for Export<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Export")
            .field("format", &self.format)
            .field("filter", &self.filter)
            .finish_non_exhaustive()
    }
}

/// The messages read, of all.
struct Steps {
    progress: Progress,
    done: u64,
    total: u64,
}

impl Steps {
    fn by(&mut self, messages: u64) {
        self.done += messages;
        self.progress.step(self.done, self.total.max(self.done));
    }
}

#[cfg(test)]
mod tests;
