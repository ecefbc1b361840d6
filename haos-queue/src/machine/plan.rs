//! From a step to one batch: the row, and those that wait for it.

use haos_store_api::backend::SortedMap;
use haos_store_api::{
    EventId, MediaKey, MediaUri, Pending, PendingQuery, PendingState, Result, StorageAdapter, TxnId,
    WriteBatch,
};

use super::event::{Class, Event};
use super::table::{Context, Step, parent_sent, step};
use crate::Protocol;
use crate::local::{local_event_id, local_media_uri, rewrite};

/// A row and all that waits for it, directly or through others, parents first.
#[derive(Debug, Clone)]
pub struct Family {
    /// The row.
    pub row: Pending,
    /// Those that wait.
    pub waiting: Vec<Pending>,
}

impl Family {
    /// A row that nothing waits for.
    pub fn alone(row: Pending) -> Self {
        Self { row, waiting: Vec::new() }
    }

    /// Reads who waits for a row.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn read<S: StorageAdapter + ?Sized>(store: &S, row: Pending) -> Result<Self> {
        let mut family = Self::alone(row);
        let mut next = 0;
        let mut parent = family.row.txn_id.clone();
        loop {
            let room = Some(family.row.room.clone());
            let query =
                PendingQuery { parent: Some(parent), room, skip_damaged: true, ..PendingQuery::default() };
            family.waiting.extend(store.pending(query).await?);
            let Some(row) = family.waiting.get(next) else { return Ok(family) };
            (parent, next) = (row.txn_id.clone(), next + 1);
        }
    }
}

/// The batch that carries out what [`step`] decided of a family's row; none if nothing is to be written
/// ([`Step::Keep`], and [`Step::Follow`] and [`Step::Replace`], which need new rows).
///
/// The batch expects every row it writes to be as it was read.
///
/// # Errors
/// `Invalid` if an id that the server gave cannot be stored.
pub fn plan(
    family: &Family,
    event: &Event,
    decided: &Step,
    context: &Context<'_>,
    protocol: &dyn Protocol,
) -> Result<Option<WriteBatch>> {
    let row = &family.row;
    let mut batch = if is_users(event) { WriteBatch::strict() } else { WriteBatch::relaxed() };
    batch.expect_pending(&row.txn_id, Some(row.revision));
    match decided {
        Step::Keep | Step::Follow | Step::Replace => return Ok(None),
        Step::Put(next) => {
            batch.put_pending((**next).clone());
            if let (PendingState::Sent, Some(event_id)) = (next.state, &next.event_id) {
                release(&mut batch, family, &Sent::event(&row.txn_id, event_id)?)?;
            }
        }
        Step::Done => {
            batch.remove_pending(row.txn_id.clone());
            match (Class::of(row), event) {
                (Class::Upload, _) => {
                    let Some(remote) = &row.remote else { return Ok(None) };
                    let sent = Sent::upload(row, remote)?;
                    for (from, to) in &sent.media {
                        batch.rename_media(from.clone(), to.clone());
                    }
                    release(&mut batch, family, &sent)?;
                }
                (Class::Event, Event::Echo(event_id)) => {
                    release(&mut batch, family, &Sent::event(&row.txn_id, event_id)?)?;
                }
                (Class::Event | Class::Signal, _) => {}
            }
        }
        Step::Cancelled => {
            remove(&mut batch, row);
            orphan(&mut batch, family, context, protocol);
        }
    }
    Ok(Some(batch))
}

/// Adds what an echo means for a row: it goes, and what waits for it goes on with the server's id. Gives
/// those rows as they become.
pub(crate) fn echo(batch: &mut WriteBatch, family: &Family, event_id: &EventId) -> Result<Vec<Pending>> {
    let row = &family.row;
    batch.expect_pending(&row.txn_id, Some(row.revision)).remove_pending(row.txn_id.clone());
    release(batch, family, &Sent::event(&row.txn_id, event_id)?)
}

/// Hands the rows that waited for one over to another, and renames it in them. They go to the end of the
/// outbox behind it, since a row that waits holds up its room.
pub(crate) fn move_children(batch: &mut WriteBatch, family: &Family, to: &TxnId) -> Result<()> {
    let renamed = Sent::event(&family.row.txn_id, &local_event_id(to)?)?;
    for waiting in &family.waiting {
        let mut next = rewritten(waiting, &renamed)?;
        if next.parent.as_ref() == Some(&family.row.txn_id) {
            next.parent = Some(to.clone());
        }
        batch.expect_pending(&waiting.txn_id, Some(waiting.revision));
        batch.remove_pending(waiting.txn_id.clone()).put_pending(next);
    }
    Ok(())
}

/// A user's act must survive a power loss, and so must the note that a row is about to be sent:
/// without it, nobody would know that it may be on the server.
fn is_users(event: &Event) -> bool {
    matches!(event, Event::Lease(_) | Event::Cancel | Event::Edit(_) | Event::Retry | Event::Pause)
}

