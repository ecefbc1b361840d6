use std::path::{Path, PathBuf};

use crate::Result;
use crate::cmd::Cmd;
use crate::{apt, bundler, root, synapse, tools};

/// What is installed by npm, with the client of another project that the end-to-end tests talk to.
const JS: &str = "js";
/// What that client is of.
const PEER: [&str; 2] = ["matrix-js-sdk", "@matrix-org/matrix-sdk-crypto-wasm"];

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
    Chromium,
    Firefox,
    WebKit,
    // Before what it installs.
    Npm,
    Packages,
    Bundler,
    Valgrind,
    Geckodriver,
    WasmBindgen,
    SqliteShell,
}

impl Need {
    /// Tells if the machine has it; asks the tools themselves, so it also works without rustup.
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
            // The browsers are only looked for: starting one takes a second, and some need a display.
            Self::Chromium => is_there("chromedriver") && (is_there("chromium") || is_there("google-chrome")),
            Self::Firefox => is_there("firefox") || is_there("firefox-esr"),
            Self::WebKit => is_there("WebKitWebDriver") && is_there("xvfb-run"),
            Self::Npm => Cmd::new("npm", &["--version"]).works(),
            Self::Packages => PEER.iter().all(|name| packages().is_some_and(|it| it.join(name).is_dir())),
            Self::Bundler => bundler::is_met(),
            Self::Valgrind => Cmd::new("valgrind", &["--version"]).works(),
            Self::SqliteShell => Cmd::new("sqlite3", &["--version"]).works(),
            Self::Geckodriver => tools::GECKODRIVER.is_met(),
            Self::WasmBindgen => tools::WASM_BINDGEN.is_met(),
        }
    }

    /// The packages of Debian that have it, and how to call it elsewhere.
    fn packages(self) -> Option<(&'static str, &'static str)> {
        Some(match self {
            Self::Faketime => ("faketime", "libfaketime, with its `faketime` command"),
            Self::Chromium => ("chromium chromium-driver", "Chromium or Chrome, and its `chromedriver`"),
            Self::Firefox => ("firefox-esr", "Firefox"),
            Self::WebKit => (
                "webkit2gtk-driver xvfb xauth",
                "WebKitGTK's `WebKitWebDriver` and `xvfb-run`, which are there on Linux only",
            ),
            Self::Npm => ("nodejs npm", "node and npm"),
            Self::Valgrind => ("valgrind", "Valgrind, which is there for Linux"),
            Self::SqliteShell => ("sqlite3", "SQLite's shell, `sqlite3`"),
            _ => return None,
        })
    }

    /// The commands that install it.
    fn install(self) -> Result<Vec<Cmd>> {
        if let Some((packages, what)) = self.packages() {
            return apt::install(packages, what);
        }
        Ok(vec![match self {
            Self::Rustfmt => Cmd::new("rustup", &["component", "add", "rustfmt"]),
            Self::Clippy => Cmd::new("rustup", &["component", "add", "clippy"]),
            Self::WasmTarget => Cmd::new("rustup", &["target", "add", "wasm32-unknown-unknown"]),
            Self::CargoDeny => Cmd::cargo("install cargo-deny --locked"),
            Self::Nightly => Cmd::new("rustup", &["toolchain", "install", "nightly", "--profile", "minimal"]),
            Self::CargoFuzz => Cmd::cargo("install cargo-fuzz --locked"),
            Self::Synapse => return synapse::install(),
            Self::Packages => {
                let folder = root::find()?.join(JS).to_string_lossy().into_owned();
                let quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
                Cmd::new("npm", &[&["ci", "--prefix", &folder], &quiet[..]].concat())
            }
            Self::Bundler => return bundler::install(),
            Self::Geckodriver => return tools::GECKODRIVER.install(),
            Self::WasmBindgen => return tools::WASM_BINDGEN.install(),
            Self::Faketime
            | Self::Chromium
            | Self::Firefox
            | Self::WebKit
            | Self::Npm
            | Self::Valgrind
            | Self::SqliteShell => return Ok(Vec::new()),
        }])
    }

    /// The command to type to have it, or the thing to do where nothing can be typed.
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
            Self::Chromium => "Chromium with its driver",
            Self::Firefox => "Firefox",
            Self::WebKit => "WebKitGTK's driver with xvfb-run",
            Self::Npm => "npm",
            Self::Packages => "the packages of js/",
            Self::Bundler => "binaryen and terser",
            Self::Valgrind => "valgrind",
            Self::Geckodriver => "geckodriver",
            Self::WasmBindgen => "wasm-bindgen's test runner",
            Self::SqliteShell => "SQLite's shell",
        }
    }

    /// Meets them all: what the system's packages bring, in one go.
    pub(crate) fn meet_all(mut needs: Vec<Self>) -> Result {
        needs.sort_unstable();
        needs.dedup();
        let missing = needs.iter().filter(|need| !need.is_met()).filter_map(|need| need.packages());
        let (packages, what): (Vec<_>, Vec<_>) = missing.unzip();
        if packages.len() > 1
            && let Ok(commands) = apt::install(&packages.join(" "), &what.join("; "))
        {
            println!("setup: running `{}`", line(&commands));
            // A need that is still unmet then is named.
            let _ = commands.iter().all(|command| command.run(Path::new(".")));
        }
        needs.into_iter().try_for_each(Self::meet)
    }

    /// Installs it if it is missing, and says what happened.
    pub(crate) fn meet(self) -> Result {
        let name = self.name();
        if self.is_met() {
            println!("setup: {name}: present");
            return Ok(());
        }
        let commands =
            self.install().map_err(|message| format!("{name} is missing: {message}{}", self.without()))?;
        let line = line(&commands);
        if self.comes_with_rustup() && !Cmd::new("rustup", &["--version"]).works() {
            return Err(without_rustup(name, &line));
        }
        println!("setup: {name}: missing, running `{line}`");
        if !commands.iter().all(|command| command.run(Path::new("."))) || !self.is_met() {
            return Err(format!("could not install {name}; repeat by hand: {line}{}", self.without()));
        }
        println!("setup: {name}: installed");
        Ok(())
    }

    /// How to do without it, for the message.
    fn without(self) -> &'static str {
        match self {
            Self::Chromium | Self::Firefox | Self::Geckodriver | Self::WebKit => {
                "\n(or leave its engine out: `--engines chromium,firefox,webkit` chooses)"
            }
            _ => "",
        }
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

/// Where npm puts what it installs.
fn packages() -> Option<PathBuf> {
    root::find().ok().map(|root| root.join(JS).join("node_modules"))
}

/// Tells if the path has the program.
fn is_there(program: &str) -> bool {
    tools::on_path(program) != program
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
        assert!(Need::Valgrind.remedy().to_lowercase().contains("valgrind"));
        assert!(
            Need::Chromium.remedy().contains("chromium-driver") || Need::Chromium.remedy().contains("Chrome")
        );
        assert!(Need::Packages.remedy().contains("npm ci --prefix"));
        assert!(Need::WasmBindgen.remedy().contains("wasm-bindgen-cli"));
        assert!(
            Need::Synapse.remedy().contains("matrix-synapse==") || Need::Synapse.remedy().contains("python3")
        );
    }

    #[test]
    fn a_target_that_cannot_exist_is_missing() {
        assert!(!has_target("no-such-target"));
    }
}
