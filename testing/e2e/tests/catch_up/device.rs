use std::fs;
use std::path::Path;

use haos_e2e::worker::Dump;
use haos_e2e::{StoreKind, Worker, WorkerPlan};
use tempfile::TempDir;

use crate::scene::{LIMIT, PASSWORD, Scene};

pub(crate) const CLIENT: &str = env!("CARGO_BIN_EXE_haos-e2e-client");

/// A device that had everything when it went offline.
pub(crate) struct Offline {
    pub(crate) kind: StoreKind,
    /// Its sync token.
    pub(crate) token: String,
    folder: TempDir,
}

/// A device that comes back: a store of its own.
pub(crate) struct Back {
    pub(crate) kind: StoreKind,
    pub(crate) folder: TempDir,
}

impl Offline {
    pub(crate) async fn make(kind: StoreKind, scene: &Scene) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let worker = Worker::start(CLIENT, &plan(kind, folder.path(), scene)).await.unwrap();
        worker.ready().await.unwrap();
        worker.settle().await.unwrap();
        worker.fill().await.unwrap();
        let dump = worker.dump().await.unwrap();
        worker.stop().await.unwrap();
        for (room, events) in &scene.truth {
            assert_eq!(
                (dump.ids(room).collect::<Vec<_>>(), dump.gaps(room)),
                (events.iter().map(|id| &**id).collect(), 0)
            );
        }
        Self { kind, token: dump.token.unwrap(), folder }
    }

    pub(crate) fn come_back(&self) -> Back {
        let folder = tempfile::tempdir().unwrap();
        copy(self.folder.path(), folder.path());
        Back { kind: self.kind, folder }
    }
}

impl Back {
    /// Opens its store; close it again.
    pub(crate) async fn open(&self) -> std::sync::Arc<dyn haos_store_api::StorageAdapter> {
        let url = self.kind.url(self.folder.path());
        haos_store::open_with(&url, &self.kind.open_options()).await.unwrap().store
    }

    /// The content of its store.
    pub(crate) async fn dump(&self) -> Dump {
        let store = self.open().await;
        let dump = Dump::of(&*store).await.unwrap();
        store.close().await.unwrap();
        dump
    }
}

/// How a client on the store in `folder` behaves.
pub(crate) fn plan(kind: StoreKind, folder: &Path, scene: &Scene) -> WorkerPlan {
    WorkerPlan {
        store: kind.url(folder),
        key_hex: kind.key_hex(),
        homeserver: scene.synapse.url(),
        user: "ada".to_owned(),
        password: PASSWORD.to_owned(),
        device_name: kind.name().to_owned(),
        request_ms: 20_000,
        poll_ms: 1000,
        timeline_limit: LIMIT,
        page: 25,
        fill_pages_per_minute: 60_000,
        ..WorkerPlan::default()
    }
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir(&target).unwrap();
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
