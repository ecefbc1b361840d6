//! What lies beside a store: one real path, rights that stay, nothing left over, copies that were set aside.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use haos_store_api::files::{Sign, StoreId, random_name};
use haos_store_api::*;
use haos_store_sqlite::{SqliteOptions, SqliteStore};
use rusqlite::Connection;

use crate::common::*;

/// Tells the test binary that it runs as a child, and on which file.
const CHILD: &str = "HAOS_UNSEAL_IN";

fn key() -> Secret {
    Secret::key([5; 32])
}

fn sealed(path: &Path) -> SqliteOptions {
    SqliteOptions::new(path).secret(key())
}

/// A closed store with the sample.
async fn make(options: SqliteOptions) {
    let store = SqliteStore::open(options).await.unwrap();
    store.apply(sample()).await.unwrap();
    store.close().await.unwrap();
}

fn damage(path: &Path) {
    let mut bytes = std::fs::read(path).unwrap();
    bytes[..60].fill(0xAA);
    std::fs::write(path, bytes).unwrap();
}

/// The names in a folder.
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Whether any file below a folder has these bytes.
fn holds(folder: &Path, bytes: &[u8]) -> bool {
    std::fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return holds(&path, bytes);
        }
        std::fs::read(path).unwrap().windows(bytes.len()).any(|part| part == bytes)
    })
}

const PLAIN: &[u8] = b"text of a0";

fn id_of(path: &Path) -> StoreId {
    let conn = Connection::open(path).unwrap();
    let sql = "SELECT value FROM meta WHERE name = 'id'";
    StoreId(conn.query_row(sql, (), |row| row.get(0)).unwrap())
}

#[cfg(unix)]
mod real_path {
    use std::os::unix::fs::symlink;

    use super::*;

    /// A store and a link to it, in folders of their own.
    fn linked(folder: &Path) -> (PathBuf, PathBuf) {
        let (real, link) = (folder.join("real/s.db"), folder.join("links/l.db"));
        std::fs::create_dir(folder.join("real")).unwrap();
        std::fs::create_dir(folder.join("links")).unwrap();
        symlink(&real, &link).unwrap();
        (real, link)
    }

    #[tokio::test]
    async fn a_conversion_through_a_link_converts_the_store_it_leads_to() {
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = linked(folder.path());
        make(SqliteOptions::new(&real)).await;
        SqliteStore::seal(sealed(&link), Progress::none()).await.unwrap();
        assert!(link.is_symlink() && !real.is_symlink());
        assert!(!holds(folder.path(), PLAIN), "no plain row is left anywhere");
        for path in [&real, &link] {
            let error = SqliteStore::open(SqliteOptions::new(path)).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Sealed);
        }
        SqliteStore::unseal(sealed(&link), Progress::none()).await.unwrap();
        assert_eq!(txns(&open(&real).await).await.len(), 3);
        assert_eq!(names(&folder.path().join("links")), ["l.db"]);
    }

    #[tokio::test]
    async fn a_damaged_store_is_replaced_once_whoever_comes_by_link_or_path() {
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = linked(folder.path());
        make(SqliteOptions::new(&real)).await;
        damage(&real);
        let (one, two) = tokio::join!(open(&real), open(&link));
        let told = [&one, &two].into_iter().filter(|store| store.info().recovery.is_some()).count();
        assert_eq!(told, 1);
        let mut batch = WriteBatch::strict();
        batch.put_pending(pending("a", "later"));
        one.apply(batch).await.unwrap();
        assert_eq!(txns(&two).await, ["t1", "t2", "t3", "later"], "both have the same store");
        assert_eq!(one.info().location, two.info().location);
        one.close().await.unwrap();
        two.close().await.unwrap();
        assert!(link.is_symlink());
        assert_eq!(names(&folder.path().join("links")), ["l.db"]);
        assert_eq!(names(&folder.path().join("real")), ["s.db", "s.db.damaged-1"]);
    }

    #[tokio::test]
    async fn a_link_that_leads_nowhere_makes_no_store_there() {
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = linked(folder.path());
        let error = SqliteStore::open(SqliteOptions::new(&link)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.to_string().contains("leads nowhere"), "{error}");
        assert!(!real.exists());
    }
}

#[cfg(unix)]
mod rights {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn mode(path: &Path) -> u32 {
        path.symlink_metadata().unwrap().permissions().mode() & 0o777
    }

    /// Every file is the owner's alone, every folder too.
    fn are_private(folder: &Path) {
        for name in names(folder) {
            let path = folder.join(&name);
            assert_eq!(mode(&path), if path.is_dir() { 0o700 } else { 0o600 }, "{name}");
            if path.is_dir() {
                are_private(&path);
            }
        }
    }

