//! A store from a folder that somebody else packed: links where the store, or sled, keeps something of its own.
#![cfg(unix)]

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use haos_store_api::files::StoreId;
use haos_store_api::*;
use haos_store_sled::{SledOptions, SledStore};

use crate::common::*;

/// Everything within the folder, what is removed included: `*` stands for the snapshot that sled has made.
const WITHIN: [&str; 12] = [
    "HAOS",
    "commits",
    "keyring",
    "switch",
    "keyring.new",
    "sled",
    "sled/db",
    "sled/conf",
    "sled/snap.*",
    "sled/snap.0000000000000000.generating",
    "sled/blobs",
    "sled/blobs/7",
];
/// Names beside it that once were, or that are taken only if they are free.
const BESIDE: [&str; 6] = [".leader", ".mended", ".fresh", ".converting", ".converted", ".damaged-1"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Open,
    Salvage,
    Seal,
    Unseal,
    Rekey,
    Shred,
}

const ACTS: [Act; 6] = [Act::Open, Act::Salvage, Act::Seal, Act::Unseal, Act::Rekey, Act::Shred];

fn key() -> Secret {
    Secret::key([5; 32])
}

impl Act {
    fn is_sealed(self) -> bool {
        matches!(self, Self::Unseal | Self::Rekey | Self::Shred)
    }

    async fn prepare(self, path: &Path) {
        let options = SledOptions::new(path);
        let options = if self.is_sealed() { options.secret(key()) } else { options };
        let store = SledStore::open(options).await.unwrap();
        store.apply(sample_with(100)).await.unwrap();
        store.close().await.unwrap();
        if self == Self::Salvage {
            damage(path);
        }
    }

    async fn run(self, path: &Path) -> Result<()> {
        let plain = SledOptions::new(path).busy_ms(100);
        let sealed = plain.clone().secret(key());
        let change = match self {
            Self::Open | Self::Salvage => {
                let store = SledStore::open(plain).await?;
                assert_eq!(store.info().recovery.is_some(), self == Self::Salvage);
                let mut batch = WriteBatch::strict();
                batch.put_room(room("new"));
                store.apply(batch).await?;
                return store.close().await;
            }
            Self::Seal => return SledStore::seal(sealed, Progress::none()).await.map(drop),
            Self::Unseal => return SledStore::unseal(sealed, Progress::none()).await.map(drop),
            Self::Rekey => KeyChange::AddKey("other".to_owned(), Secret::key([6; 32])),
            Self::Shred => KeyChange::Shred,
        };
        let store = SledStore::open(sealed).await?;
        let done = store.change_keys(change).await;
        store.close().await?;
        done
    }
}

/// An outbox row that is not what was written.
fn damage(path: &Path) {
    let db = sled::open(path.join("sled")).unwrap();
    let tree = db.open_tree("haos").unwrap();
    let key = haos_store_api::kv::keys::pending(3);
    let mut row = tree.get(&key).unwrap().unwrap().to_vec();
    *row.last_mut().unwrap() ^= 1;
    tree.insert(key, row).unwrap();
    tree.flush().unwrap();
}

/// Paths, modes and bytes of all there is.
fn state(folder: &Path) -> Vec<(PathBuf, u32, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let about = path.symlink_metadata().unwrap();
        let bytes = if about.is_file() { std::fs::read(&path).unwrap() } else { Vec::new() };
        found.push((path.clone(), about.permissions().mode(), bytes));
        if about.is_dir() {
            found.extend(state(&path));
        }
    }
    found.sort();
    found
}

/// What is there moves elsewhere, and a link to it takes its place: whoever follows it finds what is expected. Where
/// there is nothing, the link leads to a file.
fn plant(place: &Path, elsewhere: &Path) {
    let victim = elsewhere.join("victim");
    if std::fs::rename(place, &victim).is_err() {
        std::fs::write(&victim, "untouched").unwrap();
    }
    symlink(&victim, place).unwrap();
}

