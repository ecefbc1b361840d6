//! Sending: into the outbox, which sends it once and in order.

mod file;
mod picture;
mod source;
#[cfg(all(feature = "thumbnails", not(target_arch = "wasm32")))]
mod thumbnail;
mod upload;

use haos_queue::{About, Draft, Enqueued};
use haos_store_api::{EventType, Json, RoomId, TxnId, UserId};

use crate::content::Text;
use crate::error::Result;
use crate::room::Room;

pub use file::FileInfo;
pub use source::FileSource;
pub(crate) use upload::row;
pub use upload::{Upload, UploadProgress};

/// Something that a room can be sent.
pub trait Sendable: Sized {
    /// Makes the message that goes into the outbox.
    ///
    /// # Errors
    /// [`Error::Unsendable`](crate::Error::Unsendable) for what can never be sent.
    fn draft(self, room: &RoomId) -> Result<Draft>;

    /// Returns the message that it answers, whose sender it calls by [`calling`](Self::calling) when it is sent. By
    /// itself there is none.
    fn answers(&self) -> Option<&About> {
        None
    }

    /// Makes it call a person too.
    #[must_use]
    fn calling(self, user: &UserId) -> Self {
        let _ = user;
        self
    }
}

impl Sendable for Text {
    fn draft(self, room: &RoomId) -> Result<Draft> {
        Ok(Text::draft(&self, room)?)
    }

    fn answers(&self) -> Option<&About> {
        self.answered()
    }

    fn calling(self, user: &UserId) -> Self {
        self.mention(user)
    }
}

/// A message of a transaction that the caller chooses: sent again with the same, nothing is added.
impl<M: Sendable> Sendable for (TxnId, M) {
    fn draft(self, room: &RoomId) -> Result<Draft> {
        Ok(self.1.draft(room)?.txn_id(self.0))
    }

    fn answers(&self) -> Option<&About> {
        self.1.answers()
    }

    fn calling(self, user: &UserId) -> Self {
        (self.0, self.1.calling(user))
    }
}

impl Sendable for &str {
    fn draft(self, room: &RoomId) -> Result<Draft> {
        Text::new(self).draft(room)
    }
}

impl Sendable for String {
    fn draft(self, room: &RoomId) -> Result<Draft> {
        self.as_str().draft(room)
    }
}

/// An event of any type.
impl Sendable for (EventType, Json) {
    fn draft(self, room: &RoomId) -> Result<Draft> {
        Ok(Draft::new(room.clone(), self.0, self.1))
    }
}

impl Room {
    /// Sends a message: when this returns it survives a power loss, and it is sent once there is a network. Returns its
    /// transaction. An answer calls the sender of what it answers, unless that is the user or the store does not have it.
    ///
    /// # Errors
    /// [`Error::Unsendable`](crate::Error::Unsendable), and those of the store; nothing is stored then.
    pub async fn send(&self, message: impl Sendable) -> Result<TxnId> {
        let author = match message.answers() {
            Some(about) => self.chat().base().author(self.id(), about).await?,
            None => None,
        };
        let message = match author {
            Some(author) => message.calling(&author),
            None => message,
        };
        Ok(self.enqueue(message.draft(self.id())?).await?.txn_id)
    }

    pub(crate) async fn enqueue(&self, draft: Draft) -> Result<Enqueued> {
        Ok(self.chat().outbox_handle().enqueue(draft).await?)
    }
}

/// Does slow work beside the caller's thread where there is a runtime.
#[cfg(not(target_arch = "wasm32"))]
async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> std::io::Result<T> {
    match tokio::runtime::Handle::try_current() {
        Ok(runtime) => runtime.spawn_blocking(work).await.map_err(std::io::Error::other)?,
        Err(_) => work(),
    }
}
