//! The mirror as the recovery of a damaged store reads it.

use std::path::Path;

use super::super::salvage::Salvage;
use super::file::{MirrorFile, boot};
use super::fold::Fold;
use super::judge::{Known, Plan, State, judge};
use super::keeper::{fold_of, place_of};
use crate::files::StoreId;
use crate::{Codec, Pending, Revision};

/// The second copy of a damaged store's outbox, if it is readable.
#[derive(Debug)]
pub struct Mirror {
    fold: Option<Fold>,
    /// The latest commit that is known from elsewhere.
    latest: Option<Revision>,
}

impl Mirror {
    /// Reads the mirror of the store at a path, which has the name of the store and this ending.
    pub fn read(store: &Path, ending: &str) -> Self {
        let opened = MirrorFile::open(&place_of(store, ending), false);
        let opened =
            opened.inspect_err(|error| tracing::warn!(%error, "the copy of the outbox cannot be read"));
        Self { fold: opened.ok().flatten().and_then(|(_, bytes)| fold_of(&bytes)), latest: None }
    }

    /// Notes that the store has published a revision.
    #[must_use]
    pub fn after(self, latest: Revision) -> Self {
        Self { latest: Some(latest), ..self }
    }

    /// Returns the id of its store.
    pub fn id(&self) -> Option<StoreId> {
        self.fold.as_ref()?.head.id
    }

    /// Returns the record of its store's keyring; absent for a plain store.
    pub fn keyring(&self) -> Option<&[u8]> {
        self.fold.as_ref()?.head.keyring.as_deref()
    }

    /// Tells whether there is one.
    pub fn is_there(&self) -> bool {
        self.fold.is_some()
    }

    /// Adds the rows that the store could not give, and takes away those that were sent or removed since. `id` and
    /// `revision` are those of the store, where they are readable.
    pub fn complete(
        &self,
        found: &mut Salvage,
        codec: &Codec,
        id: Option<StoreId>,
        revision: Option<Revision>,
    ) {
        let rows: Vec<Pending> = found.pending().cloned().collect();
        let known = Known { rows: &rows, revision: revision.max(self.latest), state: State::Damaged };
        let plan = self.judge(codec, id, known);
        found.merge(plan);
    }

    /// Returns the changes that bring the outbox of a store that lost its latest commits, and is sound as of the commit
    /// before those, to where the mirror stands.
    pub fn plan(&self, codec: &Codec, id: Option<StoreId>, rows: &[Pending], revision: Revision) -> Plan {
        self.judge(codec, id, Known { rows, revision: Some(revision), state: State::Sound })
    }

    fn judge(&self, codec: &Codec, id: Option<StoreId>, known: Known<'_>) -> Plan {
        let Some(fold) = &self.fold else { return Plan::default() };
        if id.is_some() && fold.head.id != id || fold.head.check != codec.mirror_key() {
            tracing::warn!("the copy of the outbox beside the store is another store's, and is not used");
            return Plan::default();
        }
        judge(fold, known, boot(), |row| row.read(codec).ok(), |txn| codec.txn_key(txn))
    }
}
