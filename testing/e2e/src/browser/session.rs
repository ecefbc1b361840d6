use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::capabilities::capabilities;
use super::engine::BrowserEngine;
use super::options::BrowserOptions;
use super::process::Process;
use super::tree::{self, Signal};
use super::wire::Wire;
use crate::{Error, Result, folder};

/// How long any command may take beyond what its script may.
const PATIENCE: Duration = Duration::from_secs(60);
/// The wait for an answer to a command that ends its own page.
const FAREWELL: Duration = Duration::from_secs(2);

/// Awaits an async function's body and tells both outcomes, since drivers do not agree on rejections.
const RUN: &str = "const done = arguments[arguments.length - 1]; \
    const [body, args] = arguments; \
    const AsyncFunction = (async () => {}).constructor; \
    new AsyncFunction('args', body)(args).then( \
        (value) => done({ value: value === undefined ? null : value }), \
        (error) => done({ error: String((error && error.stack && `${error}\\n${error.stack}`) || error) }));";

/// A browser with a session. It ends, and its data goes unless a profile was given, when this is dropped.
#[derive(Debug)]
pub struct Browser {
    // The first field is dropped first: the processes end before their folders go.
    process: Process,
    engine: BrowserEngine,
    wire: Wire,
    session: String,
    version: String,
    script: Duration,
    _folder: TempDir,
}

impl Browser {
    /// Starts a driver, a browser and a session.
    ///
    /// # Errors
    /// Something is missing, and the error says what to install, or does not start.
    pub async fn start(engine: BrowserEngine, options: BrowserOptions) -> Result<Self> {
        let failed = |e: std::io::Error| Error::new("no folder for the browser", e);
        let folder = folder::temporary().map_err(failed)?;
        let profile = options.profile.clone().unwrap_or_else(|| folder.path().join("profile"));
        std::fs::create_dir_all(&profile).map_err(failed)?;
        let process = Process::start(engine, folder.path()).await?;
        let wire = Wire::new(process.address());
        let wanted = capabilities(engine, &absolute(&profile)?, &options.args);
        let made = wire.ask("POST", "/session", Some(&wanted), PATIENCE).await;
        let made = made.map_err(|e| process.told(format!("{engine} does not start"), e))?;
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let session = text(&made["sessionId"]).ok_or_else(|| Error::new("no session", &made))?;
        let version = text(&made["capabilities"]["browserVersion"]).unwrap_or_default();
        let script = options.script;
        let browser = Self { process, engine, wire, session, version, script, _folder: folder };
        let script_ms = u64::try_from(script.as_millis()).unwrap_or(u64::MAX);
        browser.post("/timeouts", &json!({ "script": script_ms })).await?;
        Ok(browser)
    }

    /// Its engine.
    pub fn engine(&self) -> BrowserEngine {
        self.engine
    }

    /// The browser's own version.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Loads a page and waits until it has.
    ///
    /// # Errors
    /// It does not load, or the browser is gone.
    pub async fn goto(&self, url: &str) -> Result<()> {
        self.post("/url", &json!({ "url": url })).await.map(drop)
    }

    /// Runs a script whose last argument is a function that takes its result, as WebDriver has it.
    ///
    /// # Errors
    /// The script threw, took too long, or the page is gone.
    pub async fn execute_async(&self, script: &str, args: &[Value]) -> Result<Value> {
        self.post("/execute/async", &json!({ "script": script, "args": args })).await
    }

    /// Runs the body of an async function, which sees `args` as an array; what it returns.
    ///
    /// # Errors
    /// It threw or rejected, and the error has the text and the stack; it took too long; the page is gone.
    pub async fn run(&self, body: &str, args: &[Value]) -> Result<Value> {
        let mut outcome = self.execute_async(RUN, &[body.into(), args.into()]).await?;
        match outcome.get("error") {
            Some(error) => Err(Error::new("the script failed", error.as_str().unwrap_or_default())),
            None => Ok(outcome.get_mut("value").map(Value::take).unwrap_or_default()),
        }
    }

    /// A devtools command to the tab, in Chromium.
    ///
    /// # Errors
    /// It is not Chromium, or the command is refused.
    pub async fn devtools(&self, command: &str, params: Value) -> Result<Value> {
        self.devtools_within(command, params, PATIENCE).await
    }

    /// Lets the tab's renderer crash, in Chromium. Commands to the tab are refused then: have another tab
    /// made before, and switch to it. Tabs of the same site may have shared the renderer.
    ///
    /// # Errors
    /// It is not Chromium.
    pub async fn crash_tab(&self) -> Result<()> {
        match self.devtools_within("Page.crash", json!({}), FAREWELL).await {
            // A crashing tab may not answer.
            _ if self.engine == BrowserEngine::Chromium => Ok(()),
            outcome => outcome.map(drop),
        }
    }

    /// SIGKILL for the whole browser, at once. The session is over; what was on disk stays in a profile
    /// that was given.
    pub fn kill(&self) {
        tree::kill(&self.process.browser());
    }

    /// Stops the whole browser as it is (SIGSTOP), or lets it go on (SIGCONT).
    pub fn freeze(&self, frozen: bool) {
        let signal = if frozen { Signal::Stop } else { Signal::Continue };
        tree::signal(&self.process.browser(), signal);
    }

    /// Ends it in order, so that what it has not written yet is written.
    ///
    /// # Errors
    /// It does not end by itself; it is killed then.
    pub async fn quit(self) -> Result<()> {
        let browser = self.process.browser();
        self.delete("").await?;
        tree::gone(&browser);
        Ok(())
    }

    pub(super) async fn get(&self, path: &str) -> Result<Value> {
        self.ask("GET", path, None, PATIENCE).await
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        self.ask("POST", path, Some(body), self.script.saturating_add(PATIENCE)).await
    }

    pub(super) async fn delete(&self, path: &str) -> Result<Value> {
        self.ask("DELETE", path, None, PATIENCE).await
    }

    async fn ask(&self, method: &str, path: &str, body: Option<&Value>, patience: Duration) -> Result<Value> {
        self.wire.ask(method, &format!("/session/{}{path}", self.session), body, patience).await
    }

    async fn devtools_within(&self, command: &str, params: Value, patience: Duration) -> Result<Value> {
        if self.engine != BrowserEngine::Chromium {
            return Err(Error::new(
                command,
                format!("{} has no devtools commands over WebDriver", self.engine),
            ));
        }
        let body = json!({ "cmd": command, "params": params });
        self.ask("POST", "/goog/cdp/execute", Some(&body), patience).await
    }
}

fn absolute(path: &Path) -> Result<std::path::PathBuf> {
    std::path::absolute(path).map_err(|e| Error::new("the profile's folder", e))
}
