//! The work of a context: its driver, its sync loop, and its user's acts.

use std::sync::Arc;

use haos_store_api::*;

use super::network::Network;
use super::protocol::SimProtocol;
use super::seal::{ModelFile, SimSeal};
use super::state::SharedSim;
use haos_queue::RECEIPT;
use haos_queue::machine::Class;
use haos_queue::{
    About, Acted, Answer, Draft, Driver, EnqueueError, Lead, Outbox, PauseReason, Staged, SyncState,
    apply_page, apply_sync, local_event_id,
};

/// How many events of a room a sync shows.
const LIMIT: usize = 4;
const SYNC_MS: u64 = 7000;
const POLL_MS: u64 = 30 * 60_000;

/// A context: a process, a page, a worker.
#[derive(Clone)]
pub(super) struct Context {
    pub(super) state: SharedSim,
    pub(super) store: Arc<dyn StorageAdapter>,
    pub(super) rows: MemoryStore,
    pub(super) outbox: Outbox,
    pub(super) network: Network,
}

impl Context {
    /// Sends until it is stopped; begins again after whatever ended it.
    pub(super) async fn drive(self) {
        let seal = SimSeal::new(self.network.clone(), self.store.clone());
        let driver =
            Driver::new(self.outbox.clone(), Arc::new(self.network.clone()), self.network.session.clone())
                .sealing(Arc::new(seal));
        loop {
            match driver.run(Lead::Shared).await {
                Ok(()) => return,
                // The store must be reopened: the world does that.
                Err(e) if e.kind() == ErrorKind::Closed => {
                    let group = self.network.group;
                    return self.state.with(|sim| sim.reopen.push(group));
                }
                Err(_) => self.state.clock().sleep(1000).await,
            }
        }
    }

    /// Syncs, and fills a gap now and then.
    pub(super) async fn sync(self) {
        let own = self.network.session.user.clone();
        // Tries come slower and slower while they fail.
        let mut again_ms = SYNC_MS;
        loop {
            let wait = self.state.with(|sim| sim.chance.below(2 * SYNC_MS));
            self.state.clock().sleep(wait).await;
            match self.sync_once(&own).await {
                Ok(true) => {
                    self.outbox.sync_state(SyncState::Live);
                    again_ms = SYNC_MS;
                    self.long_poll(POLL_MS).await;
                }
                Ok(false) => {
                    self.long_poll(again_ms).await;
                    again_ms = (again_ms * 2).min(POLL_MS);
                }
                Err(e) if e.kind() == ErrorKind::Closed => {
                    let group = self.network.group;
                    return self.state.with(|sim| sim.reopen.push(group));
                }
                Err(e) => self.unexpected("sync", &e),
            }
        }
    }

    /// Waits for news of the server, up to so long.
    async fn long_poll(&self, ms: u64) {
        let ms = if self.state.with(|sim| sim.settled) { ms.min(4 * SYNC_MS) } else { ms };
        let mut over = self.state.clock().sleep(ms);
        tokio::select! {
            biased;
            () = self.state.news.notified() => {}
            () = &mut over => {}
        }
    }

    async fn sync_once(&self, own: &UserId) -> Result<bool> {
        let since = self.store.sync_token().await?;
        let since = since.and_then(|token| token.get(1..)?.parse().ok());
        let resumed = self.outbox.resumed().await?;
        let delta = match self.network.sync(since, LIMIT).await {
            Ok(delta) => delta,
            Err(Answer::Refused(refusal)) if refusal.account.is_some() => {
                let reason = refusal.account.unwrap_or(PauseReason::LoggedOut);
                self.outbox.refused(reason, resumed).await?;
                return Ok(false);
            }
            Err(_) => return Ok(false),
        };
        apply_sync(&*self.store, &delta, Some(own), &SimProtocol).await?;
        if self.state.with(|sim| sim.chance.percent(10)) {
            let before = self.store.sync_token().await?;
            let again = apply_sync(&*self.store, &delta, Some(own), &SimProtocol).await?;
            if again == haos_queue::Synced::Applied && before == delta.next {
                self.state.with(|sim| sim.truth.broken("I10", "a response changed something twice"));
            }
        }
        self.check();
        for room in &delta.rooms {
            let Some(gap) = self.store.gaps(&room.id).await?.pop() else { continue };
            if !self.state.with(|sim| sim.chance.percent(30) || sim.settled) {
                continue;
            }
            self.fill(own, &gap).await?;
        }
        Ok(true)
    }

