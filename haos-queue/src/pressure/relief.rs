//! Carrying out what the plan says.

use haos_store_api::{
    ErrorKind, EventId, Maintenance, MediaPolicy, PendingQuery, Progress, Result, Room, RoomQuery, Scope,
    StateKey, StateQuery, StorageAdapter, StorageAdapterExt as _, WriteBatch,
};

use super::Level;
use super::kept::{Kept, Measured};
use super::policy::{Relief, Situation, goal, plan};

/// How often less is tried on a device that has no room even for the log of a removal.
const TRIES: u32 = 24;
/// How many pruned rooms lie between two looks at the counters.
const ROOMS_A_LOOK: usize = 16;

/// The findings and acts of a look at a store.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PressureReport {
    /// The level after it.
    pub level: Level,
    /// Payload bytes after it.
    pub used_bytes: u64,
    /// The quota.
    pub quota_bytes: Option<u64>,
    /// Bytes of media that went.
    pub evicted_bytes: u64,
    /// Messages that went; each room has a gap in their place.
    pub pruned_messages: u64,
    /// All that may go went, and it is not enough: the user must free space, or send or cancel what is
    /// unsent.
    pub exhausted: bool,
}

impl<S: StorageAdapter> Kept<S> {
    /// Follows the plan to its end; `refused`: the bytes that a write could not get.
    pub(super) async fn relieve(&self, refused: Option<u64>) -> Result<PressureReport> {
        let start = self.measure().await?;
        let full = refused.is_some();
        let goal = goal(start.used, start.quota, full, refused.unwrap_or(0), &self.options);
        let situate =
            |level, now: Measured| Situation { level, full, used: now.used, media: now.media, goal };
        // A step may end a level; the plan goes on from the one that it began with.
        let level = self.level();
        let (mut now, mut done, mut report) = (start, None, PressureReport::default());
        while let Some(step) = plan(&situate(level, now), done, &self.options) {
            match step {
                Relief::Evict(policy) | Relief::Shrink(policy) => {
                    self.evict(policy, self.now_ms(), now.media).await?
                }
                Relief::Prune => report.pruned_messages += self.prune(goal).await?,
                // It only helps: on a device that is full to the last byte it may fail.
                Relief::Compact => {
                    let _ = self.store.maintain(Maintenance::Compact, Progress::none()).await;
                }
                Relief::Report => report.exhausted = true,
            }
            done = Some(step);
            now = self.measure().await?;
        }
        report.evicted_bytes = start.media.saturating_sub(now.media);
        (report.level, report.used_bytes, report.quota_bytes) = (self.level(), now.used, now.quota);
        self.tell(&report);
        Ok(report)
    }

    /// Evicts by a policy, or less at a time where the device has no room for the log of all of it.
    async fn evict(&self, policy: MediaPolicy, now_ms: i64, mut media: u64) -> Result<()> {
        let mut attempt = policy;
        for _ in 0..TRIES {
            let mut batch = WriteBatch::relaxed();
            batch.evict_media(attempt, now_ms);
            match self.store.apply(batch).await {
                Ok(_) if attempt == policy => return Ok(()),
                // The freed bytes made room for more.
                Ok(_) => (media, attempt) = (self.measure().await?.media, policy),
                Err(e) if e.kind() != ErrorKind::Full => return Err(e),
                Err(_) => {
                    let less = media.saturating_sub(attempt.max_total) / 2;
                    if less == 0 {
                        return Ok(());
                    }
                    let max_total = media - less;
                    attempt = MediaPolicy { max_total, max_item: u64::MAX, max_idle_ms: i64::MAX };
                }
            }
        }
        Ok(())
    }

    /// Prunes rooms until the goal is met, those first that were quiet for longest; says how many messages
    /// went.
    async fn prune(&self, goal: u64) -> Result<u64> {
        let rooms = self.store.rooms(RoomQuery::default()).await?;
        let (mut gone, mut pruned) = (0, 0_usize);
        for room in rooms.iter().rev() {
            let went = self.prune_one(room).await?;
            gone += went;
            pruned += usize::from(went > 0);
            let is_time = went > 0 && pruned.is_multiple_of(ROOMS_A_LOOK);
            if is_time && self.measure().await?.used <= goal {
                break;
            }
        }
        Ok(gone)
    }

    async fn prune_one(&self, room: &Room) -> Result<u64> {
        let keep = self.options.keep_messages.max(1);
        let before = self.store.count(&room.id, None).await?;
        if before <= keep {
            return Ok(0);
        }
        let spared = self.spared(room).await?;
        let mut excess = before - keep;
        for _ in 0..TRIES {
            match self.store.prune_room(&room.id, before - excess, &spared).await {
                Ok(_) => break,
                Err(e) if e.kind() == ErrorKind::Full && excess > 1 => excess /= 2,
                Err(e) if e.kind() == ErrorKind::Full => break,
                Err(e) => return Err(e),
            }
        }
        Ok(before.saturating_sub(self.store.count(&room.id, None).await?))
    }

    /// Lists the messages that pruning must spare beside the targets of drafts and outbox rows: pinned ones, and those
    /// that rows need to find their echo or to prove that it is missing.
    async fn spared(&self, room: &Room) -> Result<Vec<EventId>> {
        let query = PendingQuery { room: Some(room.id.clone()), skip_damaged: true, ..Default::default() };
        let rows = self.store.pending(query).await?;
        let mut spared: Vec<EventId> =
            rows.into_iter().flat_map(|row| row.anchor.into_iter().chain(row.event_id)).collect();
        if let Some(kind) = &self.options.pins {
            let query = StateQuery::one(Scope::Room(room.id.clone()), kind.clone(), StateKey::new("")?);
            for entry in self.store.state(query).await? {
                let pinned = entry.value.member("pinned").and_then(|list| list.parse::<Vec<String>>().ok());
                spared.extend(pinned.unwrap_or_default().into_iter().filter_map(|id| EventId::new(id).ok()));
            }
        }
        Ok(spared)
    }
}
