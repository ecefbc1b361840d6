use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use sha2::{Digest, Sha256};

use super::files::File;
use super::finding::Finding;
use crate::Result;

/// The hashes of shipped migrations, beside them, as `sha256sum` writes and checks them.
const SUMS: &str = "SHA256SUMS";
/// The folders that must hold migrations; any other `migrations` folder is checked as well.
const EXPECTED: [&str; 1] = ["haos-store-sqlite/migrations"];

/// Every migration has its hash written down and still has that content.
pub(super) fn check(files: &[File], findings: &mut Vec<Finding>) {
    for folder in folders(files) {
        let migrations = in_folder(files, folder);
        let sums_path = format!("{folder}/{SUMS}");
        let sums = match sums_of(files, folder) {
            Ok(sums) => sums,
            Err(message) => {
                findings.push(Finding::error(&sums_path, message));
                continue;
            }
        };
        if migrations.is_empty() {
            findings.push(Finding::error(folder, "holds no migration (NNN_name.sql)"));
        }
        findings.extend(migrations.iter().filter_map(|file| compare(file, &sums)));
        findings.extend(numbering(&migrations));
        for name in sums.keys().filter(|name| !migrations.iter().any(|file| file.name() == *name)) {
            findings.push(Finding::error(&sums_path, format!("{name} is gone: a shipped migration stays")));
        }
    }
}

/// Adds the hashes that are missing; never changes one.
pub(super) fn bless(root: &Path, files: &[File]) -> Result {
    for folder in folders(files) {
        let mut sums = sums_of(files, folder)?;
        let known = sums.len();
        for file in in_folder(files, folder) {
            sums.entry(file.name().to_owned()).or_insert_with(|| hash(&file.bytes));
        }
        if sums.len() > known {
            let text: String = sums.iter().map(|(name, hash)| format!("{hash}  {name}\n")).collect();
            let path = format!("{folder}/{SUMS}");
            std::fs::write(root.join(&path), text).map_err(|e| format!("cannot write {path}: {e}"))?;
            println!("tidy: {path}: {} hashes added", sums.len() - known);
        }
    }
    Ok(())
}

fn folders(files: &[File]) -> BTreeSet<&str> {
    let found = files.iter().filter(|file| file.has_extension(&["sql"])).map(File::folder);
    found.filter(|folder| folder.ends_with("/migrations")).chain(EXPECTED).collect()
}

fn in_folder<'a>(files: &'a [File], folder: &str) -> Vec<&'a File> {
    files.iter().filter(|file| file.folder() == folder && file.has_extension(&["sql"])).collect()
}

/// Name to hash; empty without a file of sums.
fn sums_of(files: &[File], folder: &str) -> Result<BTreeMap<String, String>> {
    let sums = files.iter().find(|file| file.folder() == folder && file.name() == SUMS);
    let text = sums.map_or(Some(""), File::text).ok_or("is not text")?;
    let parse = |line: &str| line.split_once("  ").map(|(hash, name)| (name.to_owned(), hash.to_owned()));
    text.lines().map(|line| parse(line).ok_or_else(|| format!("not `hash  name`: {line}"))).collect()
}

fn compare(file: &File, sums: &BTreeMap<String, String>) -> Option<Finding> {
    match sums.get(file.name()) {
        Some(sum) if *sum == hash(&file.bytes) => None,
        Some(_) => Some(Finding::error(
            &file.path,
            format!(
                "differs from its hash in {SUMS}: a shipped migration is never edited, add the next number. \
                 If no release had it, remove its line there and run `cargo xtask tidy --bless`"
            ),
        )),
        None => Some(Finding::error(
            &file.path,
            format!("has no hash in {SUMS}: add it with `cargo xtask tidy --bless` and commit both"),
        )),
    }
}

/// Names are `NNN_name.sql`, and no two migrations share a number.
fn numbering(migrations: &[&File]) -> Vec<Finding> {
    let mut seen = BTreeSet::new();
    let error = |file: &&File| {
        let number = number(file.name());
        match number {
            None => Some(Finding::error(&file.path, "a migration is named NNN_name.sql")),
            Some(number) if !seen.insert(number.to_owned()) => {
                Some(Finding::error(&file.path, format!("a second migration {number}")))
            }
            Some(_) => None,
        }
    };
    migrations.iter().filter_map(error).collect()
}

fn number(name: &str) -> Option<&str> {
    let (number, rest) = name.split_at_checked(3)?;
    (number.bytes().all(|b| b.is_ascii_digit()) && rest.starts_with('_')).then_some(number)
}

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FOLDER: &str = EXPECTED[0];

    fn file(name: &str, text: &str) -> File {
        File::of(&format!("{FOLDER}/{name}"), text)
    }

    fn messages(files: &[File]) -> String {
        let mut findings = Vec::new();
        check(files, &mut findings);
        findings.iter().map(|finding| format!("{finding}\n")).collect()
    }

    #[test]
    fn hashes_as_sha256sum_does() {
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(hash(b"abc"), abc);
    }

    #[test]
    fn a_hash_that_matches_passes() {
        let sums = format!("{}  001_first.sql\n", hash(b"create"));
        assert_eq!(messages(&[file("001_first.sql", "create"), file(SUMS, &sums)]), "");
    }

    #[test]
    fn an_edit_a_loss_and_an_addition_are_found() {
        let sums = format!("{}  001_first.sql\n{}  002_gone.sql\n", hash(b"create"), hash(b"x"));
        let files = [file("001_first.sql", "edited"), file("003_new.sql", "x"), file(SUMS, &sums)];
        let text = messages(&files);
        assert!(text.contains("001_first.sql: differs"), "{text}");
        assert!(text.contains("002_gone.sql is gone"), "{text}");
        assert!(text.contains("003_new.sql: has no hash"), "{text}");
    }

    #[test]
    fn no_sums_and_no_migrations_are_errors() {
        assert!(messages(&[file("001_first.sql", "x")]).contains("tidy --bless"));
        assert!(messages(&[]).contains("holds no migration"));
        assert!(messages(&[file(SUMS, "nonsense\n")]).contains("not `hash  name`"));
    }

    #[test]
    fn numbers_are_unique_and_three_digits() {
        let [a, b, c] = [file("001_a.sql", ""), file("001_b.sql", ""), file("next.sql", "")];
        let found: String = numbering(&[&a, &b, &c]).iter().map(ToString::to_string).collect();
        assert!(found.contains("001_b.sql: a second migration 001"), "{found}");
        assert!(found.contains("next.sql: a migration is named"), "{found}");
        assert!(!found.contains("001_a.sql"), "{found}");
    }

    #[test]
    fn bless_adds_and_never_changes() {
        let root = std::env::temp_dir().join(format!("haos-bless-{}", std::process::id()));
        std::fs::create_dir_all(root.join(FOLDER)).unwrap();
        let old = "0000  001_first.sql\n";
        let files = [file("001_first.sql", "edited"), file("002_new.sql", "x"), file(SUMS, old)];
        bless(&root, &files).unwrap();
        let text = std::fs::read_to_string(root.join(FOLDER).join(SUMS)).unwrap();
        std::fs::remove_dir_all(&root).unwrap();
        assert_eq!(text, format!("{old}{}  002_new.sql\n", hash(b"x")));
    }
}
