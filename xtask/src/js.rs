//! The packages for browsers and React: built, and tested in node and in browsers.

use std::path::Path;

use crate::cmd::Cmd;
use crate::engine::BrowserEngine;
use crate::need::Need;
use crate::{Result, size};

/// Where they are.
const FOLDER: &str = "js";

/// What a person does with the application, where there is no time for all of it.
const SOME_OF_AN_APP: &str = "^(50 messages|a login|a message|a new version|an encrypted room|the first sync|what is unsent|without a server)";

/// Installs what is missing, then builds, and tests if that is asked for.
pub(crate) fn run(root: &Path, tests: bool) -> Result {
    Need::meet_all(size::NEEDS.to_vec())?;
    let pack = Cmd::cargo("run -p haos-pack");
    let mut commands = build(root, pack);
    if tests {
        let (first, beside) = test(root, &[BrowserEngine::Chromium], false);
        commands.extend(first.into_iter().chain(beside));
    }
    for command in commands {
        println!("$ {command}");
        if !command.run(root) {
            return Err("the packages are not as they should be: what is wrong is above".into());
        }
    }
    Ok(())
}

/// Builds them; `pack` is the program that builds the engine.
pub(crate) fn build(root: &Path, pack: Cmd) -> Vec<Cmd> {
    let install =
        ["ci", "--prefix", FOLDER, "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
    let (variable, driver) = BrowserEngine::Chromium.driver(root);
    vec![
        Cmd::new("npm", &install),
        npm("build"),
        // It looks at what it builds with the help of the packages.
        size::with_bundler(pack, root).env(variable, driver),
    ]
}

/// Tests them: without browsers; and, beside each other, in the engines, as an application installs them, and as one uses
/// them.
pub(crate) fn test(root: &Path, engines: &[BrowserEngine], full: bool) -> (Vec<Cmd>, Vec<Cmd>) {
    let names: Vec<_> = engines.iter().map(ToString::to_string).collect();
    let in_browsers = |script: &str| {
        let cmd = npm(script).env("HAOS_BROWSERS", names.join(","));
        engines.iter().fold(cmd, |cmd, engine| {
            let (variable, driver) = engine.driver(root);
            cmd.env(variable, driver)
        })
    };
    let commands = vec![npm("test"), npm("build:apps")];
    let beside = Vec::from(["test:browsers", "test:packages", "test:apps"].map(in_browsers));
    let (variable, value) = if full { ("HAOS_CHANGES", "100000") } else { ("HAOS_TESTS", SOME_OF_AN_APP) };
    let with = |commands: Vec<Cmd>| commands.into_iter().map(|cmd| cmd.env(variable, value)).collect();
    (with(commands), with(beside))
}

pub(crate) fn npm(script: &str) -> Cmd {
    Cmd::new("npm", &["run", "--prefix", FOLDER, "--silent", script])
}
