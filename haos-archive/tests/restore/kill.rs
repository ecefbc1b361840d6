//! A process that is killed while it restores, and one that is killed while it moves an outbox to and fro.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use haos_archive::{MoveOptions, Outbox, RestoreOptions, copy, move_outbox};
use haos_backends::say;
use haos_sim::Chance;
use haos_store_api::*;
use haos_store_sled::{SledOptions, SledStore};
use haos_store_sqlite::{SqliteOptions, SqliteStore};

use crate::dump::Dump;
use crate::fresh::expected;
use crate::sample::{fill, room, row};

/// Tells the test binary that it runs as a child, and what it is to do: a word, a backend, a folder.
const CHILD: &str = "HAOS_ARCHIVE_CHILD";
/// How often each process is killed: `HAOS_KILLS=50 cargo test … kill` for a long run.
const KILLS: &str = "HAOS_KILLS";
/// The unsent messages that are moved.
const ROWS: usize = 150;

async fn open(folder: &Path, backend: &str, name: &str) -> Arc<dyn StorageAdapter> {
    let path = folder.join(name);
    match backend {
        "sled" => Arc::new(SledStore::open(SledOptions::new(path)).await.unwrap()),
        _ => Arc::new(SqliteStore::open(SqliteOptions::new(path)).await.unwrap()),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child() {
    let Ok(plan) = std::env::var(CHILD) else { return };
    let [what, backend, folder] = plan.splitn(3, ' ').collect::<Vec<_>>()[..] else { panic!("{plan}") };
    let folder = Path::new(folder);
    let (from, to) = (open(folder, backend, "from").await, open(folder, backend, "to").await);
    say("ready");
    match what {
        "restore" => {
            copy(&*from, &*to, RestoreOptions::default(), Progress::none()).await.unwrap();
        }
        _ => loop {
            move_outbox(&*from, &*to, MoveOptions::TakeSending).await.unwrap();
            move_outbox(&*to, &*from, MoveOptions::TakeSending).await.unwrap();
        },
    }
    from.close().await.unwrap();
    to.close().await.unwrap();
    say("done");
}

/// Runs a child and kills it a while after it has begun; tells if it came to its end before.
fn killed_after(what: &str, backend: &str, folder: &Path, delay: Duration) -> bool {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "kill::child", "--nocapture"])
        .env(CHILD, format!("{what} {backend} {}", folder.display()))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.any(|line| line == "ready ."), "it did not begin");
    std::thread::sleep(delay);
    child.kill().unwrap();
    child.wait().unwrap();
    lines.any(|line| line == "done .")
}

/// Removes a store with the files beside it.
fn remove(folder: &Path, name: &str) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.file_name().to_string_lossy().starts_with(name) {
            match entry.file_type().unwrap().is_dir() {
                true => std::fs::remove_dir_all(entry.path()).unwrap(),
                false => std::fs::remove_file(entry.path()).unwrap(),
            }
        }
    }
}

fn kills() -> u64 {
    std::env::var(KILLS).map_or(5, |kills| kills.parse().unwrap())
}

async fn restores(backend: &str) {
    let (folder, source) = (tempfile::tempdir().unwrap(), MemoryStore::new());
    fill(&source, 3, 400).await;
    let from = open(folder.path(), backend, "from").await;
    let options = RestoreOptions::default().outbox(Outbox::TakeOver);
    copy(&source, &*from, options, Progress::none()).await.unwrap();
    let whole = expected(&Dump::of(&*from).await, Outbox::HoldBack);
    from.close().await.unwrap();
    let mut chance = Chance::new(3);
    let (mut killed, mut ends) = (0, 0);
    while killed < kills() {
        let delay = Duration::from_millis(chance.below(150));
        match killed_after("restore", backend, folder.path(), delay) {
            false => killed += 1,
            true => ends += 1,
        }
        // Every other kill is followed by one more of the same restore.
        if killed % 2 == 0 {
            let (from, to) =
                (open(folder.path(), backend, "from").await, open(folder.path(), backend, "to").await);
            copy(&*from, &*to, RestoreOptions::default(), Progress::none()).await.unwrap();
            assert_eq!(Dump::of(&*to).await, whole);
            let report = to.maintain(Maintenance::Check, Progress::none()).await.unwrap();
            assert_eq!(report.findings, Vec::<String>::new());
            from.close().await.unwrap();
            to.close().await.unwrap();
            remove(folder.path(), "to");
        }
    }
    println!("{backend}: {killed} kills, {ends} came to their end before");
}

async fn moves(backend: &str) {
    let folder = tempfile::tempdir().unwrap();
    let from = open(folder.path(), backend, "from").await;
    let names: Vec<String> = (0..ROWS).map(|n| format!("row{n:03}")).collect();
    let mut batch = WriteBatch::strict();
    for (n, name) in names.iter().enumerate() {
        batch.put_pending(row(name, &room(n % 3)));
    }
    from.apply(batch).await.unwrap();
    from.close().await.unwrap();
    let mut chance = Chance::new(4);
    let mut apart = 0;
    for _ in 0..kills() {
        let delay = Duration::from_millis(chance.below(120));
        killed_after("move", backend, folder.path(), delay);
        let (from, to) =
            (open(folder.path(), backend, "from").await, open(folder.path(), backend, "to").await);
        let (mine, theirs) = (from.outbox().await.unwrap(), to.outbox().await.unwrap());
        apart += u64::from(!mine.is_empty() && !theirs.is_empty());
        for name in &names {
            let of =
                |rows: &[Pending]| rows.iter().find(|row| row.txn_id.as_str() == name).map(|row| row.state);
            let both = [of(&mine), of(&theirs)];
            let live = both.iter().filter(|state| **state == Some(PendingState::Queued)).count();
            assert!(live <= 1, "{name} is sent by both");
            assert_ne!(both, [None, None], "{name} is lost");
        }
        from.close().await.unwrap();
        to.close().await.unwrap();
    }
    let (from, to) = (open(folder.path(), backend, "from").await, open(folder.path(), backend, "to").await);
    move_outbox(&*from, &*to, MoveOptions::TakeSending).await.unwrap();
    assert_eq!(from.outbox().await.unwrap(), []);
    let rows = to.outbox().await.unwrap();
    assert_eq!(rows.iter().map(|row| row.txn_id.as_str()).collect::<Vec<_>>(), names, "in their order");
    assert!(rows.iter().all(|row| row.state == PendingState::Queued));
    println!("{backend}: {} kills, {apart} in the midst of a move", kills());
    from.close().await.unwrap();
    to.close().await.unwrap();
}

#[tokio::test]
async fn a_restore_that_is_killed_is_gone_on_with() {
    for backend in ["sqlite", "sled"] {
        restores(backend).await;
    }
}

#[tokio::test]
async fn a_move_that_is_killed_leaves_each_row_to_one_store() {
    for backend in ["sqlite", "sled"] {
        moves(backend).await;
    }
}
