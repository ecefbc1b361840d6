//! The parts of the page: our contender as WebAssembly, and the peers' packages.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use haos_bundle::Bundle;

use crate::args::Args;

/// Our contender.
const PACKAGE: &str = "haos-benches-web";

/// Folders to serve, and what is in them.
pub(crate) struct Built {
    pub(crate) page: PathBuf,
    /// What the store has in JavaScript.
    pub(crate) store: PathBuf,
    /// The page that shows what was kept, with the store's script in it.
    pub(crate) early: PathBuf,
    /// Our contender, and a copy of it that notes which functions run.
    pub(crate) package: PathBuf,
    pub(crate) watched: PathBuf,
    bundle: Option<Bundle>,
    pub(crate) dexie: Peer,
    pub(crate) sqlite: Peer,
}

/// A package of npm.
pub(crate) struct Peer {
    /// The folder of what is loaded.
    pub(crate) folder: PathBuf,
    /// As the lockfile has it.
    pub(crate) version: String,
    /// Bytes of what is loaded.
    pub(crate) bytes: u64,
}

/// Builds in `target` what is missing there.
pub(crate) fn build(target: &Path, args: &Args) -> Result<Built, String> {
    let folder = target.join("bench-web");
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("web");
    let (package, watched) = (folder.join("pkg"), folder.join("watched"));
    let ours = args.contenders.iter().any(|name| name.starts_with("haos"));
    let bundle = ours.then(|| Bundle::build(target, PACKAGE, &[])).transpose().map_err(|e| e.to_string())?;
    if let Some(bundle) = &bundle {
        bundle.watched(&watched).map_err(|e| e.to_string())?;
    }
    let modules = Modules::install(&sources.join("peer"), &folder.join("peer"))?;
    let dexie = modules.peer("dexie", "dist/modern", &["dexie.min.mjs"]);
    let sqlite = modules.peer("@sqlite.org/sqlite-wasm", "dist", &["index.mjs", "sqlite3.wasm"]);
    let (page, store) = (sources.join("page"), sources.join("../../haos-store-idb/js"));
    let early =
        early(&folder.join("early"), &page, &store).map_err(|e| format!("{}: {e}", folder.display()))?;
    Ok(Built { page, store, early, package, watched, bundle, dexie, sqlite })
}

/// Makes the page with the script in it.
fn early(folder: &Path, page: &Path, store: &Path) -> std::io::Result<PathBuf> {
    let text = fs::read_to_string(page.join("early.html"))?;
    let script = fs::read_to_string(store.join("early.js"))?;
    fs::create_dir_all(folder)?;
    fs::write(folder.join("early.html"), text.replace("/* early.js */", &script))?;
    Ok(folder.to_owned())
}

impl Built {
    /// Tells whether our contender takes part, plain or sealed.
    pub(crate) fn is_ours(&self) -> bool {
        self.bundle.is_some()
    }

    /// Puts our contender there, with the functions of these numbers in its first half.
    pub(crate) fn halve(&self, first: &BTreeSet<u32>) -> Result<(), String> {
        self.bundle
            .iter()
            .try_for_each(|bundle| bundle.halves(&self.package, first))
            .map_err(|e| e.to_string())
    }

    /// The bytes of our contender's modules, the one that is loaded first and the rest.
    pub(crate) fn halves_bytes(&self) -> (u64, u64) {
        let bytes = |half: &str| size(&self.package.join(format!("haos_benches_web_{half}.wasm")));
        (bytes("bg"), bytes("rest"))
    }
}

fn size(file: &Path) -> u64 {
    fs::metadata(file).map(|data| data.len()).unwrap_or_default()
}

/// The peers' packages, as the lockfile has them.
struct Modules {
    folder: PathBuf,
    lock: serde_json::Value,
}

impl Modules {
    fn install(sources: &Path, folder: &Path) -> Result<Self, String> {
        let failed = |e: std::io::Error| format!("{}: {e}", folder.display());
        fs::create_dir_all(folder).map_err(failed)?;
        let lock = fs::read(sources.join("package-lock.json")).map_err(failed)?;
        let installed = folder.join("installed-lock.json");
        if fs::read(&installed).ok().as_ref() != Some(&lock) {
            for file in ["package.json", "package-lock.json"] {
                fs::copy(sources.join(file), folder.join(file)).map_err(failed)?;
            }
            let mut install = Command::new("npm");
            install.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]);
            install.arg("--prefix").arg(folder).stdout(Stdio::null());
            run(&mut install, "npm is missing: install node 20 or later with npm")?;
            fs::write(&installed, &lock).map_err(failed)?;
        }
        let lock = serde_json::from_slice(&lock).map_err(|e| e.to_string())?;
        Ok(Self { folder: folder.join("node_modules"), lock })
    }

    /// A package of which these files below `folder` are loaded.
    fn peer(&self, package: &str, folder: &str, files: &[&str]) -> Peer {
        let version = &self.lock["packages"][format!("node_modules/{package}")]["version"];
        let folder = self.folder.join(package).join(folder);
        let bytes = files.iter().map(|file| size(&folder.join(file))).sum();
        Peer { version: version.as_str().unwrap_or("?").to_owned(), folder, bytes }
    }
}

fn run(command: &mut Command, advice: &str) -> Result<(), String> {
    let name = command.get_program().to_string_lossy().into_owned();
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{name} failed with {status}: what it said is above")),
        Err(e) => Err(format!("{name}: {e}; {advice}")),
    }
}
