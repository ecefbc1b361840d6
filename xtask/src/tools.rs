use std::path::{Path, PathBuf};

use crate::cmd::Cmd;
use crate::{Result, root};

/// Programs of the registry that the browser tests need, kept below target/ in folders of their versions:
/// what a user has installed for other work stays as it is.
pub(crate) struct Tool {
    package: &'static str,
    /// The first is the one that is asked for its version.
    programs: &'static [&'static str],
    /// None: the version of the library that is locked, since the two must be the same.
    version: Option<&'static str>,
    /// The package whose version in Cargo.lock counts.
    library: &'static str,
    flags: &'static str,
}

/// The test runner and the program that makes the bindings.
pub(crate) const WASM_BINDGEN: Tool = Tool {
    package: "wasm-bindgen-cli",
    programs: &["wasm-bindgen-test-runner", "wasm-bindgen"],
    version: None,
    library: "wasm-bindgen",
    // The code that reads and writes modules is optimised: a run of the tests spends most of its time there.
    flags: "--no-default-features --config profile.release.package.walrus.opt-level=1",
};

/// The driver that speaks WebDriver for Firefox.
pub(crate) const GECKODRIVER: Tool = Tool {
    package: "geckodriver",
    programs: &["geckodriver"],
    version: Some("0.37.1"),
    library: "",
    flags: "--locked",
};

impl Tool {
    fn version(&self, root: &Path) -> Option<String> {
        match self.version {
            Some(version) => Some(version.to_owned()),
            None => locked(&std::fs::read_to_string(root.join("Cargo.lock")).ok()?, self.library),
        }
    }

    fn folder(&self, root: &Path) -> PathBuf {
        let version = self.version(root).unwrap_or_default();
        root.join("target/tools").join(format!("{}-{version}", self.package))
    }

    /// The path of its first program, or the bare name where a program of that version is on the path.
    pub(crate) fn program(&self, root: &Path) -> String {
        self.path_of(root, self.programs[0])
    }

    /// The path of `program`, which is one of its programs.
    pub(crate) fn path_of(&self, root: &Path, program: &str) -> String {
        let ours = self.folder(root).join("bin").join(format!("{program}{}", std::env::consts::EXE_SUFFIX));
        if !ours.is_file() && self.is(root, program) {
            return on_path(program);
        }
        ours.to_string_lossy().into_owned()
    }

    pub(crate) fn is_met(&self) -> bool {
        root::find().is_ok_and(|root| {
            self.programs.iter().all(|program| self.is(&root, &self.path_of(&root, program)))
        })
    }

    /// Tells if `program` is there in the version wanted.
    fn is(&self, root: &Path, program: &str) -> bool {
        let Some(version) = self.version(root) else { return false };
        Cmd::new(program, &["--version"])
            .output()
            .is_some_and(|text| text.split_whitespace().any(|word| word == version))
    }

    /// Compiled without optimisation, which would take longer than all that a run of the tests does with it.
    pub(crate) fn install(&self) -> Result<Vec<Cmd>> {
        let root = root::find()?;
        let version =
            self.version(&root).ok_or("Cargo.lock has no wasm-bindgen: run `cargo metadata` once")?;
        let folder = self.folder(&root);
        let mut args = vec!["install", self.package, "--version", &version, "--root"];
        let (folder, bins) = (folder.to_string_lossy(), self.programs.iter().flat_map(|bin| ["--bin", bin]));
        args.push(&folder);
        args.extend(self.flags.split(' '));
        args.extend(bins);
        let quick = |cmd: Cmd| {
            cmd.env("CARGO_PROFILE_RELEASE_OPT_LEVEL", 0)
                .env("CARGO_PROFILE_RELEASE_LTO", "off")
                .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", 16)
        };
        Ok(vec![quick(Cmd::new("cargo", &args))])
    }
}

/// The path of a program, as a runner wants it; its name where it is not there.
pub(crate) fn on_path(program: &str) -> String {
    std::env::var_os("PATH")
        .and_then(|path| {
            let folders: Vec<_> = std::env::split_paths(&path).collect();
            folders.into_iter().map(|folder| folder.join(program)).find(|path| path.is_file())
        })
        .map_or_else(|| program.to_owned(), |path| path.to_string_lossy().into_owned())
}

/// The version of a package in a lock file.
fn locked(lock: &str, package: &str) -> Option<String> {
    let (_, after) = lock.split_once(&format!("name = \"{package}\"\nversion = \""))?;
    after.split('"').next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_runner_is_of_the_locked_version() {
        let lock = "[[package]]\nname = \"wasm-bindgen-macro\"\nversion = \"0.2.1\"\n\n\
                    [[package]]\nname = \"wasm-bindgen\"\nversion = \"0.2.7\"\n";
        assert_eq!(locked(lock, "wasm-bindgen").as_deref(), Some("0.2.7"));
        assert_eq!(locked(lock, "none"), None);
        let version = WASM_BINDGEN.version(&root::find().unwrap()).unwrap();
        let line = WASM_BINDGEN.install().unwrap()[0].to_string();
        assert!(line.contains(&format!("wasm-bindgen-cli --version {version} --root ")), "{line}");
        assert!(line.contains(&format!("target/tools/wasm-bindgen-cli-{version} ")), "{line}");
    }

    #[test]
    fn what_is_not_on_the_path_keeps_its_name() {
        assert_eq!(on_path("no-such-program-anywhere"), "no-such-program-anywhere");
    }
}
