//! What lies beside a store and what is made in it: one real path, rights that stay, nothing left over, copies that
//! were set aside.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use haos_store_api::files::{Sign, StoreId};
use haos_store_api::*;
use haos_store_sled::{SledOptions, SledStore};

use crate::common::*;

/// Tells the test binary that it runs as a child, and on which folder.
const CHILD: &str = "HAOS_UNSEAL_IN";
const PLAIN: &[u8] = b"text of a0";

fn key() -> Secret {
    Secret::key([5; 32])
}

fn sealed(path: &Path) -> SledOptions {
    SledOptions::new(path).secret(key())
}

/// A closed store with the sample.
async fn make(options: SledOptions) {
    let store = SledStore::open(options).await.unwrap();
    store.apply(sample_with(1000)).await.unwrap();
    store.close().await.unwrap();
}

/// A row of this kind is not what was written.
fn spoil(path: &Path, key: &[u8]) {
    let db = sled::open(path.join("sled")).unwrap();
    let tree = db.open_tree("haos").unwrap();
    let (key, row) = tree.scan_prefix(key).next().unwrap().unwrap();
    let mut row = row.to_vec();
    *row.last_mut().unwrap() ^= 1;
    tree.insert(key, row).unwrap();
    tree.flush().unwrap();
}

/// Damage that sets a store aside: a row of the outbox.
fn damage(path: &Path) {
    spoil(path, &[9]);
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
    files(folder).values().any(|file| file.windows(bytes.len()).any(|part| part == bytes))
}

#[tokio::test]
#[cfg(unix)]
async fn a_link_leads_to_the_store_and_is_left_as_it_is() {
    use std::os::unix::fs::symlink;
    let folder = tempfile::tempdir().unwrap();
    let (real, link) = (folder.path().join("real/s"), folder.path().join("links/l"));
    std::fs::create_dir(folder.path().join("real")).unwrap();
    std::fs::create_dir(folder.path().join("links")).unwrap();
    symlink(&real, &link).unwrap();
    let error = SledStore::open(SledOptions::new(&link)).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Invalid && error.to_string().contains("leads nowhere"), "{error}");
    assert!(!real.exists());

    make(SledOptions::new(&real)).await;
    SledStore::seal(sealed(&link), Progress::none()).await.unwrap();
    assert!(link.is_symlink() && !real.is_symlink());
    assert!(!holds(folder.path(), PLAIN), "no plain row is left anywhere");
    SledStore::unseal(sealed(&link), Progress::none()).await.unwrap();
    damage(&real);
    let store = open(&link).await;
    let recovery = store.info().recovery.unwrap();
    assert_eq!(recovery.set_aside.unwrap(), real.with_file_name("s.damaged-1").display().to_string());
    let busy = SledStore::open(SledOptions::new(&real).busy_ms(50)).await.unwrap_err();
    assert_eq!(busy.kind(), ErrorKind::Busy);
    store.close().await.unwrap();
    assert_eq!(names(&folder.path().join("links")), ["l"]);
    assert!(link.is_symlink());
}

#[cfg(unix)]
mod rights {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn mode(path: &Path) -> u32 {
        path.symlink_metadata().unwrap().permissions().mode() & 0o777
    }

    /// Every folder is the owner's alone, and so is every file that sled does not make itself in one of them.
    fn are_private(folder: &Path) {
        for name in names(folder) {
            let path = folder.join(&name);
            if path.is_dir() {
                assert_eq!(mode(&path), 0o700, "{}", path.display());
                if name != "sled" {
                    are_private(&path);
                }
            } else {
                assert_eq!(mode(&path), 0o600, "{}", path.display());
            }
        }
    }

    #[tokio::test]
    async fn what_is_made_is_private_from_its_first_byte_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        make(SledOptions::new(&path)).await;
        are_private(folder.path());
        let at = folder.path().to_owned();
        SledStore::seal(sealed(&path), Progress::to(move |_, _| are_private(&at))).await.unwrap();
        are_private(folder.path());
        SledStore::unseal(sealed(&path), Progress::none()).await.unwrap();
        damage(&path);
        open(&path).await.close().await.unwrap();
        are_private(folder.path());
    }

    #[tokio::test]
    async fn a_store_that_is_replaced_keeps_its_rights() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        make(sealed(&path)).await;
        let set = |name: &str, mode| {
            std::fs::set_permissions(path.join(name), std::fs::Permissions::from_mode(mode)).unwrap();
        };
        let shared = || ["", "sled", "commits"].map(|name| mode(&path.join(name)));
        set("", 0o750);
        set("sled", 0o750);
        set("commits", 0o640);
        set("keyring", 0o640);
        let store = SledStore::open(sealed(&path)).await.unwrap();
        store.change_keys(KeyChange::AddKey("other".to_owned(), Secret::key([6; 32]))).await.unwrap();
        store.close().await.unwrap();
        assert_eq!(mode(&path.join("keyring")), 0o640);
        SledStore::unseal(sealed(&path), Progress::none()).await.unwrap();
        assert_eq!(shared(), [0o750, 0o750, 0o640]);
        SledStore::seal(sealed(&path), Progress::none()).await.unwrap();
        assert_eq!(shared(), [0o750, 0o750, 0o640]);
        damage(&path);
        SledStore::open(sealed(&path)).await.unwrap().close().await.unwrap();
        assert_eq!(shared(), [0o750, 0o750, 0o640]);
        assert_eq!(mode(&folder.path().join("s.damaged-1")), 0o700);
    }
}

