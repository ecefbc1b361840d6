//! What was read is stored with the end of its receipt.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use async_trait::async_trait;
use haos_backends::{Backend, Home, Store, on_every_store};
use haos_queue::{Driver, Lead, RECEIPT};
use haos_store_api::*;

use crate::client::{Client, draft, guarded, options, outbox, room};

async fn marker(store: &dyn StorageAdapter) -> Option<String> {
    let (kind, key) = (EventType::new("upto").unwrap(), StateKey::new("").unwrap());
    store.state_value(Scope::Room(room("a")), &kind, &key).await.unwrap().and_then(|value| value.text("upto"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receipt_ends_and_the_marker_moves_in_one_commit() {
    on_every_store(async |home: Home| {
        let mut client = Client::new(home).await;
        client.drive();
        // The first is of a room that is not stored yet.
        for (event, stored) in [("$one", None), ("$two", Some("$two")), ("$three", Some("$three"))] {
            let row = draft("a", RECEIPT, &format!(r#"{{"upto":"{event}"}}"#));
            let row = client.outbox.enqueue(row).await.unwrap();
            client
                .until("the end of the receipt", |rows| rows.iter().all(|held| held.txn_id != row.txn_id))
                .await;
            assert_eq!(marker(&*client.store).await.as_deref(), stored);
            client.sync().await;
        }
        client.end().await;
    })
    .await;
}

/// A store that has room for no state, or cannot read it.
#[derive(Debug)]
struct Sick {
    store: Store,
    /// Else it is full.
    is_damaged: bool,
    was_asked: AtomicBool,
}

impl Sick {
    fn fail<T>(&self, kind: ErrorKind) -> Result<T> {
        self.was_asked.store(true, Relaxed);
        Err(Error::new(kind, "test", "no"))
    }
}

#[async_trait]
impl StorageAdapter for Sick {
    async fn states(&self, queries: Vec<StateQuery>) -> Result<Vec<Vec<StateEntry>>> {
        if self.is_damaged { self.fail(ErrorKind::Corrupt) } else { self.store.states(queries).await }
    }

    async fn apply(&self, batch: WriteBatch) -> Result<Commit> {
        let is_marker = |op: &Op| matches!(op, Op::PutState(entry) if entry.kind.as_str() == "upto");
        if batch.ops().iter().any(is_marker) {
            self.fail(ErrorKind::Full)
        } else {
            self.store.apply(batch).await
        }
    }

    forward_store! { self => self.store; except states, apply }
}

#[tokio::test]
async fn a_receipt_ends_where_the_marker_cannot_be_stored() {
    for is_damaged in [false, true] {
        let client = Client::new(Home::new(Backend::Memory, false)).await;
        client.sync().await;
        let sick =
            Arc::new(Sick { store: client.store.clone(), is_damaged, was_asked: AtomicBool::new(false) });
        let store: Store = sick.clone();
        let outbox = outbox(&store, options());
        outbox.enqueue(draft("a", RECEIPT, r#"{"upto":"$one"}"#)).await.unwrap();
        let driver = Driver::new(outbox.clone(), client.wire.clone(), client.wire.session.clone());
        let driving = tokio::spawn(driver.run(Lead::Alone));
        client.until("the end of the receipt", |rows| rows.is_empty()).await;
        assert_eq!(
            (marker(&*client.store).await, client.wire.times("send").len()),
            (None, 1),
            "{is_damaged}"
        );
        assert!(sick.was_asked.load(Relaxed));
        outbox.stop(1000);
        guarded("the end", driving).await.unwrap().unwrap();
    }
}
