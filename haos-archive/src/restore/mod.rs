//! Records of one store, merged into another by the laws.
//!
//! - A row that the store lacks is taken as it is. Where both have it, the store's row counts: it has moved on.
//! - Timelines merge as a server's answers do ([`haos_queue::merge_run`]): what is stored keeps its place, no redaction
//!   is undone, a gap closes only where the records go on from one of its sides to the other.
//! - A draft that differs from the store's is kept beside it, under a key of its own.
//! - An unsent message is taken over once, under its own transaction id, and is sent by one store ([`Outbox`]).
//!
//! A restore is a row of small commits, each of which leaves a store that is right by itself. Whoever is interrupted
//! begins again; restoring twice changes nothing. The store may be in use meanwhile.

mod begin;
mod count;
mod ledger;
mod media;
mod options;
mod outbox;
mod rooms;
mod state;
mod timeline;

use haos_queue::Retries;
use haos_store_api::{
    Collection, Error, ErrorKind, EventType, Json, Result, Scope, StateEntry, StateKey, StorageAdapter,
    StorageAdapterExt as _, UserId, WriteBatch, state_kind,
};

use crate::Record;
use crate::kinds::{RESTORING, account};

pub use count::{Counts, Reason, Restored};
pub(crate) use ledger::{Ledger, Note, Said};
pub use options::{Outbox, RestoreOptions};
pub(crate) use outbox::{Known, clock, known};

use begin::Held;
use media::Partial;
use timeline::Stretch;

/// The most rows of one commit.
const ROWS: usize = 256;

/// A restore under way.
///
/// ```
/// use haos_archive::{Record, Restore, RestoreOptions};
/// use haos_store_api::{Collection, Membership, MemoryStore, Room, RoomId};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> haos_store_api::Result<()> {
/// let store = MemoryStore::new();
/// let rooms = vec![Room::new(RoomId::new("!lobby")?, Membership::Join)];
/// let mut restore = Restore::into(&store, RestoreOptions::default()).await?;
/// restore.take(Record::Rooms(rooms)).await?;
/// assert_eq!(restore.finish().await?.of(Collection::Rooms).new, 1);
/// # Ok(()) }
/// ```
pub struct Restore<'a, S: ?Sized> {
    store: &'a S,
    options: RestoreOptions,
    /// The store had neither rooms nor a sync token when the restore began.
    fresh: bool,
    /// A note in the store says so.
    noted: bool,
    held: Option<Held>,
    own: Option<UserId>,
    /// The other store has a device's keys to send with.
    sends: bool,
    /// This store has keys that are not of this restore, if that is known.
    keys: Option<bool>,
    /// The sync token: it counts once everything before it is there.
    token: Option<StateEntry>,
    /// The clock of the store that the records come from.
    clock: Option<Json>,
    ledger: Option<Ledger>,
    /// The outbox rows that the other store took over or handed on.
    notes: Vec<Note>,
    stretch: Option<Stretch>,
    partial: Option<Partial>,
    changed: bool,
    done: Restored,
}

impl<'a, S: StorageAdapter + ?Sized> Restore<'a, S> {
    /// Begins a restore into a store.
    ///
    /// # Errors
    /// Those of the store; `Invalid` if [`RestoreOptions::owner`] is not the store's own user.
    pub async fn into(store: &'a S, options: RestoreOptions) -> Result<Self> {
        let empty = StateKey::new("")?;
        let own = store.state_value(Scope::Account, &EventType::new(state_kind::OWN_USER)?, &empty).await?;
        let own = own.and_then(|own| own.parse().ok());
        let has_token = store.sync_token().await?.is_some();
        let noted = store.state_value(Scope::Account, &EventType::new(RESTORING)?, &empty).await?.is_some();
        let has_rooms = !store.rooms(haos_store_api::RoomQuery::latest(1)).await?.is_empty();
        let restore = Self {
            store,
            fresh: !has_token && (noted || !has_rooms),
            noted,
            held: options.owner.is_none().then(Held::default),
            own,
            sends: false,
            keys: None,
            options,
            token: None,
            clock: None,
            ledger: None,
            notes: Vec::new(),
            stretch: None,
            partial: None,
            changed: false,
            done: Restored::default(),
        };
        if let Some(owner) = &restore.options.owner {
            restore.check_owner(owner)?;
        }
        Ok(restore)
    }

    /// Takes a record. Records come in the order that [`Record`] documents, the account's state before that of rooms.
    ///
    /// # Errors
    /// Those of the store; `Invalid` for records of another user, before anything is written.
    pub async fn take(&mut self, record: Record) -> Result<()> {
        match self.hold(record)? {
            None => Ok(()),
            Some(record) => {
                self.release().await?;
                self.write(record).await
            }
        }
    }

    async fn write(&mut self, record: Record) -> Result<()> {
        if !matches!(record, Record::Timeline(..)) {
            self.end_timeline().await?;
        }
        if !matches!(record, Record::MediaBytes { .. }) {
            self.end_media();
        }
        match record {
            Record::Rooms(rooms) => self.rooms(rooms).await,
            Record::State(entries) => self.state(entries).await,
            Record::Timeline(room, items) => self.timeline(room, items).await,
            Record::Media(info) => self.media(info).await,
            Record::MediaBytes { key, at, bytes } => self.media_bytes(key, at, bytes).await,
            Record::Pending(rows) => self.pending(rows).await,
        }
    }

    /// Ends the restore: all records were taken. From then on it survives a power loss, and the store goes on from the
    /// records' sync token if it had none, and no rooms, when the restore began.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn finish(mut self) -> Result<Restored> {
        self.release().await?;
        self.end_timeline().await?;
        self.end_media();
        self.put_notes().await?;
        self.remove_partial().await?;
        self.put_token().await?;
        Ok(self.done)
    }

    /// Puts the sync token, if nobody has synced meanwhile, and removes the note that the restore has begun.
    async fn put_token(&mut self) -> Result<()> {
        let mut retries = Retries::default();
        let token = self.token.take();
        loop {
            let held = self.store.sync_token().await?;
            let token = token.as_ref().filter(|_| self.fresh && held.is_none());
            let mut batch = WriteBatch::strict();
            if let Some(entry) = token {
                batch.expect_state(entry.scope.clone(), entry.kind.clone(), entry.key.clone(), None);
                batch.put_state(entry.clone());
            }
            let note = account(RESTORING, "", &true)?;
            if self.changed {
                // A commit that changes something makes all before it durable.
                batch.put_state(note.clone());
            }
            if self.changed || self.noted {
                batch.remove_state(note.scope, note.kind, note.key);
            }
            if !batch.is_empty() && retries.committed(self.store.apply(batch).await)?.is_none() {
                continue;
            }
            if token.is_some() {
                self.done.new_rows(Collection::State, 1);
            }
            return Ok(());
        }
    }

    fn check_owner(&self, owner: &UserId) -> Result<()> {
        match &self.own {
            Some(own) if own != owner && !self.options.any_owner => Err(invalid(format!(
                "the records are of the user {owner} and the store is of {own}: restore into another store, or set \
                 `RestoreOptions::any_owner`"
            ))),
            _ => Ok(()),
        }
    }
}

impl<S: ?Sized> std::fmt::Debug for Restore<'_, S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Restore")
            .field("fresh", &self.fresh)
            .field("done", &self.done)
            .finish_non_exhaustive()
    }
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Invalid, "restore", message)
}
