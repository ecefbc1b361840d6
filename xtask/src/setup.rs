use crate::Result;
use crate::cmd::Cmd;
use crate::need::Need;

/// Installs what a fresh machine lacks; with `all` also what only makes the checks more complete.
pub(crate) fn run(all: bool) -> Result {
    let optional: &[Need] = if all { &[Need::CargoDeny, Need::Nightly, Need::CargoFuzz] } else { &[] };
    [Need::Rustfmt, Need::Clippy, Need::WasmTarget]
        .iter()
        .chain(optional)
        .copied()
        .try_for_each(Need::meet)?;
    warn_without_c_compiler();
    Ok(())
}

/// Bundled SQLite and zstd are C code; the compiler is the one thing rustup cannot install.
pub(crate) fn warn_without_c_compiler() {
    let chosen = std::env::var_os("CC").is_some() || cfg!(windows);
    if !chosen && !["cc", "gcc", "clang"].iter().any(|name| Cmd::new(name, &["--version"]).works()) {
        eprintln!(
            "setup: no C compiler found (cc, gcc, clang): SQLite will not compile.\n\
             setup: Debian, Ubuntu: apt-get install build-essential; macOS: xcode-select --install"
        );
    }
}
