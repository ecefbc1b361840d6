//! The parts of the page: our contender as WebAssembly, and the peers' packages.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::args::Args;

const TARGET: &str = "wasm32-unknown-unknown";

/// Folders to serve, and what is in them.
pub(crate) struct Built {
    pub(crate) page: PathBuf,
    pub(crate) package: PathBuf,
    pub(crate) dexie: Peer,
    pub(crate) sqlite: Peer,
    /// Our contender's bytes, as they are loaded.
    pub(crate) wasm_bytes: u64,
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
    let package = folder.join("pkg");
    if args.contenders.iter().any(|name| name.starts_with("haos")) {
        wasm(target, &package)?;
    }
    let wasm_bytes = size(&package.join("haos_benches_web_bg.wasm"));
    let modules = Modules::install(&sources.join("peer"), &folder.join("peer"))?;
    let dexie = modules.peer("dexie", "dist/modern", &["dexie.min.mjs"]);
    let sqlite = modules.peer("@sqlite.org/sqlite-wasm", "dist", &["index.mjs", "sqlite3.wasm"]);
    Ok(Built { page: sources.join("page"), package, dexie, sqlite, wasm_bytes })
}

fn size(file: &Path) -> u64 {
    fs::metadata(file).map(|data| data.len()).unwrap_or_default()
}

/// Not through wasm-opt: that of Debian 12 breaks modules with more than one table, as these are.
fn wasm(target: &Path, package: &Path) -> Result<(), String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build
        .args(["build", "--release", "--target", TARGET, "--package", "haos-benches-web"])
        // Cargo's settings for this program are not meant for that one.
        .env_remove("CARGO_MANIFEST_DIR")
        .env("CARGO_PROFILE_RELEASE_DEBUG", "0")
        .env("CARGO_PROFILE_RELEASE_LTO", "true")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "1")
        .env("CARGO_PROFILE_RELEASE_PANIC", "abort")
        .arg("--target-dir")
        .arg(target);
    run(&mut build, "run this through cargo")?;
    let module = target.join(TARGET).join("release/haos_benches_web.wasm");
    let mut bindgen = program("WASM_BINDGEN", "wasm-bindgen");
    bindgen.args(["--target", "web", "--no-typescript", "--remove-name-section"]);
    bindgen.args(["--remove-producers-section", "--out-dir"]).arg(package).arg(module);
    run(&mut bindgen, "cargo install wasm-bindgen-cli, in the version of Cargo.lock")
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

fn program(variable: &str, name: &str) -> Command {
    Command::new(std::env::var_os(variable).unwrap_or_else(|| name.into()))
}

fn run(command: &mut Command, advice: &str) -> Result<(), String> {
    let name = command.get_program().to_string_lossy().into_owned();
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{name} failed with {status}: what it said is above")),
        Err(e) => Err(format!("{name}: {e}; {advice}")),
    }
}
