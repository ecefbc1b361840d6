//! Secrets in files, and what a store looks like from outside.

use std::path::Path;

use super::{World, syncs};

/// A key.
pub(crate) const HEX: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";

/// The text of a message of [`syncs`], as JSON has it.
const PLAIN: &[u8] = b"\"body\":\"$1\"";

/// Writes a file that nobody else can read, and gives its path.
pub(crate) fn secret(world: &World, name: &str, bytes: impl AsRef<[u8]>) -> String {
    let path = world.file(name, bytes);
    mode(&path, 0o600);
    path
}

/// Sets who can read a file.
pub(crate) fn mode(path: &str, mode: u32) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }
    #[cfg(not(unix))]
    let _ = (path, mode);
}

/// A plain store of three messages.
pub(crate) fn plain() -> World {
    let world = World::new();
    let file = world.file("a.jsonl", syncs(3));
    assert_eq!(world.run(&["import", &file]).code, 0);
    world
}

/// A sealed store of three messages, and the file of its passphrase.
pub(crate) fn sealed() -> (World, String) {
    let world = World::new();
    let file = world.file("a.jsonl", syncs(3));
    let words = secret(&world, "words", "red green blue\n");
    let run = world.run(&["--passphrase-file", &words, "import", &file]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    (world, words)
}

/// Reads the store with what opens it: it has its three messages.
#[track_caller]
pub(crate) fn reads(world: &World, flags: &[&str]) {
    let run = world.run(&[flags, &["--json", "timeline", "!a"]].concat());
    assert_eq!(run.code, 0, "{flags:?}: {}", run.stderr);
    assert_eq!(run.lines()[0]["items"].as_array().unwrap().len(), 3);
    assert_eq!(run.lines()[0]["items"][1]["content"]["body"], "$1");
}

/// Checks that these flags do not open the store.
#[track_caller]
pub(crate) fn is_refused(world: &World, flags: &[&str]) {
    let (what, file) =
        (flags.first().copied().unwrap_or_default(), flags.last().copied().unwrap_or_default());
    let run = world.run(&[flags, &["rooms"]].concat());
    match what {
        "" => run.fails(4, &["is sealed", "--passphrase-file", "--key-file"]),
        _ => run.fails(4, &[file, "does not open the store"]),
    }
}

/// Tells if a message's text shows in any file beside the store.
pub(crate) fn shows(world: &World) -> bool {
    store_files(world).iter().any(|(_, bytes)| bytes.windows(PLAIN.len()).any(|part| part == PLAIN))
}

/// The files of the store with what they hold, by name. A killed conversion may leave a folder of them.
pub(crate) fn store_files(world: &World) -> Vec<(String, Vec<u8>)> {
    let store = world.path("haos.db");
    let (mut folders, mut files) = (vec![store.parent().unwrap_or(Path::new(".")).to_owned()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.to_str().unwrap().to_owned();
            if !name.starts_with(store.to_str().unwrap()) {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            // SQLite's shared memory is of the processes that have the store open, as is an empty log.
            let bytes = std::fs::read(path).unwrap();
            if !name.ends_with("-shm") && !bytes.is_empty() {
                files.push((name, bytes));
            }
        }
    }
    files.sort();
    files
}
