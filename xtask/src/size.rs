//! What a browser loads, weighed and tried by a program of `benches`.

use std::path::Path;

use crate::cmd::Cmd;
use crate::engine::BrowserEngine;
use crate::need::Need;
use crate::{Result, bundler, tools};

/// What it cannot do without: it builds for browsers, and looks in one what a first page needs.
pub(crate) const NEEDS: [Need; 5] =
    [Need::WasmTarget, Need::WasmBindgen, Need::Npm, Need::Bundler, Need::Chromium];

/// Installs what is missing, then has the program build, weigh and try.
pub(crate) fn run(root: &Path, front: bool, bless: bool) -> Result {
    Need::meet_all(NEEDS.to_vec())?;
    let flags = [(front, " --front"), (bless, " --bless")];
    let flags: String = flags.iter().filter(|(is_given, _)| *is_given).map(|(_, flag)| *flag).collect();
    let program = program(root, Cmd::cargo(&format!("run -p haos-weigh --{flags}")));
    println!("$ {program}");
    if program.run(root) {
        Ok(())
    } else {
        Err("the size is not as it should be: what is wrong is above".into())
    }
}

/// Tells the program that weighs where its tools are.
pub(crate) fn program(root: &Path, weigh: Cmd) -> Cmd {
    let (driver, path) = BrowserEngine::Chromium.driver(root);
    with_bundler(weigh, root).env(driver, path)
}

/// Tells a program that builds what browsers load where its tools are.
pub(crate) fn with_bundler(cmd: Cmd, root: &Path) -> Cmd {
    cmd.env("WASM_BINDGEN", tools::WASM_BINDGEN.path_of(root, "wasm-bindgen"))
        .env("WASM_OPT", bundler::path(root, "wasm-opt"))
        .env("TERSER", bundler::path(root, "terser"))
}
