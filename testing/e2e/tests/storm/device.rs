use std::path::Path;
use std::sync::{Arc, Mutex};

use haos_e2e::{StoreKind, Worker, WorkerPlan};
use tokio::sync::watch;

use crate::scene::PASSWORD;

pub(crate) const CLIENT: &str = env!("CARGO_BIN_EXE_haos-e2e-client");

/// A device whose client is killed and started again.
pub(crate) struct Device {
    pub(crate) name: String,
    pub(crate) user: String,
    /// As the server knows it.
    pub(crate) id: String,
    plan: WorkerPlan,
    worker: watch::Sender<Arc<Worker>>,
    /// The lines written in each room, by the room's number, in order.
    pub(crate) books: Vec<Mutex<Vec<Line>>>,
}

/// A message that was given to a client.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) body: String,
    /// The client said that it is durable, under this transaction id.
    pub(crate) taken: Option<String>,
}

impl Device {
    pub(crate) async fn start(
        user: &str,
        number: usize,
        kind: StoreKind,
        (homeserver, folder): (&str, &Path),
        rooms: usize,
    ) -> Self {
        let name = format!("{user}-{number}-{}", kind.name());
        let folder = folder.join(&name);
        std::fs::create_dir(&folder).unwrap();
        let plan = WorkerPlan {
            store: kind.url(&folder),
            key_hex: kind.key_hex(),
            homeserver: homeserver.to_owned(),
            user: user.to_owned(),
            password: PASSWORD.to_owned(),
            device_name: name.clone(),
            request_ms: 1500,
            poll_ms: 2000,
            // Some leave much out, so that there are gaps.
            timeline_limit: [20, 5, 2][number % 3],
            page: 15,
            // One fills nothing by itself.
            fill_pages_per_minute: [600, 0, 60][number % 3],
            ..WorkerPlan::default()
        };
        let worker = Worker::start(CLIENT, &plan).await.unwrap();
        let ready = worker.ready().await.unwrap();
        let id = ready["device"].as_str().unwrap().to_owned();
        let worker = watch::Sender::new(Arc::new(worker));
        let books = (0..rooms).map(|_| Mutex::default()).collect();
        Self { name, user: user.to_owned(), id, plan, worker, books }
    }

    pub(crate) fn worker(&self) -> Arc<Worker> {
        self.worker.borrow().clone()
    }

    /// Waits for the client that comes after `dead`.
    pub(crate) async fn another(&self, dead: &Arc<Worker>) {
        self.worker.subscribe().wait_for(|worker| !Arc::ptr_eq(worker, dead)).await.unwrap();
    }

    /// Kills the client and starts it again.
    pub(crate) async fn kill(&self) {
        self.worker().kill().await.unwrap();
        let next = Worker::start(CLIENT, &self.plan).await.unwrap();
        let ready = next.ready().await.unwrap_or_else(|e| panic!("{}: {e}", self.name));
        assert_eq!(ready["resumed"], true, "{} lost its session", self.name);
        self.worker.send_replace(Arc::new(next));
    }

    /// How many messages are taken.
    pub(crate) fn taken(&self) -> usize {
        let taken =
            |book: &Mutex<Vec<Line>>| book.lock().unwrap().iter().filter(|line| line.taken.is_some()).count();
        self.books.iter().map(taken).sum()
    }
}
