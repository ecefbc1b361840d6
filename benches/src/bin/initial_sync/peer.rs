//! matrix-js-sdk under node, made ready and run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use haos_benches::account::{Server, TOKEN, USER, run};

use crate::child::{Started, Synced};

const FILES: [&str; 6] =
    ["package.json", "package-lock.json", "client.mjs", "database.mjs", "initial_sync.mjs", "start.mjs"];
/// The oldest node that runs it.
const NODE: u32 = 20;

/// The peer's packages, installed.
pub(crate) struct Peer {
    folder: PathBuf,
    /// The version that is measured.
    pub(crate) version: String,
}

impl Peer {
    /// Copies the scripts to `folder`, outside of what is committed, and has npm install the packages of the
    /// lockfile there, if it is not done yet.
    ///
    /// # Errors
    /// Without node or npm, and if the packages cannot be had: it is said, and this is how to end.
    pub(crate) fn prepare(folder: PathBuf) -> Result<Self, ExitCode> {
        let node = said("node").ok_or_else(|| missing("node is not here"))?;
        let major = node.trim_start_matches('v').split('.').next().and_then(|major| major.parse().ok());
        if major.is_none_or(|major: u32| major < NODE) {
            return Err(missing(&format!("node is {node}")));
        }
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("peer");
        let lock = fs::read(sources.join("package-lock.json")).unwrap();
        let installed = folder.join("installed-lock.json");
        fs::create_dir_all(&folder).unwrap();
        for file in FILES {
            fs::copy(sources.join(file), folder.join(file)).unwrap();
        }
        if fs::read(&installed).ok().as_ref() != Some(&lock) {
            if said("npm").is_none() {
                return Err(missing("npm is not here"));
            }
            let mut install = Command::new("npm");
            install.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]);
            let status = install.arg("--prefix").arg(&folder).stdout(Stdio::null()).status().unwrap();
            if !status.success() {
                eprintln!("error: `npm ci` failed in {}: {status}", folder.display());
                return Err(ExitCode::FAILURE);
            }
            fs::write(&installed, &lock).unwrap();
        }
        let lock: serde_json::Value = serde_json::from_slice(&lock).unwrap();
        let of = |package: &str| lock["packages"][format!("node_modules/{package}")]["version"].clone();
        let (sdk, database) = (of("matrix-js-sdk"), of("fake-indexeddb"));
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        let version =
            format!("matrix-js-sdk {}, fake-indexeddb {}, node {node}", text(&sdk), text(&database));
        Ok(Self { folder, version })
    }

    /// An initial sync; its store is left in `database`.
    pub(crate) fn sync(&self, server: &Server, database: &Path) -> Synced {
        run(&mut self.script("initial_sync.mjs", server, database))
    }

    /// A start from it.
    pub(crate) fn start(&self, server: &Server, database: &Path) -> Started {
        run(&mut self.script("start.mjs", server, database))
    }

    fn script(&self, name: &str, server: &Server, database: &Path) -> Command {
        let mut node = Command::new("node");
        node.arg(self.folder.join(name)).args([&server.url(), USER, TOKEN]).arg(database);
        node
    }
}

/// The version that a program says it has.
fn said(program: &str) -> Option<String> {
    let out = Command::new(program).arg("--version").stderr(Stdio::null()).output().ok()?;
    out.status.success().then(|| String::from_utf8_lossy(&out.stdout).trim().to_owned())
}

fn missing(what: &str) -> ExitCode {
    eprintln!("error: {what}: the peer needs node {NODE} or later and npm (https://nodejs.org);");
    eprintln!("       `--without-peer` measures haos alone");
    ExitCode::FAILURE
}
