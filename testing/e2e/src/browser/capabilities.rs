use std::path::Path;

use serde_json::{Value, json};

use super::engine::BrowserEngine;

/// No window, no traffic of its own, nothing that asks. The renderer's shared memory is a file of the
/// profile's, because containers have little in /dev/shm.
const CHROMIUM: [&str; 12] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
    // Else a tab behind another one is slowed down after a while.
    "--disable-background-timer-throttling",
    "--disable-renderer-backgrounding",
];

/// The capabilities that a new session is asked for.
pub(super) fn capabilities(engine: BrowserEngine, profile: &Path, args: &[String]) -> Value {
    let profile = profile.to_string_lossy();
    let mut line: Vec<String>;
    let wanted = match engine {
        BrowserEngine::Chromium => {
            line = CHROMIUM.map(str::to_owned).to_vec();
            line.push(format!("--user-data-dir={profile}"));
            line.extend_from_slice(args);
            json!({ "goog:chromeOptions": { "args": line } })
        }
        BrowserEngine::Firefox => {
            line = ["-headless", "-profile", &profile].map(str::to_owned).to_vec();
            line.extend_from_slice(args);
            json!({ "moz:firefoxOptions": { "args": line, "prefs": {
                // Times as they are, also where a page is not isolated.
                "privacy.reduceTimerPrecision": false,
                "dom.min_background_timeout_value": 4,
                // Else it asks whether a site may keep data for good, and nobody answers.
                "dom.storageManager.prompt.testing": true,
                "dom.storageManager.prompt.testing.allow": true,
                "app.update.disabledForTesting": true,
                "datareporting.policy.dataSubmissionEnabled": false,
            } } })
        }
        BrowserEngine::WebKit => json!({}),
    };
    json!({ "capabilities": { "alwaysMatch": wanted } })
}
