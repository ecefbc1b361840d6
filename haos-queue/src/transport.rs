//! The queue's requests to the network.

use async_trait::async_trait;
use haos_store_api::{
    ByteRange, EventId, MaybeSend, MediaKey, MediaUri, Pending, Result, RoomId, StorageAdapter, UserId,
};

use crate::{Answer, BackfillPage, Event, Refusal};

/// The kind of a row that uploads its media item and sends no event.
pub const UPLOAD: &str = "haos.upload";
/// The kind of a row that tells how far the user has read.
pub const RECEIPT: &str = "haos.receipt";
/// The kind of a row that tells that the user is typing.
pub const TYPING: &str = "haos.typing";

/// The sender: a transaction id means something to the same user on the same device only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The own user.
    pub user: UserId,
    /// The device, as the server knows it.
    pub device: String,
}

/// The network: one request a call. It never retries, and it may be dropped at any moment.
///
/// Calls come from one driver at a time, several at once for different rooms. [`Transport::send`] is enough for
/// texts: without the others media is parked, and a message whose answer was lost for long is left to the user.
#[cfg_attr(not(target_arch = "wasm32"), async_trait)]
#[cfg_attr(target_arch = "wasm32", async_trait(?Send))]
pub trait Transport: MaybeSend {
    /// Sends a row: an event (its `wire` form where it has one), a redaction of its `target`, a receipt.
    /// The row's transaction id goes with it.
    async fn send(&self, row: &Pending) -> Answer;

    /// Asks the server for a place for media, where it has such places. Then uploading there twice
    /// leaves one item.
    async fn create_media(&self) -> Created {
        Created::Unsupported
    }

    /// Uploads the bytes; to `remote` where a place was made. A 409 there says that they arrived before.
    async fn upload(&self, _body: Body<'_>, _remote: Option<&MediaUri>) -> Answer {
        cannot()
    }

    /// Tells, for an upload whose answer was lost, if the media at a place is complete.
    async fn media_exists(&self, _uri: &MediaUri) -> Lookup<()> {
        Lookup::Unknown
    }

    /// Tells if a room is encrypted of which the store knows nothing yet, as that of an invite that was just accepted. It
    /// is asked where the protocol knows encryption, and what is written there waits for the answer. A transport that does
    /// not say otherwise has rooms in clear.
    async fn is_encrypted(&self, _room: &RoomId) -> std::result::Result<bool, Answer> {
        Ok(false)
    }

    /// Reads an event of a room.
    async fn event(&self, _room: &RoomId, _event: &EventId) -> Lookup<Event> {
        Lookup::Unknown
    }

    /// Reads a page of a room's newest events (without `from`), or of those before a page's `end`.
    async fn history(
        &self,
        _room: &RoomId,
        _from: Option<&str>,
        _limit: usize,
    ) -> std::result::Result<BackfillPage, Answer> {
        Err(cannot())
    }
}

/// The refusal of a transport that has no such request.
fn cannot() -> Answer {
    Answer::Refused(Refusal::new(405, "UNSUPPORTED"))
}

/// The answer to asking for a place.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Created {
    /// Here.
    At(MediaUri),
    /// The server has no such thing: upload in one request.
    Unsupported,
    /// It failed.
    Failed(Answer),
}

/// The answer to a question.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Lookup<T> {
    /// It is there.
    Found(T),
    /// The server says that it is not.
    Missing,
    /// The transport cannot ask.
    Unknown,
    /// Asking failed.
    Failed(Answer),
}

/// The bytes of an upload, read from the store as they are needed.
pub struct Body<'a> {
    pub(crate) store: &'a dyn StorageAdapter,
    pub(crate) key: MediaKey,
    /// How many bytes.
    pub size: u64,
    /// Their media type.
    pub mime: Option<String>,
    pub(crate) progress: &'a ProgressSink<'a>,
}

#[cfg(not(target_arch = "wasm32"))]
pub(crate) type ProgressSink<'a> = dyn Fn(u64) + Send + Sync + 'a;
#[cfg(target_arch = "wasm32")]
pub(crate) type ProgressSink<'a> = dyn Fn(u64) + 'a;

impl Body<'_> {
    /// A range of the bytes, cut at the end.
    ///
    /// # Errors
    /// Those of the store; `Corrupt` if the item is gone.
    pub async fn read(&self, range: ByteRange) -> Result<Vec<u8>> {
        let media = self.store.media(&self.key, range).await?;
        media.map(|media| media.bytes).ok_or_else(|| {
            let message = "the bytes to upload are gone from the store";
            haos_store_api::Error::new(haos_store_api::ErrorKind::Corrupt, "upload", message)
        })
    }

    /// Tells how many bytes have gone out. An upload that tells nothing for long is given up.
    pub fn sent(&self, bytes: u64) {
        (self.progress)(bytes);
    }
}

impl std::fmt::Debug for Body<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Body").field("size", &self.size).finish_non_exhaustive()
    }
}
