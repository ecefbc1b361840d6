//! A backup that is killed, again and again, and resumed.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use haos_archive::{Archive, Backup};
use haos_backends::Store;
use haos_store_api::*;
use haos_store_sqlite::{SqliteOptions, SqliteStore};

use crate::content::Content;
use crate::make::{self, Shape, fill, next, small};

/// Tells the test binary that it is to be killed, and where it works.
const CHILD: &str = "HAOS_ARCHIVE_CHILD";
/// The number of kills: `HAOS_KILLS=50 cargo test … kill` for a long run.
const KILLS: &str = "HAOS_KILLS";
const FEW: u64 = 4;
const HANGS: Duration = Duration::from_secs(120);

async fn open(folder: &Path) -> Store {
    std::sync::Arc::new(SqliteStore::open(SqliteOptions::new(folder.join("s.db"))).await.unwrap())
}

fn archive(folder: &Path) -> PathBuf {
    folder.join("a.haos")
}

#[tokio::test]
async fn child() {
    let Ok(folder) = std::env::var(CHILD) else { return };
    let store = open(Path::new(&folder)).await;
    // Slow enough to be killed on its way.
    Backup::new().level(19).run_to_file(&store, &archive(Path::new(&folder))).await.unwrap();
}

#[tokio::test]
async fn a_backup_that_is_killed_is_resumed() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await;
    let shape = Shape { messages: 3000, state: 500, media: vec![1 << 20; 8], ..small() };
    fill(&store, &shape).await;
    store.close().await.unwrap();
    let kills = std::env::var(KILLS).ok().and_then(|kills| kills.parse().ok()).unwrap_or(FEW);
    let mut seed = 3;
    let path = archive(folder.path());
    let part = folder.path().join("a.haos.part");
    for kill in 0..kills {
        let enough = next(&mut seed) % (6 << 20);
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "kill::child", "--nocapture"])
            .env(CHILD, folder.path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let begun = Instant::now();
        while child.try_wait().unwrap().is_none() {
            let written = std::fs::metadata(&part).map_or(0, |part| part.len());
            if written > enough {
                let _ = child.kill();
            }
            assert!(begun.elapsed() < HANGS, "kill {kill}: it hangs");
            std::thread::sleep(Duration::from_millis(1));
        }
        // It may have been faster.
        if path.exists() {
            Archive::open_files([&path], None).unwrap().check(&Progress::none()).unwrap();
            std::fs::rename(&path, &part).unwrap();
        }
    }
    let store = open(folder.path()).await;
    let mut batch = WriteBatch::relaxed();
    batch.put_message(make::message(make::room(0), 9000, "after"));
    store.apply(batch).await.unwrap();
    Backup::new().run_to_file(&store, &path).await.unwrap();
    let mut archive = Archive::open_files([&path], None).unwrap();
    archive.check(&Progress::none()).unwrap();
    assert_eq!(Content::of_archive(&mut archive).unwrap(), Content::of_store(&store).await);
    let report = store.maintain(Maintenance::Check, Progress::none()).await.unwrap();
    assert!(report.findings.is_empty(), "{report:?}");
    assert_eq!(
        std::fs::read_dir(folder.path())
            .unwrap()
            .filter(|e| { e.as_ref().unwrap().file_name().to_string_lossy().contains("part") })
            .count(),
        0
    );
}
