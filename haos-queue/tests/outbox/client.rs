//! A client: an outbox over a store, a driver over the wire.

use std::sync::Arc;
use std::time::Duration;

use haos_backends::{Home, Store};
use haos_queue::{
    About, Draft, Driver, Enqueued, Lead, Outbox, OutboxOptions, RetryPolicy, TokioHost, apply_sync,
    local_event_id,
};
use haos_sim::SimProtocol;
use haos_store_api::*;
use tokio::task::JoinHandle;

use crate::seal::Sealer;
use crate::wire::Wire;

/// The time after which something hangs.
const HANGS: Duration = Duration::from_secs(30);

/// Waits for what must happen.
pub(crate) async fn guarded<T>(what: &str, wait: impl Future<Output = T>) -> T {
    tokio::time::timeout(HANGS, wait).await.unwrap_or_else(|_| panic!("it never came to: {what}"))
}

pub(crate) fn room(name: &str) -> RoomId {
    RoomId::new(format!("!{name}")).unwrap()
}

/// Times short enough for a test.
pub(crate) fn options() -> OutboxOptions {
    OutboxOptions {
        retry: RetryPolicy { base_ms: 2, cap_ms: 20, old_cap_ms: 20, ..RetryPolicy::default() },
        // Rows of an earlier run must not be found by their lease here.
        lease_ms: 3_600_000,
        echo_ms: 3_600_000,
        ..OutboxOptions::default()
    }
}

pub(crate) struct Client {
    pub(crate) home: Home,
    pub(crate) store: Store,
    pub(crate) outbox: Outbox,
    pub(crate) wire: Arc<Wire>,
    sealer: Option<Arc<Sealer>>,
    driving: Option<JoinHandle<Result<()>>>,
}

impl Client {
    /// A client in rooms `a`, `b` and `c`.
    pub(crate) async fn new(home: Home) -> Self {
        Self::with(home, options()).await
    }

    pub(crate) async fn with(mut home: Home, options: OutboxOptions) -> Self {
        let store = home.open().await;
        let wire = Arc::new(Wire::new(&[room("a"), room("b"), room("c")]));
        Self { home, outbox: outbox(&store, options), store, wire, sealer: None, driving: None }
    }

    pub(crate) fn driver(&self) -> Driver {
        let driver = Driver::new(self.outbox.clone(), self.wire.clone(), self.wire.session.clone());
        match &self.sealer {
            Some(sealer) => driver.sealing(sealer.clone()),
            None => driver,
        }
    }

    /// Encrypts from the next run on.
    pub(crate) fn seal(&mut self) -> Arc<Sealer> {
        self.sealer.insert(Arc::new(Sealer::new(self.store.clone()))).clone()
    }

    /// Begins to send.
    pub(crate) fn drive(&mut self) {
        let driver = self.driver();
        self.driving = Some(tokio::spawn(driver.run(Lead::Alone)));
    }

    /// Ends the process where it stands, and starts it again, sending.
    pub(crate) async fn restart(&mut self) {
        self.crash().await;
        self.drive();
    }

    /// Ends the process where it stands; another has opened the store.
    pub(crate) async fn crash(&mut self) {
        let driving = self.driving.take().unwrap();
        driving.abort();
        assert!(driving.await.is_err_and(|e| e.is_cancelled()), "it had ended by itself");
        self.store.close().await.unwrap();
        self.store = self.home.open().await;
        self.outbox = outbox(&self.store, options());
        if self.sealer.is_some() {
            self.seal();
        }
    }

    /// Sends no more, and closes.
    pub(crate) async fn end(self) {
        self.outbox.stop(5000);
        if let Some(driving) = self.driving {
            guarded("the end", driving).await.unwrap().unwrap();
        }
        self.store.close().await.unwrap();
    }

