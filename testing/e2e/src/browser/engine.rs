use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use crate::{Error, Result};

/// Which engines' tests run: names with commas between them, or `all`.
const WANTED: &str = "HAOS_BROWSERS";

/// One of the three families of browsers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BrowserEngine {
    /// Chromium through chromedriver.
    Chromium,
    /// Firefox through geckodriver.
    Firefox,
    /// WebKitGTK's MiniBrowser through WebKitWebDriver. Under automation it keeps nothing on disk.
    WebKit,
}

impl BrowserEngine {
    /// Every engine.
    pub const ALL: [Self; 3] = [Self::Chromium, Self::Firefox, Self::WebKit];

    /// Its name in `HAOS_BROWSERS` and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Chromium => "chromium",
            Self::Firefox => "firefox",
            Self::WebKit => "webkit",
        }
    }

    /// The engine of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|engine| engine.name() == name)
    }

    /// The engines that `HAOS_BROWSERS` names.
    ///
    /// # Errors
    /// It names no engine, or has an unknown name: a test would pass without a browser.
    pub fn wanted() -> Result<Vec<Self>> {
        parse(&std::env::var(WANTED).unwrap_or_default())
    }

    /// Those of these engines that `HAOS_BROWSERS` names. If it names none of them the test that runs is skipped, and
    /// says so.
    ///
    /// # Errors
    /// Those of [`BrowserEngine::wanted`].
    pub fn wanted_among(able: &[Self]) -> Result<Vec<Self>> {
        let mut wanted = Self::wanted()?;
        wanted.retain(|engine| able.contains(engine));
        if wanted.is_empty() {
            let names = able.iter().map(|engine| engine.name()).collect::<Vec<_>>().join(" or ");
            let how = format!("name {names} in {WANTED}");
            haos_skip::skipped(format!("it is about {names}, which is not asked for"), how);
        }
        Ok(wanted)
    }

    /// The driver's program: what its variable says, or the first in the path.
    pub(super) fn driver(self) -> Result<PathBuf> {
        let (variable, program, package) = match self {
            Self::Chromium => ("CHROMEDRIVER", "chromedriver", "apt-get install chromium chromium-driver"),
            Self::Firefox => {
                ("GECKODRIVER", "geckodriver", "apt-get install firefox-esr, cargo install geckodriver")
            }
            Self::WebKit => ("SAFARIDRIVER", "WebKitWebDriver", "apt-get install webkit2gtk-driver xvfb"),
        };
        if let Some(path) = std::env::var_os(variable).filter(|path| !path.is_empty()) {
            return Ok(path.into());
        }
        in_path(program).ok_or_else(|| missing(program, package, variable))
    }
}

impl fmt::Display for BrowserEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The first program of this name in the path.
pub(super) fn in_path(program: &str) -> Option<PathBuf> {
    let path: OsString = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| Path::is_file(file))
}

fn missing(program: &str, package: &str, variable: &str) -> Error {
    Error::new(
        format!("{program} is missing"),
        format!("install it (Debian: {package}) or set {variable} to its path"),
    )
}

fn parse(names: &str) -> Result<Vec<BrowserEngine>> {
    let names: Vec<_> = names.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    if names.is_empty() {
        return Err(Error::new(
            WANTED,
            "it names no engine: set it to chromium, firefox, webkit (with commas between) or all, \
             or run `cargo xtask test --only web`",
        ));
    }
    if names == ["all"] {
        return Ok(BrowserEngine::ALL.to_vec());
    }
    let unknown = |name| Error::new(WANTED, format!("{name:?} is not one of chromium, firefox, webkit, all"));
    names.into_iter().map(|name| BrowserEngine::from_name(name).ok_or_else(|| unknown(name))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn engines_are_wanted_by_name() {
        for none in ["", " , "] {
            assert!(parse(none).unwrap_err().to_string().contains("set it to chromium"));
        }
        assert_eq!(parse("firefox, webkit").unwrap(), [BrowserEngine::Firefox, BrowserEngine::WebKit]);
        assert_eq!(parse("all").unwrap(), BrowserEngine::ALL);
        assert!(parse("opera").unwrap_err().to_string().contains("opera"));
    }
}
