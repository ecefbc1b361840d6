//! A store, copied or moved live into another one.

use haos_store_api::{
    ByteRange, ErrorKind, EventType, MediaInfo, Progress, Result, Scope, StateKey, StorageAdapter,
    StorageAdapterExt as _, state_kind,
};

use crate::handover::{MoveOptions, Moved, move_outbox};
use crate::pages::PORTION;
use crate::restore::{Restore, RestoreOptions, Restored};
use crate::walk::Walk;
use crate::{Outbox, Reason, Record};

/// Copies everything from one store into another, whatever their backends, plain or sealed: a restore without an
/// archive between.
///
/// Both may be in use. What the first store learns meanwhile may be missing: copying again takes it, and costs reads
/// alone for what is there. What it cannot read is left out and counted ([`Reason::Unreadable`]). Progress counts rows.
///
/// # Errors
/// Those of the stores, and of a restore.
///
/// ```
/// use haos_archive::{RestoreOptions, copy};
/// use haos_store_api::{Membership, MemoryStore, Progress, Room, RoomId, StorageAdapter, WriteBatch};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> haos_store_api::Result<()> {
/// let (from, to) = (MemoryStore::new(), MemoryStore::new());
/// let lobby = RoomId::new("!lobby")?;
/// let mut batch = WriteBatch::relaxed();
/// batch.put_room(Room::new(lobby.clone(), Membership::Join));
/// from.apply(batch).await?;
/// copy(&from, &to, RestoreOptions::default(), Progress::none()).await?;
/// assert!(to.room(&lobby).await?.is_some());
/// assert!(copy(&from, &to, RestoreOptions::default(), Progress::none()).await?.is_unchanged());
/// # Ok(()) }
/// ```
pub async fn copy<F, T>(from: &F, to: &T, options: RestoreOptions, progress: Progress) -> Result<Restored>
where
    F: StorageAdapter + ?Sized,
    T: StorageAdapter + ?Sized,
{
    rows(from, to, options, progress, true).await
}

/// Moves everything: copies a store, then hands its outbox over ([`move_outbox`]).
///
/// Rows of the first store stay where they are, but for unsent messages: these are in one store at the end, and are
/// sent by one at any moment. Whoever is interrupted calls it again.
///
/// # Errors
/// Those of the stores, and of a restore.
pub async fn move_store<F, T>(
    from: &F,
    to: &T,
    options: RestoreOptions,
    handover: MoveOptions,
    progress: Progress,
) -> Result<(Restored, Moved)>
where
    F: StorageAdapter + ?Sized,
    T: StorageAdapter + ?Sized,
{
    let restored = rows(from, to, options.outbox(Outbox::HoldBack), progress, false).await?;
    Ok((restored, move_outbox(from, to, handover).await?))
}

/// Copies the rows of one commit, where the store gives a view of one.
async fn rows<F, T>(
    from: &F,
    to: &T,
    options: RestoreOptions,
    progress: Progress,
    outbox: bool,
) -> Result<Restored>
where
    F: StorageAdapter + ?Sized,
    T: StorageAdapter + ?Sized,
{
    match from.snapshot().await {
        Ok(snapshot) => read_rows(&*snapshot, to, options, progress, outbox).await,
        Err(error) if error.kind() == ErrorKind::Unsupported => {
            read_rows(from, to, options, progress, outbox).await
        }
        Err(error) => Err(error),
    }
}

async fn read_rows<F, T>(
    from: &F,
    to: &T,
    mut options: RestoreOptions,
    progress: Progress,
    outbox: bool,
) -> Result<Restored>
where
    F: StorageAdapter + ?Sized,
    T: StorageAdapter + ?Sized,
{
    if options.owner.is_none() {
        let (kind, key) = (EventType::new(state_kind::OWN_USER)?, StateKey::new("")?);
        let owner = from.state_value(Scope::Account, &kind, &key).await?;
        options.owner = owner.and_then(|owner| owner.parse().ok());
    }
    let total: u64 = from.usage().await?.collections.iter().map(|(_, size)| size.rows).sum();
    let mut restore = Restore::into(to, options).await?;
    let (mut walk, mut done) = (Walk::of(from, outbox), 0);
    while let Some(record) = walk.next().await? {
        done += count(&record);
        restore.take(record).await?;
        progress.step(done.min(total), total);
    }
    let mut restored = restore.finish().await?;
    for (collection, rows) in walk.unreadable {
        restored.leave_out(collection, Reason::Unreadable, rows);
    }
    Ok(restored)
}

fn count(record: &Record) -> u64 {
    let rows = match record {
        Record::Rooms(rows) => rows.len(),
        Record::State(rows) => rows.len(),
        Record::Timeline(_, rows) => rows.len(),
        Record::Media(_) => 1,
        Record::MediaBytes { .. } => 0,
        Record::Pending(rows) => rows.len(),
    };
    rows as u64
}

/// Copies a media item.
pub(crate) async fn copy_media<F, T>(from: &F, to: &T, info: &MediaInfo) -> Result<()>
where
    F: StorageAdapter + ?Sized,
    T: StorageAdapter + ?Sized,
{
    let mut restore = Restore::into(to, RestoreOptions::default().any_owner(true)).await?;
    restore.take(Record::Media(info.clone())).await?;
    let mut at = 0;
    while at < info.size {
        let range = ByteRange { start: at, end: info.size.min(at + PORTION) };
        let bytes = from.media(&info.key, range).await?.map_or_else(Vec::new, |media| media.bytes);
        let end = at + bytes.len() as u64;
        if bytes.is_empty() {
            break;
        }
        restore.take(Record::MediaBytes { key: info.key.clone(), at, bytes }).await?;
        at = end;
    }
    restore.finish().await.map(drop)
}
