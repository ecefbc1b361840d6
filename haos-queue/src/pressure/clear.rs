//! Clearing a store because the user asked for it.

use haos_store_api::backend::SortedSet;
use haos_store_api::{
    EventId, EventType, Item, Maintenance, MediaKey, MediaPolicy, MediaQuery, MessageQuery, Page,
    PendingQuery, Progress, Prune, Result, RoomId, RoomQuery, Scope, StateKey, StateQuery, StorageAdapter,
    WriteBatch, state_kind,
};
use serde::Serialize;

use crate::local::STAGED;

/// The part of a store to clear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Clear {
    /// Media. What is pinned stays.
    Media,
    /// Timelines, and with them the sync token, so that the next sync starts afresh and brings them again.
    /// Rooms, drafts and other state stay. In a room that outbox rows refer to messages of, these stay and
    /// the newest one, with gaps for the rest.
    Messages,
    /// Everything but unsent messages, their media, what the outbox knows of the server and of encrypted rooms, the
    /// session that sends them and its device's keys, and whose they are. Drafts and pinned media go.
    AllButOutbox,
    /// Everything, unsent messages included: they are lost.
    EverythingAndUnsent,
}

/// The amounts that were removed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Cleared {
    /// Outbox rows: unsent messages and signals.
    pub unsent: u64,
    /// Media items.
    pub media: u64,
    /// Their bytes.
    pub media_bytes: u64,
    /// Messages.
    pub messages: u64,
    /// Rooms.
    pub rooms: u64,
    /// Bytes that the system got back.
    pub freed_bytes: u64,
}

/// Rows a commit.
const BATCH: usize = 512;
/// Messages that are removed one by one, once pruning has left no more of a room than these.
const FEW: u64 = 512;
/// Bytes of media a commit.
const BATCH_BYTES: u64 = 16 << 20;

/// Clears a store, in many small commits. Cut off anywhere, the store is sound, and the same call goes on.
///
/// Rows of the outbox and the media staged for them survive all but [`Clear::EverythingAndUnsent`].
///
/// # Errors
/// Those of the store. Damaged rows stay: a damaged outbox is `Corrupt`, since it cannot be told which media
/// belongs to it.
pub async fn clear(store: &dyn StorageAdapter, what: Clear) -> Result<Cleared> {
    let mut done = Cleared::default();
    if what != Clear::Media {
        // First of all: from here on a sync brings everything again, however far the rest gets.
        store.apply(forgetful()?).await?;
        clear_account(store, |kind| kind == state_kind::IMPORT).await?;
    }
    if what == Clear::EverythingAndUnsent {
        done.unsent = clear_outbox(store).await?;
    }
    match what {
        Clear::Media => clear_media(store, &mut done).await?,
        Clear::Messages => clear_messages(store, &mut done).await?,
        Clear::AllButOutbox | Clear::EverythingAndUnsent => {
            unpin(store, what == Clear::EverythingAndUnsent).await?;
            clear_media(store, &mut done).await?;
            clear_rooms(store, &mut done).await?;
            let everything = what == Clear::EverythingAndUnsent;
            if everything {
                // Before its device's keys: a login whose device has none could only be taken for somebody else.
                clear_account(store, |kind| kind == state_kind::SESSION).await?;
            }
            let kept = [crate::GATE, state_kind::SESSION, state_kind::OWN_USER, state_kind::ENCRYPTED];
            let is_kept = |kind: &str| kept.contains(&kind) || kind.starts_with(state_kind::KEYS);
            clear_account(store, |kind| everything || !is_kept(kind)).await?;
        }
    }
    // The rows are gone; free space inside the store is used again, should this fail.
    if let Ok(report) = store.maintain(Maintenance::Compact, Progress::none()).await {
        done.freed_bytes = report.freed_bytes;
    }
    Ok(done)
}

/// A batch that takes the sync token away with what else it removes: a sync may have come in meanwhile, and
/// from its token on, what goes now would not come again.
fn forgetful() -> Result<WriteBatch> {
    let mut batch = WriteBatch::relaxed();
    batch.remove_state(Scope::Account, EventType::new(state_kind::SYNC_TOKEN)?, StateKey::new("")?);
    Ok(batch)
}

async fn clear_outbox(store: &dyn StorageAdapter) -> Result<u64> {
    let mut gone = 0;
    loop {
        let query = PendingQuery { limit: BATCH, skip_damaged: true, ..PendingQuery::default() };
        let rows = store.pending(query).await?;
        if rows.is_empty() {
            return Ok(gone);
        }
        gone += rows.len() as u64;
        let mut batch = WriteBatch::strict();
        for row in rows {
            batch.remove_pending(row.txn_id);
        }
        store.apply(batch).await?;
    }
}

