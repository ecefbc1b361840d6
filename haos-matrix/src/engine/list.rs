use haos_queue::{Since, SyncProgress, SyncState, Synced, apply_sync};
use haos_store_api::{Json, Result, RoomQuery};
use serde_json::json;

use super::{Engine, FirstSync};
use crate::{MatrixProtocol, parse_sliding};

/// The name that the list of rooms has in requests.
const LIST: &str = "rooms";
/// Rooms of the first request, and how many times more each next one asks for.
const FIRST: u64 = 20;
const GROWTH: u64 = 5;
/// Requests in all: 20 * 5^7 rooms are more than anybody has.
const REQUESTS: usize = 8;

impl Engine {
    /// Stores the list of rooms by sliding sync before a first sync, where the server offers that. Whatever
    /// goes wrong on the way is left to the sync that follows.
    ///
    /// No token is stored with it: the sync that follows brings everything, and reconciles.
    pub(super) async fn list_rooms(&self) -> Result<()> {
        let inner = &*self.inner;
        let request_ms = inner.options.request_ms;
        let is_empty = inner.store.rooms(RoomQuery::latest(1)).await?.is_empty();
        if inner.options.first != FirstSync::RoomListFirst || !is_empty {
            return Ok(());
        }
        let Ok(true) = self.within(request_ms, inner.server.offers_sliding_sync()).await else {
            return Ok(());
        };
        let (mut pos, mut asked) = (None::<String>, FIRST);
        for _ in 0..REQUESTS {
            let body = body(asked)?;
            let request = inner.server.sliding_sync(pos.as_deref(), 0, &body);
            let Ok(answer) = self.within(request_ms, request).await else { return Ok(()) };
            let Ok(mut answer) = parse_sliding(&answer, &inner.account) else { return Ok(()) };
            (answer.delta.since, answer.delta.arrived_ms) = (Since::Stored(None), Some(self.now_ms()));
            #[cfg(feature = "e2ee")]
            let waits = self.open_sync(&mut answer.delta, None).await?;
            let synced = apply_sync(&*inner.store, &answer.delta, Some(&inner.user), &MatrixProtocol).await?;
            #[cfg(feature = "e2ee")]
            self.looked_again(waits).await;
            let total = answer.counts.get(LIST).copied().unwrap_or_default();
            if synced == Synced::Stale || asked >= total {
                return Ok(());
            }
            let progress = SyncProgress { done: asked, total: Some(total) };
            inner.outbox.sync_state(SyncState::CatchingUp(progress));
            (pos, asked) = (Some(answer.pos), asked * GROWTH);
        }
        Ok(())
    }
}

/// A request for this number of rooms: their entries in a list, and the newest event of each.
fn body(rooms: u64) -> Result<Json> {
    Json::of(&json!({
        "lists": {
            LIST: {
                "ranges": [[0, rooms - 1]],
                "timeline_limit": 1,
                "required_state": [
                    ["m.room.create", ""],
                    ["m.room.name", ""],
                    ["m.room.canonical_alias", ""],
                    ["m.room.avatar", ""],
                    ["m.room.topic", ""],
                    ["m.room.encryption", ""],
                    ["m.room.tombstone", ""],
                    ["m.room.member", "$ME"],
                    ["m.space.child", "*"],
                    ["m.space.parent", "*"],
                ],
            },
        },
    }))
}
