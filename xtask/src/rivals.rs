//! Programs over crates of other projects, in a workspace of their own: contenders of benchmarks, and a client that the
//! end-to-end tests talk to.

use std::path::{Path, PathBuf};

use crate::cmd::Cmd;

pub(crate) const MANIFEST: &str = "benches/rivals/Cargo.toml";

/// The client on matrix-sdk.
pub(crate) const PEER: &str = "haos-rivals-peer";

/// Builds one of its packages as it is measured.
pub(crate) fn build(root: &Path, package: &str) -> Cmd {
    let folder = target(root).to_string_lossy().into_owned();
    let args = ["build", "--release", "--manifest-path", MANIFEST, "-p", package, "--target-dir", &folder];
    Cmd::new("cargo", &args)
}

/// The program that this gives.
pub(crate) fn program(root: &Path, package: &str) -> PathBuf {
    target(root).join("release").join(format!("{package}{}", std::env::consts::EXE_SUFFIX))
}

fn target(root: &Path) -> PathBuf {
    root.join("target/rivals")
}