fn place(path: &Path, name: &str) -> PathBuf {
    let Some(start) = name.strip_suffix('*') else { return path.join(name) };
    let folder = path.join("sled");
    let start = start.strip_prefix("sled/").unwrap();
    let mut names = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name());
    let found = names.find(|name| name.to_string_lossy().starts_with(start));
    folder.join(found.unwrap_or_else(|| format!("{start}0000000000000000").into()))
}

#[tokio::test]
async fn a_link_anywhere_within_the_folder_is_refused() {
    for name in WITHIN {
        for act in ACTS {
            // Folders of one file system: what is there is renamed.
            let root = tempfile::tempdir().unwrap();
            let (path, elsewhere) = (root.path().join("packed/s"), root.path().join("elsewhere"));
            std::fs::create_dir(path.parent().unwrap()).unwrap();
            std::fs::create_dir(&elsewhere).unwrap();
            act.prepare(&path).await;
            plant(&place(&path, name), &elsewhere);
            let before = state(&elsewhere);
            let error = act.run(&path).await.expect_err(name);
            let what = format!("{name}, {act:?}");
            assert_eq!(error.kind(), ErrorKind::Invalid, "{what}: {error}");
            let text = error.to_string();
            assert!(text.contains("symbolic link") && text.contains("remove it"), "{what}: {text}");
            assert_eq!(state(&elsewhere), before, "{what}");
        }
    }
}

#[tokio::test]
async fn a_link_beside_it_is_left_alone() {
    for ending in BESIDE {
        for act in ACTS {
            let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
            let path = folder.path().join("s");
            act.prepare(&path).await;
            std::fs::create_dir(elsewhere.path().join("victim")).unwrap();
            std::fs::write(elsewhere.path().join("victim/letter"), "untouched").unwrap();
            let link = folder.path().join(format!("s{ending}"));
            symlink(elsewhere.path().join("victim"), &link).unwrap();
            let before = state(elsewhere.path());
            act.run(&path).await.unwrap_or_else(|e| panic!("{ending}, {act:?}: {e}"));
            assert_eq!(state(elsewhere.path()), before, "{ending}, {act:?}");
            assert!(link.is_symlink(), "{ending}, {act:?}");
        }
    }
}

/// Whatever stands within the folder at any time has a name that is planted above, or one that nobody can foresee;
/// beside it there is nothing but what was set aside.
#[tokio::test]
async fn nothing_else_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    let look = |folder: &Path| {
        let names = |folder: &Path| -> Vec<String> {
            let entries = std::fs::read_dir(folder).unwrap();
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
        };
        assert!(names(folder).iter().all(|name| name == "s" || name == "s.damaged-1"), "{:?}", names(folder));
        let store = folder.join("s");
        for name in names(&store) {
            assert!(WITHIN.contains(&name.as_str()) || name.parse::<StoreId>().is_ok(), "{name}");
        }
        for name in names(&store.join("sled")) {
            let is_known = WITHIN.contains(&format!("sled/{name}").as_str()) || name.starts_with("snap.");
            assert!(is_known, "sled/{name}");
        }
    };
    let at = folder.path().to_owned();
    let watch = move || {
        let at = at.clone();
        Progress::to(move |_, _| look(&at))
    };
    Act::Open.prepare(&path).await;
    look(folder.path());
    let sealed = SledOptions::new(&path).secret(key());
    SledStore::seal(sealed.clone(), watch()).await.unwrap();
    look(folder.path());
    SledStore::unseal(sealed, watch()).await.unwrap();
    damage(&path);
    Act::Salvage.run(&path).await.unwrap();
    look(folder.path());
}

#[tokio::test]
async fn pipes_are_refused_at_once() {
    for name in ["HAOS", "commits", "sled/db"] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        Act::Open.prepare(&path).await;
        std::fs::remove_file(path.join(name)).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(path.join(name)).status().unwrap().success());
        let error = Act::Open.run(&path).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{name}: {error}");
    }
}
