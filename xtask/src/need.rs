use std::path::Path;

use crate::Result;
use crate::cmd::Cmd;

/// Something outside this repository that a step cannot do without.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Need {
    Rustfmt,
    Clippy,
    WasmTarget,
    CargoDeny,
    Nightly,
    CargoFuzz,
}

impl Need {
    /// Whether the machine has it; asks the tools themselves, so it also works without rustup.
    pub(crate) fn is_met(self) -> bool {
        match self {
            Self::Rustfmt => Cmd::cargo("fmt --version").works(),
            Self::Clippy => Cmd::cargo("clippy --version").works(),
            Self::WasmTarget => has_target("wasm32-unknown-unknown"),
            Self::CargoDeny => Cmd::cargo("deny --version").works(),
            Self::Nightly => Cmd::new("rustup", &["run", "nightly", "cargo", "--version"]).works(),
            Self::CargoFuzz => Cmd::cargo("fuzz --version").works(),
        }
    }

    /// The command that installs it.
    pub(crate) fn install(self) -> Cmd {
        match self {
            Self::Rustfmt => Cmd::new("rustup", &["component", "add", "rustfmt"]),
            Self::Clippy => Cmd::new("rustup", &["component", "add", "clippy"]),
            Self::WasmTarget => Cmd::new("rustup", &["target", "add", "wasm32-unknown-unknown"]),
            Self::CargoDeny => Cmd::cargo("install cargo-deny --locked"),
            Self::Nightly => Cmd::new("rustup", &["toolchain", "install", "nightly", "--profile", "minimal"]),
            Self::CargoFuzz => Cmd::cargo("install cargo-fuzz --locked"),
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Rustfmt => "rustfmt",
            Self::Clippy => "clippy",
            Self::WasmTarget => "the target wasm32-unknown-unknown",
            Self::CargoDeny => "cargo-deny",
            Self::Nightly => "a nightly toolchain",
            Self::CargoFuzz => "cargo-fuzz",
        }
    }

    /// Installs it if it is missing, and says what happened.
    pub(crate) fn meet(self) -> Result {
        let (name, install) = (self.name(), self.install());
        if self.is_met() {
            println!("setup: {name}: present");
            return Ok(());
        }
        if !matches!(self, Self::CargoDeny | Self::CargoFuzz) && !Cmd::new("rustup", &["--version"]).works() {
            return Err(without_rustup(name, &install));
        }
        println!("setup: {name}: missing, running `{install}`");
        if !install.run(Path::new(".")) || !self.is_met() {
            return Err(format!("could not install {name}; repeat by hand: {install}"));
        }
        println!("setup: {name}: installed");
        Ok(())
    }
}

fn without_rustup(name: &str, install: &Cmd) -> String {
    format!(
        "{name} is missing, and so is rustup, which would install it.\n\
         Either install rustup from https://rustup.rs, then run `{install}`,\n\
         or install {name} for `rustc` with the package manager that installed Rust."
    )
}

fn has_target(target: &str) -> bool {
    Cmd::new("rustc", &["--print", "sysroot"])
        .output()
        .is_some_and(|sysroot| Path::new(&sysroot).join("lib/rustlib").join(target).join("lib").is_dir())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_to_do_without_rustup() {
        let message = without_rustup(Need::WasmTarget.name(), &Need::WasmTarget.install());
        assert!(message.contains("rustup target add wasm32-unknown-unknown"));
        assert!(message.contains("https://rustup.rs"));
    }

    #[test]
    fn a_target_that_cannot_exist_is_missing() {
        assert!(!has_target("no-such-target"));
    }
}
