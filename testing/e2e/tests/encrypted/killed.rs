use std::collections::HashSet;
use std::path::Path;
use std::time::Duration;

use haos_e2e::screen::{Deed, ScreenCommand as C};
use haos_e2e::{Fault, Plain, Proxy, Rule, StoreKind, Worker, WorkerPlan, until};

use crate::peer::Peer;
use crate::world::{PASSWORD, register, shared};

const CLIENT: &str = env!("CARGO_BIN_EXE_haos-e2e-screen");
const KILLS: usize = 6;
const EACH: usize = 12;

/// A chat in a process, and what was given to it.
struct Writer {
    plan: WorkerPlan,
    worker: Worker,
    room: String,
    /// The texts in the order in which they were given, and whether the chat said that they are durable.
    lines: Vec<(String, bool)>,
}

impl Writer {
    async fn start(plan: WorkerPlan) -> (Self, String) {
        let worker = Worker::start(CLIENT, &plan).await.unwrap();
        let ready = worker.ready().await.unwrap();
        let device = ready["device"].as_str().unwrap().to_owned();
        (Self { plan, worker, room: String::new(), lines: Vec::new() }, device)
    }

    async fn say(&mut self, patience: Duration) {
        let text = format!("line {}", self.lines.len());
        let command = C::Act { room: self.room.clone(), deed: Deed::Text, pick: 0, text: text.clone() };
        let said = tokio::time::timeout(patience, self.worker.call(command)).await;
        self.lines.push((text, said.is_ok_and(|said| said.map(drop).is_ok())));
    }

    async fn kill(&mut self) {
        self.worker.kill().await.unwrap();
        self.worker = Worker::start(CLIENT, &self.plan).await.unwrap();
        assert_eq!(self.worker.ready().await.unwrap()["resumed"], true);
        self.watch().await;
    }

    async fn watch(&self) {
        self.worker.call(C::Watch { room: self.room.clone(), want: 20 }).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Synapse: cargo xtask e2e"]
async fn a_chat_killed_while_it_writes_sends_each_message_once_in_order_and_readable() {
    for kind in [StoreKind::SealedSqlite, StoreKind::Sled] {
        let folder = tempfile::tempdir().unwrap();
        killed(kind, folder.path()).await;
    }
}

async fn killed(kind: StoreKind, folder: &Path) {
    let synapse = shared().await;
    let (ours, theirs) = (format!("killed-{}", kind.name()), format!("killed-{}-peer", kind.name()));
    let plain = register(&ours).await;
    register(&theirs).await;
    let peer = Peer::login(&theirs).await;
    let proxy = Proxy::start(synapse.address()).await.unwrap();
    let plan = WorkerPlan {
        store: kind.url(folder),
        key_hex: kind.key_hex(),
        homeserver: proxy.url(),
        user: ours,
        password: PASSWORD.to_owned(),
        ..WorkerPlan::default()
    };
    let (mut writer, device) = Writer::start(plan).await;
    peer.knows_device(plain.user_id(), &device).await;
    writer.room = peer.create(&[plain.user_id()]).await;
    writer.worker.call(C::Enter { room: writer.room.clone() }).await.unwrap();
    peer.sees_member(&writer.room, plain.user_id(), "join").await;
    writer.watch().await;
    // Also the requests for keys and with keys get lost.
    proxy.set_rules([
        Rule::new(Fault::DropResponse).method("PUT").path("*/send/*").every(4),
        Rule::new(Fault::ResetBefore).method("PUT").path("*/sendToDevice/*").every(2),
        Rule::new(Fault::DropResponse).method("POST").path("*/keys/*").every(3),
        Rule::new(Fault::Latency(Duration::from_millis(15))),
    ]);
    for kill in 0..KILLS {
        for n in 0..EACH {
            // The last one may be under way.
            let is_last = n + 1 == EACH;
            let patience = Duration::from_millis(if is_last { 3 * kill as u64 } else { 30_000 });
            writer.say(patience).await;
        }
        writer.kill().await;
    }
    writer.say(Duration::from_secs(30)).await;
    let done = writer.worker.call(C::Sent).await.unwrap();
    assert_eq!(done["refused"].as_array().unwrap().len(), 0, "{done}");
    check(&writer, &peer, &plain).await;
    writer.worker.stop().await.unwrap();
}

/// The server has each message that was taken once, and each other one at most once, in order, and the peer reads
/// them all.
async fn check(writer: &Writer, peer: &Peer, plain: &Plain) {
    let room = &writer.room;
    let (last, _) = writer.lines.last().unwrap();
    peer.until_reads(room, last).await;
    let history = plain.history(room).await.unwrap();
    let sent = history.iter().filter(|event| event.sender == plain.user_id() && event.state_key.is_none());
    let sent: Vec<_> = sent.collect();
    assert!(sent.iter().all(|event| event.kind == "m.room.encrypted"), "{sent:#?}");
    // By the server's order.
    let mut bodies = Vec::new();
    until("the peer reads all", async || {
        let reads = peer.reads(room).await;
        let body = |id: &str| reads.iter().find(|read| read.event == id).and_then(|read| read.body.clone());
        bodies = sent.iter().map(|event| body(&event.event_id)).collect();
        bodies.iter().all(Option::is_some)
    })
    .await
    .unwrap_or_else(|e| panic!("{e}: {bodies:?}"));
    let mut bodies = bodies.iter().flatten().peekable();
    for (line, is_taken) in &writer.lines {
        let is_there = bodies.next_if(|body| *body == line).is_some();
        assert!(is_there || !is_taken, "{line} is missing, twice, or in the wrong place");
    }
    assert_eq!(bodies.next(), None, "too much, or in the wrong place");
    // No index of a session was used twice.
    let indexes: HashSet<_> = sent.iter().map(|event| event.megolm_index().unwrap()).collect();
    assert_eq!(indexes.len(), sent.len(), "{indexes:?}");
    println!("{} of {} lines, {} kills", sent.len(), writer.lines.len(), KILLS);
}
