//! The methods of the adapter, once for all native stores.

use std::sync::Arc;

use async_trait::async_trait;

use super::backend::Backend;
use super::error::{closed, ended, read_only};
use super::job::{Job, Writer};
use super::keys::change_keys;
use super::mirror::Keeper;
use super::rotate::rotate;
use super::shell::{Shell, Stage};
use super::snapshot::snapshot;
use super::works::Applied;
use crate::*;

/// The approximate limit of rows that a short read fetches.
const NEAR_ROWS: usize = 128;
/// The limit of media bytes that a short read fetches.
const NEAR_BYTES: u64 = 64 << 10;

impl<B: Backend> Shell<B> {
    /// Writes the mirror of the outbox again; with `wipes`, over the bytes of the old one.
    async fn renew_mirror(&self, wipes: bool) -> Result<()> {
        let renew = move |writer: &mut B::Writer, keeper: &mut Keeper| {
            keeper.rewrite(writer, wipes);
            Ok(())
        };
        self.tend("maintain", renew).await
    }

    /// Compares the mirror of the outbox with the store. Another process may stand between a commit and its mirror for
    /// a moment.
    async fn check_mirror(&self, report: &mut Report) -> Result<()> {
        let mut finding = None;
        for _ in 0..3 {
            finding = self.tend("maintain", |writer, keeper| keeper.finding(writer)).await?;
            if finding.is_none() {
                return Ok(());
            }
        }
        finding.iter().for_each(|finding| report.find(finding));
        Ok(())
    }

    fn can_write(&self, operation: &'static str) -> Result<()> {
        if self.read_only { Err(read_only(operation)) } else { Ok(()) }
    }
}

#[async_trait]
impl<B: Backend> StorageAdapter for Shell<B> {
    async fn apply(&self, batch: WriteBatch) -> Result<Commit> {
        self.can_write("apply")?;
        match self.with_engine("apply", |engine| engine.apply(batch))? {
            Applied::AtOnce(done) => {
                // Only now, so that batches come to the store in the order in which they were polled.
                self.turns.give_way().await;
                done
            }
            Applied::Waits(answer) => answer.await.map_err(|_| ended("apply"))?,
        }
    }

    async fn room(&self, id: &RoomId) -> Result<Option<Room>> {
        let id = id.clone();
        self.glance("room", true, move |db| db.room(&id)).await
    }

    async fn rooms(&self, query: RoomQuery) -> Result<Vec<Room>> {
        // A condition may have to look at every room.
        let short = query.limit <= NEAR_ROWS && query.space.is_none() && query.membership.is_none();
        self.glance("rooms", short, move |db| db.rooms(&query)).await
    }

    async fn message(&self, room: &RoomId, event: &EventId) -> Result<Option<Message>> {
        let (room, event) = (room.clone(), event.clone());
        self.glance("message", true, move |db| db.message(&room, &event)).await
    }

    async fn timeline(&self, room: &RoomId, page: Page) -> Result<Slice> {
        let room = room.clone();
        self.glance("timeline", page.limit <= NEAR_ROWS, move |db| db.timeline(&room, &page)).await
    }

    async fn timelines(&self, pages: Vec<(RoomId, Page)>) -> Result<Vec<Slice>> {
        let rows = pages.iter().fold(0_usize, |rows, (_, page)| rows.saturating_add(page.limit));
        self.glance("timelines", rows <= NEAR_ROWS, move |db| db.timelines(&pages)).await
    }

    async fn gaps(&self, room: &RoomId) -> Result<Vec<Gap>> {
        let room = room.clone();
        self.read("gaps", move |db| db.gaps(&room)).await
    }

    async fn count(&self, room: &RoomId, newer_than: Option<&EventId>) -> Result<u64> {
        let (room, newer_than) = (room.clone(), newer_than.cloned());
        self.read("count", move |db| db.count(&room, newer_than.as_ref())).await
    }

    async fn related(&self, query: RelationQuery) -> Result<Vec<Message>> {
        let short = query.targets.len() <= NEAR_ROWS && query.limit <= NEAR_ROWS;
        self.glance("related", short, move |db| db.related(&query)).await
    }

    async fn messages(&self, query: MessageQuery) -> Result<Vec<Message>> {
        self.read("messages", move |db| db.messages(&query)).await
    }

