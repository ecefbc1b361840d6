//! The outbox: rows to drain, to a server that answers at once, and the floor of an enqueue.

use std::path::Path;
use std::sync::Arc;

use haos_queue::{Draft, Driver, Lead, Outbox, OutboxOptions, PlainProtocol, TokioHost};
use haos_store_api::{Membership, Pending, Room, StorageAdapter, TxnId, WriteBatch};
use haos_stub::{Mood, Stub};
use rusqlite::{Connection, params};

use crate::data::{Scale, message, room_id};

const VALID: &str = "ids of the data set are valid";

/// An outbox over a store.
pub fn outbox(store: Arc<dyn StorageAdapter>) -> Outbox {
    Outbox::new(store, Arc::new(TokioHost), Arc::new(PlainProtocol), OutboxOptions::default()).expect(VALID)
}

/// Message `n` as it is written.
pub fn draft(n: usize, scale: Scale) -> Draft {
    let message = message(n, scale);
    Draft::new(message.room, message.kind, message.content)
}

/// Queues every message of the data set, past the outbox, so that it does not take long.
pub async fn fill(store: &dyn StorageAdapter, scale: Scale) {
    let mut rooms = WriteBatch::relaxed();
    for room in 0..scale.rooms {
        rooms.put_room(Room::new(room_id(room), Membership::Join));
    }
    store.apply(rooms).await.expect("the rooms are stored");
    let numbers: Vec<usize> = (0..scale.messages).collect();
    for numbers in numbers.chunks(1000) {
        let mut batch = WriteBatch::relaxed();
        for n in numbers {
            let message = message(*n, scale);
            let txn_id = TxnId::new(format!("haos{:032x}", n * 7919)).expect(VALID);
            batch.put_pending(Pending::new(txn_id, message.room, message.kind, message.content, 0));
        }
        store.apply(batch).await.expect("the rows are stored");
    }
}

/// Sends all of them: from the driver's start to its end.
pub async fn drain(store: &Arc<dyn StorageAdapter>, scale: Scale) {
    let outbox = outbox(store.clone());
    let (server, ending) = (Stub::new(Mood::Up), outbox.clone());
    server.when(scale.messages, move || ending.stop(60_000));
    Driver::new(outbox, Arc::new(server), Stub::session()).run(Lead::Alone).await.expect("the outbox drains");
}

/// The floor of an enqueue: plain rusqlite, one insert of the same bytes, one durable transaction.
#[derive(Debug)]
pub struct QueueFloor(Connection);

impl QueueFloor {
    /// Makes it.
    ///
    /// # Errors
    /// Those of SQLite.
    pub fn open(path: &Path) -> rusqlite::Result<Self> {
        let db = Connection::open(path)?;
        db.execute_batch(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-8000;
             PRAGMA wal_autocheckpoint=4000;
             CREATE TABLE outbox(seq INTEGER PRIMARY KEY, txn TEXT NOT NULL UNIQUE, room TEXT NOT NULL,
                type TEXT NOT NULL, content TEXT NOT NULL, created INTEGER NOT NULL);",
        )?;
        Ok(Self(db))
    }

    /// Puts message `n` there.
    ///
    /// # Errors
    /// Those of SQLite.
    pub fn enqueue(&mut self, n: usize, scale: Scale) -> rusqlite::Result<()> {
        let message = message(n, scale);
        let tx = self.0.transaction()?;
        tx.prepare_cached("INSERT INTO outbox(txn, room, type, content, created) VALUES (?, ?, ?, ?, ?)")?
            .execute(params![
                format!("haos{n:032x}"),
                message.room.as_str(),
                message.kind.as_str(),
                message.content.as_str(),
                message.timestamp_ms,
            ])?;
        tx.commit()
    }
}
