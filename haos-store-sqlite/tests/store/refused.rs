//! Refusals of the operating system: an unwritable store can be read, and every error names its reason.
#![cfg(target_os = "linux")]

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use haos_store_api::*;
use haos_store_sqlite::{SqliteOptions, SqliteStore};
use rustix::process::{Gid, Resource, Rlimit, Uid, geteuid, getrlimit, setrlimit};

use crate::common::*;

/// Runs a future as a user whom modes bind; root is not bound.
fn as_somebody<T: Send>(run: impl Future<Output = T> + Send) -> T {
    std::thread::scope(|scope| {
        let somebody = scope.spawn(|| {
            if geteuid().is_root() {
                rustix::thread::set_thread_groups(&[]).unwrap();
                rustix::thread::set_thread_gid(Gid::from_raw(65534)).unwrap();
                rustix::thread::set_thread_uid(Uid::from_raw(65534)).unwrap();
            }
            tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(run)
        });
        somebody.join().unwrap()
    })
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// Makes a folder with the sample in `s.db`, and the remains of a killed process: the log, and SQLite's shared memory.
fn sample_folder(left: &[&str]) -> (tempfile::TempDir, PathBuf) {
    let (life, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = open(&life.path().join("s.db")).await;
        store.apply(sample()).await.unwrap();
        store.close().await.unwrap();
        let store = open(&life.path().join("s.db")).await;
        let mut batch = WriteBatch::strict();
        batch.put_pending(pending("a", "logged"));
        store.apply(batch).await.unwrap();
        for end in [&[""], left].concat() {
            let name = format!("s.db{end}");
            fs::copy(life.path().join(&name), folder.path().join(&name)).unwrap();
            mode(&folder.path().join(&name), 0o444);
        }
        store.close().await.unwrap();
    });
    let path = folder.path().join("s.db");
    mode(folder.path(), 0o555);
    (folder, path)
}

/// The store can be read, and refuses writes with the right error.
async fn can_be_read(path: &Path, rows: &[&str]) {
    let store = open(path).await;
    assert!(store.info().read_only);
    assert_eq!(store.info().recovery, None);
    for _ in 0..2 {
        assert_eq!(txns(&store).await, rows);
        assert_eq!(store.rooms(RoomQuery::default()).await.unwrap().len(), 2);
        assert_eq!(store.timeline(&room_id("a"), Page::newest(50)).await.unwrap().messages().count(), 11);
        assert_eq!(store.count(&room_id("b"), None).await.unwrap(), 10);
        let media = store.media(&media_key("cat"), ByteRange::ALL).await.unwrap().unwrap();
        assert_eq!(media.bytes, pattern(100_000));
        let report = store.maintain(Maintenance::Check, Progress::none()).await.unwrap();
        assert_eq!(report.findings, Vec::<String>::new());
        drop(store.changes());
        store.suspend().await.unwrap();
        store.resume().await.unwrap();
    }
    let mut batch = WriteBatch::strict();
    batch.put_room(room("new"));
    let refused = [
        store.apply(batch).await.map(drop),
        store.maintain(Maintenance::Compact, Progress::none()).await.map(drop),
        store.maintain(Maintenance::Rotate, Progress::none()).await.map(drop),
        store.change_keys(KeyChange::Shred).await,
    ];
    for error in refused.map(Result::unwrap_err) {
        assert_eq!(error.kind(), ErrorKind::ReadOnly, "{error}");
        assert!(error.to_string().contains("copy it"), "{error}");
    }
    store.close().await.unwrap();
}

#[test]
fn a_folder_that_cannot_be_written() {
    let rows = ["t1", "t2", "t3", "logged"];
    for (left, rows) in [(&[][..], &rows[..3]), (&["-wal"], &rows), (&["-wal", "-shm"], &rows)] {
        let (folder, path) = sample_folder(left);
        let before = files(folder.path());
        as_somebody(can_be_read(&path, rows));
        assert!(before == files(folder.path()), "{left:?}: nothing is changed");
        mode(folder.path(), 0o755);
    }
}

