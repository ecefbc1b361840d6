//! The process that is killed: it writes, sends and syncs until then.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use haos_backends::say;
use haos_queue::{
    About, Acted, Draft, Driver, Enqueued, FileLeader, Lead, Outbox, OutboxOptions, RetryPolicy, Session,
    TokioHost, Transport as _, UPLOAD, apply_page, apply_sync, local_event_id,
};
use haos_sim::{Chance, LoopbackClient, ModelFile, ModelSeal, SimProtocol};
use haos_store_api::*;
use haos_store_sled::{SledOptions, SledStore};
use haos_store_sqlite::{SqliteOptions, SqliteStore};
use serde::{Deserialize, Serialize};

/// Tells the test binary that it runs as a child, and what it is to do.
pub(crate) const CHILD: &str = "HAOS_OUTBOX_CHILD";
/// The number of unsent rows at which nothing more is written: the drivers keep up.
const MOST_UNSENT: usize = 120;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Plan {
    pub(crate) address: SocketAddr,
    pub(crate) folder: PathBuf,
    pub(crate) sled: bool,
    pub(crate) seed: u64,
    /// Send what there is and end.
    pub(crate) drain: bool,
}

pub(crate) fn session() -> Session {
    Session { user: UserId::new("@ada:sim").unwrap(), device: "phone".to_owned() }
}

pub(crate) fn rooms() -> Vec<RoomId> {
    (0..5).map(|n| RoomId::new(format!("!room{n}")).unwrap()).collect()
}

/// The rooms that are encrypted from the beginning.
pub(crate) fn encrypted() -> Vec<RoomId> {
    rooms().split_off(3)
}

