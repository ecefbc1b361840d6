use std::path::{Path, PathBuf};

use crate::cmd::Cmd;
use crate::{Result, apt, root};

const VERSION: &str = "1.163.2";

/// The Python environment that the end-to-end tests take Synapse from.
pub(crate) fn folder(root: &Path) -> PathBuf {
    root.join("target/e2e").join(format!("synapse-{VERSION}"))
}

/// Tells if it is there, whole, and of the right version.
pub(crate) fn is_met() -> bool {
    let check = format!(
        "import importlib.metadata as m, synapse.app.homeserver; assert m.version('matrix-synapse') == '{VERSION}'"
    );
    root::find().is_ok_and(|root| {
        let python = python(&folder(&root));
        python.is_file() && Cmd::new(&python.to_string_lossy(), &["-c", &check]).works()
    })
}

/// Makes the environment, with Python's own means where they are installed.
pub(crate) fn install() -> Result<Vec<Cmd>> {
    let means = "Python 3.10 or newer as `python3`, with its modules venv and ensurepip";
    let mut commands = Vec::new();
    if !Cmd::new("python3", &["-c", "import ensurepip, venv"]).works() {
        commands = apt::install("python3-venv", means)?;
    }
    commands.extend(environment(&folder(&root::find()?)));
    Ok(commands)
}

fn environment(folder: &Path) -> [Cmd; 2] {
    let package = format!("matrix-synapse=={VERSION}");
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    [
        // The rest of an interrupted run goes.
        Cmd::new("python3", &["-m", "venv", "--clear", &folder.to_string_lossy()]),
        Cmd::new(&python(folder).to_string_lossy(), &[&pip[..], &["--only-binary=:all:", &package]].concat()),
    ]
}

fn python(folder: &Path) -> PathBuf {
    folder.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_is_named_and_filled_by_the_version() {
        let [make, fill] = environment(&folder(Path::new("here"))).map(|command| command.to_string());
        assert!(make.ends_with(&format!("synapse-{VERSION}")), "{make}");
        assert!(fill.contains(&format!("synapse-{VERSION}")), "{fill}");
        assert!(fill.ends_with(&format!("--only-binary=:all: matrix-synapse=={VERSION}")), "{fill}");
    }
}
