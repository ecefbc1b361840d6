//! A message of the user, before it is a row.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use haos_store_api::{
    Error, ErrorKind, EventId, EventType, Json, MediaKey, Pending, PendingState, Result, RoomId, TxnId,
};

use crate::local::local_event_id;
use crate::transport::UPLOAD;
use crate::{OutboxOptions, SealFile};

/// A message to send.
///
/// ```
/// use haos_queue::Draft;
/// use haos_store_api::{EventType, Json, RoomId};
/// # fn main() -> haos_store_api::Result<()> {
/// let content = Json::new(r#"{"msgtype":"m.text","body":"hello"}"#)?;
/// let draft = Draft::new(RoomId::new("!lobby")?, EventType::new("m.room.message")?, content);
/// # let _ = draft.priority(1);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
#[must_use = "a draft is nothing until it is enqueued"]
pub struct Draft {
    pub(crate) txn_id: Option<TxnId>,
    pub(crate) room: RoomId,
    pub(crate) kind: EventType,
    pub(crate) content: Json,
    pub(crate) about: Option<About>,
    pub(crate) priority: i32,
    pub(crate) expires_in_ms: Option<u64>,
    pub(crate) uploads: Vec<Staged>,
}

/// A message that another is about.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum About {
    /// One that the server has.
    Event(EventId),
    /// One of the outbox. The content names it by [`local_event_id`](crate::local_event_id).
    Unsent(TxnId),
}

impl About {
    /// Returns the id by which content names it.
    ///
    /// # Errors
    /// `Invalid` for a transaction whose id is too long to be named.
    pub fn event_id(&self) -> Result<EventId> {
        match self {
            Self::Event(event_id) => Ok(event_id.clone()),
            Self::Unsent(txn_id) => local_event_id(txn_id),
        }
    }
}

impl From<&EventId> for About {
    fn from(event_id: &EventId) -> Self {
        Self::Event(event_id.clone())
    }
}

impl From<&TxnId> for About {
    fn from(txn_id: &TxnId) -> Self {
        Self::Unsent(txn_id.clone())
    }
}

/// Bytes in the store that an upload will take; see [`Outbox::stage`](crate::Outbox::stage).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Staged {
    pub(crate) txn_id: TxnId,
    pub(crate) key: MediaKey,
    pub(crate) size: u64,
    pub(crate) sealing: Option<Sealing>,
}

/// The encryption of staged bytes, as far as it came: clones of [`Staged`] go on with one.
#[derive(Clone)]
pub(crate) struct Sealing(Arc<Mutex<Option<Box<dyn SealFile>>>>);

impl Sealing {
    #[cfg_attr(target_arch = "wasm32", allow(clippy::arc_with_non_send_sync, reason = "one thread"))]
    pub(crate) fn new(file: Box<dyn SealFile>) -> Self {
        Self(Arc::new(Mutex::new(Some(file))))
    }

    /// Takes it for one step. It is back once that is [done](Self::done): after a failure nobody knows what is stored, and
    /// nothing goes on.
    pub(crate) fn take(&self) -> Result<Box<dyn SealFile>> {
        let broken =
            || Error::new(ErrorKind::Invalid, "stage", "an earlier part of the file failed: stage it anew");
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take().ok_or_else(broken)
    }

    pub(crate) fn done(&self, file: Box<dyn SealFile>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(file);
    }
}

impl PartialEq for Sealing {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Sealing {}

impl fmt::Debug for Sealing {
    /// Shows no key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealing")
    }
}

/// The content of an upload's row whose bytes were encrypted while they were staged.
const SEALED_BYTES: &str = r#"{"sealed":true}"#;

/// Tells if the bytes that a row uploads are encrypted.
pub(crate) fn has_sealed_bytes(upload: &Pending) -> bool {
    upload.content.as_str() == SEALED_BYTES
}

impl Staged {
    /// The key of the bytes. Put its uri into the content; the server's replaces it once it is known.
    pub fn key(&self) -> &MediaKey {
        &self.key
    }

    /// How many bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Returns what a reader of the encrypted bytes needs, once all are staged: see [`SealFile::finish`]. None for bytes
    /// that are staged as they are.
    ///
    /// # Errors
    /// `Invalid` if staging them failed.
    pub fn sealed(&self) -> Result<Option<Json>> {
        let Some(sealing) = &self.sealing else { return Ok(None) };
        let mut file = sealing.take()?;
        let described = file.finish();
        sealing.done(file);
        described.map(Some)
    }
}

/// When a draft becomes a row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    /// As the user's clock shows it.
    pub(crate) wall_ms: i64,
    /// By the store's clock.
    pub(crate) now_ms: i64,
}

impl Draft {
    /// An event of a room.
    pub fn new(room: RoomId, kind: EventType, content: Json) -> Self {
        Self {
            txn_id: None,
            room,
            kind,
            content,
            about: None,
            priority: 0,
            expires_in_ms: None,
            uploads: Vec::new(),
        }
    }

    /// Names its transaction, as a caller does that may not hear whether the draft was taken: enqueued again with the same
    /// transaction, nothing is added as long as the outbox or the store has it.
    pub fn txn_id(mut self, txn_id: TxnId) -> Self {
        self.txn_id = Some(txn_id);
        self
    }

    /// Names the message that it relates to: the draft waits until that is sent, and pruning spares it.
    pub fn about(mut self, about: About) -> Self {
        self.about = Some(about);
        self
    }

    /// Among rooms, higher goes first. Within a room nothing overtakes.
    pub fn priority(mut self, priority: i32) -> Self {
        self.priority = priority;
        self
    }

    /// When it parks as expired, in milliseconds from now; else after the outbox's own time.
    pub fn expires_in_ms(mut self, ms: u64) -> Self {
        self.expires_in_ms = Some(ms);
        self
    }

    /// An upload that must be on the server first. Several go in this order: a thumbnail before its file.
    pub fn upload(mut self, staged: Staged) -> Self {
        self.uploads.push(staged);
        self
    }

    /// The rows: uploads first, each waiting for the one before.
    pub(crate) fn rows(
        self,
        txn_id: TxnId,
        Moment { wall_ms, now_ms }: Moment,
        options: &OutboxOptions,
    ) -> Result<Vec<Pending>> {
        let expires_at_ms = now_ms.saturating_add_unsigned(self.expires_in_ms.unwrap_or(options.expiry_ms));
        let upload = EventType::new(UPLOAD)?;
        let target = self.about.as_ref().map(About::event_id).transpose()?;
        let mut parent = match self.about {
            Some(About::Unsent(txn_id)) => Some(txn_id),
            Some(About::Event(_)) | None => None,
        };
        let media = self.uploads.iter().map(|staged| staged.key.clone()).collect();
        let row = |txn_id, kind, content, parent: &Option<TxnId>| Pending {
            state: if parent.is_some() { PendingState::Blocked } else { PendingState::Queued },
            parent: parent.clone(),
            priority: self.priority,
            expires_at_ms: Some(expires_at_ms),
            ..Pending::new(txn_id, self.room.clone(), kind, content, wall_ms)
        };
        let mut rows = Vec::with_capacity(self.uploads.len() + 1);
        for staged in self.uploads {
            let content = if staged.sealing.is_some() { Json::new(SEALED_BYTES)? } else { Json::empty() };
            let mut upload = row(staged.txn_id.clone(), upload.clone(), content, &parent);
            upload.media = vec![staged.key];
            rows.push(upload);
            parent = Some(staged.txn_id);
        }
        let event = row(txn_id, self.kind, self.content, &parent);
        rows.push(Pending { target, media, ..event });
        Ok(rows)
    }
}
