use std::path::Path;

use haos_e2e::screen::{Screen, ScreenCommand as C};
use haos_e2e::{Fault, Plain, Proxy, Rule, StoreKind, Synapse, Worker, WorkerPlan};
use serde_json::Value;

const CLIENT: &str = env!("CARGO_BIN_EXE_haos-e2e-screen");
pub(crate) const PASSWORD: &str = "secret";
/// The items that a timeline begins with.
const WANT: usize = 20;

/// Somebody with a chat.
pub(crate) struct Person {
    pub(crate) name: &'static str,
    /// The same user on another device, without a memory.
    pub(crate) plain: Plain,
    proxy: Proxy,
    plan: WorkerPlan,
    worker: Worker,
    rooms: Vec<String>,
    pub(crate) is_offline: bool,
    pub(crate) kills: usize,
}

impl Person {
    pub(crate) async fn start(
        name: &'static str,
        kind: StoreKind,
        synapse: &Synapse,
        folder: &Path,
        fill_pages_per_minute: u32,
    ) -> Self {
        let plain = Plain::register(synapse.address(), name, PASSWORD).await.unwrap();
        let proxy = Proxy::start(synapse.address()).await.unwrap();
        // Answers get lost on the way, so that nobody knows what the server has.
        proxy.set_rules([
            Rule::new(Fault::DropResponse).method("PUT").path("*/send/*").every(7),
            Rule::new(Fault::Truncate).path("*/sync").every(9),
            Rule::new(Fault::Status502).path("*/messages").every(5),
        ]);
        let folder = folder.join(name);
        std::fs::create_dir(&folder).unwrap();
        let plan = WorkerPlan {
            store: kind.url(&folder),
            key_hex: kind.key_hex(),
            homeserver: proxy.url(),
            user: name.to_owned(),
            password: PASSWORD.to_owned(),
            device_name: name.to_owned(),
            poll_ms: 2000,
            timeline_limit: 5,
            page: 15,
            fill_pages_per_minute,
            ..WorkerPlan::default()
        };
        let worker = Worker::start(CLIENT, &plan).await.unwrap();
        assert_eq!(worker.ready().await.unwrap()["resumed"], false);
        Self { name, plain, proxy, plan, worker, rooms: Vec::new(), is_offline: false, kills: 0 }
    }

    pub(crate) fn user(&self) -> &str {
        self.plain.user_id()
    }

    /// Follows the timelines of these rooms from now on.
    pub(crate) async fn watch(&mut self, rooms: &[String]) {
        self.rooms = rooms.to_vec();
        for room in rooms {
            self.must(C::Watch { room: room.clone(), want: WANT }).await;
        }
    }

    pub(crate) async fn call(&self, command: C) -> haos_e2e::Result<Value> {
        self.worker.call(command).await
    }

    pub(crate) async fn must(&self, command: C) -> Value {
        self.call(command).await.unwrap_or_else(|e| panic!("{}: {e}", self.name))
    }

    pub(crate) async fn offline(&mut self, is_offline: bool) {
        self.is_offline = is_offline;
        self.proxy.offline(is_offline).await.unwrap();
    }

    /// Kills the chat, and opens it again.
    pub(crate) async fn kill(&mut self) {
        self.kills += 1;
        self.worker.kill().await.unwrap();
        self.worker = Worker::start(CLIENT, &self.plan).await.unwrap();
        let ready = self.worker.ready().await.unwrap_or_else(|e| panic!("{}: {e}", self.name));
        assert_eq!(ready["resumed"], true, "{} lost its session", self.name);
        self.watch(&self.rooms.clone()).await;
    }

    pub(crate) async fn screen(&self) -> Screen {
        let file = tempfile::NamedTempFile::new().unwrap();
        self.must(C::Screen { path: file.path().to_string_lossy().into_owned() }).await;
        serde_json::from_slice(&std::fs::read(file.path()).unwrap()).unwrap()
    }

    pub(crate) async fn stop(&self) {
        self.worker.call(C::Stop).await.unwrap();
    }
}
