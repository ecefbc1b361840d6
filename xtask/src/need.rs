use std::path::Path;

use crate::Result;
use crate::cmd::Cmd;
use crate::{apt, synapse};

/// Something outside this repository that a step cannot do without.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Need {
    Rustfmt,
    Clippy,
    WasmTarget,
    CargoDeny,
    Nightly,
    CargoFuzz,
    Synapse,
    Faketime,
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
            Self::Synapse => synapse::is_met(),
            Self::Faketime => Cmd::new("faketime", &["--version"]).works(),
        }
    }

    /// The commands that install it.
    fn install(self) -> Result<Vec<Cmd>> {
        Ok(vec![match self {
            Self::Rustfmt => Cmd::new("rustup", &["component", "add", "rustfmt"]),
            Self::Clippy => Cmd::new("rustup", &["component", "add", "clippy"]),
            Self::WasmTarget => Cmd::new("rustup", &["target", "add", "wasm32-unknown-unknown"]),
            Self::CargoDeny => Cmd::cargo("install cargo-deny --locked"),
            Self::Nightly => Cmd::new("rustup", &["toolchain", "install", "nightly", "--profile", "minimal"]),
            Self::CargoFuzz => Cmd::cargo("install cargo-fuzz --locked"),
            Self::Synapse => return synapse::install(),
            Self::Faketime => return apt::install("faketime", "libfaketime, with its `faketime` command"),
        }])
    }

    /// What to type to have it, or what to do where nothing can be typed.
    pub(crate) fn remedy(self) -> String {
        self.install().map_or_else(|message| message, |commands| format!("`{}`", line(&commands)))
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Rustfmt => "rustfmt",
            Self::Clippy => "clippy",
            Self::WasmTarget => "the target wasm32-unknown-unknown",
            Self::CargoDeny => "cargo-deny",
            Self::Nightly => "a nightly toolchain",
            Self::CargoFuzz => "cargo-fuzz",
            Self::Synapse => "Synapse",
            Self::Faketime => "faketime",
        }
    }

    /// Installs it if it is missing, and says what happened.
    pub(crate) fn meet(self) -> Result {
        let name = self.name();
        if self.is_met() {
            println!("setup: {name}: present");
            return Ok(());
        }
        let commands = self.install().map_err(|message| format!("{name} is missing: {message}"))?;
        let line = line(&commands);
        if self.comes_with_rustup() && !Cmd::new("rustup", &["--version"]).works() {
            return Err(without_rustup(name, &line));
        }
        println!("setup: {name}: missing, running `{line}`");
        if !commands.iter().all(|command| command.run(Path::new("."))) || !self.is_met() {
            return Err(format!("could not install {name}; repeat by hand: {line}"));
        }
        println!("setup: {name}: installed");
        Ok(())
    }

    fn comes_with_rustup(self) -> bool {
        matches!(self, Self::Rustfmt | Self::Clippy | Self::WasmTarget | Self::Nightly)
    }
}

fn line(commands: &[Cmd]) -> String {
    commands.iter().map(ToString::to_string).collect::<Vec<_>>().join(" && ")
}

fn without_rustup(name: &str, install: &str) -> String {
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
        let line = line(&Need::WasmTarget.install().unwrap());
        let message = without_rustup(Need::WasmTarget.name(), &line);
        assert!(message.contains("rustup target add wasm32-unknown-unknown"));
        assert!(message.contains("https://rustup.rs"));
    }

    #[test]
    fn a_remedy_can_be_typed_or_read() {
        assert_eq!(Need::CargoDeny.remedy(), "`cargo install cargo-deny --locked`");
        assert!(Need::Faketime.remedy().contains("faketime"));
        assert!(
            Need::Synapse.remedy().contains("matrix-synapse==") || Need::Synapse.remedy().contains("python3")
        );
    }

    #[test]
    fn a_target_that_cannot_exist_is_missing() {
        assert!(!has_target("no-such-target"));
    }
}
