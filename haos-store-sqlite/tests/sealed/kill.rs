//! A rotation that is killed at any moment: every record is readable, and in the end it completes.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use haos_store_api::*;

use crate::common::*;
use crate::rotate::{fill, read_all};
use crate::vault::*;

/// Tells the test binary that it runs as a child, and on which file.
const CHILD: &str = "HAOS_ROTATE_IN";
/// How often the rotation is killed: `HAOS_KILLS=20 cargo test … kill` for a long run.
const KILLS: &str = "HAOS_KILLS";

fn note(n: u64) -> WriteBatch {
    let mut batch = WriteBatch::strict();
    batch.put_pending(pending("a", &format!("n{n}"))).put_message(message("b", &format!("n{n}"), 10_000 + n));
    batch
}

/// How many notes are stored, without a hole.
async fn notes(store: &impl StorageAdapter) -> u64 {
    let rows = store.pending(PendingQuery::default()).await.unwrap();
    let count = rows.iter().filter(|row| row.txn_id.as_str().starts_with('n')).count() as u64;
    for n in 0..count {
        let event = event_id(&format!("n{n}"));
        assert!(store.message(&room_id("b"), &event).await.unwrap().is_some(), "{event:?}");
    }
    count
}

/// Rotates over and over, and writes meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child() {
    let Ok(path) = std::env::var(CHILD) else { return };
    let store = std::sync::Arc::new(unsealed(Path::new(&path)).await);
    let rotating = store.clone();
    let rotation = tokio::spawn(async move {
        loop {
            rotating.maintain(Maintenance::Rotate, Progress::none()).await.unwrap();
        }
    });
    for n in notes(&*store).await.. {
        store.apply(note(n)).await.unwrap();
        assert!(!rotation.is_finished());
        let mut out = std::io::stdout().lock();
        writeln!(out, "\nstored {n}").unwrap();
        out.flush().unwrap();
    }
}

/// Starts the child, kills it some time after its first word; returns how many notes it told of.
fn run_and_kill(path: &Path, delay: Duration) -> u64 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "kill::child", "--nocapture"])
        .env(CHILD, path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (tell, told) = std::sync::mpsc::channel();
    let out = BufReader::new(child.stdout.take().unwrap());
    let listener = std::thread::spawn(move || {
        let mut count = 0;
        for line in out.lines().map_while(Result::ok) {
            if let Some(n) = line.strip_prefix("stored ") {
                count = n.parse::<u64>().unwrap() + 1;
                let _ = tell.send(());
            }
        }
        count
    });
    told.recv_timeout(Duration::from_secs(60)).expect("the child says something");
    std::thread::sleep(delay);
    child.kill().unwrap();
    child.wait().unwrap();
    listener.join().unwrap()
}

#[tokio::test]
async fn a_killed_rotation_loses_nothing_and_completes_in_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    let store = unsealed(&path).await;
    fill(&store).await;
    store.close().await.unwrap();
    let kills = std::env::var(KILLS).map_or(8, |n| n.parse().unwrap());
    let (mut seed, mut cut_off) = (11_u64, 0);
    for round in 0..kills {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let told = run_and_kill(&path, Duration::from_micros((seed >> 33) % 150_000));
        let store = unsealed(&path).await;
        assert_eq!(store.info().recovery, None);
        read_all(&store).await;
        let stored = notes(&store).await;
        assert!(stored >= told, "round {round}: {told} were acknowledged, {stored} are stored");
        assert_eq!(check(&store).await, Vec::<String>::new(), "round {round}");
        store.close().await.unwrap();
        assert!(key_ids(&path).len() <= 2, "round {round}: {:?}", key_ids(&path));
        cut_off += u32::from(Keyring::unlock(&keyring_record(&path), &key()).unwrap().is_rotating());
    }
    assert!(cut_off > 0 || kills < 20, "no kill met a rotation");

    // Once to complete what was cut off, once for a key that is new.
    let store = unsealed(&path).await;
    store.maintain(Maintenance::Rotate, Progress::none()).await.unwrap();
    let old = key_ids(&path);
    assert_eq!(old.len(), 1, "{old:?}");
    store.maintain(Maintenance::Rotate, Progress::none()).await.unwrap();
    read_all(&store).await;
    store.close().await.unwrap();
    let new = key_ids(&path);
    assert_eq!(new.len(), 1, "{new:?}");
    assert!(new.is_disjoint(&old), "{old:?} and {new:?}");
    assert!(!Keyring::unlock(&keyring_record(&path), &key()).unwrap().is_rotating());
}