/// Takes the pins off, but for `everything` those of media that an outbox row sends or is about to send.
async fn unpin(store: &dyn StorageAdapter, everything: bool) -> Result<()> {
    let rows = store.pending(PendingQuery { skip_damaged: true, ..PendingQuery::default() }).await?;
    let sent: SortedSet<MediaKey> = rows.into_iter().flat_map(|row| row.media).collect();
    let mut items = store.media_index(MediaQuery::default()).await?;
    items.retain(|item| {
        let is_staged = sent.contains(&item.key) || item.key.uri.as_str().starts_with(STAGED);
        item.pinned && (everything || !is_staged)
    });
    for part in items.chunks(BATCH) {
        let mut batch = WriteBatch::relaxed();
        for item in part {
            batch.pin_media(item.key.clone(), false);
        }
        store.apply(batch).await?;
    }
    Ok(())
}

/// By eviction, which looks at the outbox in the same commit: a row that is written meanwhile keeps its media.
async fn clear_media(store: &dyn StorageAdapter, done: &mut Cleared) -> Result<()> {
    let start = media_sum(store).await?;
    let mut now = start;
    loop {
        let max_total = now.1.saturating_sub(BATCH_BYTES);
        // At the end everything is unused for too long, empty items too.
        let policy = match max_total {
            0 => MediaPolicy { max_total, max_item: 0, max_idle_ms: -1 },
            _ => MediaPolicy { max_total, max_item: u64::MAX, max_idle_ms: i64::MAX },
        };
        let mut batch = WriteBatch::relaxed();
        batch.evict_media(policy, i64::MAX);
        let changed = store.apply(batch).await?.changed;
        now = media_sum(store).await?;
        if max_total == 0 || !changed {
            break;
        }
    }
    done.media = start.0.saturating_sub(now.0);
    done.media_bytes = start.1.saturating_sub(now.1);
    Ok(())
}

/// Items and their bytes.
async fn media_sum(store: &dyn StorageAdapter) -> Result<(u64, u64)> {
    let items = store.media_index(MediaQuery::default()).await?;
    Ok((items.len() as u64, items.iter().map(|item| item.size).sum()))
}

async fn rooms(store: &dyn StorageAdapter) -> Result<Vec<RoomId>> {
    Ok(store.rooms(RoomQuery::default()).await?.into_iter().map(|room| room.id).collect())
}

async fn clear_messages(store: &dyn StorageAdapter, done: &mut Cleared) -> Result<()> {
    for room in rooms(store).await? {
        let before = store.count(&room, None).await?;
        let query = PendingQuery { room: Some(room.clone()), ..PendingQuery::default() };
        let rows = store.pending(query).await?;
        let needed = rows.into_iter().flat_map(|row| [row.target, row.event_id, row.anchor]).flatten();
        let needed: Vec<EventId> = needed.collect();
        if store.messages(MessageQuery::Ids { room: room.clone(), events: needed.clone() }).await?.is_empty()
        {
            shorten(store, &room, FEW, &[]).await?;
            // One commit for the rest: half of it, the room would seem to begin where it does not.
            let mut batch = forgetful()?;
            for item in store.timeline(&room, Page::oldest(usize::MAX)).await?.items {
                match item {
                    Item::Message(message) => batch.remove_message(room.clone(), message.id),
                    Item::Gap(gap) => batch.remove_gap(room.clone(), gap.position),
                };
            }
            store.apply(batch).await?;
        } else {
            shorten(store, &room, 1, &needed).await?;
        }
        done.messages += before.saturating_sub(store.count(&room, None).await?);
    }
    Ok(())
}

/// Prunes a room to its newest messages, a bounded number a commit; gaps stand for what went.
async fn shorten(store: &dyn StorageAdapter, room: &RoomId, few: u64, needed: &[EventId]) -> Result<()> {
    let mut keep = store.count(room, None).await?;
    while keep > few {
        keep = keep.saturating_sub(8 * FEW).max(few);
        let mut batch = forgetful()?;
        batch.prune(Prune { room: room.clone(), keep, protect: needed.to_vec() });
        store.apply(batch).await?;
    }
    Ok(())
}

async fn clear_rooms(store: &dyn StorageAdapter, done: &mut Cleared) -> Result<()> {
    for room in rooms(store).await? {
        let before = store.count(&room, None).await?;
        shorten(store, &room, FEW, &[]).await?;
        let mut batch = forgetful()?;
        batch.remove_room(room);
        store.apply(batch).await?;
        done.messages += before;
        done.rooms += 1;
    }
    Ok(())
}

async fn clear_account(store: &dyn StorageAdapter, goes: impl Fn(&str) -> bool) -> Result<()> {
    let mut entries = store.state(StateQuery::all(Scope::Account)).await?;
    entries.retain(|entry| goes(entry.kind.as_str()));
    for part in entries.chunks(BATCH) {
        let mut batch = WriteBatch::relaxed();
        for entry in part {
            batch.remove_state(Scope::Account, entry.kind.clone(), entry.key.clone());
        }
        store.apply(batch).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use haos_store_api::TxnId;

    use super::*;

    #[test]
    fn staged_media_is_known_by_its_uri() {
        let uri = crate::local_media_uri(&TxnId::new("t").unwrap()).unwrap();
        assert!(uri.as_str().starts_with(STAGED));
    }
}