/// Nothing remains beside it that would be in its owner's way.
#[test]
fn a_file_that_cannot_be_written_in_a_folder_that_can() {
    let (folder, path) = sample_folder(&[]);
    mode(folder.path(), 0o777);
    as_somebody(can_be_read(&path, &["t1", "t2", "t3"]));
    assert_eq!(files(folder.path()).len(), 1);
}

/// Commits of a writer are seen.
#[test]
fn a_store_that_somebody_else_has_open() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let writer = runtime.block_on(open(&path));
    runtime.block_on(writer.apply(sample())).unwrap();
    mode(folder.path(), 0o755);
    files(folder.path()).keys().for_each(|file| mode(file, 0o644));
    let (path, writer, runtime) = (&path, &writer, &runtime);
    as_somebody(async move {
        let store = open(path).await;
        assert!(store.info().read_only);
        assert_eq!(txns(&store).await, ["t1", "t2", "t3"]);
        let mut batch = WriteBatch::strict();
        batch.put_pending(pending("a", "later"));
        std::thread::scope(|s| s.spawn(|| runtime.block_on(writer.apply(batch))).join().unwrap()).unwrap();
        assert_eq!(txns(&store).await, ["t1", "t2", "t3", "later"]);
    });
}

#[test]
fn each_refusal_says_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    mode(folder.path(), 0o755);
    fs::write(at("secret.db"), "x").unwrap();
    mode(&at("secret.db"), 0o000);
    fs::create_dir(at("closed")).unwrap();
    fs::write(at("closed/s.db"), "x").unwrap();
    mode(&at("closed"), 0o000);
    fs::create_dir(at("fixed")).unwrap();
    mode(&at("fixed"), 0o555);
    let cases = [
        (at("secret.db"), ErrorKind::Io, "permission"),
        (at("closed/s.db"), ErrorKind::Io, "permission"),
        (at("fixed/new.db"), ErrorKind::Io, "permission"),
        (at("secret.db/s.db"), ErrorKind::Io, "no folder"),
        (at(&"x".repeat(300)), ErrorKind::Io, "too long"),
        (at("fixed"), ErrorKind::Invalid, "is a folder"),
        (at("missing/s.db"), ErrorKind::Io, "does not exist"),
    ];
    for (path, kind, said) in cases {
        let error = as_somebody(SqliteStore::open(SqliteOptions::new(&path))).expect_err(said);
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(said), "{said}: {error}");
    }
}

/// Tells the test binary that it runs as a child, and its file.
const CHILD: &str = "HAOS_OPEN_WITHOUT_FILES";

#[tokio::test]
async fn child() {
    let Ok(path) = std::env::var(CHILD) else { return };
    let store = open(Path::new(&path)).await;
    store.apply(sample()).await.unwrap();
    store.close().await.unwrap();
    let store = open(Path::new(&path)).await;
    let limit = Rlimit { current: Some(64), ..getrlimit(Resource::Nofile) };
    setrlimit(Resource::Nofile, limit).unwrap();
    let mut taken: Vec<File> = std::iter::from_fn(|| File::open("/dev/null").ok()).collect();
    let says = |error: Error| {
        assert_eq!(error.kind(), ErrorKind::Io, "{error}");
        assert!(error.to_string().contains("open files"), "{error}");
    };
    let batch = || {
        let mut batch = WriteBatch::strict();
        batch.put_room(room("new"));
        batch
    };
    says(store.apply(batch()).await.expect_err("the writer has no file"));
    // Opened without any file handles, and with too few to continue.
    let other = || SqliteStore::open(SqliteOptions::new(format!("{path}.other")));
    let mut refused = 0;
    while let Err(error) = other().await {
        says(error);
        refused += 1;
        drop(taken.pop());
    }
    assert!((1..20).contains(&refused), "{refused}");
    drop(taken);
    store.apply(batch()).await.expect("it goes on as soon as it can");
    println!("\nall was told");
}

#[test]
fn too_many_open_files() {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "refused::child", "--nocapture"])
        .env(CHILD, folder.path().join("s.db"))
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && told.contains("all was told"),
        "{told}{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
