//! How a run keeps up with the outbox: rows that come, change and go, and what they wait for.

use haos_store_api::{
    Change, ErrorKind, ParkReason, Pending, PendingQuery, PendingState, Result, Revision, RoomId, Scope,
    Touched, TxnId,
};

use super::run::Run;
use crate::machine::{Class, Event};

/// Rows read at once at the start.
const PAGE: usize = 512;

impl Run<'_> {
    /// Reads the outbox, a page at a time.
    async fn load(&mut self) -> Result<()> {
        self.shared.keep_time().await?;
        self.schedule.see(self.shared.now_ms());
        self.gates.read(self.shared, &mut self.schedule).await?;
        self.schedule.clear();
        let mut query = PendingQuery { limit: PAGE, skip_damaged: true, ..PendingQuery::default() };
        loop {
            let rows = self.shared.store.pending(query.clone()).await?;
            let Some(last) = rows.last() else { break };
            query.after_seq = last.seq;
            for row in &rows {
                self.take_up(row);
                // The clock was set back since: what it says of waits means nothing.
                if row.last_attempt_ms.is_some_and(|tried| self.shared.is_ahead(tried)) {
                    self.schedule.forgive(&row.txn_id);
                }
            }
        }
        self.schedule.stranded().into_iter().for_each(|txn_id| self.adopt(txn_id));
        Ok(())
    }

    /// Takes up rows that parked because of circumstances, where these may have changed.
    async fn look_again(&mut self) -> Result<()> {
        for (txn_id, room) in self.schedule.parked(ParkReason::Forbidden) {
            if self.gates.may_speak(self.shared, &room).await? {
                self.unpark(txn_id, ParkReason::Forbidden).await?;
            }
        }
        if self.driver.seal.is_some() {
            for (txn_id, _) in self.schedule.parked(ParkReason::Unsealed) {
                self.unpark(txn_id, ParkReason::Unsealed).await?;
            }
        }
        for (txn_id, _) in self.schedule.parked(ParkReason::Ambiguous) {
            if !self.schedule.is_busy(&txn_id) {
                self.schedule.hold(&txn_id);
                self.spawn(txn_id.clone(), Class::Event, Box::pin(self.driver.prove_again(txn_id)));
            }
        }
        Ok(())
    }

    /// The cause for which it was parked may be gone.
    async fn unpark(&mut self, txn_id: TxnId, reason: ParkReason) -> Result<()> {
        match self.shared.act(&txn_id, &Event::CauseGone(reason)).await {
            Err(e) if e.kind() == ErrorKind::Corrupt => self.schedule.remove(&txn_id),
            acted => {
                acted?;
                self.dirty.push(txn_id);
            }
        }
        Ok(())
    }

    fn adopt(&mut self, txn_id: TxnId) {
        if !self.schedule.is_busy(&txn_id) {
            self.schedule.hold(&txn_id);
            self.spawn(txn_id.clone(), Class::Signal, Box::pin(self.driver.adopt(txn_id)));
        }
    }

    /// Reads again what others, or an attempt of unknown outcome, may have changed.
    pub(super) async fn refresh(&mut self) -> Result<()> {
        if self.shared.now_ms() < self.store_until_ms {
            return Ok(());
        }
        match self.read_anew().await {
            Ok(()) => Ok(()),
            Err(e) => self.store_failed(e),
        }
    }

    async fn read_anew(&mut self) -> Result<()> {
        self.shared.note_time(!self.schedule.is_empty()).await?;
        if self.stale.outbox {
            self.load().await?;
            (self.stale.outbox, self.stale.gates, self.stale.parked) = (false, false, true);
        }
        if self.stale.gates {
            self.gates.read(self.shared, &mut self.schedule).await?;
            self.shared.keep_time().await?;
            self.stale.gates = false;
        }
        self.refresh_rows().await?;
        if self.stale.parked {
            self.look_again().await?;
            self.stale.parked = false;
        }
        while let Some(room) = self.recheck.last().cloned() {
            self.look_again_in(&room).await?;
            self.recheck.pop();
        }
        if self.stale.staged {
            self.shared.sweep().await?;
            self.stale.staged = false;
        }
        self.refresh_rows().await
    }

    async fn refresh_rows(&mut self) -> Result<()> {
        while let Some(txn_id) = self.dirty.pop() {
            match self.shared.row(&txn_id).await {
                Ok(Some(row)) => self.take_up(&row),
                Ok(None) => self.forget(&txn_id),
                // It stays in the store, and is reported there: the others go on without it.
                Err(e) if e.kind() == ErrorKind::Corrupt => self.schedule.remove(&txn_id),
                Err(e) => {
                    self.dirty.push(txn_id);
                    return Err(e);
                }
            }
        }
        Ok(())
    }

    /// Notes the consequences of a commit, of this context or another.
    pub(super) fn changed(&mut self, change: Change) {
        let Change::Commit { touched, revision } = change else {
            self.stale.outbox = true;
            // Rows under way may have been read before the missed commits.
            self.missed.extend(self.schedule.busy().into_iter().map(|txn_id| (txn_id, Revision(u64::MAX))));
            return;
        };
        for touched in touched.iter() {
            match touched {
                Touched::Pending(txn_id) => {
                    if self.schedule.get(txn_id).is_some_and(|known| known.revision >= revision) {
                        continue;
                    }
                    if self.schedule.is_busy(txn_id) {
                        self.missed.insert(txn_id.clone(), revision);
                    }
                    // An upload is stopped when its row is paused or goes.
                    if !self.schedule.is_busy(txn_id) || self.aborts.contains_key(txn_id) {
                        self.dirty.push(txn_id.clone());
                    }
                }
                Touched::State(Scope::Account) => self.stale.gates = true,
                Touched::Room(room) | Touched::State(Scope::Room(room)) => {
                    if self.schedule.is_taken(room) {
                        self.stirred.insert(room.clone());
                    }
                    if self.gates.is_watched(room) {
                        self.recheck.push(room.clone());
                    }
                }
                _ => {}
            }
        }
    }

    /// Membership or rights in a room may have changed.
    async fn look_again_in(&mut self, room: &RoomId) -> Result<()> {
        if self.gates.rights_changed(self.shared, room).await?
            && self.gates.may_speak(self.shared, room).await?
        {
            for txn_id in self.schedule.forbidden(room) {
                self.unpark(txn_id, ParkReason::Forbidden).await?;
            }
        }
        Ok(())
    }

    pub(super) fn take_up(&mut self, row: &Pending) {
        self.schedule.put(row);
        if row.state != PendingState::Sending
            && let Some(abort) = self.aborts.get(&row.txn_id)
        {
            abort.abort();
        }
        if row.state == PendingState::Parked(ParkReason::Forbidden) {
            self.gates.watch(&row.room);
        }
        if row.state == PendingState::Sent {
            self.probes.watch(row, &self.gates, self.shared.options.echo_ms);
            self.release_children(&row.txn_id);
        } else if self.schedule.is_stranded(&row.txn_id) {
            self.adopt(row.txn_id.clone());
        }
    }

    pub(super) fn forget(&mut self, txn_id: &TxnId) {
        self.schedule.remove(txn_id);
        self.probes.forget(txn_id);
        if let Some(abort) = self.aborts.get(txn_id) {
            abort.abort();
        }
        self.release_children(txn_id);
    }

    /// Whoever still waits for a row that is sent or gone came while that was written down.
    pub(super) fn release_children(&mut self, txn_id: &TxnId) {
        for child in self.schedule.children(txn_id) {
            if self.schedule.is_stranded(&child) {
                self.adopt(child);
            }
        }
    }
}
