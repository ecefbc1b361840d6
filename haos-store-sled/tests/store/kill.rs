//! A writer that is killed at any moment: what it was told is stored is stored, and nothing is torn.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use haos_store_api::*;
use haos_store_sled::{SledOptions, SledStore};

use crate::common::*;

/// Tells the test binary that it runs as a child, and on which file.
const CHILD: &str = "HAOS_WRITE_IN";
/// Tells it that the store is sealed, and that its key is to be rotated meanwhile.
const SEALED: &str = "HAOS_ROTATE";
/// How often the writer is killed: `HAOS_KILLS=100 cargo test … kill` for a long run.
const KILLS: &str = "HAOS_KILLS";

/// Batch `n`: every part of it carries the number. A killed process loses no relaxed batch either.
fn batch(n: u64) -> WriteBatch {
    let mut batch = if n.is_multiple_of(2) { WriteBatch::strict() } else { WriteBatch::relaxed() };
    for name in ["a", "b"] {
        batch.put_room(Room { name: Some(n.to_string()), ..room(name) });
        batch.put_message(message(name, &format!("{name}{n}"), n));
    }
    batch.put_state(state(Scope::Account, "haos.sync_token", "", &n.to_string()));
    batch.put_pending(pending("a", &n.to_string()));
    if n > 3 {
        batch.remove_pending(txn(&(n - 3).to_string()));
    }
    batch.put_media(media("last"), n.to_string().into_bytes());
    batch
}

/// The last batch that is stored, from the token.
async fn last(store: &impl StorageAdapter) -> u64 {
    let query = StateQuery::kind(Scope::Account, EventType::new("haos.sync_token").unwrap());
    store.state(query).await.unwrap().first().map_or(0, |entry| entry.value.parse().unwrap())
}

async fn open_as(path: &Path, sealed: bool) -> SledStore {
    let options = SledOptions::new(path);
    let options = if sealed { options.secret(Secret::key([9; 32])) } else { options };
    SledStore::open(options).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child() {
    let Ok(path) = std::env::var(CHILD) else { return };
    let sealed = std::env::var(SEALED).is_ok();
    let store = Arc::new(open_as(Path::new(&path), sealed).await);
    if sealed {
        let store = store.clone();
        tokio::spawn(async move {
            loop {
                store.maintain(Maintenance::Rotate, Progress::none()).await.unwrap();
            }
        });
    }
    for n in last(&*store).await + 1.. {
        store.apply(batch(n)).await.unwrap();
        let mut out = std::io::stdout().lock();
        writeln!(out, "\nstored {n}").unwrap();
        out.flush().unwrap();
    }
}

/// Starts the writer, kills it some time after its first word; returns the last number it told.
fn run_and_kill(path: &Path, delay: Duration, sealed: bool) -> u64 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "kill::child", "--nocapture"])
        .env(CHILD, path)
        .envs(sealed.then_some((SEALED, "1")))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (tell, told) = std::sync::mpsc::channel();
    let out = BufReader::new(child.stdout.take().unwrap());
    let listener = std::thread::spawn(move || {
        let mut last = 0;
        for line in out.lines().map_while(Result::ok) {
            if let Some(n) = line.strip_prefix("stored ") {
                last = n.parse().unwrap();
                let _ = tell.send(());
            }
        }
        last
    });
    told.recv_timeout(Duration::from_secs(60)).expect("the writer says something");
    std::thread::sleep(delay);
    child.kill().unwrap();
    child.wait().unwrap();
    listener.join().unwrap()
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_and_nothing_is_torn() {
    killed_at_any_moment(false).await;
}

#[tokio::test]
async fn nothing_is_lost_or_torn_while_the_key_is_rotated() {
    killed_at_any_moment(true).await;
}

async fn killed_at_any_moment(sealed: bool) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    let kills = std::env::var(KILLS).map_or(8, |n| n.parse().unwrap());
    let mut seed = 7_u64;
    for round in 0..kills {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let told = run_and_kill(&path, Duration::from_micros((seed >> 33) % 80_000), sealed);

        let store = open_as(&path, sealed).await;
        assert_eq!(store.info().recovery, None);
        let n = last(&store).await;
        assert!(n >= told, "round {round}: {told} was acknowledged, {n} is stored");
        assert_eq!(store.info().opened_at, Revision(n));
        for name in ["a", "b"] {
            let room = store.room(&room_id(name)).await.unwrap().unwrap();
            assert_eq!(room.name.unwrap(), n.to_string(), "round {round}");
            assert_eq!(store.count(&room_id(name), None).await.unwrap(), n, "round {round}");
            let newest = store.message(&room_id(name), &event_id(&format!("{name}{n}"))).await.unwrap();
            assert_eq!(newest.unwrap().position, at(n), "round {round}");
        }
        let expected: Vec<String> = (n.saturating_sub(2).max(1)..=n).map(|n| n.to_string()).collect();
        assert_eq!(txns(&store).await, expected, "round {round}");
        let media = store.media(&media_key("last"), ByteRange::ALL).await.unwrap().unwrap();
        assert_eq!(media.bytes, n.to_string().into_bytes(), "round {round}");
        let report = store.maintain(Maintenance::Check, Progress::none()).await.unwrap();
        assert_eq!(report.findings, Vec::<String>::new(), "round {round}");
        store.close().await.unwrap();
    }
}
