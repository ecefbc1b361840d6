//! A copy of a store restored beside a log that was not written on top of it.

use std::path::{Path, PathBuf};

use haos_store_api::*;
use haos_store_sqlite::{OnDamage, SqliteOptions, SqliteStore};

use crate::common::*;

/// A store through its life; `folder` has each former file.
struct Life {
    folder: tempfile::TempDir,
    path: PathBuf,
    commits: u64,
}

impl Life {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.db");
        let store = open(&path).await;
        store.apply(sample()).await.unwrap();
        store.close().await.unwrap();
        Self { folder, path, commits: 0 }
    }

    /// Adds fifty messages, an outbox row and a room; then closes, or leaves the file and the log of a kill.
    async fn goes_on(&mut self, then: Option<&str>) {
        let store = open(&self.path).await;
        let n = self.commits;
        self.commits += 1;
        let mut batch = WriteBatch::strict();
        batch.put_room(room(&format!("r{n}"))).put_pending(pending("a", &format!("later{n}")));
        for m in 0..50 {
            batch.put_message(message("b", &format!("m{n}-{m}"), 1000 + n * 100 + m));
        }
        store.apply(batch).await.unwrap();
        if let Some(name) = then {
            self.keep("", name);
            self.keep("-wal", name);
        }
        store.close().await.unwrap();
    }

    /// Copies the file with this end under a name.
    fn keep(&self, end: &str, name: &str) {
        let from = format!("{}{end}", self.path.display());
        std::fs::copy(from, self.folder.path().join(format!("{name}{end}"))).unwrap();
    }

    /// Makes a folder with the file of one name and the log of another.
    fn together(&self, file: &str, log: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.db");
        std::fs::copy(self.folder.path().join(file), &path).unwrap();
        std::fs::copy(self.folder.path().join(format!("{log}-wal")), folder.path().join("s.db-wal")).unwrap();
        (folder, path)
    }
}

async fn is_sound(store: &SqliteStore) {
    let report = store.maintain(Maintenance::Check, Progress::none()).await.unwrap();
    assert_eq!(report.findings, Vec::<String>::new());
}

/// The log is set aside, and the store has the restored content.
async fn restored(path: &Path, rows: &[&str]) {
    let before = files(path.parent().unwrap());
    let refused = SqliteStore::open(SqliteOptions::new(path).on_damage(OnDamage::Refuse)).await;
    let error = refused.expect_err("the log does not belong there");
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
    assert!(error.to_string().contains("SetAside"), "{error}");
    assert!(before == files(path.parent().unwrap()), "a refused store is not changed");

    let store = open(path).await;
    let recovery = store.info().recovery.expect("it is told");
    let aside = recovery.set_aside.expect("the log is kept");
    assert!(aside.ends_with("s.db.damaged-1/s.db-wal"), "{aside}");
    assert!(std::fs::read(aside).unwrap() == before[&PathBuf::from(format!("{}-wal", path.display()))]);
    assert_eq!(txns(&store).await, rows);
    is_sound(&store).await;
    store.close().await.unwrap();
    let store = open(path).await;
    assert_eq!(store.info().recovery, None, "it is told once");
    is_sound(&store).await;
}

#[tokio::test]
async fn an_older_copy() {
    let mut life = Life::new().await;
    life.keep("", "copy");
    life.goes_on(None).await;
    life.goes_on(Some("killed")).await;
    let (_folder, path) = life.together("copy", "killed");
    restored(&path, &["t1", "t2", "t3"]).await;
}

#[tokio::test]
async fn a_newer_copy() {
    let mut life = Life::new().await;
    life.goes_on(Some("killed")).await;
    life.goes_on(None).await;
    life.keep("", "copy");
    let (_folder, path) = life.together("copy", "killed");
    restored(&path, &["t1", "t2", "t3", "later0", "later1"]).await;
}

