//! The Rust side: each measurement in a process of its own.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use haos_benches::account::{Server, count, run, session};
use haos_contest::memory;
use haos_matrix::{Client, ClientOptions};
use haos_queue::{ConnectionState, Lead, TokioHost};
use haos_store_api::{Page, RoomQuery, StorageAdapter};
use haos_store_sqlite::{SqliteOptions, SqliteStore};
use tokio::runtime::{Builder, Runtime};

use crate::child::{Started, Synced};

/// How long a sync may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// An initial sync into the store at `path`, in a process of its own.
pub(crate) fn sync(server: &Server, path: &Path) -> Synced {
    run(program().args(["--child", "sync", &server.url()]).arg(path))
}

/// A start from it, in a process of its own.
pub(crate) fn start(server: &Server, path: &Path) -> Started {
    run(program().args(["--child", "start", &server.url()]).arg(path))
}

fn program() -> Command {
    Command::new(std::env::current_exe().unwrap())
}

/// The work of such a process.
pub(crate) fn child(what: &str, server: &str, path: &Path) {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let said = match what {
        "sync" => serde_json::to_string(&synced(&runtime, server, path)),
        _ => serde_json::to_string(&started(&runtime, path)),
    };
    println!("{}", said.unwrap());
}

fn synced(runtime: &Runtime, server: &str, path: &Path) -> Synced {
    let before_bytes = memory("VmRSS");
    let clock = Instant::now();
    let store = runtime.block_on(engine(server, path));
    let seconds = clock.elapsed().as_secs_f64();
    let peak_bytes = memory("VmHWM");
    let stored = runtime.block_on(count(&*store));
    runtime.block_on(store.close()).unwrap();
    Synced { seconds, usable_seconds: seconds, events: stored, stored, peak_bytes, before_bytes }
}

/// The initial sync, as a frontend has it: a client over the store, until all is caught up.
async fn engine(server: &str, path: &Path) -> Arc<dyn StorageAdapter> {
    let store: Arc<dyn StorageAdapter> = Arc::new(SqliteStore::open(SqliteOptions::new(path)).await.unwrap());
    session(server).save(&*store).await.unwrap();
    let options = ClientOptions::default();
    let client = Client::resume(store.clone(), Arc::new(TokioHost), &options).await.unwrap().unwrap();
    let mut connection = client.connection();
    tokio::select! {
        ended = client.run(Lead::Alone) => panic!("the client ended: {ended:?}"),
        live = connection.wait_for(|state| *state == ConnectionState::Live) => drop(live.unwrap()),
        () = tokio::time::sleep(PATIENCE) => panic!("not caught up after {PATIENCE:?}"),
    }
    store
}

fn started(runtime: &Runtime, path: &Path) -> Started {
    let before_bytes = memory("VmRSS");
    let clock = Instant::now();
    let (store, rooms, messages) = runtime.block_on(async {
        let store = SqliteStore::open(SqliteOptions::new(path)).await.unwrap();
        let rooms = store.rooms(RoomQuery::latest(20)).await.unwrap();
        let slice = store.timeline(&rooms[0].id, Page::newest(50)).await.unwrap();
        let messages = slice.messages().count() as u64;
        (store, rooms, messages)
    });
    let seconds = clock.elapsed().as_secs_f64();
    let peak_bytes = memory("VmHWM");
    runtime.block_on(store.close()).unwrap();
    let (room, rooms) = (rooms[0].id.to_string(), rooms.len() as u64);
    Started { seconds, rooms, room, messages, peak_bytes, before_bytes }
}