    #[tokio::test]
    async fn what_is_made_is_private_from_its_first_byte_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.db");
        let store = open(&path).await;
        store.apply(sample()).await.unwrap();
        assert_eq!(names(folder.path()), ["s.db", "s.db-shm", "s.db-wal"]);
        are_private(folder.path());
        store.close().await.unwrap();
        let at = folder.path().to_owned();
        SqliteStore::seal(sealed(&path), Progress::to(move |_, _| are_private(&at))).await.unwrap();
        SqliteStore::unseal(sealed(&path), Progress::none()).await.unwrap();
        damage(&path);
        open(&path).await.close().await.unwrap();
        are_private(folder.path());
    }

    #[tokio::test]
    async fn a_store_that_is_replaced_keeps_its_rights() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.db");
        make(SqliteOptions::new(&path)).await;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        SqliteStore::seal(sealed(&path), Progress::none()).await.unwrap();
        assert_eq!(mode(&path), 0o640);
        SqliteStore::unseal(sealed(&path), Progress::none()).await.unwrap();
        assert_eq!(mode(&path), 0o640);
        damage(&path);
        let store = open(&path).await;
        assert_eq!(mode(&path), 0o640);
        let aside = PathBuf::from(store.info().recovery.unwrap().set_aside.unwrap());
        assert_eq!((mode(&aside), mode(aside.parent().unwrap())), (0o640, 0o700));
    }
}

/// The last of its rows cannot be read: everything before it has been written in plain by then.
#[tokio::test]
async fn a_failed_conversion_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    for to_plain in [true, false] {
        make(if to_plain { sealed(&path) } else { SqliteOptions::new(&path) }).await;
        let conn = Connection::open(&path).unwrap();
        conn.execute("UPDATE state SET payload = x'00' WHERE nr = (SELECT max(nr) FROM state)", ()).unwrap();
        drop(conn);
        let (steps, at) = (Arc::new(AtomicU64::new(0)), folder.path().to_owned());
        let (seen, plain_rows) = (steps.clone(), Arc::new(AtomicU64::new(0)));
        let found = plain_rows.clone();
        let progress = Progress::to(move |_, _| {
            seen.fetch_add(1, Ordering::Relaxed);
            found.fetch_add(u64::from(holds(&at, PLAIN)), Ordering::Relaxed);
        });
        let error = if to_plain {
            SqliteStore::unseal(sealed(&path), progress).await.unwrap_err()
        } else {
            SqliteStore::seal(sealed(&path), progress).await.unwrap_err()
        };
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
        assert!(steps.load(Ordering::Relaxed) > 3, "it was under way");
        if to_plain {
            assert!(plain_rows.load(Ordering::Relaxed) > 0, "what is looked for can be found");
            assert!(!holds(folder.path(), PLAIN));
        }
        assert_eq!(names(folder.path()), ["s.db"]);
        std::fs::remove_file(&path).unwrap();
    }
}

#[tokio::test]
async fn an_unsealing_that_nobody_waits_for_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    make(sealed(&path)).await;
    let begun = Arc::new(tokio::sync::Notify::new());
    let (told, (goes_on, waits)) = (begun.clone(), std::sync::mpsc::channel::<()>());
    let waits = std::sync::Mutex::new(waits);
    let unseal = SqliteStore::unseal(
        sealed(&path),
        Progress::to(move |_, _| {
            told.notify_one();
            // Until the other end is gone.
            let _ = waits.lock().unwrap().recv();
        }),
    );
    tokio::select! { _ = unseal => panic!("it waits for us"), () = begun.notified() => {} }
    assert!(names(folder.path()).len() > 1, "it was under way");
    drop(goes_on);
    // It lets go of the store when it has cleared away.
    let store = SqliteStore::open(sealed(&path)).await.unwrap();
    assert_eq!(txns(&store).await.len(), 3);
    store.close().await.unwrap();
    assert_eq!(names(folder.path()), ["s.db"]);
}

/// Unseals, and waits for its end when all rows are written.
#[tokio::test]
async fn child() {
    let Ok(path) = std::env::var(CHILD) else { return };
    let progress = Progress::to(|done, total| {
        if done == total {
            println!("written");
            loop {
                std::thread::park();
            }
        }
    });
    SqliteStore::unseal(sealed(Path::new(&path)), progress).await.unwrap();
}