    pub(crate) async fn text(&self, name: &str, body: &str) -> Enqueued {
        self.outbox.enqueue(draft(name, "m.room.message", &format!(r#"{{"body":"{body}"}}"#))).await.unwrap()
    }

    /// Something about an unsent message: `content` names it as `TARGET`.
    pub(crate) async fn about(&self, name: &str, of: &Enqueued, kind: &str, content: &str) -> Enqueued {
        let local = local_event_id(&of.txn_id).unwrap();
        let draft = draft(name, kind, &content.replace("TARGET", local.as_str()));
        self.outbox.enqueue(draft.about(About::Unsent(of.txn_id.clone()))).await.unwrap()
    }

    pub(crate) async fn row(&self, txn_id: &TxnId) -> Option<Pending> {
        let query = PendingQuery { txn_id: Some(txn_id.clone()), ..PendingQuery::default() };
        self.store.pending(query).await.unwrap().pop()
    }

    pub(crate) async fn state(&self, of: &Enqueued) -> Option<PendingState> {
        self.row(&of.txn_id).await.map(|row| row.state)
    }

    /// Waits until the rows that can be read are as wished.
    pub(crate) async fn until(&self, what: &str, mut wish: impl FnMut(&[Pending]) -> bool) -> Vec<Pending> {
        let mut changes = self.store.changes();
        let wait = async {
            loop {
                let rows = self.outbox.rows(None).await.unwrap();
                if wish(&rows) {
                    return rows;
                }
                changes.next().await.unwrap();
            }
        };
        match tokio::time::timeout(HANGS, wait).await {
            Ok(rows) => rows,
            Err(_) => panic!("never: {what}; {:#?}", self.outbox.rows(None).await),
        }
    }

    /// Waits until every row but those parked is sent.
    pub(crate) async fn all_sent(&self) -> Vec<Pending> {
        let done = |row: &Pending| matches!(row.state, PendingState::Sent | PendingState::Parked(_));
        self.until("all sent", |rows| rows.iter().all(done)).await
    }

    /// Waits until a row is in a state.
    pub(crate) async fn reaches(&self, of: &Enqueued, state: PendingState) -> Pending {
        let found = |row: &Pending| row.txn_id == of.txn_id && row.state == state;
        let rows = self.until(&format!("{state:?}"), |rows| rows.iter().any(found)).await;
        rows.into_iter().find(found).unwrap()
    }

    /// Brings what the server has.
    pub(crate) async fn sync(&self) {
        let token = self.store.sync_token().await.unwrap();
        let since = token.map(|token| token[1..].parse().unwrap());
        let delta = self.wire.model(|model| model.sync(&self.wire.session, since, 1000));
        apply_sync(&*self.store, &delta, Some(&self.wire.session.user), &SimProtocol).await.unwrap();
    }

    /// A sync that brings nothing but its token, seen by the driver.
    pub(crate) async fn sync_without_news(&self, token: &str) {
        let mut batch = WriteBatch::strict();
        batch.put_state(StateEntry {
            scope: Scope::Account,
            kind: EventType::new(state_kind::SYNC_TOKEN).unwrap(),
            key: StateKey::new("").unwrap(),
            event_id: None,
            value: Json::of(token).unwrap(),
        });
        self.store.apply(batch).await.unwrap();
        // A later message is seen later.
        self.reaches(&self.text("c", token).await, PendingState::Sent).await;
    }

    /// Sends and syncs until the outbox is empty; then the timelines are the server's.
    pub(crate) async fn settle(&self) {
        self.all_sent().await;
        self.sync().await;
        assert_eq!(self.outbox.rows(None).await.unwrap(), []);
        for name in ["a", "b", "c"] {
            let slice = self.store.timeline(&room(name), Page::newest(1000)).await.unwrap();
            let stored: Vec<_> = slice.messages().map(|message| message.id.clone()).collect();
            let there: Vec<_> = self.wire.events(&room(name)).into_iter().map(|event| event.id).collect();
            assert_eq!(stored, there);
        }
    }
}

pub(crate) fn outbox(store: &Store, options: OutboxOptions) -> Outbox {
    Outbox::new(store.clone(), Arc::new(TokioHost), Arc::new(SimProtocol), options).unwrap()
}

pub(crate) fn draft(name: &str, kind: &str, content: &str) -> Draft {
    Draft::new(room(name), EventType::new(kind).unwrap(), Json::new(content).unwrap())
}
