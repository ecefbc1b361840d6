//! A store that is right except for one defect.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use haos_store_api::backend::*;
use haos_store_api::*;

use crate::defect::Defect;

#[derive(Debug)]
pub(crate) struct Mutant {
    pub(crate) inner: MemoryStore,
    pub(crate) defect: Defect,
    pub(crate) hub: ChangeHub,
    pub(crate) leftovers: Arc<Mutex<Vec<StateEntry>>>,
}

impl Mutant {
    pub(crate) fn new(inner: MemoryStore, defect: Defect) -> Self {
        let hub = ChangeHub::new(64, inner.info().opened_at);
        Self { inner, defect, hub, leftovers: Arc::default() }
    }

    pub(crate) fn leftovers(&self) -> MutexGuard<'_, Vec<StateEntry>> {
        self.leftovers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn has(&self, defect: Defect) -> bool {
        self.defect == defect
    }

    async fn gap_count(&self, room: &RoomId) -> Result<u64> {
        Ok(self.inner.gaps(room).await?.len() as u64)
    }

    fn spoil_gaps(&self, gaps: &mut Vec<Gap>) {
        if self.has(Defect::HidesPrunedGaps) {
            gaps.retain(|gap| gap.token.is_some());
        }
        if self.has(Defect::MovedGapKeepsRevision) {
            gaps.iter_mut().for_each(|gap| gap.revision = Revision(1));
        }
    }
}

#[async_trait]
impl StorageAdapter for Mutant {
    async fn apply(&self, batch: WriteBatch) -> Result<Commit> {
        let spoiled = self.spoil(batch.clone()).await?;
        let told = touched(&spoiled);
        let commit = self.inner.apply(spoiled).await;
        if self.has(Defect::HalfWritten) && commit.is_err() && batch.preconditions().is_empty() {
            for op in batch.ops() {
                let mut one = WriteBatch::relaxed();
                one.push(op.clone());
                self.inner.apply(one).await?;
            }
        }
        let mut commit = commit?;
        if commit.changed || self.has(Defect::TellsUnchanged) {
            self.hub.publish(commit.revision, told);
        }
        match self.defect {
            Defect::SaysChangedAlways => commit.changed = true,
            Defect::CountsRevisionsTwice => commit.revision.0 *= 2,
            Defect::SequenceReused => {
                let rows = self.inner.pending(PendingQuery::default()).await?.len();
                commit.assigned.iter_mut().rev().enumerate().for_each(|(n, a)| a.1 = (rows - n) as u64);
            }
            _ => {}
        }
        Ok(commit)
    }

    async fn rooms(&self, mut query: RoomQuery) -> Result<Vec<Room>> {
        if self.has(Defect::RoomPageRepeatsTies)
            && let Some(after) = &mut query.after
        {
            after.id = RoomId::new("!")?;
        }
        let mut rooms = self.inner.rooms(query).await?;
        if self.has(Defect::RoomOrderReversed) {
            rooms.reverse();
        }
        Ok(rooms)
    }

    async fn timeline(&self, room: &RoomId, mut page: Page) -> Result<Slice> {
        if let Start::Beyond(cursor) = &mut page.start {
            let text = cursor.to_string();
            let parts: Vec<&str> = text.split('.').collect();
            let here = u64::from_str_radix(parts[1], 16).unwrap_or_default();
            if self.has(Defect::CursorForgetsItsMessage) {
                *cursor = Cursor::at_position(Position::new(here)?);
            }
            if self.has(Defect::PageIncludesItsCursor) {
                let shifted = if page.direction == Direction::Older { here + 1 } else { here.max(1) - 1 };
                *cursor = Cursor::at_position(Position::new(shifted).unwrap_or(Position::MAX));
            }
        }
        let limit = page.limit;
        if self.has(Defect::PageHasOneMore) {
            page.limit = limit.saturating_add(1);
        }
        let mut slice = self.inner.timeline(room, page).await?;
        if self.has(Defect::MoreWhenFull) {
            slice.more = slice.items.len() >= limit;
        }
        if self.has(Defect::HidesPrunedGaps) {
            slice.items.retain(|item| item.as_gap().is_none_or(|gap| gap.token.is_some()));
        }
        Ok(slice)
    }

    async fn timelines(&self, mut pages: Vec<(RoomId, Page)>) -> Result<Vec<Slice>> {
        if self.has(Defect::PagesUnordered) {
            pages.sort_by(|a, b| a.0.cmp(&b.0));
        }
        self.inner.timelines(pages).await
    }

    async fn gaps(&self, room: &RoomId) -> Result<Vec<Gap>> {
        let mut gaps = self.inner.gaps(room).await?;
        self.spoil_gaps(&mut gaps);
        Ok(gaps)
    }

