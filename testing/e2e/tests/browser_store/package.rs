//! The frontend as WebAssembly, built once.

use std::path::{Path, PathBuf};
use std::process::Command;

use haos_e2e::browser::SiteOptions;
use tokio::sync::OnceCell;

const TARGET: &str = "wasm32-unknown-unknown";

/// A site with the frontend's pages.
pub(crate) async fn options() -> SiteOptions {
    static BUILT: OnceCell<PathBuf> = OnceCell::const_new();
    let package = BUILT.get_or_init(|| async { tokio::task::spawn_blocking(build).await.unwrap() }).await;
    let pages = Path::new(env!("CARGO_MANIFEST_DIR")).join("web/page");
    SiteOptions::new(pages).mount("/pkg/", package)
}

fn build() -> PathBuf {
    // Where cargo put this program: target/debug/deps.
    let program = std::env::current_exe().unwrap();
    let target = program.ancestors().nth(3).unwrap();
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build.args(["build", "--target", TARGET, "--package", "haos-e2e-web", "--target-dir"]).arg(target);
    // Cargo's settings for this program are not meant for that one.
    build.env_remove("CARGO_MANIFEST_DIR").current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."));
    // As the other tests in browsers have it: a quarter of the size.
    build.env("CARGO_PROFILE_DEV_DEBUG", "0");
    run(&mut build, "run this through cargo");
    let package = target.join("e2e/web");
    let mut bindgen = Command::new(std::env::var_os("HAOS_WASM_BINDGEN").unwrap_or("wasm-bindgen".into()));
    bindgen.args(["--target", "web", "--no-typescript", "--out-dir"]).arg(&package);
    bindgen.arg(target.join(TARGET).join("debug/haos_e2e_web.wasm"));
    run(&mut bindgen, "cargo install wasm-bindgen-cli, in the version of Cargo.lock");
    package
}

fn run(command: &mut Command, advice: &str) {
    let status = command.status();
    assert!(status.as_ref().is_ok_and(|status| status.success()), "{command:?}: {status:?}: {advice}");
}
