//! A store from a folder that somebody else packed: links where the store keeps something of its own.
#![cfg(unix)]

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use haos_store_api::files::StoreId;
use haos_store_api::*;
use haos_store_sqlite::{SqliteOptions, SqliteStore};

use crate::common::*;

/// Names that are fixed: what is there must be a file.
const FIXED: [&str; 4] = ["-wal", "-shm", "-journal", ".recovery"];
/// Names that once were, or that are taken only if they are free.
const FREE: [&str; 8] = [
    ".leader",
    ".mended",
    ".fresh",
    ".fresh-wal",
    ".converting",
    ".converting-wal",
    ".converting-journal",
    ".damaged-1",
];

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
        let options = SqliteOptions::new(path);
        let options = if self.is_sealed() { options.secret(key()) } else { options };
        let store = SqliteStore::open(options).await.unwrap();
        store.apply(sample()).await.unwrap();
        store.close().await.unwrap();
        if self == Self::Salvage {
            let mut bytes = std::fs::read(path).unwrap();
            // The header too, so that it is mended first.
            bytes[..60].fill(0xAA);
            std::fs::write(path, bytes).unwrap();
        }
    }

    async fn run(self, path: &Path) -> Result<()> {
        let plain = SqliteOptions::new(path).busy_ms(100);
        let sealed = plain.clone().secret(key());
        let change = match self {
            Self::Open | Self::Salvage => {
                let store = SqliteStore::open(plain).await?;
                store.apply(commit()).await?;
                return store.close().await;
            }
            Self::Seal => return SqliteStore::seal(sealed, Progress::none()).await.map(drop),
            Self::Unseal => return SqliteStore::unseal(sealed, Progress::none()).await.map(drop),
            Self::Rekey => KeyChange::AddKey("other".to_owned(), Secret::key([6; 32])),
            Self::Shred => KeyChange::Shred,
        };
        let store = SqliteStore::open(sealed).await?;
        let done = store.change_keys(change).await;
        store.close().await?;
        done
    }
}

fn commit() -> WriteBatch {
    let mut batch = WriteBatch::strict();
    batch.put_room(room("new"));
    batch
}

/// Plants links to a file, to a folder and to nothing, and lets the store do each of its acts.
async fn plant(ending: &str, is_fixed: bool) {
    for act in ACTS {
        for target in ["file", "folder", "nothing"] {
            let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
            let path = folder.path().join("s.db");
            act.prepare(&path).await;
            let victim = elsewhere.path().join(target);
            match target {
                "file" => std::fs::write(&victim, "untouched").unwrap(),
                "folder" => {
                    std::fs::create_dir(&victim).unwrap();
                    std::fs::write(victim.join("in it"), "untouched").unwrap();
                }
                _ => {}
            }
            let before = state(elsewhere.path());
            symlink(&victim, folder.path().join(format!("s.db{ending}"))).unwrap();
            let done = act.run(&path).await;
            let what = format!("{ending}, {act:?}, {target}");
            assert_eq!(state(elsewhere.path()), before, "{what}");
            if !is_fixed || ending == ".recovery" && act != Act::Salvage {
                done.unwrap_or_else(|e| panic!("{what}: {e}"));
                continue;
            }
            let error = done.expect_err(&what);
            assert_eq!(error.kind(), ErrorKind::Invalid, "{what}: {error}");
            let text = error.to_string();
            assert!(
                text.contains(ending) && text.contains("symbolic link") && text.contains("remove"),
                "{text}"
            );
        }
    }
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

#[tokio::test]
async fn a_link_in_the_place_of_a_fixed_companion_is_refused() {
    for ending in FIXED {
        plant(ending, true).await;
    }
}

#[tokio::test]
async fn a_link_of_any_other_name_is_left_alone() {
    for ending in FREE {
        plant(ending, false).await;
    }
}

/// Whatever stands beside the store at any time has a name that the tests above plant, or one that nobody can foresee.
#[tokio::test]
async fn nothing_else_is_made_beside_a_store() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    let look = |folder: &Path| {
        for entry in std::fs::read_dir(folder).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let ending = name.strip_prefix("s.db").unwrap();
            let is_random = ending.strip_prefix('.').is_some_and(|hex| hex.parse::<StoreId>().is_ok());
            let is_known = ending.is_empty() || FIXED.contains(&ending) || ending == ".damaged-1";
            assert!(is_known || is_random, "{name}");
        }
    };
    let at = folder.path().to_owned();
    let watch = move || {
        let at = at.clone();
        Progress::to(move |_, _| look(&at))
    };
    let store = open(&path).await;
    store.apply(sample()).await.unwrap();
    look(folder.path());
    store.close().await.unwrap();
    let sealed = SqliteOptions::new(&path).secret(key());
    SqliteStore::seal(sealed.clone(), watch()).await.unwrap();
    look(folder.path());
    SqliteStore::unseal(sealed, watch()).await.unwrap();
    Act::Salvage.prepare(&path).await;
    Act::Salvage.run(&path).await.unwrap();
    look(folder.path());
}

/// What else than a link is no file.
#[tokio::test]
async fn pipes_and_folders_are_refused_at_once() {
    for ending in FIXED {
        for is_pipe in [true, false] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("s.db");
            Act::Salvage.prepare(&path).await;
            let planted = folder.path().join(format!("s.db{ending}"));
            if is_pipe {
                let made = std::process::Command::new("mkfifo").arg(&planted).status().unwrap();
                assert!(made.success());
            } else {
                std::fs::create_dir(&planted).unwrap();
            }
            let error = Act::Salvage.run(&path).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid, "{ending}: {error}");
        }
    }
}
