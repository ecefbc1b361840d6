//! The steps of a handover.

use std::collections::HashSet;

use haos_queue::{Clocks, Retries, STAGED, hold_back, let_go, take_over};
use haos_store_api::{
    Error, ErrorKind, Json, MediaInfo, MediaKey, MediaQuery, ParkReason, Pending, PendingQuery, PendingState,
    Result, Revision, RoomId, StorageAdapter, TxnId, WriteBatch,
};

use super::{MoveOptions, Moved};
use crate::copy::copy_media;
use crate::restore::{Known, Ledger, Note, Said, clock, known};

/// The most rows of a commit that holds their content.
const ROWS: usize = 64;

/// Two stores, and what came of their handover so far.
pub(super) struct Hands<'a, F: ?Sized, T: ?Sized> {
    pub(super) from: &'a F,
    pub(super) to: &'a T,
    pub(super) options: MoveOptions,
    /// The clock of the first store.
    pub(super) there: Option<Json>,
    pub(super) moved: Moved,
}

impl<'a, F: StorageAdapter + ?Sized, T: StorageAdapter + ?Sized> Hands<'a, F, T> {
    pub(super) async fn new(from: &'a F, to: &'a T, options: MoveOptions) -> Result<Self> {
        Ok(Self { from, to, options, there: clock(from).await?, moved: Moved::default() })
    }

    /// Goes on with what an earlier handover left.
    pub(super) async fn settle(&mut self) -> Result<()> {
        let (mine, theirs) = (Ledger::read(self.to).await?, Ledger::read(self.from).await?);
        let mut free = Vec::new();
        for Note { txn_id, .. } in mine.notes().into_iter().filter(|note| note.said.coming.is_some()) {
            if row(self.from, &txn_id).await?.is_some() {
                continue;
            }
            match row(self.to, &txn_id).await? {
                None => free.push(txn_id),
                Some(_) if theirs.get(&txn_id).is_some_and(|said| said.gone) => {
                    self.moved.moved += 1;
                    free.push(txn_id);
                }
                Some(held) => match known(self.from, &held).await? {
                    Known::Delivered => self.drop_copy(&txn_id).await?,
                    Known::Waits | Known::No => self.moved.doubtful.push(txn_id),
                },
            }
        }
        self.release(&free).await
    }

    /// Puts all rows into the other store, held back. Gives those that are there now, at their revisions.
    pub(super) async fn put_rows(&mut self) -> Result<Vec<(TxnId, Revision)>> {
        let (mut handed, mut stopped, mut after_seq) = (Vec::new(), HashSet::<RoomId>::new(), 0);
        let mut newest = 0;
        loop {
            let query = PendingQuery { after_seq, limit: ROWS, ..PendingQuery::default() };
            let rows = self.from.pending(query).await?;
            let Some(last) = rows.last() else { return Ok(handed) };
            after_seq = last.seq;
            let mut going = Vec::with_capacity(rows.len());
            for row in rows {
                let is_sending = row.state == PendingState::Sending;
                if stopped.contains(&row.room) || is_sending && self.options == MoveOptions::LeaveSending {
                    stopped.insert(row.room.clone());
                    self.drop_copy(&row.txn_id).await?;
                    self.moved.left.push(row.txn_id);
                } else {
                    going.push(row);
                }
            }
            newest = self.put(&going, newest).await?;
            handed.extend(going.into_iter().map(|row| (row.txn_id, row.revision)));
        }
    }

    /// Puts some rows behind the one that has the number `newest` there. Gives the number of the last of them.
    async fn put(&self, rows: &[Pending], newest: u64) -> Result<u64> {
        let mut retries = Retries::default();
        let last = loop {
            let mut last = newest;
            let here = clock(self.to).await?;
            let clocks = Clocks { there: self.there.as_ref(), here: here.as_ref() };
            let mut ledger = Ledger::read(self.to).await?;
            let mut batch = WriteBatch::strict();
            for row in rows {
                let taken = take_over(row, clocks);
                last = self.put_one(&mut batch, &mut ledger, (row, &taken), last).await?;
            }
            if batch.is_empty() || retries.committed(self.to.apply(batch).await)?.is_some() {
                break last;
            }
        };
        for row in rows {
            self.verify(row).await?;
        }
        Ok(last)
    }