/// The last of its rows cannot be read: everything before it has been written in plain by then.
#[tokio::test]
async fn a_failed_conversion_leaves_nothing() {
    for to_plain in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        make(if to_plain { sealed(&path) } else { SledOptions::new(&path) }).await;
        // Of state, which comes last.
        spoil(&path, &[14]);
        let before = names(&path);
        let (steps, at) = (Arc::new(AtomicU64::new(0)), folder.path().to_owned());
        let (seen, plain_rows) = (steps.clone(), Arc::new(AtomicU64::new(0)));
        let found = plain_rows.clone();
        let progress = Progress::to(move |_, _| {
            seen.fetch_add(1, Ordering::Relaxed);
            found.fetch_add(u64::from(holds(&at, PLAIN)), Ordering::Relaxed);
        });
        let error = if to_plain {
            SledStore::unseal(sealed(&path), progress).await.unwrap_err()
        } else {
            SledStore::seal(sealed(&path), progress).await.unwrap_err()
        };
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
        assert!(steps.load(Ordering::Relaxed) > 3, "it was under way");
        if to_plain {
            assert!(plain_rows.load(Ordering::Relaxed) > 0, "what is looked for can be found");
            assert!(!holds(folder.path(), PLAIN));
        }
        assert_eq!((names(folder.path()), names(&path)), (vec!["s".to_owned()], before));
    }
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
    SledStore::unseal(sealed(Path::new(&path)), progress).await.unwrap();
}

#[tokio::test]
async fn what_a_killed_unsealing_wrote_goes_with_the_next_one_who_opens_the_store() {
    use std::io::{BufRead as _, BufReader};
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    make(sealed(&path)).await;
    let before = names(&path);
    for unseals in [false, true] {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "beside::child", "--nocapture"])
            .env(CHILD, &path)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().contains("written")));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(holds(folder.path(), PLAIN), "what is looked for can be found");
        if unseals {
            SledStore::unseal(sealed(&path), Progress::none()).await.unwrap();
            let store = open(&path).await;
            assert_eq!(txns(&store).await.len(), 3);
            store.close().await.unwrap();
            assert_eq!(names(&path), ["HAOS", "commits", "sled"]);
        } else {
            SledStore::open(sealed(&path)).await.unwrap().close().await.unwrap();
            assert!(!holds(folder.path(), PLAIN));
            assert_eq!(names(&path), before);
        }
        assert_eq!(names(folder.path()), ["s"]);
    }
}

/// Folders of names that the store once used, with somebody's letters in them.
#[tokio::test]
async fn folders_beside_it_are_left_alone_and_hinder_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    make(SledOptions::new(&path)).await;
    let mut kept = vec!["s".to_owned()];
    for ending in [".converting", ".converted", ".fresh", ".mended", ".damaged-1"] {
        std::fs::create_dir(folder.path().join(format!("s{ending}"))).unwrap();
        std::fs::write(folder.path().join(format!("s{ending}/letter")), "untouched").unwrap();
        kept.push(format!("s{ending}"));
    }
    // One that another store set aside.
    Sign::new("set aside", StoreId([9; 16])).write(&folder.path().join("s.damaged-1")).unwrap();
    SledStore::seal(sealed(&path), Progress::none()).await.unwrap();
    damage(&path);
    let store = SledStore::open(sealed(&path)).await.unwrap();
    let aside = folder.path().join("s.damaged-2").display().to_string();
    assert_eq!(store.info().set_aside, [aside]);
    store.change_keys(KeyChange::Shred).await.unwrap();
    kept.sort();
    assert_eq!(names(folder.path()), kept);
    for name in kept.iter().filter(|name| *name != "s") {
        assert_eq!(std::fs::read(folder.path().join(name).join("letter")).unwrap(), b"untouched");
    }
}

/// Two copies, one of the plain store and one of the sealed, are told by whatever should have changed them.
#[tokio::test]
async fn copies_that_were_set_aside_are_told_and_go_with_the_keys() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    make(SledOptions::new(&path)).await;
    let id = Sign::read(&path).unwrap().id;
    damage(&path);
    let first = folder.path().join("s.damaged-1").display().to_string();
    let store = open(&path).await;
    assert_eq!(store.info().set_aside, std::slice::from_ref(&first));
    assert_eq!(store.info().recovery.unwrap().set_aside.as_ref(), Some(&first));
    store.apply(sample_with(1000)).await.unwrap();
    store.close().await.unwrap();

    let report = SledStore::seal(sealed(&path), Progress::none()).await.unwrap();
    assert_eq!(report.set_aside, std::slice::from_ref(&first), "it is plain, and that is told");
    let keyring = std::fs::read(path.join("keyring")).unwrap();
    damage(&path);
    let second = folder.path().join("s.damaged-2").display().to_string();
    let store = SledStore::open(sealed(&path)).await.unwrap();
    assert_eq!(store.info().set_aside, [first.clone(), second.clone()]);
    assert_eq!(Sign::read(&path).unwrap().id, id, "it is still the same store");
    store.change_keys(KeyChange::AddKey("other".to_owned(), Secret::key([6; 32]))).await.unwrap();
    assert_eq!(store.info().set_aside, [first, second.clone()], "whoever changes the keys can tell");
    store.close().await.unwrap();
    let copy =
        SledStore::open(sealed(&PathBuf::from(second)).on_damage(haos_store_sled::OnDamage::Refuse)).await;
    assert_eq!(copy.unwrap_err().kind(), ErrorKind::Corrupt, "it is as it was");

    let store = SledStore::open(sealed(&path)).await.unwrap();
    assert!(holds(folder.path(), PLAIN) && holds(folder.path(), &keyring), "what is looked for can be found");
    store.change_keys(KeyChange::Shred).await.unwrap();
    assert!(!holds(folder.path(), PLAIN) && !holds(folder.path(), &keyring[5..]));
    assert_eq!(names(folder.path()), ["s"]);
}
