//! Which files are mistaken, and which packages' tests are asked.

use std::path::Path;

/// The files that decide something: laws, forms, keys, schedules, reconciliation, and readers of strangers' text.
const FILES: [&str; 40] = [
    "haos-store-api/src/backend/law",
    "haos-store-api/src/backend/codec",
    "haos-store-api/src/backend/seal",
    "haos-store-api/src/page.rs",
    "haos-store-api/src/view.rs",
    "haos-store-idb/src/engine/changes.rs",
    "haos-store-idb/src/engine/commit.rs",
    "haos-store-idb/src/engine/fold.rs",
    "haos-store-idb/src/engine/ids.rs",
    "haos-store-idb/src/engine/keys.rs",
    "haos-store-idb/src/engine/memory",
    "haos-store-idb/src/engine/record.rs",
    "haos-store-idb/src/engine/reload.rs",
    "haos-store-idb/src/engine/row.rs",
    "haos-store-idb/src/engine/view.rs",
    "haos-queue/src/machine",
    "haos-queue/src/answer.rs",
    "haos-queue/src/backoff.rs",
    "haos-queue/src/schedule",
    "haos-queue/src/reconcile",
    "haos-matrix/src/parse",
    "haos-matrix/src/protocol.rs",
    "haos-matrix/src/redaction.rs",
    "haos/src/content/fallback.rs",
    "haos/src/content/member.rs",
    "haos/src/content/message.rs",
    "haos/src/content/read.rs",
    "haos/src/live/diff.rs",
    "haos/src/live/list.rs",
    "haos/src/live/rooms/account.rs",
    "haos/src/live/rooms/filter.rs",
    "haos/src/live/rooms/latest.rs",
    "haos/src/live/rooms/order.rs",
    "haos/src/live/rooms/rows.rs",
    "haos/src/live/rooms/unsent.rs",
    "haos/src/live/timeline/gather.rs",
    "haos/src/live/timeline/page.rs",
    "haos/src/live/timeline/profiles.rs",
    "haos/src/live/timeline/stored.rs",
    "haos/src/live/timeline/window.rs",
];

/// Whose tests are run.
pub(crate) const PACKAGES: [&str; 7] =
    ["haos-store-api", "haos-store-sqlite", BROWSER, SIMULATION, "haos-queue", "haos-matrix", FRONT];

/// Whose tests must find the mistakes with names in it.
pub(crate) const FRONT: &str = "haos";
/// The same for the engine of stores in browsers.
pub(crate) const BROWSER: &str = "haos-store-idb";
/// Whose tests must find the other mistakes with names, and those of the queue in any case.
pub(crate) const SIMULATION: &str = "haos-sim";
/// The program among them.
pub(crate) const PROGRAM: &str = "sim/simulation";

/// Tells if mistakes are made in a package.
pub(crate) fn is_mistaken(name: &str) -> bool {
    FILES.iter().any(|path| package(path) == name)
}

/// The files, from the root, without those of tests.
pub(crate) fn files(root: &Path) -> Result<Vec<String>, String> {
    let mut files = Vec::new();
    for path in FILES {
        let before = files.len();
        collect(root, path, &mut files).map_err(|e| format!("{path}: {e}"))?;
        if files.len() == before {
            return Err(format!("{path} has no source: correct the list in testing/mutants/src/scope.rs"));
        }
    }
    files.sort();
    Ok(files)
}

fn collect(root: &Path, path: &str, files: &mut Vec<String>) -> std::io::Result<()> {
    let whole = root.join(path);
    if whole.is_dir() {
        for entry in std::fs::read_dir(whole)? {
            let name = entry?.file_name();
            let name = name.to_string_lossy();
            if name != "tests" && name != "tests.rs" && !name.ends_with("_tests.rs") {
                collect(root, &format!("{path}/{name}"), files)?;
            }
        }
    } else if path.ends_with(".rs") && whole.is_file() {
        files.push(path.to_owned());
    }
    Ok(())
}

/// The crate of a file: its first folder.
pub(crate) fn package(path: &str) -> &str {
    path.split('/').next().unwrap_or(path)
}

/// The package whose tests must find the mistakes with names of a file.
pub(crate) fn finder(path: &str) -> &'static str {
    [FRONT, BROWSER].into_iter().find(|one| package(path) == *one).unwrap_or(SIMULATION)
}

/// Tells if a program, `package/target`, must find the mistakes with names of a file.
pub(crate) fn must_find(program: &str, path: &str) -> bool {
    match finder(path) {
        SIMULATION => program == PROGRAM,
        finder => package(program) == finder,
    }
}

/// The group in which a report counts a file: the crate and the module below `src`.
pub(crate) fn group(path: &str) -> String {
    let mut parts = path.split('/');
    let package = parts.next().unwrap_or_default();
    let module = parts.nth(1).unwrap_or_default();
    format!("{package}/{}", module.trim_end_matches(".rs"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_source_of_a_group() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let files = files(&root).unwrap();
        assert!(files.contains(&"haos-store-api/src/backend/law/prune.rs".to_owned()), "{files:?}");
        assert!(!files.iter().any(|file| file.contains("tests")), "{files:?}");
        assert_eq!(group("haos-queue/src/machine/table.rs"), "haos-queue/machine");
        assert_eq!(group("haos-queue/src/answer.rs"), "haos-queue/answer");
        assert_eq!(package(&files[0]), "haos-matrix");
        assert!(must_find("sim/simulation", &files[0]) && !must_find("sim/sim", &files[0]));
        assert!(must_find("haos/chat", "haos/src/a.rs") && !must_find("sim/simulation", "haos/src/a.rs"));
    }
}
