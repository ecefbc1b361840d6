//! Reconciliation against a model server that knows the true order: syncs, limited syncs, lost tokens,
//! backfill in any order, two fillers of one gap, own messages in every phase, replays and crashes.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use haos_queue::{BackfillPage, Filled, PlainProtocol, SyncDelta, Synced, apply_page, apply_sync};
use haos_store_api::*;
use proptest::prelude::*;
use support::{Server, check, own, room_id, timeline};

#[derive(Debug, Clone)]
enum Turn {
    /// The server gets messages.
    Arrive { room: usize, count: usize },
    /// A moderator redacts.
    Redact { room: usize, back: usize },
    /// The user writes: the row, the server's event, and maybe the answer before any sync.
    Write { room: usize, answered: bool },
    /// A sync with a limit; applied twice if so.
    Sync { limit: usize, twice: bool },
    /// A sync is answered, and another is applied before it: the old answer comes late.
    Late { limit: usize },
    /// The token is lost: a fresh initial sync.
    Fresh { limit: usize },
    /// An initial sync is answered, and an incremental one is applied before it.
    LateFresh { limit: usize },
    /// A page is fetched, one of its messages is redacted and that is synced, then the page is applied.
    LatePage { room: usize, gap: usize, back: usize },
    /// A page is fetched for a gap; a second filler with the same gap comes after it if so.
    Fill { room: usize, gap: usize, limit: usize, race: bool },
    /// The room's numbers lose their holes, so that what comes next must renumber.
    Squeeze { room: usize },
    /// Old messages are forgotten.
    Prune { room: usize, keep: u64 },
}

fn step() -> impl Strategy<Value = Turn> {
    let room = 0..2usize;
    prop_oneof![
        4 => (room.clone(), 1..9usize).prop_map(|(room, count)| Turn::Arrive { room, count }),
        1 => (room.clone(), 0..12usize).prop_map(|(room, back)| Turn::Redact { room, back }),
        1 => (room.clone(), any::<bool>()).prop_map(|(room, answered)| Turn::Write { room, answered }),
        4 => (1..8usize, any::<bool>()).prop_map(|(limit, twice)| Turn::Sync { limit, twice }),
        1 => (1..8usize).prop_map(|limit| Turn::Late { limit }),
        1 => (1..30usize).prop_map(|limit| Turn::Fresh { limit }),
        4 => (room.clone(), 0..4usize, 1..9usize, any::<bool>())
            .prop_map(|(room, gap, limit, race)| Turn::Fill { room, gap, limit, race }),
        1 => (1..30usize).prop_map(|limit| Turn::LateFresh { limit }),
        1 => (room.clone(), 0..4usize, 0..30usize)
            .prop_map(|(room, gap, back)| Turn::LatePage { room, gap, back }),
        1 => room.clone().prop_map(|room| Turn::Squeeze { room }),
        1 => (room, 1..12u64).prop_map(|(room, keep)| Turn::Prune { room, keep }),
    ]
}

struct Client {
    store: MemoryStore,
    server: Server,
    /// The stream position the stored token stands for.
    seen: Option<u64>,
    txns: u64,
}

impl Client {
    async fn sync(&mut self, delta: &SyncDelta) -> Synced {
        apply_sync(&self.store, delta, Some(&own()), &PlainProtocol).await.unwrap()
    }

    /// An initial sync on top of whatever is stored, as after a token that became unusable.
    fn fresh(&self, limit: usize) -> SyncDelta {
        let since = self.server.sync(self.seen, limit).since;
        SyncDelta { since, ..self.server.sync(None, limit) }
    }

    async fn fill(&self, gap: &Gap, room: usize, limit: usize) -> Filled {
        let page = self.page(gap, room, limit).await;
        apply_page(&self.store, gap, &page, Some(&own()), &PlainProtocol).await.unwrap()
    }

    async fn page(&self, gap: &Gap, room: usize, limit: usize) -> BackfillPage {
        let token = match &gap.token {
            Some(token) => token.clone(),
            None => self.context_token(gap, room).await,
        };
        self.server.page(room, &token, limit)
    }

    /// The token for a gap without one, from a server's context of the next newer message.
    async fn context_token(&self, gap: &Gap, room: usize) -> String {
        let items = timeline(&self.store, room).await;
        let next =
            items.iter().filter_map(Item::as_message).find(|m| m.position > gap.position && !m.provisional);
        let truth = &self.server.rooms[&room];
        let at = next.and_then(|next| truth.iter().position(|(_, event)| event.id == next.id));
        format!("p{}", at.unwrap_or(truth.len()))
    }