    async fn fill(&self, own: &UserId, gap: &Gap) -> Result<()> {
        use haos_queue::Transport as _;
        if let Ok(page) = self.network.history(&gap.room, gap.token.as_deref(), 5).await {
            apply_page(&*self.store, gap, &page, Some(own), &SimProtocol).await?;
            self.check();
        }
        Ok(())
    }

    /// Fills every gap; for the end.
    pub(super) async fn fill_all(self) {
        let own = self.network.session.user.clone();
        loop {
            self.state.clock().sleep(3000).await;
            let rooms: Vec<RoomId> = self.state.with(|sim| sim.server.rooms.keys().cloned().collect());
            for room in rooms {
                for gap in self.store.gaps(&room).await.unwrap_or_default() {
                    let _ = self.fill(&own, &gap).await;
                }
            }
        }
    }

    pub(super) fn check(&self) {
        self.state.with(|sim| super::timeline::check(&self.rows, &sim.server, &mut sim.truth));
    }

    /// An error that no fault explains is a fault of ours.
    fn unexpected(&self, what: &str, e: &Error) {
        if matches!(e.kind(), ErrorKind::Invalid | ErrorKind::Corrupt | ErrorKind::Other) {
            self.state.with(|sim| sim.truth.broken("errors", format!("{what}: {e}")));
        }
    }

    fn acknowledged(&self, txn_id: &TxnId, room: &RoomId) {
        self.state.say(|| format!("  acknowledged {txn_id}"));
        self.state.with(|sim| drop(sim.truth.acknowledged.insert(txn_id.clone(), room.clone())));
    }

    fn refused(&self, e: &EnqueueError) {
        if let EnqueueError::Store(e) = e {
            self.unexpected("enqueue", e);
        }
    }

    /// The user writes.
    pub(super) async fn write(self, draft: Draft, room: RoomId) {
        match self.outbox.enqueue(draft).await {
            Ok(enqueued) => self.acknowledged(&enqueued.txn_id, &room),
            Err(e) => self.refused(&e),
        }
    }

    /// The user sends a file, perhaps with a thumbnail.
    pub(super) async fn file(self, room: RoomId, thumbnail: bool) {
        let sent = async {
            let mut content = String::from("{\"body\":\"file\"");
            let mut uploads: Vec<Staged> = Vec::new();
            for name in ["thumbnail", "url"].into_iter().skip(usize::from(!thumbnail)) {
                let mut staged = match self.outbox.is_encrypted(&room).await? {
                    true => self.outbox.stage_sealed(&room, Box::new(ModelFile), vec![1; 300]).await?,
                    false => self.outbox.stage(&room, Some("image/png"), vec![1; 300]).await?,
                };
                self.outbox.stage_more(&mut staged, vec![2; 300]).await?;
                content.push_str(&format!(",\"{name}\":\"{}\"", staged.key().uri));
                uploads.push(staged);
            }
            content.push('}');
            let draft = Draft::new(room.clone(), EventType::new("m.room.message")?, Json::new(content)?);
            self.outbox.enqueue(uploads.into_iter().fold(draft, Draft::upload)).await
        };
        match sent.await {
            Ok(enqueued) => self.acknowledged(&enqueued.txn_id, &room),
            Err(e) => self.refused(&e),
        }
    }

    pub(super) async fn receipt(self, room: RoomId) {
        let draft = async { Ok::<_, Error>(Draft::new(room, EventType::new(RECEIPT)?, Json::empty())) };
        if let Ok(draft) = draft.await
            && let Err(e) = self.outbox.enqueue(draft).await
        {
            self.refused(&e);
        }
    }

