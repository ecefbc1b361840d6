//! Several processes and a sealed store that does not exist yet.

use std::process::{Child, Command, Stdio};

use haos_store_api::*;
use haos_store_sqlite::{SqliteOptions, SqliteStore};

use crate::common::*;
use crate::vault::*;

/// Tells the test binary that it runs as a child, and its file.
const CHILD: &str = "HAOS_SEAL_IN";
/// The child's name and its passphrase.
const NAME: &str = "HAOS_SEAL_NAME";
const WORDS: &str = "HAOS_SEAL_WORDS";

#[tokio::test]
async fn child() {
    let Ok(path) = std::env::var(CHILD) else { return };
    let (name, secret) = (std::env::var(NAME).unwrap(), words(&std::env::var(WORDS).unwrap()));
    match SqliteStore::open(with(path.as_ref(), secret)).await {
        Ok(store) => {
            let mut batch = WriteBatch::strict();
            batch.put_room(room(&name)).put_pending(pending(&name, &name));
            store.apply(batch).await.unwrap();
            store.close().await.unwrap();
        }
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::WrongKey, "{error:?}");
            std::process::exit(3);
        }
    }
}

fn start(path: &std::path::Path, name: &str, words: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "processes::child", "--nocapture"])
        .envs([(CHILD, path.as_os_str()), (NAME, name.as_ref()), (WORDS, words.as_ref())])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

#[tokio::test]
async fn processes_that_make_a_store_at_once_agree_on_one_keyring() {
    for round in 0..6 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.db");
        let children: Vec<_> = ["p", "q"].map(|name| start(&path, name, "words")).into();
        for child in children {
            let output = child.wait_with_output().unwrap();
            assert!(output.status.success(), "round {round}: {}", String::from_utf8_lossy(&output.stderr));
        }
        let store = open_with(&path, words("words")).await;
        let mut found = txns(&store).await;
        found.sort();
        assert_eq!(found, ["p", "q"], "round {round}");
        assert_eq!(check(&store).await, Vec::<String>::new(), "round {round}");
    }
}

#[tokio::test]
async fn of_processes_with_different_secrets_one_makes_the_store() {
    for round in 0..4 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.db");
        let children = ["p", "q"].map(|name| start(&path, name, name));
        let codes = children.map(|child| {
            let output = child.wait_with_output().unwrap();
            (output.status.code().unwrap(), String::from_utf8_lossy(&output.stderr).into_owned())
        });
        let [(p, _), (q, _)] = codes.clone();
        assert!([(0, 3), (3, 0)].contains(&(p, q)), "round {round}: {codes:?}");
        let winner = if p == 0 { "p" } else { "q" };
        let store = open_with(&path, words(winner)).await;
        assert_eq!(txns(&store).await, [winner], "round {round}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn handles_that_make_a_store_at_once_agree_on_one_keyring() {
    for round in 0..20 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.db");
        let opens: Vec<_> = (0..4)
            .map(|n| {
                let path = path.clone();
                tokio::spawn(async move {
                    let store = unsealed(&path).await;
                    let mut batch = WriteBatch::relaxed();
                    batch.put_room(room(&n.to_string())).put_pending(pending(&n.to_string(), &n.to_string()));
                    store.apply(batch).await.unwrap();
                    store.close().await.unwrap();
                })
            })
            .collect();
        for open in opens {
            open.await.unwrap();
        }
        let store = unsealed(&path).await;
        assert_eq!(txns(&store).await.len(), 4, "round {round}");
        assert_eq!(check(&store).await, Vec::<String>::new(), "round {round}");
    }
}

/// A handle that found an empty plain store must not write plain rows once another has sealed it.
#[tokio::test]
async fn a_handle_that_was_opened_plain_writes_nothing_into_a_store_sealed_since() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    let plain = SqliteStore::open(SqliteOptions::new(&path)).await.unwrap();
    let sealed = unsealed(&path).await;
    let mut batch = WriteBatch::strict();
    batch.put_room(room("a")).put_pending(pending("a", "in the clear"));
    let written = plain.apply(batch).await;
    assert_eq!(written.expect_err("a plain row is in a sealed store").kind(), ErrorKind::Sealed);
    assert_eq!(txns(&sealed).await, Vec::<String>::new());
}
