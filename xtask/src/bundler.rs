//! The optimisers of what browsers load, as npm has them: binaryen (that of Debian 12 breaks modules with more than one
//! table, as wasm-bindgen's are) and terser.

use std::path::{Path, PathBuf};

use crate::cmd::Cmd;
use crate::{Result, root};

/// The folder with the lockfile.
const SOURCES: &str = "bindings/bundle";
/// Where it is installed.
const FOLDER: &str = "target/tools/bundler";

/// The path of `wasm-opt` or `terser`.
pub(crate) fn path(root: &Path, program: &str) -> String {
    root.join(FOLDER).join("node_modules/.bin").join(program).to_string_lossy().into_owned()
}

/// Tells if they are there in the versions of the lockfile.
pub(crate) fn is_met() -> bool {
    let lock = |folder: PathBuf| std::fs::read(folder.join("package-lock.json")).ok();
    root::find().is_ok_and(|root| {
        let (wanted, there) = (lock(root.join(SOURCES)), lock(root.join(FOLDER)));
        wanted.is_some()
            && wanted == there
            && ["wasm-opt", "terser"].iter().all(|name| Cmd::new(&path(&root, name), &["--version"]).works())
    })
}

pub(crate) fn install() -> Result<Vec<Cmd>> {
    let root = root::find()?;
    let [sources, folder] = [SOURCES, FOLDER].map(|folder| root.join(folder).to_string_lossy().into_owned());
    let [package, lock] = ["package.json", "package-lock.json"].map(|file| format!("{sources}/{file}"));
    let quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
    Ok(vec![
        Cmd::new("mkdir", &["-p", &folder]),
        Cmd::new("cp", &[&package, &lock, &folder]),
        Cmd::new("npm", &[&["ci", "--prefix", &folder], &quiet[..]].concat()),
    ])
}