    /// The user writes about another message of theirs, sent or not.
    pub(super) async fn about(self, txn_id: TxnId, room: RoomId, how: u8) {
        let draft = async {
            let local = local_event_id(&txn_id)?;
            let (kind, content) = match how {
                0 => ("m.room.message", format!(r#"{{"answers":"{local}","body":"indeed"}}"#)),
                1 => ("m.reaction", format!(r#"{{"key":"+","to":"{local}"}}"#)),
                2 => ("m.room.message", format!(r#"{{"edits":"{local}","new":{{"body":"better"}}}}"#)),
                _ => (super::REDACTION, "{}".to_owned()),
            };
            if kind == super::REDACTION {
                // Taken back: if it fails before it arrives, both go.
                let going = self.kin(&txn_id);
                self.state.with(|sim| sim.truth.cancelled.extend(going));
            }
            let draft = Draft::new(room.clone(), EventType::new(kind)?, Json::new(content)?);
            Ok::<_, Error>(draft.about(About::Unsent(txn_id)))
        };
        if let Ok(draft) = draft.await {
            self.write(draft, room).await;
        }
    }

    pub(super) async fn cancel(self, txn_id: TxnId) {
        // Its companions: its uploads, and the rows that make no sense without it.
        let going = self.kin(&txn_id);
        self.state.with(|sim| sim.truth.cancelled.extend(going.iter().cloned()));
        match self.outbox.cancel(&txn_id).await {
            Ok(Acted::Followed(enqueued)) => {
                let room = self.state.with(|sim| sim.truth.rows.get(&txn_id).map(|row| row.room.clone()));
                if let Some(room) = room {
                    self.acknowledged(&enqueued.txn_id, &room);
                }
            }
            Ok(_) => {}
            Err(e) => self.refused(&e),
        }
    }

    /// A row, its uploads and all that waits for it, past all faults.
    fn kin(&self, txn_id: &TxnId) -> Vec<TxnId> {
        use futures_util::FutureExt as _;
        let outbox = self
            .rows
            .pending(PendingQuery::default())
            .now_or_never()
            .and_then(Result::ok)
            .unwrap_or_default();
        let mut kin = vec![txn_id.clone()];
        loop {
            let more: Vec<TxnId> = outbox
                .iter()
                .filter(|row| !kin.contains(&row.txn_id))
                .filter(|row| {
                    row.parent.as_ref().is_some_and(|parent| kin.contains(parent))
                        || (Class::of(row) == Class::Upload
                            && outbox.iter().any(|of| {
                                kin.contains(&of.txn_id) && of.parent.as_ref() == Some(&row.txn_id)
                            }))
                })
                .map(|row| row.txn_id.clone())
                .collect();
            if more.is_empty() {
                return kin;
            }
            kin.extend(more);
        }
    }

    pub(super) async fn edit(self, txn_id: TxnId) {
        let Ok(content) = Json::new(r#"{"body":"edited"}"#) else { return };
        match self.outbox.edit(&txn_id, content).await {
            Ok(Acted::Followed(enqueued) | Acted::Replaced(enqueued)) => {
                let room = self.state.with(|sim| sim.truth.rows.get(&txn_id).map(|row| row.room.clone()));
                if let Some(room) = room {
                    self.acknowledged(&enqueued.txn_id, &room);
                }
            }
            Ok(_) => {}
            Err(e) => self.refused(&e),
        }
    }

    pub(super) async fn retry(self, txn_id: TxnId) {
        if let Err(e) = self.outbox.retry(&txn_id).await {
            self.unexpected("retry", &e);
        }
    }

    pub(super) async fn retry_all(self) {
        if let Err(e) = self.outbox.retry_all().await {
            self.unexpected("retry", &e);
        }
    }

    pub(super) async fn pause_upload(self, txn_id: TxnId) {
        if let Err(e) = self.outbox.pause_upload(&txn_id).await {
            self.unexpected("pause", &e);
        }
    }

    /// The user logs in again.
    pub(super) async fn resume(self) {
        let rooms: Vec<RoomId> = self.state.with(|sim| sim.server.rooms.keys().cloned().collect());
        for room in rooms {
            // What the user had to look at, they have.
            while !matches!(self.outbox.paused(Some(&room)).await, Ok(None)) {
                if self.outbox.resume(Some(&room)).await.is_err() {
                    self.state.clock().sleep(500).await;
                }
            }
        }
        while self.outbox.resume(None).await.is_err() {
            self.state.clock().sleep(500).await;
        }
        // With the pause, the server's wish for quiet is forgotten.
        self.state.with(|sim| sim.quiet.clear());
    }
}
