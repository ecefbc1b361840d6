use std::path::PathBuf;
use std::time::Duration;

/// How a browser is started.
#[derive(Debug, Clone)]
#[must_use = "options do nothing until a browser is started with them"]
pub struct BrowserOptions {
    pub(super) profile: Option<PathBuf>,
    pub(super) script: Duration,
    pub(super) args: Vec<String>,
}

impl Default for BrowserOptions {
    fn default() -> Self {
        Self { profile: None, script: Duration::from_secs(60), args: Vec::new() }
    }
}

impl BrowserOptions {
    /// The folder of its data, made if it is missing, and kept: a browser that is started with it again has
    /// what the last one had. Not in WebKit, which keeps nothing under automation. Default: a new one, in
    /// memory where that can be had, removed with the browser.
    pub fn profile(self, profile: impl Into<PathBuf>) -> Self {
        Self { profile: Some(profile.into()), ..self }
    }

    /// How long a script may run. Default: 60 s.
    pub fn script_limit(self, script: Duration) -> Self {
        Self { script, ..self }
    }

    /// One more argument for the browser's command line.
    pub fn arg(mut self, arg: impl Into<String>) -> Self {
        self.args.push(arg.into());
        self
    }
}
