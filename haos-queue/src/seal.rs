//! End-to-end encryption as the outbox sees it: what a user wrote becomes something else just before it goes out.

use async_trait::async_trait;
use haos_store_api::{Error, EventType, Json, MaybeSend, Pending, RoomId};

use crate::Answer;

/// Encrypts rows of encrypted rooms, at the last moment before an attempt. What it does is its own affair: the outbox
/// knows no cryptography.
///
/// The outbox asks for rooms of which a sync told once that they are encrypted
/// ([`Protocol::encryption`](crate::Protocol::encryption)), or of which no sync told anything and
/// [`Transport::is_encrypted`](crate::Transport::is_encrypted) does, and for kinds that are encrypted there
/// ([`Protocol::seals`](crate::Protocol::seals)). What was sealed is stored with the row's lease, in one commit, and goes
/// out with the same bytes again as long as the server may have it; once it is sure that it did not arrive, the row is
/// sealed anew, since the room's members may be others.
///
/// While a row is not sealed, those behind it in its room wait, and other rooms go on. All calls may be dropped at any
/// moment, and come again after a crash; several rooms are sealed at once, one row of a room at a time.
#[cfg_attr(not(target_arch = "wasm32"), async_trait)]
#[cfg_attr(target_arch = "wasm32", async_trait(?Send))]
pub trait Seal: MaybeSend {
    /// Makes sure that whoever is to read a room's next event can read it: members, devices, keys. It may use the
    /// network; nothing is leased meanwhile.
    ///
    /// # Errors
    /// [`Unready`]; the row stays as it is, or parks.
    async fn prepare(&self, room: &RoomId) -> Result<(), Unready>;

    /// Makes the form of a row that goes over the wire, right after [`Seal::prepare`]. It uses no network. What it must
    /// not do twice it has stored when it returns: after a crash, nobody knows whether its outcome was kept.
    ///
    /// # Errors
    /// [`Unready`], as there.
    async fn seal(&self, row: &Pending) -> Result<Sealed, Unready>;
}

/// The form of a row that goes over the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The event type, such as `m.room.encrypted`.
    pub kind: EventType,
    /// The content.
    pub content: Json,
}

/// Encrypts the bytes of one file while they are staged ([`Outbox::stage_sealed`](crate::Outbox::stage_sealed)), so that
/// every upload of it sends the same bytes.
pub trait SealFile: MaybeSend {
    /// Encrypts the next bytes in place. Their number stays: places in the file are those in its ciphertext.
    fn seal(&mut self, bytes: &mut [u8]);

    /// Returns what a reader needs besides the bytes and their uri, as in Matrix `key`, `iv` and `hashes`: an object. May be
    /// asked more than once, after the last bytes.
    ///
    /// # Errors
    /// `Invalid` where it has no JSON form.
    fn finish(&mut self) -> haos_store_api::Result<Json>;
}

/// The reason why a row cannot be sealed now. Nothing of it was sent.
#[derive(Debug)]
#[non_exhaustive]
pub enum Unready {
    /// A request had this answer. It means for row and account what it means for the row's own request, but that the
    /// row surely did not arrive: it is tried again with backoff, the account waits or pauses, or the row parks.
    Answered(Answer),
    /// It may go better later, as where a sync has to tell of the room first: the row is tried again with backoff. The text
    /// says what it waits for.
    Later(String),
    /// The room waits until somebody lets it go on ([`Outbox::resume`](crate::Outbox::resume)), as where the user must
    /// decide about devices first. The text says what for.
    Paused(String),
    /// This row cannot be sealed as it is: it parks ([`ParkReason::Unsealed`](haos_store_api::ParkReason::Unsealed)).
    Refused(String),
    /// The store failed.
    Store(Error),
}

impl From<Error> for Unready {
    fn from(e: Error) -> Self {
        Self::Store(e)
    }
}