    async fn step(&mut self, step: &Turn) -> Result<(), TestCaseError> {
        match step {
            Turn::Arrive { room, count } => (0..*count).for_each(|_| self.server.message(*room)),
            Turn::Redact { room, back } => self.server.redact(*room, *back),
            Turn::Write { room, answered } => self.write(*room, *answered).await,
            Turn::Sync { limit, twice } => {
                let delta = self.server.sync(self.seen, *limit);
                prop_assert_ne!(self.sync(&delta).await, Synced::Stale);
                if *twice {
                    prop_assert_eq!(self.sync(&delta).await, Synced::Unchanged, "applied twice");
                }
                self.seen = Some(self.server.stream);
            }
            Turn::Late { limit } => {
                let late = self.server.sync(self.seen, *limit);
                self.server.message(0);
                let now = self.server.sync(self.seen, *limit);
                self.sync(&now).await;
                prop_assert_eq!(self.sync(&late).await, Synced::Stale);
                self.seen = Some(self.server.stream);
            }
            Turn::Fresh { limit } => {
                self.sync(&self.fresh(*limit)).await;
                self.seen = Some(self.server.stream);
            }
            Turn::LateFresh { limit } => {
                let late = self.fresh(*limit);
                (0..3).for_each(|_| self.server.message(0));
                self.sync(&self.server.sync(self.seen, 2)).await;
                self.seen = Some(self.server.stream);
                prop_assert_eq!(self.sync(&late).await, Synced::Stale);
            }
            Turn::LatePage { room, gap, back } => {
                let gaps = self.store.gaps(&room_id(*room)).await.unwrap();
                let Some(gap) = gaps.get(*gap) else { return Ok(()) };
                let page = self.page(gap, *room, 6).await;
                self.server.redact(*room, *back);
                self.sync(&self.server.sync(self.seen, 4)).await;
                self.seen = Some(self.server.stream);
                apply_page(&self.store, gap, &page, Some(&own()), &PlainProtocol).await.unwrap();
            }
            Turn::Fill { room, gap, limit, race } => {
                let gaps = self.store.gaps(&room_id(*room)).await.unwrap();
                if let Some(gap) = gaps.get(*gap) {
                    prop_assert_eq!(self.fill(gap, *room, *limit).await, Filled::Applied);
                    if *race {
                        self.fill(gap, *room, *limit + 1).await;
                    }
                }
            }
            Turn::Squeeze { room } => {
                let items = timeline(&self.store, *room).await;
                let dense = items.iter().zip(Position::FIRST.get()..);
                let moves = dense.map(|(item, to)| (item.position(), Position::new(to).unwrap())).collect();
                let mut batch = WriteBatch::relaxed();
                batch.renumber(room_id(*room), moves);
                if !items.is_empty() {
                    self.store.apply(batch).await.unwrap();
                }
            }
            Turn::Prune { room, keep } => {
                // Provisional messages are no part of the history that stays.
                let items = timeline(&self.store, *room).await;
                let guesses = items.iter().filter_map(Item::as_message).filter(|m| m.provisional).count();
                let mut batch = WriteBatch::relaxed();
                let keep = keep + guesses as u64;
                batch.prune(Prune { room: room_id(*room), keep, protect: Vec::new() });
                self.store.apply(batch).await.unwrap();
            }
        }
        Ok(())
    }

    /// Enqueue, send, and maybe store the answer's event as the send's answer leaves it.
    async fn write(&mut self, room: usize, answered: bool) {
        if self.store.room(&room_id(room)).await.unwrap().is_none() {
            return;
        }
        self.txns += 1;
        let txn_id = TxnId::new(format!("txn{}", self.txns)).unwrap();
        let event = self.server.own_message(room, &txn_id);
        let mut row =
            Pending::new(txn_id.clone(), room_id(room), event.kind.clone(), event.content.clone(), 0);
        row.state = PendingState::Sending;
        let mut batch = WriteBatch::strict();
        if answered {
            row.state = PendingState::Sent;
            row.event_id = Some(event.id.clone());
            let items = timeline(&self.store, room).await;
            let end = items.last().map_or(Position::FIRST, |item| item.position().newer(1).unwrap());
            batch.put_message(Message { provisional: true, ..event.into_message(room_id(room), end) });
        }
        batch.put_pending(row);
        self.store.apply(batch).await.unwrap();
    }

    async fn check(&self) -> Result<(), TestCaseError> {
        for room in 0..2 {
            check(&self.store, &self.server, room, self.seen.unwrap_or(0))
                .await
                .map_err(TestCaseError::fail)?;
        }
        Ok(())
    }

    /// Syncs, fills every gap and compares with the truth: the same events, the same order, no gap, no
    /// outbox row that the server has.
    async fn drain(&mut self) -> Result<(), TestCaseError> {
        self.sync(&self.server.sync(self.seen, 3)).await;
        self.seen = Some(self.server.stream);
        for room in 0..2 {
            let mut rounds = 0;
            while let Some(gap) = self.store.gaps(&room_id(room)).await.unwrap().pop() {
                self.fill(&gap, room, 5).await;
                self.check().await?;
                rounds += 1;
                prop_assert!(rounds < 200, "filling does not come to an end");
            }
            let stored: Vec<_> = timeline(&self.store, room)
                .await
                .into_iter()
                .filter_map(|item| {
                    item.as_message().map(|m| (m.id.clone(), m.content.clone(), m.provisional))
                })
                .collect();
            let truth = self.server.rooms.get(&room).into_iter().flatten();
            let truth: Vec<_> =
                truth.map(|(_, event)| (event.id.clone(), event.content.clone(), false)).collect();
            prop_assert_eq!(stored, truth);
        }
        let left = self.store.pending(PendingQuery::default()).await.unwrap();
        prop_assert!(left.is_empty(), "unconfirmed: {:?}", left);
        Ok(())
    }
}

fn run(steps: Vec<Turn>) -> Result<(), TestCaseError> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let (store, server) = (MemoryStore::new(), Server::default());
        let mut client = Client { store, server, seen: None, txns: 0 };
        for step in &steps {
            client.step(step).await?;
            client.check().await?;
        }
        client.drain().await
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: std::env::var("HAOS_SCRIPTS").ok().and_then(|n| n.parse().ok()).unwrap_or(2000),
        failure_persistence: Some(Box::new(proptest::test_runner::FileFailurePersistence::WithSource("regressions"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn converges_on_the_servers_order(steps in proptest::collection::vec(step(), 1..40)) {
        run(steps)?;
    }
}
