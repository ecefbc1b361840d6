//! A copy of the workspace with every mistake compiled in.

use std::collections::BTreeSet;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;

use crate::mutant::Mutant;
use crate::scope;
use crate::site::{Source, Woven};
use crate::switch;

/// The copy, and where cargo builds it.
pub(crate) struct Tree {
    from: PathBuf,
    root: PathBuf,
    target: PathBuf,
    packages: Vec<&'static str>,
}

/// A line of cargo's, as far as we read it.
#[derive(Deserialize)]
struct Line {
    reason: String,
    message: Option<Diagnostic>,
    executable: Option<PathBuf>,
    target: Option<Target>,
    manifest_path: Option<PathBuf>,
    profile: Option<Profile>,
}

#[derive(Deserialize)]
struct Profile {
    test: bool,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

#[derive(Deserialize)]
struct Diagnostic {
    level: String,
    rendered: Option<String>,
    spans: Vec<At>,
    children: Vec<Diagnostic>,
}

#[derive(Deserialize)]
struct At {
    file_name: String,
    byte_start: usize,
    byte_end: usize,
    is_primary: bool,
    expansion: Option<Box<Expansion>>,
}

#[derive(Deserialize)]
struct Expansion {
    span: At,
}

/// A test program.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    /// `package/target`
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    /// The folder in which cargo would run it.
    pub(crate) folder: PathBuf,
}

impl Program {
    /// Another text after each compilation.
    pub(crate) fn made(&self) -> String {
        let made = fs::metadata(&self.path).and_then(|meta| Ok((meta.len(), meta.modified()?)));
        format!("{} {made:?}", self.name)
    }
}

impl Tree {
    /// Copies what git tracks or would add, as it stands, but for what is going to be woven.
    pub(crate) fn copy(
        from: &Path,
        to: &Path,
        packages: &[&'static str],
        sources: &[Source],
    ) -> Result<Self, String> {
        let woven: BTreeSet<_> =
            sources.iter().map(|source| source.path.clone()).chain(roots(sources)).collect();
        let listed = Command::new("git")
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .current_dir(from)
            .output()
            .map_err(|e| format!("git is needed to list the files: {e}"))?;
        let root = to.join("tree");
        let mut names = BTreeSet::new();
        for name in String::from_utf8_lossy(&listed.stdout).split('\0').filter(|name| !name.is_empty()) {
            // A file that was removed and is not committed yet is absent.
            if let Ok(text) = fs::read(from.join(name)) {
                if !woven.contains(name) {
                    put(&root.join(name), &text)?;
                }
                names.insert(root.join(name));
            }
        }
        remove_others(&root, &names)?;
        Ok(Self { from: from.to_owned(), root, target: to.join("build"), packages: packages.to_vec() })
    }

    /// Weaves the sources in, without the places in `dropped`; tells where each came to stand.
    pub(crate) fn weave(
        &self,
        sources: &[Source],
        mutants: &[Mutant],
        dropped: &BTreeSet<(usize, usize)>,
    ) -> Result<Vec<Vec<Woven>>, String> {
        let mut woven = Vec::new();
        for (file, source) in sources.iter().enumerate() {
            let first = |site| {
                let kept = !dropped.contains(&(file, site));
                mutants.iter().find(|m| m.file == file && m.site == site && kept).map(|m| m.number)
            };
            let (text, places) = source.weave(&first);
            put(&self.root.join(&source.path), text.as_bytes())?;
            woven.push(places);
        }
        for path in roots(sources) {
            let text = fs::read_to_string(self.from.join(&path)).map_err(|e| format!("{path}: {e}"))?;
            put(&self.root.join(&path), (text + &switch::module(mutants.len() as u32)).as_bytes())?;
        }
        Ok(woven)
    }

    /// Compiles the tests. What does not compile is told as places (a file and bytes of it), with what rustc says.
    pub(crate) fn build(&self, check: bool) -> Result<Result<Vec<Program>, Vec<Fault>>, String> {
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.args(if check { &["check", "--keep-going"][..] } else { &["test", "--no-run"] });
        command.args(["--quiet", "--message-format=json", "--all-features"]);
        if !check {
            command.args(["--lib", "--bins", "--tests"]);
        }
        for package in &self.packages {
            command.args(["-p", package]);
        }
        let output = command
            .current_dir(&self.root)
            .env("CARGO_TARGET_DIR", &self.target)
            .env("CARGO_INCREMENTAL", "1")
            .stdin(Stdio::null())
            .output()
            .map_err(|e| format!("cargo did not start: {e}"))?;
        let (mut programs, mut faults) = (Vec::new(), Vec::new());
        for line in output.stdout.split(|byte| *byte == b'\n') {
            let Ok(line) = serde_json::from_slice::<Line>(line) else { continue };
            if line.reason == "compiler-message"
                && let Some(message) = line.message.filter(|message| message.level == "error")
            {
                faults.extend(self.faults(&message));
            }
            let is_test = line.profile.is_some_and(|profile| profile.test);
            if let (Some(path), Some(target), Some(manifest), true) =
                (line.executable, line.target, line.manifest_path, is_test)
            {
                let folder = manifest.parent().unwrap_or(&self.root).to_owned();
                let package = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
                programs.push(Program { name: format!("{package}/{}", target.name), path, folder });
            }
        }
        if output.status.success() {
            return Ok(Ok(programs));
        }
        if faults.is_empty() {
            return Err(format!("cargo failed:\n{}", String::from_utf8_lossy(&output.stderr)));
        }
        Ok(Err(faults))
    }

    /// The place of an error; some have a place in what they add only.
    fn faults(&self, message: &Diagnostic) -> Vec<Fault> {
        let mut at: Vec<&At> = message.spans.iter().filter(|span| span.is_primary).collect();
        if at.is_empty() {
            at = message.children.iter().flat_map(|child| &child.spans).collect();
        }
        let text = message.rendered.clone().unwrap_or_default();
        at.into_iter()
            .map(|mut span| {
                // Of what a macro made, where the macro was called.
                while let Some(expansion) = &span.expansion {
                    span = &expansion.span;
                }
                let path = Path::new(&span.file_name);
                let path = path.strip_prefix(&self.root).unwrap_or(path);
                Fault {
                    path: path.to_string_lossy().into_owned(),
                    bytes: span.byte_start..span.byte_end,
                    text: text.clone(),
                }
            })
            .collect()
    }
}

/// Something that does not compile.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) path: String,
    pub(crate) bytes: Range<usize>,
    pub(crate) text: String,
}

/// Only what differs is written, so that cargo compiles only what has changed.
fn put(path: &Path, bytes: &[u8]) -> Result<(), String> {
    if fs::read(path).is_ok_and(|found| found == bytes) {
        return Ok(());
    }
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(path, bytes))
        .map_err(|e| format!("{}: {e}", path.display()))
}

fn remove_others(folder: &Path, keep: &BTreeSet<PathBuf>) -> Result<(), String> {
    for entry in fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))?.flatten() {
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_others(&path, keep)?;
        } else if !keep.contains(&path) {
            fs::remove_file(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        }
    }
    Ok(())
}

/// The root files of the crates that are mistaken; none of them decides anything.
fn roots(sources: &[Source]) -> BTreeSet<String> {
    sources.iter().map(|source| format!("{}/src/lib.rs", scope::package(&source.path))).collect()
}