    async fn pending(&self, query: PendingQuery) -> Result<Vec<Pending>> {
        self.glance("pending", query.limit <= NEAR_ROWS, move |db| db.pending(&query)).await
    }

    async fn media(&self, key: &MediaKey, range: ByteRange) -> Result<Option<Media>> {
        let key = key.clone();
        let short = range.end - range.start.min(range.end) <= NEAR_BYTES;
        self.glance("media", short, move |db| db.media(&key, range)).await
    }

    async fn media_index(&self, query: MediaQuery) -> Result<Vec<MediaInfo>> {
        self.read("media_index", move |db| db.media_index(&query)).await
    }

    async fn state(&self, query: StateQuery) -> Result<Vec<StateEntry>> {
        self.glance("state", query.key.is_some() || query.limit <= NEAR_ROWS, move |db| db.state(&query))
            .await
    }

    async fn states(&self, queries: Vec<StateQuery>) -> Result<Vec<Vec<StateEntry>>> {
        let short = queries.len() <= NEAR_ROWS && queries.iter().all(|query| query.key.is_some());
        self.glance("states", short, move |db| db.states(&queries)).await
    }

    async fn count_state(&self, scope: &Scope, kind: &EventType) -> Result<u64> {
        let (scope, kind) = (scope.clone(), kind.clone());
        self.read("count_state", move |db| db.count_state(&scope, &kind)).await
    }

    async fn usage(&self) -> Result<Usage> {
        let path = self.options.path().to_owned();
        self.read("usage", move |db| {
            let mut usage = db.usage()?;
            usage.total_bytes += B::bytes_beside(&path);
            Ok(usage)
        })
        .await
    }

    async fn snapshot(&self) -> Result<Arc<dyn StorageAdapter>> {
        Ok(Arc::new(snapshot(self).await?))
    }

    async fn maintain(&self, task: Maintenance, progress: Progress) -> Result<Report> {
        if task != Maintenance::Check {
            self.can_write("maintain")?;
        }
        match task {
            Maintenance::Compact => {
                self.renew_mirror(false).await?;
                B::compact(self, &progress).await
            }
            Maintenance::Check => {
                let check = self.chore("maintain", move |readers, stop| B::check(readers, &progress, stop));
                let mut report = check.await?;
                if !self.read_only {
                    self.check_mirror(&mut report).await?;
                }
                Ok(report)
            }
            Maintenance::Rotate => {
                let report = rotate(self, &progress).await?;
                self.renew_mirror(true).await?;
                Ok(report)
            }
        }
    }

    async fn change_keys(&self, change: KeyChange) -> Result<()> {
        self.can_write("keys")?;
        let shred = change == KeyChange::Shred;
        let change = move |writer: &mut B::Writer, keeper: &mut Keeper| {
            let id = writer.store_id()?;
            change_keys(writer, &change)?;
            // It has the keyring's record, too.
            if shred {
                keeper.shred()?
            } else {
                keeper.rewrite(writer, true)
            }
            Ok(id)
        };
        let id = self.tend("keys", change).await?;
        if shred {
            self.close().await?;
            id.map_or(Ok(()), |id| files::wipe(self.options.path(), id))?;
        }
        Ok(())
    }

    fn info(&self) -> StoreInfo {
        StoreInfo { damaged: self.options.codec.damaged(), ..self.info_mut().clone() }
    }

    fn changes(&self) -> Changes {
        match &*self.stage() {
            Stage::Open(engine, hub) => {
                let changes = hub.subscribe();
                // From now on the writer looks for other processes' commits; a closed store has no writer.
                if B::SHARED && !self.read_only {
                    let _ = engine.jobs.send(Job::Wake);
                }
                changes
            }
            Stage::Suspended(hub) => hub.subscribe(),
            // A hub that is dropped at once: the feed ends before it begins.
            Stage::Closed => ChangeHub::new(1, Revision::ZERO).subscribe(),
        }
    }

    async fn suspend(&self) -> Result<()> {
        self.leave(|stage| match stage {
            Stage::Open(_, hub) | Stage::Suspended(hub) => Ok(Stage::Suspended(hub)),
            Stage::Closed => Err(closed("suspend", "the store is closed: open it again")),
        })
        .await
    }

    async fn resume(&self) -> Result<()> {
        self.enter().await
    }

    async fn close(&self) -> Result<()> {
        self.leave(|_| Ok(Stage::Closed)).await
    }
}
