use std::collections::HashMap;

use haos_queue::{RoomDelta, SyncDelta, unless_conflict};
use haos_store_api::backend::law::sort_by;
use haos_store_api::{Membership, Result, Revision, Room, RoomId, RoomQuery, StorageAdapter, WriteBatch};

use super::KeepLimits;
use super::left_out::{INVITES, counted};
use crate::parse::is_own;

/// Keeps the newest invites, of those that are stored and those that come.
pub(super) async fn admit(
    limits: &KeepLimits,
    store: &dyn StorageAdapter,
    delta: &mut SyncDelta,
) -> Result<()> {
    let is_invite = |room: &RoomDelta| room.membership == Membership::Invite;
    if !delta.rooms.iter().any(is_invite) {
        return Ok(());
    }
    for room in delta.rooms.iter_mut().filter(|room| is_invite(room)) {
        shorten(room, limits.invite_bytes);
    }
    let query = RoomQuery { membership: Some(Membership::Invite), ..RoomQuery::default() };
    let stored: HashMap<RoomId, Room> =
        store.rooms(query).await?.into_iter().map(|room| (room.id.clone(), room)).collect();
    // Rooms that the answer has otherwise are no invites any more.
    let answered: Vec<&RoomId> =
        delta.rooms.iter().filter(|room| !is_invite(room)).map(|room| &room.id).collect();
    let mut waiting: Vec<(i64, &RoomId)> = stored
        .values()
        .filter(|room| !answered.contains(&&room.id))
        .map(|room| (room.last_activity_ms, &room.id))
        .collect();
    let new = delta.rooms.iter().filter(|room| is_invite(room) && !stored.contains_key(&room.id));
    waiting.extend(new.map(|room| (i64::MAX, &room.id)));
    let Some(excess) = waiting.len().checked_sub(limits.invites).filter(|excess| *excess > 0) else {
        return Ok(());
    };
    sort_by(&mut waiting, Ord::cmp);
    let mut gone: Vec<RoomId> = Vec::new();
    for (_, id) in waiting {
        if gone.len() == excess {
            break;
        }
        match stored.get(id) {
            // Messages of an earlier stay are history.
            Some(_) if store.count(id, None).await? > 0 => {}
            Some(room) if !remove(store, id, room.revision).await? => {}
            _ => gone.push(id.clone()),
        }
    }
    let gone_ids: std::collections::HashSet<&RoomId> = gone.iter().collect();
    delta.rooms.retain(|room| !(is_invite(room) && gone_ids.contains(&room.id)));
    delta.account.push(counted(store, INVITES, gone.len()).await?);
    Ok(())
}

/// False if the room changed meanwhile.
async fn remove(store: &dyn StorageAdapter, id: &RoomId, revision: Revision) -> Result<bool> {
    let mut batch = WriteBatch::relaxed();
    batch.expect_room(id, Some(revision)).remove_room(id.clone());
    Ok(unless_conflict(store.apply(batch).await)?.is_some())
}

/// Leaves out state once there was too much of it; notes of this library stay.
fn shorten(room: &mut RoomDelta, most: usize) {
    let mut bytes = 0_usize;
    room.state.retain(|entry| {
        let after = bytes.saturating_add(entry.value.as_str().len());
        let stays = after <= most || is_own(entry.kind.as_str());
        if stays {
            bytes = after;
        }
        stays
    });
}