/// Removes a row that was taken back, and the bytes staged for it.
fn remove(batch: &mut WriteBatch, row: &Pending) {
    batch.remove_pending(row.txn_id.clone());
    if Class::of(row) == Class::Upload {
        for key in &row.media {
            batch.remove_media(key.clone());
        }
    }
}

/// How a sent row was known here, and how the server knows it.
struct Sent {
    from: String,
    to: String,
    media: Vec<(MediaKey, MediaKey)>,
}

impl Sent {
    fn event(txn_id: &TxnId, event_id: &EventId) -> Result<Self> {
        let from = local_event_id(txn_id)?.to_string();
        Ok(Self { from, to: event_id.to_string(), media: Vec::new() })
    }

    fn upload(row: &Pending, remote: &MediaUri) -> Result<Self> {
        let local = local_media_uri(&row.txn_id)?;
        let moved = |key: &MediaKey| MediaKey { uri: remote.clone(), format: key.format.clone() };
        let media = row.media.iter().map(|key| (key.clone(), moved(key))).collect();
        Ok(Self { from: local.to_string(), to: remote.to_string(), media })
    }
}

/// Writes the server's ids into what waits, and lets the row's own children go.
fn release(batch: &mut WriteBatch, family: &Family, sent: &Sent) -> Result<Vec<Pending>> {
    let mut written = Vec::new();
    for waiting in &family.waiting {
        let next = rewritten(waiting, sent)?;
        let mine = waiting.parent.as_ref() == Some(&family.row.txn_id);
        let next = match parent_sent(&next) {
            Step::Put(released) if mine => *released,
            _ => next,
        };
        if next != *waiting {
            batch.expect_pending(&waiting.txn_id, Some(waiting.revision)).put_pending(next.clone());
            written.push(next);
        }
    }
    Ok(written)
}

fn rewritten(row: &Pending, sent: &Sent) -> Result<Pending> {
    let mut next = row.clone();
    if let Some(content) = rewrite(&row.content, &sent.from, &sent.to)? {
        next.content = content;
    }
    if row.target.as_ref().is_some_and(|target| target.as_str() == sent.from) {
        next.target = Some(EventId::new(&sent.to)?);
    }
    for key in &mut next.media {
        if let Some((_, to)) = sent.media.iter().find(|(from, _)| from == key) {
            *key = to.clone();
        }
    }
    Ok(next)
}

/// Cancels or parks what waited for a row that was cancelled.
fn orphan(batch: &mut WriteBatch, family: &Family, context: &Context<'_>, protocol: &dyn Protocol) {
    let mut gone = SortedMap::from_iter([(&family.row.txn_id, &family.row)]);
    for waiting in &family.waiting {
        let parent = waiting.parent.as_ref().and_then(|parent| gone.get(parent));
        let Some(parent) = parent else { continue };
        // Nothing is left of a chain of uploads without one of them.
        let cancel = Class::of(parent) == Class::Upload || !protocol.outlives_parent(judged(waiting, family));
        batch.expect_pending(&waiting.txn_id, Some(waiting.revision));
        match step(waiting, &Event::ParentCancelled { cancel }, context) {
            Step::Put(parked) => drop(batch.put_pending(*parked)),
            Step::Cancelled => {
                remove(batch, waiting);
                gone.insert(&waiting.txn_id, waiting);
            }
            _ => {}
        }
    }
}

/// The event that an upload is for, which decides for the whole chain.
fn judged<'a>(row: &'a Pending, family: &'a Family) -> &'a Pending {
    let mut row = row;
    while Class::of(row) == Class::Upload {
        let next = family.waiting.iter().find(|waiting| waiting.parent.as_ref() == Some(&row.txn_id));
        let Some(next) = next else { break };
        row = next;
    }
    row
}

/// The batch for a row whose parent left while it was written: it is released where the parent was sent,
/// as `event_id`, and orphaned else.
///
/// # Errors
/// `Invalid` if an id that the server gave cannot be stored.
pub(crate) fn adopt(
    row: &Pending,
    parent: &TxnId,
    event_id: Option<&EventId>,
    context: &Context<'_>,
    protocol: &dyn Protocol,
) -> Result<Option<WriteBatch>> {
    let decided = match event_id {
        Some(event_id) => parent_sent(&rewritten(row, &Sent::event(parent, event_id)?)?),
        None => {
            let cancel = !protocol.outlives_parent(row);
            step(row, &Event::ParentCancelled { cancel }, context)
        }
    };
    let mut batch = WriteBatch::relaxed();
    batch.expect_pending(&row.txn_id, Some(row.revision));
    match decided {
        Step::Put(next) => drop(batch.put_pending(*next)),
        Step::Cancelled => remove(&mut batch, row),
        _ => return Ok(None),
    }
    Ok(Some(batch))
}