    /// Puts one row, unless the other store has it already by itself. A row that is there, and would come before those
    /// that it came behind, goes to the end: it may wait for them. Gives the number of the last row.
    async fn put_one(
        &self,
        batch: &mut WriteBatch,
        ledger: &mut Ledger,
        (theirs, taken): (&Pending, &Pending),
        last: u64,
    ) -> Result<u64> {
        let stored = row(self.to, &theirs.txn_id).await?;
        if stored.is_none() && matches!(known(self.to, theirs).await?, Known::Delivered) {
            return Ok(last);
        }
        // It was let go by hand, or taken over before: what became of it is not undone.
        if stored.as_ref().is_some_and(|stored| !is_held(stored)) {
            return Ok(last);
        }
        let place = stored.as_ref().map(|stored| stored.seq).filter(|seq| *seq > last);
        batch.expect_pending(&theirs.txn_id, stored.as_ref().map(|stored| stored.revision));
        if stored.is_some() && place.is_none() {
            batch.remove_pending(theirs.txn_id.clone());
        }
        batch.put_pending(hold_back(taken));
        let said = Said { coming: Some(taken.state), ..Said::default() };
        if ledger.get(&theirs.txn_id).is_none_or(|before| before.coming != said.coming) {
            ledger.put(batch, &theirs.txn_id, said)?;
        }
        // A new row has a number above all.
        Ok(place.unwrap_or(u64::MAX))
    }

    /// Copies the staged bytes of a row, and makes sure that the other store has both.
    async fn verify(&self, theirs: &Pending) -> Result<()> {
        for key in theirs.media.iter().filter(|key| is_staged(key)) {
            let Some(info) = info(self.from, key).await? else { continue };
            if self::info(self.to, key).await?.is_none() {
                copy_media(self.from, self.to, &info).await?;
            }
        }
        let is_there = match row(self.to, &theirs.txn_id).await? {
            Some(stored) if is_held(&stored) => {
                (&stored.room, &stored.kind, &stored.content) == (&theirs.room, &theirs.kind, &theirs.content)
            }
            Some(stored) => stored.room == theirs.room,
            None => matches!(known(self.to, theirs).await?, Known::Delivered),
        };
        match is_there {
            true => Ok(()),
            false => Err(Error::new(
                ErrorKind::Conflict,
                "move",
                "an outbox row was changed in the store that it is moved to: move again",
            )),
        }
    }

    /// Removes the rows from the first store, in one commit.
    pub(super) async fn remove_rows(&self, handed: &[(TxnId, Revision)]) -> Result<()> {
        let mut ledger = Ledger::read(self.from).await?;
        let mut batch = WriteBatch::strict();
        for (txn_id, revision) in handed {
            batch.expect_pending(txn_id, Some(*revision)).remove_pending(txn_id.clone());
            ledger.put(&mut batch, txn_id, Said { gone: true, ..Said::default() })?;
        }
        self.from.apply(batch).await.map(drop)
    }

    /// Lets rows go that are in the other store alone.
    pub(super) async fn release(&self, txn_ids: &[TxnId]) -> Result<()> {
        for txn_ids in txn_ids.chunks(ROWS) {
            let mut retries = Retries::default();
            loop {
                let mut ledger = Ledger::read(self.to).await?;
                let mut batch = WriteBatch::strict();
                for txn_id in txn_ids {
                    let Some(said) = ledger.get(txn_id).filter(|said| said.coming.is_some()) else {
                        continue;
                    };
                    if let Some(held) = row(self.to, txn_id).await? {
                        batch.expect_pending(txn_id, Some(held.revision));
                        batch.put_pending(let_go(&held, said.coming));
                        for key in held.media.iter().filter(|key| is_staged(key)) {
                            // From now on the row protects it.
                            batch.pin_media(key.clone(), false);
                        }
                    }
                    ledger.put(&mut batch, txn_id, Said::default())?;
                }
                if batch.is_empty() || retries.committed(self.to.apply(batch).await)?.is_some() {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Removes what an earlier handover put into the other store, of a row that stays where it is or was sent there.
    async fn drop_copy(&self, txn_id: &TxnId) -> Result<()> {
        let mut retries = Retries::default();
        loop {
            let mut ledger = Ledger::read(self.to).await?;
            let is_coming = ledger.get(txn_id).is_some_and(|said| said.coming.is_some());
            let Some(held) = row(self.to, txn_id).await?.filter(|_| is_coming) else { return Ok(()) };
            let mut batch = WriteBatch::strict();
            batch.expect_pending(txn_id, Some(held.revision)).remove_pending(txn_id.clone());
            ledger.put(&mut batch, txn_id, Said::default())?;
            if retries.committed(self.to.apply(batch).await)?.is_some() {
                return Ok(());
            }
        }
    }
}

fn is_held(row: &Pending) -> bool {
    row.state == PendingState::Parked(ParkReason::Restored)
}

fn is_staged(key: &MediaKey) -> bool {
    key.uri.as_str().starts_with(STAGED)
}

async fn row<S: StorageAdapter + ?Sized>(store: &S, txn_id: &TxnId) -> Result<Option<Pending>> {
    let query = PendingQuery { txn_id: Some(txn_id.clone()), limit: 1, ..PendingQuery::default() };
    Ok(store.pending(query).await?.into_iter().next())
}

async fn info<S: StorageAdapter + ?Sized>(store: &S, key: &MediaKey) -> Result<Option<MediaInfo>> {
    let query = MediaQuery { key: Some(key.clone()), limit: 1, ..MediaQuery::default() };
    Ok(store.media_index(query).await?.into_iter().next())
}
