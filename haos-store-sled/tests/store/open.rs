//! Paths that open, paths that are refused, and that refused files stay unchanged.

use std::path::Path;

use haos_store_api::backend::files::Sign;
use haos_store_api::*;
use haos_store_sled::{OnDamage, SledOptions, SledStore};

use crate::common::*;

async fn refusal(options: SledOptions) -> Error {
    SledStore::open(options).await.expect_err("it is refused")
}

/// Opening fails with this kind and these words, and changes no file.
async fn refused_untouched(path: &Path, kind: ErrorKind, says: &str) {
    let folder = path.parent().unwrap();
    let before = files(folder);
    let error = refusal(SledOptions::new(path)).await;
    assert_eq!(error.kind(), kind, "{error:?}");
    assert!(error.to_string().contains(says), "{error}");
    assert!(before == files(folder), "a refused file is changed: {error}");
}

/// sled has to write. An unwritable folder is refused as such, and stays unchanged.
#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_cannot_be_written() {
    use std::fs::{Permissions, set_permissions};
    use std::os::unix::fs::PermissionsExt as _;

    use rustix::process::{Gid, Uid, geteuid};
    use rustix::thread::{set_thread_gid, set_thread_groups, set_thread_uid};

    fn all(path: &Path, folders: u32, files: u32) {
        let is_folder = path.is_dir();
        if is_folder {
            std::fs::read_dir(path).unwrap().for_each(|entry| all(&entry.unwrap().path(), folders, files));
        }
        set_permissions(path, Permissions::from_mode(if is_folder { folders } else { files })).unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime().block_on(make(&path));
    all(folder.path(), 0o555, 0o444);
    let before = files(folder.path());
    let error = std::thread::scope(|scope| {
        // Root ignores modes.
        let somebody = scope.spawn(|| {
            if geteuid().is_root() {
                set_thread_groups(&[]).unwrap();
                set_thread_gid(Gid::from_raw(65534)).unwrap();
                set_thread_uid(Uid::from_raw(65534)).unwrap();
            }
            runtime().block_on(refusal(SledOptions::new(&path)))
        });
        somebody.join().unwrap()
    });
    assert_eq!(error.kind(), ErrorKind::ReadOnly, "{error:?}");
    assert!(error.to_string().contains("sled has to"), "{error}");
    assert!(before == files(folder.path()));
    all(folder.path(), 0o755, 0o644);
    runtime().block_on(async { assert_eq!(txns(&open(&path).await).await.len(), 3) });
}

#[tokio::test]
async fn other_peoples_folders_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let theirs = folder.path().join("theirs");
    let db = sled::open(&theirs).unwrap();
    db.insert("their", "row").unwrap();
    drop(db);
    refused_untouched(&theirs, ErrorKind::Invalid, "another application's sled").await;

    let photos = folder.path().join("photos");
    std::fs::create_dir(&photos).unwrap();
    std::fs::write(photos.join("cat.jpg"), b"cat").unwrap();
    refused_untouched(&photos, ErrorKind::Invalid, "other files").await;
}

#[tokio::test]
async fn empty_folders_become_stores() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    std::fs::create_dir(&path).unwrap();
    let error = refusal(SledOptions::new(&path).create(false)).await;
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(error.to_string().contains("no store"), "{error}");
    make(&path).await;
    let store = open(&path).await;
    assert_eq!(txns(&store).await.len(), 3);
    assert_eq!(store.info().recovery, None);
}

#[tokio::test]
async fn a_newer_store_is_refused_even_where_only_its_tree_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    make(&path).await;
    let raw = Raw::open(&path);
    let mut head = raw.tree.get([0]).unwrap().unwrap().to_vec();
    head[3] = 99;
    let body = head.len() - 4;
    let sum = haos_store_api::backend::Crc32::of(&head[..body]).to_be_bytes();
    head[body..].copy_from_slice(&sum);
    raw.tree.insert([0], head).unwrap();
    drop(raw);
    let error = refusal(SledOptions::new(&path)).await;
    assert_eq!(error.kind(), ErrorKind::NewerSchema, "{error:?}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is set aside");
}

#[tokio::test]
async fn a_damaged_sign_is_mended_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    make(&path).await;
    let good = std::fs::read(path.join("HAOS")).unwrap();
    let id = Sign::read(&path).unwrap().id;
    for damaged in [&good[1..], &good[..good.len() - 8], b"", &good[..20], b"\xFF\xFE nonsense"] {
        std::fs::write(path.join("HAOS"), damaged).unwrap();
        let error = refusal(SledOptions::new(&path).on_damage(OnDamage::Refuse)).await;
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{error:?}");
        assert_eq!(std::fs::read(path.join("HAOS")).unwrap(), damaged);
        let store = open(&path).await;
        assert_eq!(txns(&store).await.len(), 3);
        store.close().await.unwrap();
        let sign = Sign::read(&path).unwrap();
        assert_eq!(sign.what, "offline store on sled, format 1");
        assert_eq!(sign.id == id, damaged.len() > 40, "the id is kept if it is left");
    }
}
