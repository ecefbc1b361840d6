//! Read, plan, apply; on a conflict once more.

use haos_store_api::backend::SortedSet;
use haos_store_api::{Error, ErrorKind, Gap, Result, StorageAdapter, UserId, WriteBatch};

use super::encrypted::{encrypted, note_encrypted, tells};
use super::gather::{MARGINS, fill_view, sync_view};
use super::settle::{settled_page, settled_sync};
use super::{PlanError, fill, sync};
use crate::{BackfillPage, Protocol, Retries, Since, SyncDelta};

/// The outcome of a sync response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Synced {
    /// It changed the store.
    Applied,
    /// The store held all of it.
    Unchanged,
    /// It goes on from another token than the stored one: nothing was written. Sync from the stored token.
    Stale,
}

/// The outcome of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Filled {
    /// It is stored. Whether a gap is left, and where, the timeline says.
    Applied,
    /// The gap is not there any more, or was filled meanwhile with another token: read the gaps again.
    Gone,
}

/// Applies a sync response with its token in one commit: rooms, timelines, gaps, state and outbox rows.
///
/// A response that was asked for on top of another token than the stored one ([`SyncDelta::since`]) is
/// stale and leaves no trace, so that two contexts, or a late answer, cannot take the store back.
///
/// # Errors
/// Those of the store; `Invalid` for an answer that breaks the contract.
pub async fn apply_sync<S: StorageAdapter + ?Sized>(
    store: &S,
    delta: &SyncDelta,
    own: Option<&UserId>,
    protocol: &dyn Protocol,
) -> Result<Synced> {
    // Servers name a room once. Should one not, the token comes with the last mention.
    if let Some((head, rest)) = split(delta) {
        return match Box::pin(apply_sync(store, &head, own, protocol)).await? {
            Synced::Stale => Ok(Synced::Stale),
            _ => Box::pin(apply_sync(store, &rest, own, protocol)).await,
        };
    }
    let settled = settled_sync(store, delta, protocol).await?;
    let delta = &*settled;
    note_encrypted(store, &encrypted(&delta.rooms, protocol)).await?;
    let mut attempt = Attempt::default();
    loop {
        let view = sync_view(store, delta, (own, protocol), attempt.margin()).await?;
        if matches!(&delta.since, Since::Stored(then) if *then != view.token) {
            let held = view.token.is_some() && view.token == delta.next;
            return Ok(if held { Synced::Unchanged } else { Synced::Stale });
        }
        if let Some(changed) = attempt.run(store, sync(delta, &view, protocol)).await? {
            return Ok(if changed { Synced::Applied } else { Synced::Unchanged });
        }
    }
}

/// Works a page into the timeline at its gap. The gap is the one that was read before the
/// page was fetched with its token.
///
/// # Errors
/// Those of the store; `Invalid` for an answer that breaks the contract.
pub async fn apply_page<S: StorageAdapter + ?Sized>(
    store: &S,
    gap: &Gap,
    page: &BackfillPage,
    own: Option<&UserId>,
    protocol: &dyn Protocol,
) -> Result<Filled> {
    let settled = settled_page(store, page, protocol).await?;
    let page = &*settled;
    if tells(&page.events, &page.state, protocol) {
        note_encrypted(store, &[&page.room]).await?;
    }
    let mut attempt = Attempt::default();
    loop {
        let Some(view) = fill_view(store, gap, page, (own, protocol), attempt.margin()).await? else {
            return Ok(Filled::Gone);
        };
        // A renumbering gives a new revision and leaves the token: the page still fits.
        if view.gap.token != gap.token {
            return Ok(Filled::Gone);
        }
        if attempt.run(store, fill(page, &view, protocol)).await?.is_some() {
            return Ok(Filled::Applied);
        }
    }
}

/// The first mention of every room, and the rest with the token; none if each is mentioned once.
fn split(delta: &SyncDelta) -> Option<(SyncDelta, SyncDelta)> {
    let mut seen = SortedSet::new();
    if delta.rooms.iter().all(|room| seen.insert(&room.id)) {
        return None;
    }
    let mut seen = SortedSet::new();
    let (first, again) = delta.rooms.iter().cloned().partition(|room| seen.insert(room.id.clone()));
    let (since, arrived_ms) = (delta.since.clone(), delta.arrived_ms);
    let head = SyncDelta { rooms: first, since, arrived_ms, ..SyncDelta::default() };
    Some((head, SyncDelta { rooms: again, ..delta.clone() }))
}

#[derive(Default)]
pub(super) struct Attempt {
    retries: Retries,
    margin: usize,
}

impl Attempt {
    pub(super) fn margin(&self) -> usize {
        MARGINS[self.margin]
    }

    /// Applies a plan; returns if it changed anything, or `None` to plan again.
    pub(super) async fn run<S: StorageAdapter + ?Sized>(
        &mut self,
        store: &S,
        plan: std::result::Result<WriteBatch, PlanError>,
    ) -> Result<Option<bool>> {
        let batch = match plan {
            Ok(batch) => batch,
            Err(PlanError::Narrow) if self.margin + 1 < MARGINS.len() => {
                self.margin += 1;
                return Ok(None);
            }
            Err(e) => return Err(Error::new(ErrorKind::Invalid, "reconcile", e.to_string())),
        };
        Ok(self.retries.committed(store.apply(batch).await)?.map(|commit| commit.changed))
    }
}