#[tokio::test]
async fn a_copy_that_went_another_way() {
    let mut life = Life::new().await;
    life.keep("", "start");
    life.goes_on(None).await;
    life.goes_on(Some("killed")).await;
    let (folder, path) = life.together("start", "killed");
    std::fs::remove_file(folder.path().join("s.db-wal")).unwrap();
    let mut other = Life { folder, path, commits: 0 };
    // The same batches, and so the same revisions.
    other.goes_on(None).await;
    other.keep("", "copy");
    std::fs::copy(other.folder.path().join("copy"), life.folder.path().join("copy")).unwrap();
    let (_folder, path) = life.together("copy", "killed");
    restored(&path, &["t1", "t2", "t3", "later0"]).await;
}

#[tokio::test]
async fn another_stores_log() {
    let (life, mut other) = (Life::new().await, Life::new().await);
    life.keep("", "copy");
    other.goes_on(Some("killed")).await;
    std::fs::copy(other.folder.path().join("killed-wal"), life.folder.path().join("killed-wal")).unwrap();
    let (_folder, path) = life.together("copy", "killed");
    restored(&path, &["t1", "t2", "t3"]).await;
}

/// Chores commit as well: the next log is not on top of a copy from before one.
#[tokio::test]
async fn a_copy_from_before_a_chore() {
    let mut life = Life::new().await;
    let store = open(&life.path).await;
    let mut batch = WriteBatch::strict();
    batch.remove_media(media_key("cat"));
    store.apply(batch).await.unwrap();
    store.close().await.unwrap();
    life.keep("", "copy");
    let store = open(&life.path).await;
    let report = store.maintain(Maintenance::Compact, Progress::none()).await.unwrap();
    assert!(report.freed_bytes > 0);
    store.close().await.unwrap();
    life.goes_on(Some("killed")).await;
    let (_folder, path) = life.together("copy", "killed");
    restored(&path, &["t1", "t2", "t3"]).await;
}

/// A log that was written on top of the file, with any part of it copied into the file since.
#[tokio::test]
async fn the_stores_own_log_is_used() {
    let mut life = Life::new().await;
    life.keep("", "start");
    life.goes_on(Some("killed")).await;
    let store = open(&life.path).await;
    for n in 0..3 {
        let mut batch = WriteBatch::relaxed();
        batch.put_pending(pending("a", &format!("more{n}")));
        store.apply(batch).await.unwrap();
        if n == 1 {
            let other = rusqlite::Connection::open(&life.path).unwrap();
            let copied = other.query_row("PRAGMA wal_checkpoint(PASSIVE)", (), |row| row.get::<_, i64>(2));
            assert!(copied.unwrap() > 0);
        }
    }
    life.keep("", "copied");
    life.keep("-wal", "copied");
    store.close().await.unwrap();
    let all = ["t1", "t2", "t3", "later0", "more0", "more1", "more2"];
    for (file, log, rows) in
        [("start", "killed", &all[..4]), ("killed", "killed", &all[..4]), ("copied", "copied", &all)]
    {
        let (_folder, path) = life.together(file, log);
        let store = open(&path).await;
        assert_eq!(store.info().recovery, None, "{file}");
        assert_eq!(txns(&store).await, rows, "{file}");
        is_sound(&store).await;
    }
}