pub(crate) async fn open(folder: &Path, sled: bool) -> Arc<dyn StorageAdapter> {
    if sled {
        Arc::new(SledStore::open(SledOptions::new(folder.join("sled"))).await.unwrap())
    } else {
        Arc::new(SqliteStore::open(SqliteOptions::new(folder.join("s.db"))).await.unwrap())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child() {
    let Ok(plan) = std::env::var(CHILD) else { return };
    let plan: Plan = serde_json::from_str(&plan).unwrap();
    let leader = FileLeader::try_acquire(plan.folder.join("leader")).unwrap();
    let leader = leader.expect("a killed process holds no lock");
    say("ready");
    let store = open(&plan.folder, plan.sled).await;
    let retry = RetryPolicy { base_ms: 4, cap_ms: 40, old_cap_ms: 40, ..RetryPolicy::default() };
    let options = OutboxOptions { retry, echo_ms: 500, ..OutboxOptions::default() };
    let outbox = Outbox::new(store.clone(), Arc::new(TokioHost), Arc::new(SimProtocol), options).unwrap();
    for row in outbox.rows(None).await.unwrap() {
        if row.kind.as_str() != UPLOAD {
            say(&format!("found {} {} {}", row.room, row.seq, row.txn_id));
        }
    }
    let transport = LoopbackClient::new(plan.address);
    // Which rooms are encrypted, the first sync tells.
    while store.sync_token().await.unwrap().is_none() {
        sync_once(&store, &transport).await;
    }
    let seal = Arc::new(ModelSeal::new(store.clone(), plan.seed));
    let driver = Driver::new(outbox.clone(), Arc::new(transport.clone()), session()).sealing(seal);
    let driving = tokio::spawn(async move {
        if let Err(e) = driver.run(Lead::Alone).await {
            say(&format!("failed to send: {e}"));
        }
    });
    let syncing = tokio::spawn(sync(store.clone(), transport));
    if plan.drain {
        let mut changes = store.changes();
        while !store.pending(PendingQuery::default()).await.unwrap().is_empty() {
            changes.next().await.unwrap();
        }
    } else {
        Writer { outbox: outbox.clone(), chance: Chance::new(plan.seed), written: Vec::new() }.run().await;
    }
    syncing.abort();
    let _ = syncing.await;
    outbox.stop(5000);
    driving.await.unwrap();
    store.close().await.unwrap();
    drop(leader);
    say("drained");
}

/// Follows the server, and fills what its answers leave out.
async fn sync(store: Arc<dyn StorageAdapter>, transport: LoopbackClient) {
    loop {
        sync_once(&store, &transport).await;
    }
}

async fn sync_once(store: &Arc<dyn StorageAdapter>, transport: &LoopbackClient) {
    let own = session().user;
    let token = store.sync_token().await.unwrap();
    let Ok(delta) = transport.sync(token.as_deref()).await else { return };
    apply_sync(&**store, &delta, Some(&own), &SimProtocol).await.unwrap();
    for room in rooms() {
        for gap in store.gaps(&room).await.unwrap() {
            if let Ok(page) = transport.history(&room, gap.token.as_deref(), 20).await {
                apply_page(&**store, &gap, &page, Some(&own), &SimProtocol).await.unwrap();
            }
        }
    }
}

struct Writer {
    outbox: Outbox,
    chance: Chance,
    /// The newest messages, sent or not, and whether they are without a file.
    written: Vec<(RoomId, TxnId, bool)>,
}

impl Writer {
    /// Writes until it is killed.
    async fn run(mut self) {
        let rooms = rooms();
        for n in 0_u64.. {
            let mut changes = self.outbox.store().changes();
            while self.outbox.rows(None).await.unwrap().len() > MOST_UNSENT {
                changes.next().await.unwrap();
            }
            let room = self.chance.pick(&rooms).unwrap().clone();
            let about = self.chance.pick(&self.written).cloned();
            let roll = self.chance.below(100);
            let file = (30..35).contains(&roll);
            let (room, enqueued) = match about {
                // An edit in place would leave a file without its event.
                Some((_, _, false)) if (25..30).contains(&roll) => continue,
                Some((room, txn_id, _)) if roll < 30 => match self.about(&room, txn_id, roll, n).await {
                    Some(enqueued) => (room, enqueued),
                    None => continue,
                },
                _ if file => (room.clone(), self.file(room, n, roll.is_multiple_of(2)).await),
                _ => {
                    let content = format!(r#"{{"body":"{n}"}}"#);
                    (
                        room.clone(),
                        self.outbox.enqueue(draft(&room, "m.room.message", &content)).await.unwrap(),
                    )
                }
            };
            say(&format!("taken {room} {} {}", enqueued.seq, enqueued.txn_id));
            self.written.push((room, enqueued.txn_id, !file));
            if self.written.len() > 8 {
                self.written.remove(0);
            }
        }
    }

    /// A message about another of ours, which may be on its way meanwhile.
    async fn about(&mut self, room: &RoomId, txn_id: TxnId, roll: u64, n: u64) -> Option<Enqueued> {
        let local = local_event_id(&txn_id).unwrap();
        let (kind, content) = match roll {
            0..10 => ("m.room.message", format!(r#"{{"edits":"{local}","new":{{"body":"{n}"}}}}"#)),
            10..20 => ("m.reaction", format!(r#"{{"key":"+","to":"{local}"}}"#)),
            20..25 => ("m.room.message", format!(r#"{{"answers":"{local}","body":"{n}"}}"#)),
            _ => {
                let content = Json::new(format!(r#"{{"body":"{n}, edited"}}"#)).unwrap();
                return match self.outbox.edit(&txn_id, content).await.unwrap() {
                    Acted::Followed(enqueued) => Some(enqueued),
                    _ => None,
                };
            }
        };
        let draft = draft(room, kind, &content).about(About::Unsent(txn_id));
        Some(self.outbox.enqueue(draft).await.unwrap())
    }

    async fn file(&mut self, room: RoomId, n: u64, thumbnail: bool) -> Enqueued {
        let (mut content, mut uploads) = (format!(r#"{{"body":"{n}""#), Vec::new());
        for name in ["thumbnail", "url"].into_iter().skip(usize::from(!thumbnail)) {
            let mut staged = match encrypted().contains(&room) {
                true => self.outbox.stage_sealed(&room, Box::new(ModelFile), vec![1; 200]).await.unwrap(),
                false => self.outbox.stage(&room, None, vec![1; 200]).await.unwrap(),
            };
            self.outbox.stage_more(&mut staged, vec![2; 200]).await.unwrap();
            content.push_str(&format!(r#","{name}":"{}""#, staged.key().uri));
            uploads.push(staged);
        }
        let draft = draft(&room, "m.room.message", &(content + "}"));
        self.outbox.enqueue(uploads.into_iter().fold(draft, Draft::upload)).await.unwrap()
    }
}

fn draft(room: &RoomId, kind: &str, content: &str) -> Draft {
    Draft::new(room.clone(), EventType::new(kind).unwrap(), Json::new(content).unwrap())
}