    async fn count(&self, room: &RoomId, newer_than: Option<&EventId>) -> Result<u64> {
        let count = self.inner.count(room, newer_than).await?;
        let gaps = if self.has(Defect::CountIncludesGaps) { self.gap_count(room).await? } else { 0 };
        Ok(count + gaps)
    }

    async fn related(&self, mut query: RelationQuery) -> Result<Vec<Message>> {
        if self.has(Defect::RelatedIgnoresKind) {
            query.kind = None;
        }
        self.inner.related(query).await
    }

    async fn messages(&self, mut query: MessageQuery) -> Result<Vec<Message>> {
        if let MessageQuery::Time { until_ms, .. } = &mut query
            && self.has(Defect::UntilIncluded)
        {
            *until_ms = until_ms.saturating_add(1);
        }
        let by_sender = matches!(query, MessageQuery::Sender { .. });
        let mut found = self.inner.messages(query).await?;
        if by_sender && self.has(Defect::SenderOldestFirst) {
            found.reverse();
        }
        Ok(found)
    }

    async fn pending(&self, mut query: PendingQuery) -> Result<Vec<Pending>> {
        if self.has(Defect::DueExcluded) {
            query.due_ms = query.due_ms.map(|due| due.saturating_sub(1));
        }
        if self.has(Defect::ParentIgnored) {
            query.parent = None;
        }
        self.inner.pending(query).await
    }

    async fn media(&self, key: &MediaKey, range: ByteRange) -> Result<Option<Media>> {
        let mut media = self.inner.media(key, range).await?;
        if let Some(media) = &mut media
            && self.has(Defect::RangeLosesByteAtChunk)
            && range.start < CHUNK_BYTES as u64
            && range.start + media.bytes.len() as u64 > CHUNK_BYTES as u64
        {
            media.bytes.remove(CHUNK_BYTES - range.start as usize);
        }
        Ok(media)
    }

    async fn media_index(&self, query: MediaQuery) -> Result<Vec<MediaInfo>> {
        let mut found = self.inner.media_index(query).await?;
        if self.has(Defect::MediaNewestFirst) {
            found.reverse();
        }
        Ok(found)
    }

    async fn state(&self, query: StateQuery) -> Result<Vec<StateEntry>> {
        let mut found = self.inner.state(query.clone()).await?;
        if self.has(Defect::StatePageIncludesItsKey)
            && let (Some(kind), Some(after)) = (&query.kind, &query.after)
        {
            let one = StateQuery::one(query.scope.clone(), kind.clone(), after.clone());
            found.splice(..0, self.inner.state(one).await?);
        }
        if self.has(Defect::StateUnordered) {
            found.reverse();
        }
        if self.has(Defect::ScopesMix) && found.is_empty() {
            found = self.inner.state(StateQuery { scope: Scope::Account, ..query }).await?;
        }
        Ok(found)
    }

    async fn states(&self, mut queries: Vec<StateQuery>) -> Result<Vec<Vec<StateEntry>>> {
        if self.has(Defect::StateListsUnordered) {
            queries.sort_by(|a, b| a.scope.cmp(&b.scope));
        }
        self.inner.states(queries).await
    }

    async fn count_state(&self, scope: &Scope, kind: &EventType) -> Result<u64> {
        if self.has(Defect::CountsStateOfAllKinds) {
            return Ok(self.inner.state(StateQuery::all(scope.clone())).await?.len() as u64);
        }
        self.inner.count_state(scope, kind).await
    }

    async fn usage(&self) -> Result<Usage> {
        let usage = self.inner.usage().await?;
        Ok(if self.has(Defect::UsageOfNothing) { Usage::default() } else { usage })
    }

    fn changes(&self) -> Changes {
        match self.defect {
            Defect::TellsNothing => ChangeHub::new(1, self.hub.latest()).subscribe(),
            Defect::TellsUnchanged => self.hub.subscribe(),
            _ => self.inner.changes(),
        }
    }

    async fn suspend(&self) -> Result<()> {
        if self.has(Defect::IgnoresSuspension) { Ok(()) } else { self.inner.suspend().await }
    }

    async fn resume(&self) -> Result<()> {
        if self.has(Defect::IgnoresSuspension) { Ok(()) } else { self.inner.resume().await }
    }

    async fn close(&self) -> Result<()> {
        if self.has(Defect::StaysOpenAfterClose) { Ok(()) } else { self.inner.close().await }
    }

    forward_store! {
        self => self.inner;
        except apply, rooms, timeline, timelines, gaps, count, related, messages, pending, media, media_index, state, states,
            count_state, usage, changes, suspend, resume, close
    }
}