/// A caller that cannot open the store changes nothing about it.
#[tokio::test]
async fn a_wrong_key_leaves_the_log() {
    let key = |byte| Secret::key([byte; 32]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    let options = SqliteOptions::new(&path).secret(key(1));
    let copy = folder.path().join("copy");
    for n in 0..3 {
        let store = SqliteStore::open(options.clone()).await.unwrap();
        let mut batch = WriteBatch::strict();
        batch.put_room(room(&format!("r{n}")));
        store.apply(batch).await.unwrap();
        if n == 2 {
            std::fs::copy(folder.path().join("s.db-wal"), folder.path().join("log")).unwrap();
        }
        store.close().await.unwrap();
        if n == 0 {
            std::fs::copy(&path, &copy).unwrap();
        }
    }
    std::fs::rename(folder.path().join("log"), folder.path().join("s.db-wal")).unwrap();
    std::fs::rename(&copy, &path).unwrap();
    let before = files(folder.path());
    for (secret, kind) in [(Some(key(2)), ErrorKind::WrongKey), (None, ErrorKind::Sealed)] {
        let mut options = SqliteOptions::new(&path);
        if let Some(secret) = secret {
            options = options.secret(secret);
        }
        let error = SqliteStore::open(options).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(before == files(folder.path()));
    }
    let store = SqliteStore::open(options).await.unwrap();
    assert!(store.info().recovery.is_some());
    assert_eq!(store.rooms(RoomQuery::default()).await.unwrap().len(), 1);
}

/// Connections that close at once would each take another for the one that is to clear the log away.
#[tokio::test]
async fn the_log_is_gone_after_every_close() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    for nth in 0..200 {
        let store = open(&path).await;
        // Every other time it is only read.
        if nth % 2 == 0 {
            let mut batch = WriteBatch::relaxed();
            batch.put_room(room(&format!("r{nth}")));
            store.apply(batch).await.unwrap();
        }
        // Read by the caller and by the reading thread.
        store.timeline(&room_id("r0"), Page::newest(50)).await.unwrap();
        store.count(&room_id("r0"), None).await.unwrap();
        store.close().await.unwrap();
        assert_eq!(files(folder.path()).len(), 1, "close {nth}");
    }
}

/// SQLite cannot tell whose log it is where the file's header is damaged; the pages tell.
#[tokio::test]
async fn a_damaged_file_is_carried_over_without_a_log_that_is_not_its_own() {
    let mut life = Life::new().await;
    life.keep("", "old");
    life.goes_on(None).await;
    life.goes_on(Some("killed")).await;
    let all = ["t1", "t2", "t3", "later0", "later1"];
    // Where the log is its own, it has the header too.
    for (file, rows) in [("old", &all[..3]), ("killed", &all)] {
        let (folder, path) = life.together(file, "killed");
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[..60].fill(0xAA);
        std::fs::write(&path, bytes).unwrap();
        let before = files(folder.path());
        let store = open(&path).await;
        let recovery = store.info().recovery;
        assert!(recovery.is_some() || file == "killed", "it is told");
        for end in ["", "-wal"].iter().filter(|_| recovery.is_some()) {
            let aside =
                PathBuf::from(recovery.as_ref().and_then(|recovery| recovery.set_aside.clone()).unwrap());
            let name = |path: &Path| PathBuf::from(format!("{}{end}", path.display()));
            assert!(std::fs::read(name(&aside)).unwrap() == before[&name(&path)], "{file}: both are kept");
        }
        assert_eq!(txns(&store).await, rows, "{file}");
        is_sound(&store).await;
    }
}

/// A copy that was made while the log moved into the file: some pages are older than others.
#[tokio::test]
async fn a_hot_copy_without_its_log_is_healed() {
    let mut life = Life::new().await;
    life.keep("", "old");
    for _ in 0..4 {
        life.goes_on(None).await;
    }
    let old = std::fs::read(life.folder.path().join("old")).unwrap();
    let new = std::fs::read(&life.path).unwrap();
    let (mut random, mut healed) = (Random(5), 0);
    for round in 0..40 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.db");
        let mut bytes = new.clone();
        for (now, then) in bytes.chunks_mut(4096).zip(old.chunks(4096)) {
            if random.below(3) == 0 {
                now.copy_from_slice(then);
            }
        }
        std::fs::write(&path, &bytes).unwrap();
        let store = SqliteStore::open(SqliteOptions::new(&path).check(true)).await.unwrap();
        let rows = txns(&store).await;
        assert_eq!(rows[..3], ["t1", "t2", "t3"], "round {round}");
        let slice = store.timeline(&room_id("b"), Page::oldest(usize::MAX)).await.unwrap();
        let ids: std::collections::BTreeSet<_> = slice.messages().map(|message| &message.id).collect();
        assert_eq!(ids.len(), slice.messages().count(), "round {round}: a message stands twice");
        if store.info().recovery.is_some() {
            healed += 1;
            is_sound(&store).await;
        }
        store.close().await.unwrap();
    }
    assert!(healed > 20, "{healed}");
}