#[tokio::test]
async fn what_a_killed_unsealing_wrote_goes_with_the_next_one_who_opens_the_store() {
    use std::io::{BufRead as _, BufReader};
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    make(sealed(&path)).await;
    for unseals in [false, true] {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "beside::child", "--nocapture"])
            .env(CHILD, &path)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().contains("written")));
        // While it lives, nobody clears away what it works on.
        assert!(holds(folder.path(), PLAIN), "what is looked for can be found");
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(holds(folder.path(), PLAIN));
        if unseals {
            SqliteStore::unseal(sealed(&path), Progress::none()).await.unwrap();
            let store = open(&path).await;
            assert_eq!(txns(&store).await.len(), 3);
            store.close().await.unwrap();
        } else {
            SqliteStore::open(sealed(&path)).await.unwrap().close().await.unwrap();
            assert!(!holds(folder.path(), PLAIN));
        }
        assert_eq!(names(folder.path()), ["s.db"]);
    }
}

/// Folders with the right kind of name, and even our sign, are not the store's without its id.
#[tokio::test]
async fn what_is_not_known_to_be_ours_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    make(SqliteOptions::new(&path)).await;
    let (id, other) = (id_of(&path), StoreId::random().unwrap());
    let mut kept = Vec::new();
    for (what, whose) in
        [("scratch", Some(other)), ("being sealed", Some(other)), ("set aside", Some(other)), ("", None)]
    {
        let name = format!("s.db.{}", random_name().unwrap());
        std::fs::create_dir(folder.path().join(&name)).unwrap();
        std::fs::write(folder.path().join(&name).join("letter"), "untouched").unwrap();
        whose.map(|id| Sign::new(what, id).write(&folder.path().join(&name)).unwrap());
        kept.push(name);
    }
    for name in ["s.db.converting", "s.db.converted", "s.db.fresh", "s.db.mended"] {
        std::fs::create_dir(folder.path().join(name)).unwrap();
        std::fs::write(folder.path().join(name).join("letter"), "untouched").unwrap();
        kept.push(name.to_owned());
    }
    let ours = folder.path().join(format!("s.db.{}", random_name().unwrap()));
    std::fs::create_dir(&ours).unwrap();
    Sign::new("scratch", id).write(&ours).unwrap();

    SqliteStore::seal(sealed(&path), Progress::none()).await.unwrap();
    let store = SqliteStore::open(sealed(&path)).await.unwrap();
    assert_eq!(store.info().set_aside, Vec::<String>::new());
    store.change_keys(KeyChange::Shred).await.unwrap();
    assert!(!ours.exists(), "that one is");
    kept.push("s.db".to_owned());
    kept.sort();
    assert_eq!(names(folder.path()), kept);
    for name in kept.iter().filter(|name| *name != "s.db") {
        assert_eq!(std::fs::read(folder.path().join(name).join("letter")).unwrap(), b"untouched");
    }
}

/// Two copies, one of the plain store and one of the sealed, are told by whatever should have changed them.
#[tokio::test]
async fn copies_that_were_set_aside_are_told_and_go_with_the_keys() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    make(SqliteOptions::new(&path)).await;
    let id = id_of(&path);
    damage(&path);
    let first = folder.path().join("s.db.damaged-1").display().to_string();
    let store = open(&path).await;
    assert_eq!(store.info().set_aside, std::slice::from_ref(&first));
    assert_eq!(store.info().recovery.unwrap().set_aside.unwrap(), format!("{first}/s.db"));
    store.apply(sample()).await.unwrap();
    store.close().await.unwrap();
    assert_eq!(id_of(&path), id, "the fresh store has the id of the old one");

    let report = SqliteStore::seal(sealed(&path), Progress::none()).await.unwrap();
    assert_eq!(report.set_aside, std::slice::from_ref(&first), "it is plain, and that is told");
    assert_eq!(id_of(&path), id, "the sealed store has the id of the plain one");
    let keyring: Vec<u8> = Connection::open(&path)
        .unwrap()
        .query_row("SELECT payload FROM keyring", (), |row| row.get(0))
        .unwrap();
    damage(&path);
    let second = folder.path().join("s.db.damaged-2").display().to_string();
    let store = SqliteStore::open(sealed(&path)).await.unwrap();
    assert_eq!(store.info().set_aside, [first.clone(), second.clone()]);
    store.change_keys(KeyChange::AddKey("other".to_owned(), Secret::key([6; 32]))).await.unwrap();
    assert_eq!(store.info().set_aside, [first, second], "whoever changes the keys can tell");
    assert!(holds(folder.path(), PLAIN) && holds(folder.path(), &keyring), "what is looked for can be found");
    store.change_keys(KeyChange::Shred).await.unwrap();
    assert!(!holds(folder.path(), PLAIN) && !holds(folder.path(), &keyring[5..]));
    assert_eq!(names(folder.path()), ["s.db"]);
}
