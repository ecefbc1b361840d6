use std::fmt;
use std::path::Path;

use clap::ValueEnum;

use crate::cmd::Cmd;
use crate::need::Need;
use crate::tools;

/// A browser engine that the tests run in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum BrowserEngine {
    Chromium,
    Firefox,
    Webkit,
}

impl fmt::Display for BrowserEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.to_possible_value().as_ref().map_or("", |value| value.get_name()))
    }
}

impl BrowserEngine {
    pub(crate) const ALL: [Self; 3] = [Self::Chromium, Self::Firefox, Self::Webkit];
    /// Those of a run that has no time for all: Firefox's driver is compiled on a new machine.
    pub(crate) const USUAL: [Self; 2] = [Self::Chromium, Self::Webkit];

    /// The browser and its driver.
    pub(crate) fn needs(self) -> &'static [Need] {
        match self {
            Self::Chromium => &[Need::Chromium],
            Self::Firefox => &[Need::Firefox, Need::Geckodriver],
            Self::Webkit => &[Need::WebKit],
        }
    }

    /// The variable through which a test runner is told of the driver, and the driver.
    pub(crate) fn driver(self, root: &Path) -> (&'static str, String) {
        match self {
            Self::Chromium => ("CHROMEDRIVER", tools::on_path("chromedriver")),
            Self::Firefox => ("GECKODRIVER", tools::GECKODRIVER.program(root)),
            // It speaks as Safari's does.
            Self::Webkit => ("SAFARIDRIVER", tools::on_path("WebKitWebDriver")),
        }
    }

    /// `cmd` with what wasm-bindgen's test runner needs for this engine, and for no other.
    pub(crate) fn run_in(self, cmd: Cmd, root: &Path) -> Cmd {
        let (variable, driver) = self.driver(root);
        let runner = tools::WASM_BINDGEN.program(root);
        let runner = match self {
            // It has no mode without a display.
            Self::Webkit => format!("xvfb-run -a {runner}"),
            _ => runner,
        };
        let cmd = cmd.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER", runner).env(variable, driver);
        match self {
            // There is no graphics card to be had either.
            Self::Webkit => cmd
                .env("WEBKIT_DISABLE_DMABUF_RENDERER", 1)
                .env("WEBKIT_DISABLE_COMPOSITING_MODE", 1)
                .env("LIBGL_ALWAYS_SOFTWARE", 1),
            _ => cmd,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_runner_is_told_of_one_driver() {
        let drivers = ["CHROMEDRIVER=", "GECKODRIVER=", "SAFARIDRIVER="];
        for (n, engine) in BrowserEngine::ALL.into_iter().enumerate() {
            let line = engine.run_in(Cmd::cargo("test"), Path::new("root")).to_string();
            for (m, driver) in drivers.iter().enumerate() {
                assert_eq!(line.contains(driver), n == m, "{line}");
            }
            assert_eq!(line.contains("xvfb-run -a "), engine == BrowserEngine::Webkit, "{line}");
        }
    }
}
