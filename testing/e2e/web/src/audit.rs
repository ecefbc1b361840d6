//! A check that a store holds every commit up to its latest, whole, and nothing else.

use std::collections::BTreeMap;

use haos_store_api::{
    ByteRange, Json, Maintenance, MediaQuery, Page, Progress, Result, Slice, StateQuery, StorageAdapter,
    StorageAdapterExt as _,
};

use crate::workload::{self, BYTES, MEDIA, MESSAGES, ROOMS, STAYS, STRICT};

/// Messages read at once.
const PAGE: usize = 250;
/// Findings told; one is enough to fail a test.
const MOST: usize = 12;

/// The findings.
#[derive(Debug, Default)]
pub(crate) struct Audit {
    /// The latest commit.
    pub(crate) n: u64,
    /// The items that are not as their numbers say.
    pub(crate) wrong: Vec<String>,
}

impl Audit {
    /// Reads all of a store.
    pub(crate) async fn of(store: &dyn StorageAdapter) -> Result<Self> {
        let token = workload::token(0)?;
        let stored = store.state(StateQuery::one(token.scope, token.kind, token.key)).await?;
        let mut audit = Self::default();
        if let Some(entry) = stored.first() {
            audit.n = entry.value.as_str().parse().unwrap_or_default();
        }
        for room in 0..ROOMS {
            audit.room(store, room).await?;
        }
        audit.outbox(store).await?;
        audit.media(store).await?;
        let report = store.maintain(Maintenance::Check, Progress::none()).await?;
        for finding in report.findings {
            audit.find(format!("the check says: {finding}"));
        }
        Ok(audit)
    }

    fn find(&mut self, finding: String) {
        if self.wrong.len() < MOST {
            self.wrong.push(finding);
        }
    }

    async fn room(&mut self, store: &dyn StorageAdapter, of: u64) -> Result<()> {
        let id = workload::room(of)?;
        let mut numbers = (1..=self.n).filter(|n| n % ROOMS == of);
        let latest = numbers.clone().next_back().map(|n| n.to_string());
        let row = store.room(&id).await?;
        if row.as_ref().and_then(|row| row.topic.clone()) != latest {
            self.find(format!("{id}: the row is of {:?}, not {latest:?}", row.map(|row| row.topic)));
        }
        let count = store.count(&id, None).await?;
        let expected = numbers.clone().count() as u64 * MESSAGES;
        if count != expected {
            self.find(format!("{id}: counts {count} messages, not {expected}"));
        }
        let mut page = Page::oldest(PAGE);
        let (mut n, mut i) = (numbers.next(), 0);
        loop {
            let slice: Slice = store.timeline(&id, page).await?;
            if slice.gaps().next().is_some() {
                self.find(format!("{id}: a gap that nobody wrote"));
            }
            for message in slice.messages() {
                let Some(number) = n else {
                    self.find(format!("{id}: {} is one too many", message.id));
                    continue;
                };
                let mut expected = workload::message(number, i)?;
                let redaction = number + workload::REDACTED;
                if i == 0 && redaction <= self.n && workload::redacts(redaction) {
                    expected.content = Json::empty();
                    expected.redacted_by =
                        Some(haos_store_api::EventId::new(format!("$redaction{redaction}"))?);
                }
                if *message != expected {
                    self.find(format!("{id}: {} is not as {number}-{i} was written", message.id));
                }
                i += 1;
                if i == MESSAGES {
                    (n, i) = (numbers.next(), 0);
                }
            }
            match slice.newer() {
                Some(cursor) if slice.more => page = Page::newer_than(cursor, PAGE),
                _ => break,
            }
        }
        if let Some(n) = n {
            self.find(format!("{id}: message {n}-{i} and those behind it are missing"));
        }
        Ok(())
    }

    async fn outbox(&mut self, store: &dyn StorageAdapter) -> Result<()> {
        let strict = (1..=self.n).filter(|n| n.is_multiple_of(STRICT));
        let latest = strict.clone().next_back().unwrap_or_default();
        let expected: Vec<_> = strict.filter(|n| n + STAYS > latest).collect();
        let rows = store.outbox().await?;
        let stored: Vec<_> = rows.iter().map(|row| row.created_ms as u64).collect();
        if stored != expected {
            self.find(format!("the outbox holds {stored:?}, not {expected:?}"));
        }
        for (row, n) in rows.iter().zip(expected) {
            let written = workload::pending(n)?;
            if (&row.txn_id, &row.content, &row.room) != (&written.txn_id, &written.content, &written.room) {
                self.find(format!("the outbox's row {n} is not as it was written"));
            }
        }
        Ok(())
    }

    async fn media(&mut self, store: &dyn StorageAdapter) -> Result<()> {
        let mut expected = BTreeMap::new();
        for n in (1..=self.n).filter(|n| n.is_multiple_of(MEDIA)) {
            expected.entry(workload::item(n)?).or_insert_with(Vec::new).push(n);
        }
        let index = store.media_index(MediaQuery::default()).await?;
        if index.len() != expected.len() {
            self.find(format!("{} media items, not {}", index.len(), expected.len()));
        }
        for (key, numbers) in expected {
            let media = store.media(&key, ByteRange::ALL).await?;
            let bytes = media.map(|media| media.bytes).unwrap_or_default();
            let whole = bytes.len() as u64 == numbers.len() as u64 * BYTES;
            let same = |(chunk, n): (&[u8], &u64)| chunk.iter().all(|byte| *byte == workload::byte(*n));
            if !whole || !bytes.chunks(BYTES as usize).zip(&numbers).all(same) {
                self.find(format!("{}: {} bytes, or others than {numbers:?} wrote", key.uri, bytes.len()));
            }
        }
        Ok(())
    }
}
