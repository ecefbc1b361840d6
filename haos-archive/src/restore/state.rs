//! State: what the store lacks is taken, and no draft is lost.

use haos_queue::{CLOCK, GATE, Retries};
use haos_store_api::{
    Collection, EventId, RelationKind, RelationQuery, Result, RoomId, Scope, StateEntry, StateKey,
    StateQuery, StorageAdapter, WriteBatch, state_kind,
};
use sha2::{Digest as _, Sha256};

use super::{Note, ROWS, Reason, Restore};
use crate::kinds::{RESTORING, TAKEN, reads};

/// The keys of drafts that are kept beside the store's own begin with this.
const KEPT: &str = "restored:";

/// The way in which an entry is taken.
enum Way {
    /// Where the store has none.
    IfAbsent,
    /// Where the store has none, else beside it.
    Draft,
    /// Not at all.
    No(Reason),
    /// At the end.
    Token,
}

/// What becomes of an entry.
enum Fate {
    New,
    Kept,
    Held,
    Out(Reason),
}

impl<S: StorageAdapter + ?Sized> Restore<'_, S> {
    pub(super) async fn state(&mut self, entries: Vec<StateEntry>) -> Result<()> {
        for entries in entries.chunks(ROWS) {
            self.some_state(entries).await?;
        }
        Ok(())
    }

    async fn some_state(&mut self, entries: &[StateEntry]) -> Result<()> {
        self.note(entries);
        let mut retries = Retries::default();
        loop {
            let mut batch = WriteBatch::relaxed();
            let mut fates = Vec::with_capacity(entries.len());
            for entry in entries {
                let fate = match self.way(entry).await? {
                    Way::No(reason) => Fate::Out(reason),
                    Way::Token => {
                        self.token = Some(entry.clone());
                        continue;
                    }
                    Way::IfAbsent => self.absent(&mut batch, entry).await?,
                    Way::Draft => self.draft(&mut batch, entry).await?,
                };
                fates.push(fate);
            }
            let Some(commit) = retries.committed(self.store.apply(batch).await)? else { continue };
            self.changed |= commit.changed;
            for fate in fates {
                match fate {
                    Fate::New => self.done.new_rows(Collection::State, 1),
                    Fate::Kept => self.done.merged_rows(Collection::State, 1),
                    Fate::Held => self.done.unchanged_rows(Collection::State, 1),
                    Fate::Out(reason) => self.done.leave_out(Collection::State, reason, 1),
                }
            }
            return Ok(());
        }
    }

    /// Keeps in mind what other records depend on.
    fn note(&mut self, entries: &[StateEntry]) {
        for entry in entries.iter().filter(|entry| entry.scope == Scope::Account) {
            match entry.kind.as_str() {
                CLOCK => self.clock = Some(entry.value.clone()),
                TAKEN => self.notes.extend(Note::of(entry)),
                kind if reads(kind) == Some(false) => self.sends = true,
                _ => {}
            }
        }
    }

    /// Decides about an entry by its kind.
    ///
    /// Of a device's keys, those that read are taken by a store that has none of its own; the others, with which it
    /// sends, by none: the device would be two, and go on from one step twice. What is true of one store at one moment
    /// is for a store that becomes this one: a token, a pause, a clock, how far an import came, as of when members are
    /// complete. What is true of one store alone is for none.
    async fn way(&mut self, entry: &StateEntry) -> Result<Way> {
        let is_accounts = entry.scope == Scope::Account;
        let if_fresh = |way| if self.fresh { way } else { Way::No(Reason::OfItsStore) };
        Ok(match (entry.kind.as_str(), is_accounts) {
            (TAKEN | RESTORING, true) => Way::No(Reason::OfItsStore),
            (state_kind::SYNC_TOKEN, true) => if_fresh(Way::Token),
            (GATE | CLOCK | state_kind::IMPORT, true) | (state_kind::MEMBERS, false) => {
                if_fresh(Way::IfAbsent)
            }
            (state_kind::SESSION, true) => self.session(entry).await?,
            (kind, true) if kind.starts_with(state_kind::KEYS) => match reads(kind) {
                Some(true) if !self.has_keys().await? => Way::IfAbsent,
                _ => Way::No(Reason::OfItsStore),
            },
            (state_kind::DRAFT, false) => Way::Draft,
            _ => Way::IfAbsent,
        })
    }

    /// Tells whether the store has keys that are not of this restore.
    async fn has_keys(&mut self) -> Result<bool> {
        if self.keys.is_none() {
            let stored = self.store.state(StateQuery::all(Scope::Account)).await?;
            let is_own =
                |entry: &StateEntry| reads(entry.kind.as_str()).is_some_and(|reads| !reads || !self.fresh);
            self.keys = Some(stored.iter().any(is_own));
        }
        Ok(self.keys.unwrap_or_default())
    }

    /// The login is taken if it is asked for, the store has none, and its device has no keys to send with, which stay
    /// where they are. What stands beside it is of the moment.
    async fn session(&self, entry: &StateEntry) -> Result<Way> {
        if !entry.key.as_str().is_empty() {
            return Ok(Way::No(Reason::OfItsStore));
        }
        let stored = self.stored(entry).await?;
        Ok(match stored {
            Some(stored) if stored == *entry => Way::IfAbsent,
            None if self.options.session && !self.sends => Way::IfAbsent,
            _ => Way::No(Reason::Session),
        })
    }

    async fn stored(&self, entry: &StateEntry) -> Result<Option<StateEntry>> {
        let query = StateQuery::one(entry.scope.clone(), entry.kind.clone(), entry.key.clone());
        Ok(self.store.state(query).await?.into_iter().next())
    }

    async fn absent(&self, batch: &mut WriteBatch, entry: &StateEntry) -> Result<Fate> {
        if self.stored(entry).await?.is_some() {
            return Ok(Fate::Held);
        }
        if let Scope::Room(room) = &entry.scope
            && self.store.room(room).await?.is_none()
        {
            return Ok(Fate::Out(Reason::NoRoom));
        }
        let entry = self.emptied(entry).await?;
        batch.expect_state(entry.scope.clone(), entry.kind.clone(), entry.key.clone(), None);
        batch.put_state(entry);
        Ok(Fate::New)
    }

    /// A draft goes where it was, or, where the store has another one, under a key that its content gives.
    async fn draft(&self, batch: &mut WriteBatch, entry: &StateEntry) -> Result<Fate> {
        let stored = self.stored(entry).await?;
        match stored {
            Some(stored) if stored.value == entry.value => return Ok(Fate::Held),
            None => return self.absent(batch, entry).await,
            Some(_) => {}
        }
        let digest = Sha256::digest(entry.value.as_str());
        let name: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let kept = StateEntry { key: StateKey::new(format!("{KEPT}{name}"))?, ..entry.clone() };
        Ok(match self.absent(batch, &kept).await? {
            Fate::New => Fate::Kept,
            fate => fate,
        })
    }

    /// State goes with the event that set it: if the store knows that this was redacted, the entry is emptied.
    async fn emptied(&self, entry: &StateEntry) -> Result<StateEntry> {
        let (Scope::Room(room), Some(event)) = (&entry.scope, &entry.event_id) else {
            return Ok(entry.clone());
        };
        if self.fresh || !self.is_redacted(room, event).await? {
            return Ok(entry.clone());
        }
        let value = self.options.protocol.redacted_state(&entry.kind, &entry.value);
        Ok(StateEntry { value, ..entry.clone() })
    }

    async fn is_redacted(&self, room: &RoomId, event: &EventId) -> Result<bool> {
        if let Some(message) = self.store.message(room, event).await? {
            return Ok(message.redacted_by.is_some());
        }
        let mut query = RelationQuery::of(room, event);
        query.kind = Some(RelationKind::Redaction);
        let redactions = self.store.related(query).await?;
        Ok(redactions.iter().any(|by| by.redacted_by.is_none()))
    }
}
