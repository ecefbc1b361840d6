use std::path::Path;
use std::process::Command;

use crate::Result;

/// A file of the repository.
pub(super) struct File {
    /// From the root, with `/`.
    pub(super) path: String,
    pub(super) bytes: Vec<u8>,
}

impl File {
    /// None for what is not text.
    pub(super) fn text(&self) -> Option<&str> {
        if self.bytes.contains(&0) { None } else { std::str::from_utf8(&self.bytes).ok() }
    }

    pub(super) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// The folder, empty at the root.
    pub(super) fn folder(&self) -> &str {
        self.path.rsplit_once('/').map_or("", |(folder, _)| folder)
    }

    pub(super) fn has_extension(&self, extensions: &[&str]) -> bool {
        self.name().rsplit_once('.').is_some_and(|(_, extension)| extensions.contains(&extension))
    }
}

/// Every file git tracks or would add, by path; without git, every file outside build folders.
pub(super) fn list(root: &Path) -> Result<Vec<File>> {
    let mut paths = from_git(root).unwrap_or_default();
    if !paths.iter().any(|path| path == "Cargo.toml") {
        paths.clear();
        walk(root, "", &mut paths)?;
    }
    paths.sort();
    paths.dedup();
    // A path that is still listed but deleted is no file of the repository any more.
    let files = paths.into_iter().filter(|path| root.join(path).is_file());
    files.map(|path| read(root, path)).collect()
}

fn from_git(root: &Path) -> Option<Vec<String>> {
    let output = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root)
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(text.split('\0').filter(|path| !path.is_empty()).map(str::to_owned).collect())
}

fn walk(root: &Path, folder: &str, paths: &mut Vec<String>) -> Result {
    let failed = |e: std::io::Error| format!("cannot list {folder:?}: {e}");
    for entry in std::fs::read_dir(root.join(folder)).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
        let kind = entry.file_type().map_err(failed)?;
        if kind.is_dir() && name != "target" && name != ".git" {
            walk(root, &path, paths)?;
        } else if kind.is_file() {
            paths.push(path);
        }
    }
    Ok(())
}

fn read(root: &Path, path: String) -> Result<File> {
    let bytes = std::fs::read(root.join(&path)).map_err(|e| format!("cannot read {path}: {e}"))?;
    Ok(File { path, bytes })
}

#[cfg(test)]
impl File {
    pub(super) fn of(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), bytes: text.as_bytes().to_vec() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_path() {
        let file = File::of("a/b/c.tar.gz", "");
        assert_eq!((file.name(), file.folder()), ("c.tar.gz", "a/b"));
        assert!(file.has_extension(&["gz"]) && !file.has_extension(&["tar"]));
        assert_eq!(File::of("LICENSE", "").folder(), "");
    }

    #[test]
    fn bytes_that_are_no_text() {
        assert_eq!(File { path: "a".into(), bytes: vec![0xff, 0xfe] }.text(), None);
        assert_eq!(File::of("a", "b\0c").text(), None);
        assert_eq!(File::of("a", "é").text(), Some("é"));
    }

    #[test]
    fn without_git_the_same_source_is_found() {
        let root = crate::root::find().unwrap();
        let mut walked = Vec::new();
        walk(&root.join("xtask"), "", &mut walked).unwrap();
        assert!(walked.contains(&"src/main.rs".to_owned()), "{walked:?}");
        let listed = list(&root).unwrap();
        for path in walked.iter().filter(|path| path.starts_with("src/")) {
            assert!(listed.iter().any(|file| file.path == format!("xtask/{path}")), "{path}");
        }
    }
}
