//! Two processes and one folder: the second is told to wait.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use haos_store_api::*;
use haos_store_sled::{SledOptions, SledStore};

use crate::common::*;

/// Tells the test binary that it runs as a child, and its folder.
const CHILD: &str = "HAOS_HOLD";

/// Holds the store until its standard input ends.
#[tokio::test]
async fn child() {
    let Ok(path) = std::env::var(CHILD) else { return };
    let store = SledStore::open(SledOptions::new(path)).await.unwrap();
    store.apply(sample()).await.unwrap();
    println!("\nholding");
    std::io::stdout().flush().unwrap();
    let _ = std::io::stdin().lock().lines().count();
    store.close().await.unwrap();
}

#[tokio::test]
async fn a_second_process_is_told_and_waits_its_turn() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "processes::child", "--nocapture"])
        .env(CHILD, &path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.any(|line| line == "holding"));

    let before = files(&path);
    let error = SledStore::open(SledOptions::new(&path).busy_ms(20)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Busy, "{error:?}");
    assert!(error.is_retryable() && error.to_string().contains("close the other one"), "{error}");
    assert!(files(&path) == before, "whoever is refused changes nothing");

    // A process that asks early enough gets it once it is free.
    let own = path.clone();
    let waits =
        tokio::spawn(async move { SledStore::open(SledOptions::new(own).busy_ms(60_000)).await.unwrap() });
    drop(child.stdin.take());
    let store = waits.await.unwrap();
    assert_eq!(txns(&store).await, ["t1", "t2", "t3"]);
    assert!(child.wait().unwrap().success());
}

#[tokio::test]
async fn a_second_handle_of_one_process_is_told_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    let store = open(&path).await;
    let error = SledStore::open(SledOptions::new(&path).busy_ms(0)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Busy, "{error:?}");
    store.apply(sample()).await.unwrap();
    store.close().await.unwrap();
    let store = SledStore::open(SledOptions::new(&path).busy_ms(0)).await.expect("a close frees it at once");
    store.suspend().await.unwrap();
    let other = SledStore::open(SledOptions::new(&path).busy_ms(0)).await.expect("a suspension does so too");
    assert_eq!(store.resume().await.unwrap_err().kind(), ErrorKind::Busy);
    other.close().await.unwrap();
    store.resume().await.unwrap();
    assert_eq!(txns(&store).await.len(), 3);
}
